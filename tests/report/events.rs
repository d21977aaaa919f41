//! Events to report, and a page to report them on.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use hadeploy::change::{Action, Effect, Field};
use hadeploy::diagnostic::Diagnostic;
use hadeploy::event::{
    Consequence, Event, Failure, Impact, ItemResult, Mode, Recap, Status, Tally, TaskResult,
};
use hadeploy::report::{Json, Plain, ReportOptions, Reporter};
use hadeploy::source::{Source, Span};

/// A writer whose bytes can be read afterwards.
#[derive(Clone, Default, Debug)]
pub struct Page(pub Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Page {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

pub fn plain(options: ReportOptions, events: &[Event]) -> String {
    let page = Page::default();
    let mut reporter = Plain::new(options, Box::new(page.clone()));
    events.iter().for_each(|event| reporter.event(event));
    reporter.finish();
    page.text()
}

pub fn json(events: &[Event]) -> String {
    let page = Page::default();
    let mut reporter = Json::new(Box::new(page.clone()));
    events.iter().for_each(|event| reporter.event(event));
    reporter.finish();
    page.text()
}

pub fn names(names: &[&str]) -> Vec<Arc<str>> {
    names.iter().map(|name| Arc::from(*name)).collect()
}

pub fn task(host: &str, name: &str, status: Status) -> TaskResult {
    TaskResult {
        play: "web".into(),
        task: name.into(),
        delegate: None,
        host: host.into(),
        status,
        at: "site.yml:7".into(),
        kind: "copy",
        action: match status {
            Status::Changed => Action::Update,
            _ => Action::None,
        },
        changes: Vec::new(),
        effect: Effect::None,
        follows: Vec::new(),
        msg: String::new(),
        rc: None,
        duration_ms: 12,
        items: Vec::new(),
        ignored: false,
        rescued: false,
        known_after: None,
        failure: None,
        handler: false,
    }
}

pub fn finished(result: TaskResult) -> Event {
    Event::TaskFinished(Box::new(result))
}

pub fn content(before: Option<&str>, after: Option<&str>) -> Field {
    Field::Text {
        field: "content".into(),
        before_sha256: before.map(|_| "aa11".into()),
        after_sha256: after.map(|_| "bb22".into()),
        before: before.map(Arc::from),
        after: after.map(Arc::from),
    }
}

pub fn started(mode: Mode, hosts: &[&str]) -> Vec<Event> {
    vec![
        Event::RunStarted {
            mode,
            run_id: "r1".into(),
            playbook: "site.yml".into(),
            hosts: names(hosts),
            log: Some("/logs/r1.jsonl".into()),
        },
        Event::PlayStarted {
            play: "web".into(),
            hosts: names(hosts),
        },
    ]
}

pub fn tally(ok: u32, changed: u32) -> Tally {
    Tally {
        ok,
        changed,
        round_trips: 2,
        ..Tally::default()
    }
}

pub fn ended(exit_code: u8, reason: &str, touched: bool, hosts: &[(&str, Tally)]) -> Event {
    Event::RunFinished(Recap {
        exit_code,
        reason: reason.into(),
        touched,
        elapsed_ms: 4_260,
        hosts: hosts
            .iter()
            .map(|(host, tally)| (Arc::from(*host), *tally))
            .collect(),
        rollout: Vec::new(),
        impact: Impact::default(),
    })
}

/// A run with one of each.
pub fn apply_events() -> Vec<Event> {
    let mut events = started(Mode::Apply, &["n1", "web10"]);
    events.push(Event::HostConnected { host: "n1".into() });
    events.push(Event::HostWorking {
        host: "n1".into(),
        what: "installing nginx".into(),
    });
    events.push(Event::Owed {
        host: "n1".into(),
        handler: "restart app".into(),
        since: "2026-01-02T03:04:05Z".into(),
    });
    events.push(finished(task("n1", "as wanted", Status::Ok)));
    events.push(finished(task("n1", "not here", Status::Skipped)));
    events.extend([write_conf(), add_users(), say(), install(), restart()]);
    events.push(Event::Warning {
        host: None,
        message: "the clock of `n1` is 3 s behind".into(),
    });
    let source = Source::new("site.yml", "- hosts: web\n  taks: []\n");
    let place = Span::new(&source, 15, 19);
    events.push(Event::Diagnostic(Box::new(
        Diagnostic::warning(&place, "unknown key `taks`").help("did you mean `tasks`?"),
    )));
    events.push(Event::HostUnreachable {
        host: "db1".into(),
        error: Failure::new("connection refused on port 22").help("is sshd running?"),
    });
    let failed = Tally {
        failed: 1,
        ..tally(1, 1)
    };
    let lost = Tally {
        unreachable: 1,
        ..Tally::default()
    };
    let hosts = [("n1", tally(1, 2)), ("web10", failed), ("db1", lost)];
    events.push(ended(3, "1 host failed, 1 was not reached", true, &hosts));
    events
}

fn write_conf() -> Event {
    let mut write = task("n1", "write nginx.conf", Status::Changed);
    write.changes = vec![
        Field::value("mode", "0600", "0644"),
        content(Some("a\nb\n"), Some("a\nc\n")),
    ];
    write.follows = vec![Consequence {
        effect: Effect::Reload("nginx.service".into()),
        handler: Some("reload nginx".into()),
    }];
    finished(write)
}

fn add_users() -> Event {
    let mut users = task("web10", "add users", Status::Changed);
    let item = |name: &str, status, changes| ItemResult {
        item: name.into(),
        status,
        changes,
        msg: String::new(),
    };
    let shell = Field::value("shell", "/bin/sh", "/bin/bash");
    users.items = vec![
        item("alice", Status::Changed, vec![shell]),
        item("bob", Status::Ok, Vec::new()),
    ];
    finished(users)
}

fn say() -> Event {
    let mut debug = task("web10", "say", Status::Ok);
    debug.kind = "debug";
    debug.msg = "hello".into();
    finished(debug)
}

fn install() -> Event {
    let mut install = task("web10", "install ngnix", Status::Failed);
    install.rc = Some(100);
    install.msg = "no such package `ngnix`".into();
    install.failure = Some(Failure {
        message: "no such package `ngnix`".into(),
        command: Some("apt-get install ngnix".into()),
        rc: Some(100),
        output: vec!["\u{1b}[31mE:\u{1b}[0m Unable to locate\u{7} package ngnix".into()],
        help: Some("did you mean `nginx`?".into()),
    });
    finished(install)
}

fn restart() -> Event {
    let mut restart = task("n1", "restart nginx", Status::Changed);
    restart.handler = true;
    restart.action = Action::Run;
    restart.effect = Effect::Restart("nginx.service".into());
    restart.follows = vec![Consequence {
        effect: restart.effect.clone(),
        handler: None,
    }];
    finished(restart)
}
