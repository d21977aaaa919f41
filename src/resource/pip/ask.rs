//! What pip says of what is there and of what it would install. Nothing is written: no package is built, and no cache is kept.

use serde_json::Value;

use super::super::command::words::{as_account, tilde};
use super::{Pip, State};
use crate::command::quote;

/// How long pip may take to say what it would install, in seconds.
const PATIENCE: u32 = 120;

/// What pip said.
#[derive(Debug, Default)]
pub struct Answer {
    /// `none` without the environment, `nopip` without pip, `there`.
    pub state: String,
    /// Whether `python3 -m venv` can make an environment.
    pub makes: bool,
    /// What is installed: name and version as pip lists them.
    pub has: Vec<(String, String)>,
    /// What it would install; none where it could not say so.
    pub would: Option<Vec<Item>>,
    /// Why it could not.
    pub silent: String,
}

/// A package that pip would install.
#[derive(Debug, PartialEq, Eq)]
pub struct Item {
    pub name: String,
    pub version: String,
    /// Whether it is named by an address or a path.
    pub direct: bool,
}

impl Answer {
    /// What the question printed.
    pub fn read(text: &str) -> Answer {
        let mut answer = Answer::default();
        let mut report: Option<String> = None;
        let mut done = false;
        for line in text.lines() {
            if let (Some(report), false) = (&mut report, done) {
                match line.strip_prefix("rc ") {
                    Some(_) => done = true,
                    None => {
                        report.push_str(line);
                        report.push('\n');
                    }
                }
                continue;
            }
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "state" => answer.state = rest.to_owned(),
                "makes" => answer.makes = true,
                "has" => answer.has.extend(
                    rest.split_once("==")
                        .map(|(name, version)| (name.to_owned(), version.to_owned())),
                ),
                "report" => report = Some(String::new()),
                "silent" if !rest.is_empty() => {
                    if !answer.silent.is_empty() {
                        answer.silent.push_str("; ");
                    }
                    answer.silent.push_str(rest.trim_start_matches("ERROR: "));
                }
                _ => {}
            }
        }
        answer.would = report.as_deref().and_then(items);
        answer
    }

    /// The version that is installed of a package.
    pub fn version(&self, name: &str) -> Option<&str> {
        let wanted = normal(name);
        let found = self.has.iter().find(|(name, _)| normal(name) == wanted);
        found.map(|(_, version)| version.as_str())
    }
}

/// The packages of pip's report (its format 1).
fn items(report: &str) -> Option<Vec<Item>> {
    let report: Value = serde_json::from_str(report).ok()?;
    let install = report.get("install")?.as_array()?;
    let item = |item: &Value| {
        let text = |key: &str| Some(item.get("metadata")?.get(key)?.as_str()?.to_owned());
        Some(Item {
            name: text("name")?,
            version: text("version")?,
            direct: item.get("is_direct").and_then(Value::as_bool) == Some(true),
        })
    };
    install.iter().map(item).collect()
}

/// A name as all its spellings are compared (PEP 503).
pub fn normal(name: &str) -> String {
    let mut normal = String::new();
    for char in name.chars() {
        match char {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            char => normal.push(char.to_ascii_lowercase()),
        }
    }
    normal
}

impl Pip {
    /// The words that call pip; `$d` is the environment.
    pub fn program(&self) -> String {
        match (&self.virtualenv, &self.executable) {
            (Some(_), _) => "\"$d/bin/python\" -m pip".to_owned(),
            (None, Some(executable)) => tilde(executable),
            (None, None) => "python3 -m pip".to_owned(),
        }
    }

    /// What pip and its shell are told before all else.
    pub fn begin(&self) -> String {
        let mut text = "[ -n \"$HOME\" ] || HOME=$(getent passwd \"$(id -u)\" | cut -d: -f6)\n\
            export HOME PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore LC_ALL=C.UTF-8\n"
            .to_owned();
        if self.break_system {
            text.push_str("export PIP_BREAK_SYSTEM_PACKAGES=1\n");
        }
        if let Some(path) = &self.virtualenv {
            text.push_str(&format!("d={}\n", tilde(path)));
        }
        if let Some(folder) = &self.chdir {
            text.push_str(&format!("cd -- {} || exit\n", tilde(folder)));
        }
        text
    }

    /// Options and what is to be installed.
    pub fn wanted(&self) -> String {
        let mut words: Vec<String> = Vec::new();
        match self.state {
            State::Latest => words.push("--upgrade".to_owned()),
            State::Anew => words.push("--force-reinstall".to_owned()),
            State::Present | State::Absent => {}
        }
        words.extend(self.extra.iter().map(|word| quote(word)));
        if let Some(file) = &self.requirements {
            words.push(format!("-r {}", tilde(file)));
        }
        for name in &self.names {
            let edit = if self.editable { "-e " } else { "" };
            words.push(format!("{edit}{}", quote(name)));
        }
        words.join(" ")
    }

    /// The question: its name, and what asks.
    pub fn question(&self) -> String {
        let (user, pip) = (&self.user, self.program());
        let place = self.virtualenv.as_deref().unwrap_or("of the system");
        let env = match self.virtualenv {
            Some(_) => {
                "if [ ! -e \"$d/bin/activate\" ]; then echo 'state none'; python3 -c 'import ensurepip, venv' 2>/dev/null && echo makes; exit 0; fi\n"
            }
            None => "",
        };
        // Standard output is pip's report as it is; its words go into a variable.
        let report = match self.state {
            State::Absent => String::new(),
            _ => format!(
                "echo report\n{{ e=$(timeout {PATIENCE} {pip} install --dry-run --quiet --no-cache-dir --only-binary :all: --report - {} 2>&1 >&3 3>&-); rc=$?; }} 3>&1\n\
                 printf '\\nrc %s\\n' \"$rc\"\n[ \"$rc\" = 0 ] || printf '%s\\n' \"$e\" | grep -v '^WARNING' | tail -n 2 | sed 's/^/silent /'\n",
                self.wanted()
            ),
        };
        let inner = format!(
            "{}{env}has=$({pip} list --format=freeze 2>/dev/null) || {pip} --version >/dev/null 2>&1 || {{ echo 'state nopip'; exit 0; }}\n\
             echo 'state there'\nprintf '%s\\n' \"$has\" | sed 's/^/has /'\n{report}",
            self.begin()
        );
        let inner = quote(&inner);
        format!(
            "pip {place}\ncommand -v python3 >/dev/null || {{ echo 'state nopython'; exit 0; }}\n{}",
            as_account(user, &inner, "")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pip_says_is_read() {
        let text = "state there\nhas Flask==2.0\nhas zope.interface==6\nreport\n{\"version\": \"1\",\n \"install\": [{\"is_direct\": true,\n \
            \"metadata\": {\"name\": \"a_b\", \"version\": \"1.0\"}}]}\n\nrc 0\n";
        let answer = Answer::read(text);
        assert_eq!(answer.version("flask"), Some("2.0"));
        assert_eq!(answer.version("zope-interface"), Some("6"));
        let item = Item {
            name: "a_b".to_owned(),
            version: "1.0".to_owned(),
            direct: true,
        };
        assert_eq!(answer.would, Some(vec![item]));
        let text = "state there\nreport\n\nrc 1\nsilent ERROR: no such\nsilent ERROR: none\n";
        let answer = Answer::read(text);
        assert_eq!(answer.would, None);
        assert_eq!(answer.silent, "no such; none");
        assert_eq!(normal("Zope._Interface"), "zope-interface");
    }
}
