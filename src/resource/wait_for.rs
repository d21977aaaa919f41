//! `wait_for`: a port, a file or the end of connections, waited for on the node.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::command::words::tilde;
use super::place::trimmed;
use super::{Args, Bound, Kind, Param, ParamType, Resource};
use crate::change::{ActOutput, Action, Change, Interpreted, Reading, Step, Touch};
use crate::command::quote;
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing};

/// What waits on the node, in the perl that every Debian has.
const WAIT: &str = include_str!("wait_for/wait.pl");

/// States of connections that are not over.
const ACTIVE: &[&str] = &[
    "ESTABLISHED",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "SYN_RECV",
    "SYN_SENT",
    "TIME_WAIT",
];

/// Waits on the node for a port, a file, or the end of connections.
///
/// # Differs from Ansible
/// - a plan does not wait
///
/// # Returns
/// - `elapsed`: seconds
/// - `match_groups`, `match_groupdict`: what `search_regex` found
///
/// # Examples
/// ```yaml
/// - name: the server listens
///   wait_for: { port: 5432, timeout: 60 }
/// ```
pub static WAIT_FOR: Kind = Kind {
    name: "wait_for",
    aliases: &["ansible.builtin.wait_for", "ansible.legacy.wait_for"],
    summary: "waits on the node for a port, a file, or the end of connections",
    params: &[
        Param::new("host", ParamType::Str, "The host of the port, as the node sees it.").default("127.0.0.1"),
        Param::new("port", ParamType::Int, "The TCP port."),
        Param::new("path", ParamType::Path, "The file or folder. Without it and `port`, `timeout` seconds are waited."),
        Param::new(
            "state",
            ParamType::Choice(&["absent", "drained", "present", "started", "stopped"]),
            "`started` or `present`: it is there. `stopped` or `absent`: it is not. `drained`: no connection to the port is left.",
        )
        .default("started"),
        Param::new("timeout", ParamType::Int, "Seconds after which it is a failure.").default("300"),
        Param::new("delay", ParamType::Int, "Seconds to wait before the first look.").default("0"),
        Param::new("sleep", ParamType::Int, "Seconds between looks.").default("1"),
        Param::new("connect_timeout", ParamType::Int, "Seconds for one connection.").default("5"),
        Param::new(
            "search_regex",
            ParamType::Str,
            "What must be found in the file, or in what the port says; in perl's regular expressions, which have Python's.",
        ),
        Param::new("msg", ParamType::Str, "What is said on a timeout."),
        Param::new("exclude_hosts", ParamType::List, "With `drained`: whose connections do not count."),
        Param::new(
            "active_connection_states",
            ParamType::List,
            "With `drained`: the states that count: ESTABLISHED, FIN_WAIT1, FIN_WAIT2, SYN_RECV, SYN_SENT, TIME_WAIT.",
        ),
    ],
    free_form: None,
    refused: &[],
    check,
    bind: |args, _| bind(args),
};

fn check(args: &Args) -> Vec<Diagnostic> {
    let mut faults = args.at_most_one_of(&["port", "path"]);
    let drained = args.str("state") == Some("drained");
    if drained && !args.has("port") {
        let place = args.place("state");
        faults.push(Diagnostic::at(place, "`state: drained` needs `port`"));
    }
    if !drained && args.has("exclude_hosts") {
        let place = args.place("exclude_hosts");
        let fault = Diagnostic::at(place, "`exclude_hosts` is only for `state: drained`");
        faults.push(fault);
    }
    let gone = matches!(args.str("state"), Some("stopped" | "absent" | "drained"));
    if args.has("search_regex") && (gone || !(args.has("port") || args.has("path"))) {
        let fault = Diagnostic::at(args.place("search_regex"), "there is nothing to search in");
        faults.push(fault.help("it goes with `port` or `path`, and `started` or `present`"));
    }
    faults
}

/// What is waited for.
struct Wait {
    title: String,
    script: String,
    deadline: Duration,
    msg: Option<String>,
    result: Map<String, Value>,
}

fn bind(args: &Args) -> Bound {
    let state = args.str("state").unwrap_or("started");
    let host = args.str("host").unwrap_or("127.0.0.1");
    let port = args.int("port");
    if let Some(port) = port.filter(|port| !(1..=65535).contains(port)) {
        return Err(
            Diagnostic::at(args.value_place("port"), format!("`{port}` is no port")).into(),
        );
    }
    let path = args.str("path").map(trimmed);
    let seconds = |name: &str, default: u64| -> Result<u64, Diagnostic> {
        match args.int(name) {
            None => Ok(default),
            Some(number) => u64::try_from(number)
                .ok()
                .filter(|number| *number < 1 << 31)
                .ok_or_else(|| {
                    Diagnostic::at(
                        args.value_place(name),
                        format!("`{number}` is no number of seconds"),
                    )
                }),
        }
    };
    let (timeout, delay) = (seconds("timeout", 300)?, seconds("delay", 0)?);
    let (sleep, connect) = (seconds("sleep", 1)?, seconds("connect_timeout", 5)?);
    let mut states = args.list("active_connection_states");
    if let Some(other) = states.iter().find(|state| !ACTIVE.contains(state)) {
        let place = args.value_place("active_connection_states");
        return Err(Diagnostic::at(place, format!("`{other}` is no state of a connection")).into());
    }
    if states.is_empty() {
        states = ACTIVE.to_vec();
    }
    let regex = args.str("search_regex").unwrap_or_default();
    let thing = match (port, path) {
        (Some(port), _) => format!("{host}:{port}"),
        (None, Some(path)) => path.to_owned(),
        (None, None) => format!("{timeout} s"),
    };
    let script = format!(
        "perl - {state} {} {} {} {timeout} {delay} {} {} {} {} {} <<'END-OF-WAIT'\n{WAIT}END-OF-WAIT\n",
        quote(host),
        quote(&port.map_or(String::new(), |port| port.to_string())),
        path.map_or("''".to_owned(), tilde),
        sleep.max(1),
        connect.max(1),
        quote(regex),
        quote(&args.list("exclude_hosts").join(",")),
        quote(&states.join(",")),
    );
    let mut result = Map::new();
    result.insert("state".to_owned(), state.into());
    result.insert("port".to_owned(), port.into());
    result.insert("path".to_owned(), path.into());
    result.insert("search_regex".to_owned(), args.str("search_regex").into());
    Ok(Box::new(Wait {
        title: format!("wait for {thing}"),
        script,
        deadline: Duration::from_secs(timeout + delay + connect + 60),
        msg: args.str("msg").map(str::to_owned),
        result,
    }))
}

impl Resource for Wait {
    fn diff(&self, _: &Known) -> Result<Change, Missing> {
        // What was known before the wait is old behind it.
        let mut step = Step::new(self.title.clone(), self.script.clone())
            .touch(Touch::Everything)
            .cut();
        step.act = true;
        step.deadline = self.deadline;
        let msg: Option<Arc<str>> = self.msg.as_deref().map(Arc::from);
        let mut change = Change::new(Action::Run)
            .step(step)
            .reading(Reading::new(move |output| read(output, msg.as_deref())));
        change.result = self.result.clone();
        Ok(change)
    }
}

/// What the script printed; none when it was ended before it could.
fn read(output: &ActOutput, msg: Option<&str>) -> Option<Interpreted> {
    let text = String::from_utf8_lossy(output.stdout);
    let mut read = Interpreted::default();
    let (mut groups, mut names) = (Vec::new(), Map::new());
    let mut elapsed = None;
    for line in text.lines() {
        let (word, rest) = line.split_once(' ')?;
        match word {
            "elapsed" => elapsed = rest.parse::<u64>().ok(),
            "error" => read.message = msg.unwrap_or(rest).to_owned(),
            "group" => groups.push(group(rest)),
            "name" => {
                let (name, value) = rest.split_once(' ')?;
                names.insert(name.to_owned(), group(value));
            }
            _ => return None,
        }
    }
    read.result.insert("elapsed".to_owned(), elapsed?.into());
    read.result.insert("match_groups".to_owned(), groups.into());
    read.result
        .insert("match_groupdict".to_owned(), names.into());
    if !read.message.is_empty() {
        read.result
            .insert("msg".to_owned(), read.message.as_str().into());
    }
    Some(read)
}

/// `x` and hex, or nothing.
fn group(text: &str) -> Value {
    let Some(digits) = text.strip_prefix('x') else {
        return Value::Null;
    };
    let bytes: Vec<u8> = digits
        .as_bytes()
        .chunks(2)
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    String::from_utf8_lossy(&bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_and_timeouts_are_read() {
        let output = |rc, stdout| ActOutput {
            rc,
            stdout,
            stderr: b"",
        };
        let read = |rc, text, msg| read(&output(rc, text), msg);
        let found = read(0, b"group xc3b6\ngroup -\nname a xc3b6\nelapsed 3\n", None).unwrap();
        assert_eq!(
            Value::Object(found.result),
            serde_json::json!({ "elapsed": 3, "match_groups": ["ö", null], "match_groupdict": { "a": "ö" } })
        );
        let late = b"elapsed 9\nerror Timeout\n";
        assert_eq!(read(1, late, None).unwrap().message, "Timeout");
        assert_eq!(read(1, late, Some("mine")).unwrap().message, "mine");
        assert!(read(124, b"", None).is_none());
    }
}
