//! What the demo has shown, with its measured times.

use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::Value;

use super::rolling::Rolled;
use crate::lab::Load;

/// What was proved.
#[derive(Debug)]
pub struct Proof {
    /// Each node with its address.
    pub nodes: Vec<(String, Ipv4Addr)>,
    /// Until all nodes answered SSH.
    pub up: Duration,
    /// The first apply, from start to end of the program.
    pub first: Duration,
    /// The second apply.
    pub second: Duration,
    /// The second apply's own account.
    pub recap: Recap,
    /// What visitors saw in between.
    pub load: Load,
    /// The rolling update.
    pub rolled: Rolled,
}

/// An apply that changed nothing, in its own words.
#[derive(Debug, PartialEq, Eq)]
pub struct Recap {
    /// Tasks found as wanted, of all nodes together.
    pub ok: u64,
    /// The most scripts whose answer the run waited for on one node.
    pub round_trips: u64,
}

impl Proof {
    /// Tells it, in lines for people.
    pub fn told(&self) -> String {
        let second = format!(
            "the second apply found {} tasks as wanted and changed nothing ({} scripts per node)",
            self.recap.ok, self.recap.round_trips
        );
        let rolled = &self.rolled;
        let update = format!(
            "the rolling update brought another release and a restart of nginx to {} nodes",
            rolled.nodes.len()
        );
        let mut text = String::from("\nProved:\n");
        for (time, what) in [
            (self.up, "the nodes were made and answer SSH"),
            (self.first, "the first apply made them the site"),
            (self.second, &second),
            (rolled.time, &update),
        ] {
            text.push_str(&format!("  {:>6.2} s  {what}\n", time.as_secs_f64()));
        }
        text.push_str(&format!(
            "Visitors through the balancer, over TLS: {}; all nodes answered.\n",
            self.load
        ));
        text.push_str(&format!(
            "While it went on: {} requests sent, {} failed.\n",
            rolled.during.requests, rolled.during.failed
        ));
        text.push_str("              half within    99 % within\n");
        for (when, seen) in [("before", &rolled.before), ("during", &rolled.during)] {
            text.push_str(&format!(
                "  {when:<8} {:>12.1} ms {:>11.1} ms\n",
                seen.keep.p50, seen.keep.p99
            ));
        }
        text.push_str("Seconds per node:  drain  update   check    all\n");
        for (name, parts) in &rolled.nodes {
            text.push_str(&format!(
                "  {name:<14} {:>7.1} {:>7.1} {:>7.1} {:>6.1}\n",
                parts[0],
                parts[1],
                parts[2],
                parts.iter().sum::<f64>()
            ));
        }
        text.push_str("From outside, each node says at /healthz that it is ready:\n");
        for (name, address) in &self.nodes {
            text.push_str(&format!("  {name:<4} http://{address}/healthz\n"));
        }
        text
    }
}

/// Reads the events of an apply that must have changed nothing on this many hosts.
///
/// # Errors
/// What it changed or left, in words.
pub fn unchanged(events: &str, hosts: usize) -> Result<Recap, String> {
    let events: Vec<Value> = events
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let text = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
    let changed: Vec<String> = events
        .iter()
        .filter(|event| {
            let name = text(event, "event");
            (name == "task_finished" || name == "handler_finished")
                && text(event, "status") != "ok"
                && text(event, "status") != "skipped"
        })
        .map(|event| {
            let name = [
                text(event, "host"),
                text(event, "task"),
                text(event, "status"),
            ];
            format!("{}: `{}` is {}", name[0], name[1], name[2])
        })
        .collect();
    if !changed.is_empty() {
        return Err(format!("not all is as wanted: {}", changed.join(", ")));
    }
    let last = events
        .last()
        .filter(|event| event["event"] == "run_finished");
    let rows = last
        .and_then(|event| event["hosts"].as_object())
        .ok_or("its last event is no `run_finished`")?;
    if rows.len() != hosts {
        return Err(format!("its recap has {} hosts, not {hosts}", rows.len()));
    }
    let count = |row: &Value, key: &str| row[key].as_u64().unwrap_or_default();
    for (host, row) in rows {
        let other: u64 = ["changed", "failed", "unknown", "unreachable"]
            .iter()
            .map(|key| count(row, key))
            .sum();
        // This machine acts for the nodes: what it does counts for them.
        if other > 0 || (count(row, "ok") == 0 && host != "localhost") {
            return Err(format!("the recap of {host} is {row}"));
        }
    }
    Ok(Recap {
        ok: rows.values().map(|row| count(row, "ok")).sum(),
        round_trips: rows
            .values()
            .map(|row| count(row, "round_trips"))
            .max()
            .unwrap_or_default(),
    })
}

/// Why a run ended as it did, by its last event.
pub fn reason(events: &str) -> Option<String> {
    let last: Value = serde_json::from_str(events.lines().last()?).ok()?;
    last["reason"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(n1: &str, n2: &str) -> String {
        format!(
            "{{\"v\":1,\"event\":\"run_finished\",\"exit_code\":0,\"hosts\":{{\"n1\":{n1},\"n2\":{n2}}}}}\n"
        )
    }

    #[test]
    fn nothing_changed() {
        let events = end(
            r#"{"ok":13,"changed":0,"round_trips":2}"#,
            r#"{"ok":12,"changed":0,"skipped":1,"round_trips":3}"#,
        );
        let recap = Recap {
            ok: 25,
            round_trips: 3,
        };
        assert_eq!(unchanged(&events, 2), Ok(recap));
    }

    #[test]
    fn the_reason_is_in_the_last_event() {
        let end = r#"{"event":"run_finished","reason":"1 host failed"}"#;
        assert_eq!(
            reason(&format!("{{}}\n{end}\n")).as_deref(),
            Some("1 host failed")
        );
        assert_eq!(reason("error: no"), None);
    }

    #[test]
    fn what_changed_is_named() {
        let good = r#"{"ok":13}"#;
        let task = r#"{"event":"task_finished","host":"n2","task":"Page","status":"changed"}"#;
        let cases = [
            (String::new(), "no `run_finished`"),
            ("{\"event\":\"run_finished\"}".into(), "no `run_finished`"),
            (end(good, r#"{"ok":1,"changed":1}"#), "recap of n2"),
            (end(good, r#"{"ok":1,"unreachable":1}"#), "recap of n2"),
            (end(good, r#"{"ok":0}"#), "recap of n2"),
            (
                format!("{task}\n{}", end(good, good)),
                "n2: `Page` is changed",
            ),
        ];
        for (events, expected) in cases {
            let error = unchanged(&events, 2).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        assert!(
            unchanged(&end(good, good), 3)
                .unwrap_err()
                .contains("2 hosts, not 3")
        );
    }
}
