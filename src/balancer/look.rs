//! One look at a node: its flags, the probes it was asked, and its connections, in one script.

use std::fmt::Write;

use super::BalancerError;
use super::connections::Connection;
use super::probes::Probe;
use crate::command::quote;

/// Where the flags lie: on a file system that is empty after a reboot, so that the node stays out until it was looked at.
pub(super) const FOLDER: &str = "/run/hadeploy";
/// More lines of the health log are never read.
const LINES: u32 = 4000;

/// What a look showed.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Look {
    /// The node's clock, in seconds.
    pub now: f64,
    /// The run that wants the node out.
    pub drain: Option<String>,
    /// Whether the node may be in.
    pub ready: bool,
    /// Whether there is a health log.
    pub log: bool,
    /// What the health log says of the time asked for.
    pub probes: Vec<Probe>,
    /// Established connections to the ports asked for.
    pub connections: Vec<Connection>,
}

impl Look {
    /// The script. Probes are those since `from` and of the last `back` seconds.
    pub(super) fn script(log: &str, ports: &[u16], from: f64, back: f64) -> String {
        let ports: Vec<String> = ports.iter().map(|port| format!("{port:04X}")).collect();
        let (log, old) = (quote(log), quote(&format!("{log}.1")));
        let mut text = String::new();
        let _ = write!(
            text,
            "now=$(date +%s.%3N); echo now $now\n\
             if [ -e {FOLDER}/drain ]; then echo drain $(head -c 200 {FOLDER}/drain); fi\n\
             if [ -e {FOLDER}/ready ]; then echo ready; fi\n\
             if [ -e {log} ]; then echo log; fi\n\
             cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '$4 == \"01\" && $2 ~ /:({ports})$/ {{ print \"tcp\", $2, $3 }}'\n\
             tail -qn {LINES} -- {old} {log} 2>/dev/null | \
             awk -v now=$now '$3 + 0 >= {from:.3} || $3 + 0 >= now - {back:.3} {{ print \"probe\", $0 }}'\n",
            ports = ports.join("|"),
        );
        text
    }

    /// Reads what the script wrote.
    pub(super) fn parse(host: &str, text: &str) -> Result<Look, BalancerError> {
        let mut look = Look::default();
        let mut now = None;
        for line in text.lines() {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "now" => now = rest.parse().ok(),
                "drain" => look.drain = Some(rest.trim().to_owned()),
                "ready" => look.ready = true,
                "log" => look.log = true,
                "probe" => look.probes.extend(Probe::parse(rest)),
                "tcp" => look.connections.extend(
                    rest.split_once(' ')
                        .and_then(|(local, remote)| Connection::parse(local, remote)),
                ),
                _ => {}
            }
        }
        look.now = now.ok_or_else(|| BalancerError::misread(host, "its clock cannot be read"))?;
        Ok(look)
    }
}

/// Makes the node answer 503, for the run; writes since when it does, by the node's clock.
pub(super) fn drain_script(run: &str) -> String {
    let run = quote(run);
    format!(
        "set -e; umask 022; mkdir -p {FOLDER}; cd {FOLDER}\n\
         if [ \"$(cat drain 2>/dev/null)\" != {run} ]; then printf '%s\\n' {run} > .drain; mv -f .drain drain; fi\n\
         stat -c %.3Y drain\n"
    )
}

/// Lets the node answer 200 again; writes since when it does. `ready` comes first: cut in between, it is all done again.
pub(super) fn ready_script() -> String {
    format!(
        "set -e; umask 022; mkdir -p {FOLDER}; cd {FOLDER}\n\
         if [ -e drain ] || [ ! -e ready ]; then : > .ready; mv -f .ready ready; rm -f drain; fi\n\
         stat -c %.3Y ready\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_script_writes_is_read() {
        let text = "now 100.5\ndrain run 7\nready\nlog\ntcp 0100007F:0050 0B024D0A:C001\ntcp x y\n\
                    probe 10.0.0.1 503 99.1\nprobe broken\n";
        let look = Look::parse("n1", text).unwrap();
        assert_eq!(look.drain.as_deref(), Some("run 7"));
        assert!(look.ready && look.log);
        assert_eq!((look.probes.len(), look.connections.len()), (1, 1));
        assert!(Look::parse("n1", "ready\n").is_err());
    }

    #[test]
    fn the_script_runs_here_and_reads_both_logs() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("it's health.log");
        std::fs::write(
            folder.path().join("it's health.log.1"),
            "a 200 5\na 200 50\n",
        )
        .unwrap();
        std::fs::write(&log, "a 503 60.5\nnonsense\n").unwrap();
        let script = Look::script(log.to_str().unwrap(), &[443, 80], 40.0, 1.0);
        let output = std::process::Command::new("sh")
            .args(["-c", &script])
            .output()
            .unwrap();
        let look = Look::parse("here", &String::from_utf8_lossy(&output.stdout)).unwrap();
        assert!(look.log && look.now > 1e9);
        let times: Vec<f64> = look.probes.iter().map(|probe| probe.at).collect();
        assert_eq!(
            times,
            [50.0, 60.5],
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
