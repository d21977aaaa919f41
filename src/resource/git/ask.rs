//! What a node has of a repository, and what the remote has: asked by git itself, as the account that the task acts as. Nothing is written.

use super::super::command::words::{as_account, tilde};
use super::Git;
use crate::command::quote;

/// How long the remote may take to answer, in seconds.
const PATIENCE: u32 = 30;

/// What git said.
#[derive(Debug, Default)]
pub struct Answer {
    /// What stands at the target: `none`, `empty`, `other`, `repo`.
    pub state: String,
    /// Why git does not read what is there.
    pub refused: String,
    /// The commit that is checked out.
    pub head: Option<String>,
    /// The branch that is checked out.
    pub branch: Option<String>,
    /// Where the remote is.
    pub url: String,
    /// How many files are altered.
    pub dirty: u64,
    /// Whether submodules are at other commits than they should be.
    pub submodules: bool,
    /// Refs of a bare repository: name and object.
    pub refs: Vec<(String, String)>,
    /// Refs of the remote: name and object.
    pub remote: Vec<(String, String)>,
    /// The branch that the remote's HEAD is.
    pub default: Option<String>,
    /// Why the remote did not answer.
    pub silent: String,
}

impl Answer {
    /// What the script printed.
    pub fn read(text: &str) -> Answer {
        let mut answer = Answer::default();
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        for line in text.lines() {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "state" => answer.state = rest.to_owned(),
                "refused" => answer.refused = without_login(rest),
                "head" => answer.head = some(rest),
                "branch" => answer.branch = some(rest),
                "url" => answer.url = rest.to_owned(),
                "dirty" => answer.dirty = rest.parse().unwrap_or(0),
                "submodules" => answer.submodules = true,
                "local" => answer.refs.extend(reference(rest, ' ')),
                "remote" => match rest.strip_prefix("ref: refs/heads/") {
                    Some(head) => answer.default = head.strip_suffix("\tHEAD").and_then(some),
                    None => answer.remote.extend(reference(rest, '\t')),
                },
                "silent" if is_told(rest) && answer.silent.len() < 500 => {
                    if !answer.silent.is_empty() {
                        answer.silent.push_str("; ");
                    }
                    answer.silent.push_str(&without_login(rest));
                }
                _ => {}
            }
        }
        answer
    }

    /// The commit of a ref of the remote. A tag is read through to its commit.
    fn object(&self, name: &str) -> Option<&str> {
        let peeled = format!("{name}^{{}}");
        let find = |name: &str| self.remote.iter().find(|(found, _)| found == name);
        find(&peeled)
            .or(find(name))
            .map(|(_, object)| object.as_str())
    }

    /// The commit that a version is there, and the branch if it is one.
    pub fn wanted(&self, version: &str) -> Option<(String, Option<String>)> {
        if version == "HEAD" {
            return Some((self.object("HEAD")?.to_owned(), self.default.clone()));
        }
        if let Some(commit) = self.object(&format!("refs/heads/{version}")) {
            return Some((commit.to_owned(), Some(version.to_owned())));
        }
        let tag = self.object(&format!("refs/tags/{version}"));
        let whole = || {
            self.object(version)
                .filter(|_| version.starts_with("refs/"))
        };
        Some((tag.or_else(whole)?.to_owned(), None))
    }

    /// How many refs of the remote a bare repository has not, or has otherwise.
    pub fn behind(&self) -> usize {
        let kept = |name: &str| {
            (name.starts_with("refs/heads/") || name.starts_with("refs/tags/"))
                && !name.ends_with("^{}")
        };
        let missing =
            |reference: &&(String, String)| kept(&reference.0) && !self.refs.contains(reference);
        self.remote.iter().filter(missing).count()
    }
}

/// Whether a line of git's is worth a word: not the advice that it closes with.
pub fn is_told(line: &str) -> bool {
    let advice = ["Please make sure you have", "and the repository exists"];
    !line.trim().is_empty() && !advice.iter().any(|start| line.starts_with(start))
}

/// `OBJECT NAME`.
fn reference(text: &str, between: char) -> Option<(String, String)> {
    let (object, name) = text.split_once(between)?;
    let hex = object.len() >= 40 && object.chars().all(|c| c.is_ascii_hexdigit());
    hex.then(|| (name.to_owned(), object.to_owned()))
}

/// A text without user and password in addresses.
pub fn without_login(text: &str) -> String {
    let mut parts = text.split("://");
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        clean.push_str("://");
        let end = part
            .find(|c: char| c == '/' || c == '\'' || c.is_whitespace())
            .unwrap_or(part.len());
        let start = part[..end].rfind('@').map_or(0, |at| at + 1);
        clean.push_str(&part[start..]);
    }
    clean
}

/// The question: its name, and what asks.
pub fn question(git: &Git) -> String {
    let user = &git.user;
    let there = match git.bare {
        true => "[ -f \"$d/HEAD\" ] && [ -d \"$d/objects\" ]",
        false => "[ -e \"$d/.git\" ]",
    };
    let look = match git.bare {
        true => "g for-each-ref --format='local %(objectname) %(refname)' refs/heads refs/tags".to_owned(),
        false => "printf 'dirty %s\\n' \"$(g status --porcelain --untracked-files=no --ignore-submodules=all | grep -c .)\"".to_owned(),
    };
    let submodules = match git.recursive && !git.bare {
        true => {
            "[ ! -f \"$d/.gitmodules\" ] || ! g submodule status --recursive 2>/dev/null | grep -q '^[-+U]' || echo submodules\n"
        }
        false => "",
    };
    let patterns = match git.bare {
        true => String::new(),
        false => {
            let names = ["HEAD".to_owned(), format!("refs/heads/{}", git.version)];
            let tags = [format!("refs/tags/{}", git.version), git.version.clone()];
            let names: Vec<String> = names.iter().chain(&tags).map(|name| quote(name)).collect();
            format!(
                " {} {}",
                names.join(" "),
                quote(&format!("refs/tags/{}^{{}}", git.version))
            )
        }
    };
    let remote = match git.is_pinned() && !git.bare {
        true => String::new(),
        false => format!(
            "r() {{ if o=$(timeout {PATIENCE} git ls-remote --symref -- {}{patterns} 2>&1 </dev/null); then printf '%s\\n' \"$o\" | sed 's/^/remote /'; \
             else [ -n \"$o\" ] || o='no answer within {PATIENCE} s'; printf '%s\\n' \"$o\" | sed 's/^/silent /'; fi; }}\n{}",
            quote(&git.repo),
            match git.update {
                true => "r",
                false => "[ \"$s\" = repo ] || r",
            }
        ),
    };
    let inner = format!(
        "{}d=$1\ng() {{ git -C \"$d\" \"$@\"; }}\ns=none\n\
         if {there}; then s=repo\nif e=$(g rev-parse --git-dir 2>&1 >/dev/null); then\n\
         printf 'head %s\\nbranch %s\\nurl %s\\n' \"$(g rev-parse -q --verify 'HEAD^{{commit}}')\" \"$(g symbolic-ref -q --short HEAD)\" \"$(g config --get remote.{}.url)\"\n\
         {look}\n{submodules}else printf 'refused %s\\n' \"$(printf %s \"$e\" | head -n 1)\"; fi\n\
         elif [ -d \"$d\" ]; then s=empty; [ -z \"$(ls -A -- \"$d\")\" ] || s=other\n\
         elif [ -e \"$d\" ]; then s=other; fi\n\
         printf 'state %s\\n' \"$s\"\n{remote}\n",
        environment(git, true),
        git.remote,
    );
    let inner = quote(&inner);
    let dest = tilde(&git.dest);
    format!(
        "git {}\ncommand -v git >/dev/null || exit 0\n{}",
        git.dest,
        as_account(user, &inner, &format!(" sh {dest}"))
    )
}

/// What git is told by its environment. A question writes no key of a host down.
pub fn environment(git: &Git, only_asks: bool) -> String {
    let mut ssh = "-o BatchMode=yes -o ConnectTimeout=15".to_owned();
    if let Some(key) = &git.key_file {
        ssh.push_str(&format!(" -o IdentitiesOnly=yes -i {}", tilde(key)));
    }
    if let Some(answer) = git.new_keys {
        ssh.push_str(&format!(" -o StrictHostKeyChecking={answer}"));
        if only_asks {
            ssh.push_str(
                " -o 'UserKnownHostsFile=/dev/null ~/.ssh/known_hosts' -o UpdateHostKeys=no",
            );
        }
    }
    if let Some(options) = &git.ssh_opts {
        ssh.push(' ');
        ssh.push_str(options);
    }
    let locks = match only_asks {
        true => "export GIT_OPTIONAL_LOCKS=0\n",
        false => "",
    };
    // The first words are this shell's, the rest that of git's.
    format!(
        "[ -n \"$HOME\" ] || HOME=$(getent passwd \"$(id -u)\" | cut -d: -f6)\n\
         export HOME GIT_TERMINAL_PROMPT=0 LC_ALL=C.UTF-8\n{locks}\
         GIT_SSH_COMMAND=\"${{GIT_SSH_COMMAND:-ssh}} \"{}\nexport GIT_SSH_COMMAND\n",
        quote(&ssh)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    #[test]
    fn versions_are_found_at_the_remote() {
        let text = format!(
            "state none\nremote ref: refs/heads/main\tHEAD\nremote {A}\tHEAD\nremote {A}\trefs/heads/main\n\
             remote {A}\trefs/tags/v1\nremote {B}\trefs/tags/v1^{{}}\nremote Warning: added\nsilent no\nsilent \nsilent and the repository exists.\n"
        );
        let answer = Answer::read(&text);
        assert_eq!(answer.wanted("HEAD"), Some((A.into(), Some("main".into()))));
        assert_eq!(answer.wanted("main"), Some((A.into(), Some("main".into()))));
        assert_eq!(answer.wanted("v1"), Some((B.into(), None)));
        assert_eq!(answer.wanted("refs/tags/v1"), Some((B.into(), None)));
        assert_eq!(answer.wanted("v2"), None);
        assert_eq!(answer.behind(), 2);
        assert_eq!(answer.silent, "no");
    }

    #[test]
    fn nobody_sees_a_login() {
        assert_eq!(
            without_login("fatal: unable to access 'https://me:pw@git.example/x@y/': no"),
            "fatal: unable to access 'https://git.example/x@y/': no"
        );
        assert_eq!(without_login("git@git.example:x"), "git@git.example:x");
    }
}
