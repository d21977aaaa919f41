//! The step that stages a generation, checks it, puts it in place, has the daemon read it, waits for the proof, and goes back
//! when there is none.

use super::super::attributes::Resolved;
use super::super::body::{Source, sha256};
use super::super::mode::FileMode;
use super::super::place::temporary;
use super::diff::Current;
use super::lookup;
use super::{Activation, ConfigTree, Proof};
use crate::change::{Expect, Step};
use crate::command::quote;
use crate::fact::http::PATIENCE;

/// One change of generations.
pub struct Turn<'a> {
    /// What is wanted.
    pub tree: &'a ConfigTree,
    /// Owner and group.
    pub resolved: &'a Resolved,
    /// `dest`, absolute.
    pub base: &'a str,
    /// The folder's name below `releases`.
    pub name: &'a str,
    /// What is in effect until then.
    pub current: Option<&'a Current>,
    /// Whether the daemon is restarted rather than reloaded.
    pub restarts: bool,
}

impl Turn<'_> {
    /// Brings the wanted files into effect; `runs` says whether there is a daemon to be told.
    pub fn put(&self, runs: bool) -> Step {
        let mut script = temporary(&format!("{}/releases/{}", self.base, self.name));
        script.push_str(&self.words());
        script.push_str(&self.stage());
        script.push_str(&self.validate());
        script.push_str(
            "rm -rf -- \"$d/releases/$n\" && mv -T -- \"$t\" \"$d/releases/$n\" || exit 1\n",
        );
        let activation = &self.tree.activation;
        let line = match self.restarts {
            true => activation.restart.as_ref().or(activation.reload.as_ref()),
            false => activation.reload.as_ref(),
        };
        match line.filter(|_| runs) {
            None => script.push_str("swap \"releases/$n\" || exit 1\n"),
            Some(line) => {
                script.push_str(&activate(activation, line));
                script.push_str(TAKE_EFFECT);
            }
        }
        script.push_str(&prune(self.tree.keep));
        let title = match runs {
            true => format!("bring {} into effect", self.tree.dest),
            false => format!("put {} in place", self.tree.dest),
        };
        let mut step = Step::new(title, script)
            .before(self.link(self.current.map(|current| &*current.link)))
            .verify(self.link(Some(&format!("releases/{}", self.name))))
            .verify(self.contents());
        for file in &self.tree.files.files {
            if let Source::Sent(content) = &file.body.source {
                step = step.input(content.clone());
            }
        }
        step
    }

    /// Has the daemon read what is in place.
    pub fn again(&self) -> Step {
        let activation = &self.tree.activation;
        let line = activation.reload.as_deref().unwrap_or("true");
        let script = format!(
            "{}t=$d\n{}{AGAIN}",
            self.words(),
            activate(activation, line)
        );
        Step::new(format!("have {} read again", self.tree.dest), script)
            .before(self.link(self.current.map(|current| &*current.link)))
    }

    fn link(&self, target: Option<&str>) -> Expect {
        Expect::Path {
            path: format!("{}/current", self.base),
            kind: Some(if target.is_some() { 'l' } else { '-' }),
            mode: None,
            owner: None,
            group: None,
            sha256: None,
            target: target.map(str::to_owned),
        }
    }

    /// Variables and functions that the rest uses.
    fn words(&self) -> String {
        let old = self.current;
        format!(
            "d={} n={} id={} old={} oldid={}\n{SWAP}{}",
            quote(self.base),
            quote(self.name),
            quote(&self.tree.files.id),
            quote(old.map_or("", |old| &old.link)),
            quote(old.map_or("", Current::id)),
            lookup::functions(&self.tree.files),
        )
    }

    fn stage(&self) -> String {
        let folder = self.resolved.with_mode(FileMode::Bits(self.tree.dir_mode));
        let folder = folder.install_options(&folder.fresh('d', None));
        let mut lines = vec![format!("install -d {folder} -- \"$t\"")];
        for name in &self.tree.files.folders {
            lines.push(format!("install -d {folder} -- \"$t\"/{}", quote(name)));
        }
        let mut number = 0;
        for file in &self.tree.files.files {
            let from = match &file.body.source {
                Source::Sent(_) => {
                    number += 1;
                    format!("\"$IN{number}\"")
                }
                Source::Node(path) => quote(path),
            };
            let resolved = self.resolved.with_mode(FileMode::Bits(file.mode));
            let options = resolved.install_options(&resolved.fresh('f', None));
            let name = quote(&file.name);
            lines.push(format!("install {options} -T -- {from} \"$t\"/{name}"));
        }
        lines.push("sync -f -- \"$t\" || exit 1\n".to_owned());
        lines.join(" &&\n")
    }

    fn validate(&self) -> String {
        let Some(validate) = &self.tree.validate else {
            return String::new();
        };
        format!(
            "said=$({} 2>&1) || {{\n  printf '%s\\n' \"$said\" | mapped \"$t\" >&2\n  \
             printf '%s: %s; %s\\n' {} \"$(complaint \"$t\" \"$said\")\" \"$(stays)\" >&2\n  exit 1\n}}\n",
            validate.command("$t"),
            quote(&format!(
                "the new generation does not pass `{}`",
                validate.text()
            )),
        )
    }

    /// That the files in effect are those that were sent.
    fn contents(&self) -> Expect {
        let mut sums = String::new();
        let mut names = "printf '%s\\0'".to_owned();
        for file in &self.tree.files.files {
            sums.push_str(&format!("{}  {}\0", file.body.sha256, file.name));
            names.push(' ');
            names.push_str(&quote(&file.name));
        }
        let wanted = sha256(sums.as_bytes());
        Expect::Check {
            field: "content".to_owned(),
            script: format!(
                "cd -- {}/current && h=$({names} | xargs -0r sha256sum -z -- 2>/dev/null | sha256sum)\n\
                 [ \"${{h%% *}}\" = {wanted} ] || {{ echo 'some file differs'; false; }}",
                quote(self.base)
            ),
        }
    }
}

/// Defines `activate`, `answer` and what the daemon's words are taken from.
fn activate(activation: &Activation, line: &str) -> String {
    let answer = match &activation.proof {
        None => ":".to_owned(),
        Some(Proof::Command(line)) => format!("sh -c {} 2>/dev/null", quote(line)),
        Some(Proof::Address(_, url)) => {
            format!(
                "{} | sed '1,/^\\r\\{{0,1\\}}$/d'",
                url.fetch(None, PATIENCE)
            )
        }
    };
    let logs: Vec<String> = activation.logs.iter().map(|log| quote(log)).collect();
    format!(
        "unit={} wait={} line={} proof={}\nactivate() {{ sh -c \"$line\" 2>&1; }}\nanswer() {{ {answer}; }}\nlogs() {{ printf '%s\\n' {}; }}\n{ACTIVATION}",
        quote(activation.unit.as_deref().unwrap_or_default()),
        activation.timeout,
        quote(line),
        u8::from(activation.proof.is_some()),
        logs.join(" "),
    )
}

fn prune(keep: u64) -> String {
    format!(
        "kept=1\nls -1t -- \"$d/releases\" | while IFS= read -r name; do\n  \
         case $name in \"$n\"|\"${{old##*/}}\"|*[!0-9a-f.]*) continue ;; esac\n  \
         kept=$((kept + 1))\n  [ \"$kept\" -le {keep} ] || rm -rf -- \"$d/releases/$name\"\ndone\n"
    )
}

const SWAP: &str = r#"swap() {
  rm -f -- "$d/.current.new" && ln -s -- "$1" "$d/.current.new" && mv -T -- "$d/.current.new" "$d/current"
}
stays() {
  if [ -n "$oldid" ]; then printf 'generation %s stays in effect' "$oldid"; else printf 'no generation is in effect yet'; fi
}
"#;

const ACTIVATION: &str = r#"now() { read -r up _ </proc/uptime; printf %s "${up%.*}${up#*.}"; }
# Waits up to $2 seconds until the daemon says that it runs generation $1; what it said last is in $found.
# Three times, since a process of the generation before may still take requests for a moment.
proven() {
  [ -z "$unit" ] || [ "$proof" = 1 ] || systemctl is-active --quiet -- "$unit" || return 1
  [ "$proof" = 1 ] || return 0
  end=$(($(now) + $2 * 100))
  times=0
  while found=$(answer | tr -d '\0' | head -c 200); do
    if [ "$found" = "$1" ]; then times=$((times + 1)); else times=0; fi
    [ "$times" -lt 3 ] || return 0
    [ "$(now)" -lt "$end" ] || return 1
    sleep 0.1
  done
}
begin=$(date +%s.%N)
sizes=$(logs | while IFS= read -r log; do [ -z "$log" ] || printf '%s %s\n' "$(stat -L -c %s -- "$log" 2>/dev/null || echo 0)" "$log"; done)
# What the daemon said since then.
daemon() {
  printf '%s\n' "$sizes" | while IFS=' ' read -r size log; do
    [ -n "$log" ] || continue
    [ "$(stat -L -c %s -- "$log" 2>/dev/null || echo 0)" -ge "$size" ] || size=0
    tail -c "+$((size + 1))" -- "$log" 2>/dev/null
  done | tail -n 40
  [ -z "$unit" ] || { journalctl --sync 2>/dev/null; journalctl -q -o cat --since "@$begin" -u "$unit" 2>/dev/null | tail -n 40; }
}
# Tells of a generation in $1 that is not in effect; $2 is what is done about it.
tell() {
  said=$(printf '%s\n' "$said" | awk 'NF && !seen[$0]++')
  bad=$(printf '%s\n' "$said" | grep -E 'emerg|alert|crit|[Ee]rror|[Ff]ail|[Ii]nvalid') || bad=$said
  bad=$(printf '%s\n' "$bad" | sed "s#$d/current/#$1/#g")
  printf '%s\n' "$bad" | mapped "$1" | tail -n 15 >&2
  [ -z "$bad" ] || bad=$(complaint "$1" "$bad")
  why="after \`$line\` it does not say that it runs $id"
  [ "$proof" != 1 ] || why="$why (it says \`$found\`)"
  [ "$failed" = 0 ] || why="\`$line\` failed"
  printf '%s: %s; %s\n' "$why" "${bad:-it says nothing about it}" "$2" >&2
}
"#;

const TAKE_EFFECT: &str = r#"back() {
  swapped=
  if [ -n "$old" ]; then swap "$old"; else rm -f -- "$d/current"; fi
  activate >/dev/null
  if [ -z "$old" ]; then state='it was taken away, no generation is in effect'
  elif proven "$oldid" 5; then state="generation $oldid is in effect again"
  else state="generation $oldid is in place again, but the daemon does not say that it runs it"; fi
}
trap 'rm -rf -- "$t"; [ -z "$swapped" ] || back' EXIT
swapped=1 failed=0 found=
swap "releases/$n" || exit 1
said=$(activate) || failed=1
if [ "$failed" = 1 ] || ! proven "$id" "$wait"; then
  said="$(daemon)
$said" was=$found
  back
  found=$was
  tell "$d/releases/$n" "$state"
  rm -rf -- "$d/releases/$n"
  exit 1
fi
swapped=
"#;

const AGAIN: &str = r#"failed=0 found=
said=$(activate) || failed=1
if [ "$failed" = 1 ] || ! proven "$id" "$wait"; then
  said="$(daemon)
$said"
  tell "$d/releases/$n" 'its files are in place'
  exit 1
fi
"#;
