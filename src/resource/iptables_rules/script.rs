//! The shell text of the packet filter: what loads rules, what saves and restores them, and what loads them when the node starts.

use super::family::{BOTH, Family};
use crate::change::Guard;
use crate::command::quote;
use crate::fact::Rules;

/// What lies here is loaded when the node starts.
pub const FOLDER: &str = "/etc/hadeploy/firewall";

/// The program that loads it.
pub const LOAD: &str = "/etc/hadeploy/firewall/load";

/// The unit that runs it.
pub const UNIT: &str = "hadeploy-firewall.service";

/// The unit's file.
pub const UNIT_FILE: &str = "/etc/systemd/system/hadeploy-firewall.service";

/// Loads all chains beside everybody else's rules.
pub const LOAD_TEXT: &str = r#"#!/bin/sh
# Written by hadeploy: loads each chain in this folder, and leaves all other rules alone.
cd /etc/hadeploy/firewall || exit 1
r=0
for f in *.v4 *.v6; do
	[ -f "$f" ] || continue
	c=${f%.*}
	case $f in *.v4) t=iptables ;; *) t=ip6tables ;; esac
	"$t-restore" -w --noflush <"$f" || { r=1; continue; }
	"$t" -w -C INPUT -j "$c" 2>/dev/null || "$t" -w -A INPUT -j "$c" || r=1
done
exit "$r"
"#;

/// Behind all others that load rules at that time, since some of them flush first.
pub const UNIT_TEXT: &str = "# Written by hadeploy.
[Unit]
Description=Packet filter chains of hadeploy
DefaultDependencies=no
Wants=network-pre.target
Before=network-pre.target shutdown.target
After=local-fs.target systemd-modules-load.service netfilter-persistent.service nftables.service ufw.service
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh /etc/hadeploy/firewall/load

[Install]
WantedBy=multi-user.target
";

/// What `iptables-restore` reads: the chain and its rules, and nothing else.
pub fn table(chain: &str, rules: &[String]) -> String {
    let mut text = format!("*filter\n:{chain} - [0:0]\n");
    for rule in rules {
        text.push_str(&format!("-A {chain} {rule}\n"));
    }
    text.push_str("COMMIT\n");
    text
}

/// The place of the chain's jump in `INPUT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jump {
    /// It is as it should be.
    Right,
    /// It belongs to the end.
    Append,
    /// It belongs before the rule of this number, behind which nothing is come to.
    Before(usize),
}

impl Jump {
    /// Where it belongs, from what stands there.
    pub fn of(chain: &str, rules: &Rules) -> Jump {
        let own = format!("-j {chain}");
        let is_own = |rule: &str| rule == own;
        let ends = |rule: &str| {
            rule.strip_prefix("-j ").is_some_and(|target| {
                ["ACCEPT", "DROP", "REJECT", "RETURN", "QUEUE"]
                    .contains(&target.split(' ').next().unwrap_or(""))
            })
        };
        let jumps = rules.input.iter().filter(|rule| is_own(rule)).count();
        let first = rules
            .input
            .iter()
            .position(|rule| is_own(rule) || ends(rule));
        if jumps == 1 && first.is_some_and(|at| is_own(&rules.input[at])) {
            return Jump::Right;
        }
        let mut others = rules.input.iter().filter(|rule| !is_own(rule));
        match others.position(|rule| ends(rule)) {
            Some(at) => Jump::Before(at + 1),
            None => Jump::Append,
        }
    }

    /// Shell text that puts it there.
    fn script(self, family: Family, chain: &str) -> String {
        let program = family.program();
        let put = match self {
            Jump::Right => return String::new(),
            Jump::Append => format!("-A INPUT -j {chain}"),
            Jump::Before(number) => format!("-I INPUT {number} -j {chain}"),
        };
        format!(
            "while {program} -w -D INPUT -j {chain} 2>/dev/null; do :; done\n{program} -w {put} || exit 1\n"
        )
    }
}

/// Loads both families; all is tried before anything is done.
pub fn load(chain: &str, tables: &[String; 2], jumps: [Jump; 2]) -> String {
    let mut text = String::new();
    for way in ["--test ", ""] {
        for (family, table) in BOTH.into_iter().zip(tables) {
            text.push_str(&format!(
                "printf %s {} | {}-restore -w {way}--noflush || exit 1\n",
                quote(table),
                family.program()
            ));
        }
    }
    for (family, jump) in BOTH.into_iter().zip(jumps) {
        text.push_str(&jump.script(family, chain));
    }
    text
}

/// Takes the chain out of both families.
pub fn unload(chain: &str) -> String {
    BOTH.map(|family| {
        let program = family.program();
        format!(
            "while {program} -w -D INPUT -j {chain} 2>/dev/null; do :; done\n\
             ! {program} -w -n -L {chain} >/dev/null 2>&1 || {{ {program} -w -F {chain} && {program} -w -X {chain}; }} || exit 1\n"
        )
    })
    .concat()
}

/// Keeps what is in effect for the next start.
pub fn keep(chain: &str, tables: &[String; 2]) -> String {
    let mut text = format!("umask 022; mkdir -p {FOLDER} || exit 1\n");
    let files = [
        (LOAD.to_owned(), LOAD_TEXT),
        (UNIT_FILE.to_owned(), UNIT_TEXT),
        (file(chain, Family::V4), tables[0].as_str()),
        (file(chain, Family::V6), tables[1].as_str()),
    ];
    for (path, content) in files {
        text.push_str(&format!(
            "printf %s {content} >{path}.new && sync {path}.new && mv -fT {path}.new {path} || exit 1\n",
            content = quote(content),
        ));
    }
    text.push_str(&format!("systemctl enable --quiet {UNIT} || exit 1\n"));
    text
}

/// Keeps the chain from being loaded at the next start.
pub fn forget(chain: &str) -> String {
    format!(
        "rm -f {} {}\nset -- {FOLDER}/*.v4; [ ! -e \"$1\" ] || exit 0\n\
         if [ -e {UNIT_FILE} ]; then systemctl disable --quiet {UNIT} || exit 1; rm -f {UNIT_FILE} {LOAD}; systemctl daemon-reload; fi\n\
         rmdir {FOLDER} /etc/hadeploy 2>/dev/null; :\n",
        file(chain, Family::V4),
        file(chain, Family::V6),
    )
}

/// Where a chain's rules lie.
pub fn file(chain: &str, family: Family) -> String {
    format!("{FOLDER}/{chain}.{}", family.suffix())
}

/// What keeps the way in open: only our own chain is saved and restored, so that what others did meanwhile stands.
pub fn guard(chain: &str, persist: String) -> Guard {
    let save = format!(
        "for f in ip ip6; do w=$(\"${{f}}tables-save\" -t filter)\n\
         if printf '%s\\n' \"$w\" | grep -q '^:{chain} '; then {{ echo '*filter'; printf '%s\\n' \"$w\" | grep -e '^:{chain} ' -e '^-A {chain} '; echo COMMIT; }} >\"$S/$f\"; fi\n\
         printf '%s\\n' \"$w\" | grep '^-A INPUT ' | grep -n -x -e '-A INPUT -j {chain}' | sed -n '1s/:.*//p' >\"$S/$f.jump\"\ndone\n"
    );
    let restore = format!(
        "r=0; for f in ip ip6; do while \"${{f}}tables\" -w -D INPUT -j {chain} 2>/dev/null; do :; done\n\
         if [ -s \"$S/$f\" ]; then \"${{f}}tables-restore\" -w --noflush <\"$S/$f\" || r=1\n\
         n=; read -r n <\"$S/$f.jump\"; [ -z \"$n\" ] || \"${{f}}tables\" -w -I INPUT \"$n\" -j {chain} || \"${{f}}tables\" -w -A INPUT -j {chain} || r=1\n\
         elif \"${{f}}tables\" -w -n -L {chain} >/dev/null 2>&1; then \"${{f}}tables\" -w -F {chain} && \"${{f}}tables\" -w -X {chain} || r=1; fi; done; (exit $r)"
    );
    Guard {
        what: format!("the packet filter ({chain})"),
        save,
        restore,
        persist,
        survives_boot: false,
    }
}
