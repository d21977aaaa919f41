//! The line that a node keeps of each run that held its lease: who, from where, what.
//!
//! It costs no script of its own. The claim of the lease leaves beside it a text that says who came, and how the line is written; the shell
//! that gives the lease back runs it, with what the run says in its farewell. Of a run that went without a farewell it is kept that it was lost.

use super::lease::LeaseInfo;
use crate::command::quote;

/// Where the lines are kept. Only root writes there.
pub const LOG: &str = "/var/log/hadeploy.log";

/// So many lines are kept.
const KEPT: u32 = 1000;
/// So many more may come before the oldest go.
const SLACK: u32 = 100;

/// Shell text that writes the line, for the shell that gives the lease back: `$z` is the farewell, `$FROM` the address of who came.
pub(super) fn text(run: &str, info: &LeaseInfo) -> String {
    let who = serde_json::json!({"run": run, "who": info.holder, "command": info.command, "since": info.since});
    let who = who.to_string();
    let who = who.trim_start_matches('{').trim_end_matches('}');
    format!(
        r#"A={LOG}; umask 027; e=${{z#bye}}
case $e in ' '*) e=${{e# }};; *) e='"status":"connection lost"';; esac
case $FROM in *[!0-9A-Za-z.:%]*) FROM=;; esac
[ -e "$A" ] || {{ : >"$A"; chgrp adm "$A"; }}
printf '{{"time":"%s",%s,"from":"%s",%s}}\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" {who} "$FROM" "$e" >>"$A"
[ "$(wc -l <"$A")" -le {most} ] || {{ tail -n {KEPT} "$A" >"$A.new" && chgrp adm "$A.new" && mv -T "$A.new" "$A"; }}"#,
        who = quote(who),
        most = KEPT + SLACK,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// Runs it as the shell does that gives a lease back.
    fn write(log: &str, farewell: &str, from: &str) {
        let info = LeaseInfo {
            holder: "ann@a".to_owned(),
            command: "hadeploy apply 'it'\\''s.yml'".to_owned(),
            since: "2026-01-01T00:00:00Z".to_owned(),
        };
        let script = text("r1", &info).replace(LOG, log);
        let whole = format!(
            "z={}; FROM={}; ( {script}\n )",
            quote(farewell),
            quote(from)
        );
        let ran = Command::new("sh").args(["-c", &whole]).status();
        assert!(ran.expect("sh").success());
    }

    fn lines(log: &str) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(log).expect("a log");
        let parse = |line: &str| serde_json::from_str(line).expect("one object a line");
        text.lines().map(parse).collect()
    }

    #[test]
    fn a_line_says_who_from_where_and_what() {
        let folder = tempfile::tempdir().expect("tempdir");
        let log = folder.path().join("l").display().to_string();
        write(&log, r#"bye "status":"done","changed":2"#, "10.0.0.9");
        write(&log, "", "fe80::1%eth0");
        write(&log, r#"bye "status":"done""#, "a\"b");
        let lines = lines(&log);
        assert_eq!(lines[0]["who"], "ann@a");
        assert_eq!(lines[0]["command"], "hadeploy apply 'it'\\''s.yml'");
        assert_eq!(lines[0]["from"], "10.0.0.9");
        assert_eq!(lines[0]["changed"], 2);
        assert_eq!(lines[1]["status"], "connection lost");
        assert_eq!(lines[1]["from"], "fe80::1%eth0");
        assert_eq!(lines[2]["from"], "");
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&log).expect("a log").permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
    }

    #[test]
    fn only_the_last_lines_are_kept() {
        let folder = tempfile::tempdir().expect("tempdir");
        let log = folder.path().join("l").display().to_string();
        std::fs::write(&log, "{\"old\":1}\n".repeat(1100)).expect("written");
        write(&log, "bye \"status\":\"done\"", "");
        let lines = lines(&log);
        assert_eq!(lines.len(), 1000);
        assert_eq!(lines[999]["run"], "r1");
    }
}
