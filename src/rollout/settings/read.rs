//! Reading `rolling:` with places.

use std::sync::Arc;
use std::time::Duration;

use super::{HEALTH, HTTP, KEYS, RELEASE, RELEASE_VARIABLE, Settings, Share};
use crate::diagnostic::{Diagnostic, list};
use crate::rollout::OnFailure;
use crate::rollout::health::{Gate, Http};
use crate::value::{Kind, Map, Value, parse_duration};

pub(super) struct Reader {
    pub(super) lenient: bool,
    pub(super) faults: Vec<Diagnostic>,
}

impl Reader {
    pub(super) fn settings(&mut self, value: &Value) -> Settings {
        let mut settings = Settings {
            batch: Share::Count(1),
            max_unavailable: Share::Count(1),
            canary: None,
            canary_hold: Duration::from_secs(30),
            on_failure: OnFailure::Stop,
            soak: Duration::ZERO,
            gate: Gate::default(),
            balancer: None,
            release_variable: RELEASE_VARIABLE.into(),
            release_path: "/srv/app".to_owned(),
        };
        let Some(map) = self.map("rolling", value, KEYS) else {
            return settings;
        };
        for (key, entry) in &map {
            let value = &entry.value;
            match key.as_ref() {
                "batch" => self.set(&mut settings.batch, |reader| reader.share(key, value)),
                "max_unavailable" => {
                    self.set(&mut settings.max_unavailable, |reader| {
                        reader.share(key, value)
                    });
                }
                "canary" => settings.canary = self.text(key, value).map(Arc::from),
                "canary_hold" => {
                    self.set(&mut settings.canary_hold, |reader| {
                        reader.duration(key, value)
                    });
                }
                "soak" => self.set(&mut settings.soak, |reader| reader.duration(key, value)),
                "on_failure" => match self.text(key, value).as_deref() {
                    Some("rollback") => settings.on_failure = OnFailure::Rollback,
                    Some("stop") | None => {}
                    Some(word) => self.faults.push(
                        Diagnostic::at(&value.span, format!("`on_failure` cannot be `{word}`"))
                            .nearest(word, ["stop", "rollback"])
                            .help("it is `stop` or `rollback`"),
                    ),
                },
                "balancer" => settings.balancer = Some(value.clone()),
                "health" => self.gate(value, &mut settings.gate),
                "release" => {
                    for (key, entry) in self.map(key, value, RELEASE).unwrap_or_default() {
                        let text = self.text(&key, &entry.value);
                        match (key.as_ref(), text) {
                            ("variable", Some(text)) => settings.release_variable = text.into(),
                            ("path", Some(text)) => settings.release_path = text,
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        if !map.contains_key("health") {
            self.faults.push(
                Diagnostic::at(&value.span, "`rolling` has no `health`").help(
                    "say what a healthy node is, for example `health: {units: [nginx], http: [\"http://127.0.0.1:3001/readyz\"]}`: no node gets traffic again before it holds",
                ),
            );
        }
        settings
    }

    fn set<T>(&mut self, place: &mut T, read: impl FnOnce(&mut Reader) -> Option<T>) {
        if let Some(value) = read(self) {
            *place = value;
        }
    }

    fn gate(&mut self, value: &Value, gate: &mut Gate) {
        let Some(map) = self.map("health", value, HEALTH) else {
            return;
        };
        for (key, entry) in &map {
            let value = &entry.value;
            match key.as_ref() {
                "http" => {
                    let items: Vec<Value> = self.items(value);
                    gate.http = items.iter().filter_map(|item| self.http(item)).collect();
                }
                "units" => gate.units = self.texts(key, value),
                "ports" => {
                    let items = self.items(value);
                    gate.ports = items
                        .iter()
                        .filter_map(|item| self.within(key, item, 1, u16::MAX))
                        .collect();
                }
                "command" => gate.command = self.text(key, value),
                "checks" => {
                    if let Some(checks) = self.within(key, value, 1, 10_000) {
                        gate.checks = checks.into();
                    }
                }
                "interval" => self.set(&mut gate.interval, |reader| reader.duration(key, value)),
                "timeout" => self.set(&mut gate.timeout, |reader| reader.duration(key, value)),
                _ => {}
            }
        }
        let least = gate.interval * (gate.checks - 1);
        if gate.timeout < least {
            let place = ["timeout", "checks", "interval"]
                .iter()
                .find_map(|key| map.get(*key));
            let span = place.map_or(&value.span, |entry| &entry.value.span);
            self.faults.push(
                Diagnostic::at(
                    span,
                    format!(
                        "no node can pass: {} checks, {:?} apart, take {least:?}, and `timeout` is {:?}",
                        gate.checks, gate.interval, gate.timeout
                    ),
                )
                .help("give more `timeout`, or fewer `checks`"),
            );
        }
        let asks = |key: &str| {
            let entry = map.get(key);
            entry.is_some_and(|entry| entry.value.as_list().is_none_or(|items| !items.is_empty()))
        };
        if !["http", "units", "ports", "command"].into_iter().any(asks) {
            self.faults.push(
                Diagnostic::at(&value.span, "`health` asks nothing")
                    .help("give at least one of `http`, `units`, `ports` and `command`"),
            );
        }
    }

    fn http(&mut self, value: &Value) -> Option<Http> {
        if value.as_str().is_some() {
            let url = self.text("http", value)?;
            return self.url(&url, value);
        }
        let map = self.map("http", value, HTTP)?;
        let Some(url) = map.get("url") else {
            self.faults
                .push(Diagnostic::at(&value.span, "this check has no `url`"));
            return None;
        };
        let text = self.text("url", &url.value)?;
        let mut http = self.url(&text, &url.value)?;
        for (key, entry) in &map {
            match key.as_ref() {
                "status" => {
                    let items = self.items(&entry.value);
                    http.status = items
                        .iter()
                        .filter_map(|item| self.within(key, item, 100, 599))
                        .collect();
                }
                "contains" => http.contains = self.text(key, &entry.value),
                "host" => http.host = self.text(key, &entry.value),
                "timeout" => {
                    self.set(&mut http.timeout, |reader| {
                        reader.duration(key, &entry.value)
                    });
                }
                _ => {}
            }
        }
        Some(http)
    }

    fn url(&mut self, url: &str, value: &Value) -> Option<Http> {
        match Http::parse(url) {
            Ok(http) => Some(http),
            Err(why) => {
                self.faults
                    .push(Diagnostic::at(&value.span, format!("`{url}` {why}")).help(
                        "it is asked on the node itself, such as `http://127.0.0.1:3001/readyz`",
                    ));
                None
            }
        }
    }

    fn map(&mut self, name: &str, value: &Value, keys: &[&str]) -> Option<Map> {
        let Some(map) = value.as_map() else {
            if !self.open(value) {
                self.wrong(name, "a mapping", value);
            }
            return None;
        };
        for (key, entry) in map {
            if !keys.contains(&key.as_ref()) {
                self.faults.push(
                    Diagnostic::at(&entry.key, format!("unknown key `{key}` of `{name}`"))
                        .nearest(key, keys.iter().copied())
                        .help(format!("there are {}", list(keys.iter().copied()))),
                );
            }
        }
        Some(map.clone())
    }

    /// A template that is yet to be rendered.
    fn open(&self, value: &Value) -> bool {
        self.lenient
            && value
                .as_str()
                .is_some_and(|text| text.contains("{{") || text.contains("{%"))
    }

    fn items(&self, value: &Value) -> Vec<Value> {
        match value.as_list() {
            Some(items) => items.to_vec(),
            None => vec![value.clone()],
        }
    }

    fn texts(&mut self, key: &str, value: &Value) -> Vec<String> {
        let items = self.items(value);
        items
            .iter()
            .filter_map(|item| self.text(key, item))
            .collect()
    }

    fn text(&mut self, key: &str, value: &Value) -> Option<String> {
        if self.open(value) {
            return None;
        }
        match &value.kind {
            Kind::Str(text) => Some(text.to_string()),
            Kind::Int(number) => Some(number.to_string()),
            _ => {
                self.wrong(key, "text", value);
                None
            }
        }
    }

    fn whole(&mut self, key: &str, value: &Value) -> Option<i64> {
        if self.open(value) {
            return None;
        }
        let number = match &value.kind {
            Kind::Int(number) => Some(*number),
            Kind::Str(text) => text.trim().parse().ok(),
            _ => None,
        };
        match number.filter(|number| *number >= 0) {
            Some(number) => Some(number),
            None => {
                self.wrong(key, "a whole number", value);
                None
            }
        }
    }

    fn within(&mut self, key: &str, value: &Value, least: u16, most: u16) -> Option<u16> {
        let number = self.whole(key, value)?;
        let found = u16::try_from(number).ok();
        let found = found.filter(|number| (least..=most).contains(number));
        if found.is_none() {
            self.faults.push(Diagnostic::at(
                &value.span,
                format!("`{key}` must be from {least} to {most}, not {number}"),
            ));
        }
        found
    }

    fn share(&mut self, key: &str, value: &Value) -> Option<Share> {
        let text = self.text(key, value)?;
        match Share::parse(&text) {
            Ok(share) => Some(share),
            Err(wanted) => {
                self.faults.push(Diagnostic::at(
                    &value.span,
                    format!("`{key}` must be {wanted}"),
                ));
                None
            }
        }
    }

    fn duration(&mut self, key: &str, value: &Value) -> Option<Duration> {
        let text = self.text(key, value)?;
        let read = parse_duration(&text);
        if read.is_none() {
            self.wrong(key, "a duration such as `30s`, `5m` or `1d`", value);
        }
        read
    }

    fn wrong(&mut self, key: &str, wanted: &str, value: &Value) {
        let found = match value.as_str() {
            Some(text) => format!("`{text}`"),
            None => value.type_name().to_owned(),
        };
        self.faults.push(Diagnostic::at(
            &value.span,
            format!("`{key}` must be {wanted}, not {found}"),
        ));
    }
}
