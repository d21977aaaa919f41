//! Who writes into the database on each node, through the node's own pooler, as the application does.

use std::collections::HashSet;

use crate::platform::{NODES, Platform};

/// One row after the other, until it is told to end. What was acknowledged, and when, is kept on the node: `RUN NUMBER MILLISECONDS`.
const WRITER: &str = r#"set -a; . /etc/hadeploy/app.env
run=$(date +%s%N) n=0
until test -e /run/writer.end; do
  n=$((n + 1))
  psql -Xqc "insert into beat values ('$(hostname)', $run, $n)" 2>>/var/lib/beat.misses && echo "$run $n $(date +%s%3N)" >>/var/lib/beat
  sleep 0.02
done
"#;

/// Writers on all nodes.
pub struct Writers<'a>(&'a Platform);

/// What they saw.
pub struct Written {
    /// Writes that were acknowledged.
    pub acknowledged: usize,
    /// Milliseconds of the longest pause between two of one writer.
    pub longest: u64,
}

impl Writers<'_> {
    /// They begin.
    pub fn come(platform: &Platform) -> Writers<'_> {
        platform.node("n1").sh("set -a; . /etc/hadeploy/app.env; psql -Xqc 'drop table if exists beat; create table beat (who text, run bigint, n bigint)' 2>&1");
        for name in NODES {
            let node = platform.node(name);
            node.sh(&format!("rm -f /var/lib/beat /var/lib/beat.misses; touch /var/lib/beat; cat >/usr/local/bin/beat <<'END'\n{WRITER}END"));
        }
        let writers = Writers(platform);
        for name in NODES {
            writers.start(name);
        }
        writers
    }

    /// The one of that node writes again.
    pub fn start(&self, name: &str) {
        let node = self.0.node(name);
        node.sh(
            "rm -f /run/writer.end; systemd-run -q --collect --unit=writer sh /usr/local/bin/beat",
        );
    }

    /// The one of that node ends, with its last write.
    pub fn end(&self, name: &str) {
        let node = self.0.node(name);
        node.sh("touch /run/writer.end; while systemctl -q is-active writer; do sleep 0.1; done");
    }

    /// All end: nobody was refused, and what was acknowledged is there.
    #[track_caller]
    pub fn leave_content(self) -> Written {
        let mut written = Written {
            acknowledged: 0,
            longest: 0,
        };
        for name in NODES {
            self.end(name);
            let node = self.0.node(name);
            let misses = node.sh("cat /var/lib/beat.misses");
            assert_eq!(misses, "", "{name}");
            let there = node.sh(&format!("set -a; . /etc/hadeploy/app.env; psql -XAtqF ' ' -c \"select run, n from beat where who = '{name}'\""));
            let there: HashSet<&str> = there.lines().collect();
            let noted = node.sh("cat /var/lib/beat");
            let mut before: Option<(&str, u64)> = None;
            for line in noted.lines() {
                let (row, at) = line.rsplit_once(' ').unwrap();
                assert!(there.contains(row), "{name} lost {row}");
                let (run, _) = row.split_once(' ').unwrap();
                let at: u64 = at.parse().unwrap();
                if let Some((same, last)) = before
                    && same == run
                {
                    written.longest = written.longest.max(at - last);
                }
                before = Some((run, at));
                written.acknowledged += 1;
            }
        }
        written
    }
}
