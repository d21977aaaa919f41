//! The health gate: what must hold on a node, several times in a row, before it gets traffic again.

use std::time::Duration;

use crate::command::quote;
use crate::fact::http::Url;

/// What is asked of a node.
#[derive(Debug, Clone)]
pub struct Gate {
    /// Addresses asked on the node itself.
    pub http: Vec<Http>,
    /// systemd units that must be active and must not restart.
    pub units: Vec<String>,
    /// TCP ports that must accept on 127.0.0.1.
    pub ports: Vec<u16>,
    /// A shell line that must succeed.
    pub command: Option<String>,
    /// So often in a row.
    pub checks: u32,
    /// Between two rounds.
    pub interval: Duration,
    /// When it is given up.
    pub timeout: Duration,
}

impl Default for Gate {
    fn default() -> Gate {
        Gate {
            http: Vec::new(),
            units: Vec::new(),
            ports: Vec::new(),
            command: None,
            checks: 3,
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(60),
        }
    }
}

/// One address, asked on the node itself.
#[derive(Debug, Clone)]
pub struct Http {
    /// Where.
    pub url: Url,
    /// The `Host` header; the address unless given.
    pub host: Option<String>,
    /// Statuses that are right.
    pub status: Vec<u16>,
    /// Text the answer must contain.
    pub contains: Option<String>,
    /// How long an answer may take.
    pub timeout: Duration,
}

impl Http {
    /// An `http://` address, status 200 wanted.
    ///
    /// # Errors
    /// What is wrong with it, to stand behind it.
    pub fn parse(text: &str) -> Result<Http, &'static str> {
        let Some(url) = Url::parse(text) else {
            return Err(if text.starts_with("https://") {
                "is https: a node is asked over plain http"
            } else if text.starts_with("http://") {
                "is no address"
            } else {
                "does not begin with `http://`"
            });
        };
        Ok(Http {
            url,
            host: None,
            status: vec![200],
            contains: None,
            timeout: Duration::from_secs(5),
        })
    }
}

/// What one round found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Round {
    /// What does not hold; none when all does.
    pub trouble: Option<String>,
    /// Restarts of all units so far, and their main processes: a change between two rounds is a crash.
    pub marks: Vec<String>,
    /// The last lines of what is not well.
    pub output: Vec<String>,
}

impl Gate {
    /// A round as shell text: prints a line for each thing that does not hold, and the marks of units.
    pub fn script(&self) -> String {
        let mut script = String::from("export LC_ALL=C\n");
        for unit in &self.units {
            let unit = quote(unit);
            script.push_str(&format!(
                r#"U={unit}; A=; N=0; P=0; S=
while IFS='=' read -r k v; do case $k in ActiveState) A=$v;; SubState) S=$v;; NRestarts) N=$v;; MainPID) P=$v;; esac; done <<EOF
$(systemctl show -p ActiveState,SubState,NRestarts,MainPID "$U")
EOF
printf 'MARK %s %s %s\n' "$U" "$N" "$P"
[ "$A" = active ] || {{ printf 'BAD the unit %s is %s (%s)\n' "$U" "$A" "$S"; journalctl --sync 2>/dev/null; journalctl -u "$U" -n 8 --no-pager -o cat 2>/dev/null | sed 's/^/SAID /'; }}
"#
            ));
        }
        for port in &self.ports {
            script.push_str(&format!(
                "timeout 3 bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}' 2>/dev/null || echo 'BAD nothing answers on port {port}'\n"
            ));
        }
        for http in &self.http {
            script.push_str(&self.ask(http));
        }
        if let Some(command) = &self.command {
            script.push_str(&format!(
                "O=$(timeout 30 sh -c {} 2>&1 </dev/null); r=$?; [ $r = 0 ] || {{ printf 'BAD the command ended with status %s\\n' $r; printf '%s\\n' \"$O\" | tail -n 8 | sed 's/^/SAID /'; }}\n",
                quote(command)
            ));
        }
        script.push_str("echo END\n");
        script
    }

    fn ask(&self, http: &Http) -> String {
        let fetch = http
            .url
            .fetch(http.host.as_deref(), http.timeout.as_secs().max(1));
        let right: Vec<String> = http.status.iter().map(u16::to_string).collect();
        let shown = quote(&http.url.to_string());
        let mut text = format!(
            r#"O=$({fetch} | tr -d '\000'); S=${{O%%
*}}; S=${{S#* }}; S=${{S%% *}}; S=$(printf %s "$S" | tr -d '\r')
case $S in {right}) :;; '') printf 'BAD %s does not answer\n' {shown};; *) printf 'BAD %s answers %s\n' {shown} "$S"; printf '%s\n' "$O" | tail -n 3 | cut -c1-300 | sed 's/^/SAID /';; esac
"#,
            right = right.join("|"),
        );
        if let Some(wanted) = &http.contains {
            text.push_str(&format!(
                "case $O in *{wanted}*) :;; *) [ -z \"$S\" ] || printf 'BAD %s does not contain %s\\n' {shown} {wanted};; esac\n",
                wanted = quote(wanted)
            ));
        }
        text
    }
}

impl Round {
    /// What a round printed. An answer that was cut off is trouble.
    pub fn parse(output: &[u8]) -> Round {
        let text = String::from_utf8_lossy(output);
        let mut round = Round::default();
        let mut trouble: Vec<String> = Vec::new();
        let mut ended = false;
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("MARK ") {
                round.marks.push(rest.to_owned());
            } else if let Some(rest) = line.strip_prefix("BAD ") {
                trouble.push(rest.to_owned());
            } else if let Some(rest) = line.strip_prefix("SAID ") {
                round.output.push(rest.trim_end().to_owned());
            } else if line == "END" {
                ended = true;
            }
        }
        if !ended {
            trouble.push("the check did not come to its end".to_owned());
        }
        round.trouble = (!trouble.is_empty()).then(|| trouble.join("; "));
        round
    }
}

/// Rounds in a row.
#[derive(Debug, Default)]
pub struct Streak {
    good: u32,
    marks: Option<Vec<String>>,
    /// The last trouble, and what was said with it.
    pub last: Option<Round>,
}

impl Streak {
    /// Takes a round; says how many good ones there were in a row. Units that restarted begin a new row.
    pub fn take(&mut self, mut round: Round) -> u32 {
        let restarted = self
            .marks
            .as_ref()
            .and_then(|before| before.iter().zip(&round.marks).find(|(a, b)| a != b))
            .map(|(_, now)| now.split(' ').next().unwrap_or_default().to_owned());
        self.marks = Some(round.marks.clone());
        if round.trouble.is_none()
            && let Some(unit) = restarted
        {
            round.trouble = Some(format!("the unit {unit} restarted"));
        }
        if round.trouble.is_some() {
            self.good = 0;
            self.last = Some(round);
        } else {
            self.good += 1;
        }
        self.good
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_on_the_node() {
        assert!(Http::parse("http://127.0.0.1:3001/readyz?x=1").is_ok());
        for (bad, why) in [
            ("https://a/", "plain http"),
            ("ftp://a", "does not begin"),
            ("http://", "no address"),
            ("http://a;b/", "no address"),
            ("http://a/ b", "no address"),
            ("http://a:x/", "no address"),
        ] {
            let said = Http::parse(bad).expect_err(bad);
            assert!(said.contains(why), "{bad}: {said}");
        }
    }

    #[test]
    fn a_restart_between_two_rounds_breaks_the_row() {
        let round =
            |restarts: u32| Round::parse(format!("MARK app@1 {restarts} 77\nEND\n").as_bytes());
        let mut streak = Streak::default();
        assert_eq!(streak.take(round(0)), 1);
        assert_eq!(streak.take(round(0)), 2);
        assert_eq!(streak.take(round(1)), 0);
        assert_eq!(
            streak
                .last
                .as_ref()
                .and_then(|round| round.trouble.clone())
                .as_deref(),
            Some("the unit app@1 restarted")
        );
        assert_eq!(streak.take(round(1)), 1);
    }

    #[test]
    fn an_answer_cut_off_is_no_good_round() {
        assert!(Round::parse(b"MARK a 0 1\n").trouble.is_some());
        let round = Round::parse(b"BAD the unit a is failed (failed)\nSAID boom\nEND\n");
        assert_eq!(
            round.trouble.as_deref(),
            Some("the unit a is failed (failed)")
        );
        assert_eq!(round.output, ["boom"]);
    }

    /// The script is asked of a real server, a closed port, and a real shell.
    #[test]
    fn a_round_against_a_real_server() {
        use std::io::{Read, Write};
        let server = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = server.local_addr().expect("an address").port();
        std::thread::spawn(move || {
            for stream in server.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut asked = String::new();
                let mut bytes = [0; 1000];
                while !asked.ends_with("\r\n\r\n") {
                    let length = stream.read(&mut bytes).unwrap_or(0);
                    if length == 0 {
                        break;
                    }
                    asked.push_str(&String::from_utf8_lossy(&bytes[..length]));
                }
                let answer = match asked.starts_with("GET /good ") {
                    true => "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nversion 7",
                    false => "HTTP/1.1 500 Oh\r\nContent-Length: 4\r\n\r\nboom",
                };
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        let run = |gate: &Gate| {
            let output = std::process::Command::new("/bin/sh")
                .arg("-c")
                .arg(gate.script())
                .output()
                .expect("sh runs");
            Round::parse(&output.stdout)
        };
        let at =
            |path: &str| Http::parse(&format!("http://127.0.0.1:{port}{path}")).expect("right");
        let mut good = at("/good");
        good.contains = Some("version 7".to_owned());
        let mut gate = Gate {
            http: vec![good.clone()],
            command: Some("true".to_owned()),
            ports: vec![port],
            ..Gate::default()
        };
        assert_eq!(run(&gate).trouble, None);
        good.contains = Some("version 8".to_owned());
        gate.http = vec![good, at("/bad")];
        gate.command = Some("echo 'not well'; exit 3".to_owned());
        gate.ports = vec![1];
        let round = run(&gate);
        let trouble = round.trouble.expect("trouble");
        for words in [
            "does not contain version 8",
            "answers 500",
            "status 3",
            "port 1",
        ] {
            assert!(trouble.contains(words), "{words}: {trouble}");
        }
        assert!(round.output.iter().any(|line| line == "not well"));
        gate.http = vec![Http::parse("http://127.0.0.1:1/").expect("right")];
        assert!(
            run(&gate)
                .trouble
                .expect("trouble")
                .contains("does not answer")
        );
    }
}
