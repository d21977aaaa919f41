//! Questions on the terminal: passphrases of keys, the password of sudo, and whether to go on.

use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

use super::environment::Environment;
use super::options::NodeArgs;
use super::say;
use crate::diagnostic::Diagnostic;
use crate::playbook::{Answers, Nobody, Prompt};
use crate::secret::{Masker, Secret};
use crate::transport::ssh::{NobodyToAsk, PassphrasePrompt};
use crate::value::Value;

/// Asks for the passphrases of keys where there is a terminal.
pub fn passphrases(env: &Environment) -> Arc<dyn PassphrasePrompt> {
    match env.asks && env.tells {
        true => Arc::new(Terminal),
        false => Arc::new(NobodyToAsk),
    }
}

/// The password of sudo: asked for, or the first line of a file; none when neither was wanted.
///
/// # Errors
/// Nobody can be asked, or the file cannot be read.
pub fn become_password(
    args: &NodeArgs,
    env: &Environment,
) -> Result<Option<Secret>, Box<Diagnostic>> {
    if let Some(path) = &args.become_password_file {
        return first_line(&env.expand(path)).map(Some);
    }
    if !args.ask_become_pass {
        return Ok(None);
    }
    let nobody = || {
        Box::new(
            Diagnostic::error("nobody can be asked for the password of sudo: there is no terminal")
                .help("name a file with `--become-password-file`"),
        )
    };
    if !env.asks {
        return Err(nobody());
    }
    let password = rpassword::prompt_password("sudo password: ").map_err(|_| nobody())?;
    Ok(Some(Secret::new(password)))
}

fn first_line(path: &Path) -> Result<Secret, Box<Diagnostic>> {
    let said = path.display();
    let text = std::fs::read_to_string(path)
        .map(Secret::new)
        .map_err(|error| {
            Diagnostic::error(format!("cannot read the password file `{said}`: {error}"))
        })?;
    match text.reveal().lines().next() {
        Some(line) if !line.is_empty() => Ok(Secret::new(line)),
        _ => Err(Box::new(
            Diagnostic::error(format!(
                "the first line of the password file `{said}` is empty"
            ))
            .help("write the password of sudo into its first line"),
        )),
    }
}

/// Asks a question whose answer is yes only when it says so.
pub fn yes(question: &str) -> bool {
    say::ask(question);
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

/// Who answers `vars_prompt`: somebody at a terminal, or nobody. Private answers are hidden by `masker`.
pub fn answers(env: &Environment, masker: &Masker) -> Arc<dyn Answers> {
    match env.asks && env.tells && !env.unattended {
        true => Arc::new(Asking {
            masker: masker.clone(),
        }),
        false => Arc::new(Nobody),
    }
}

struct Asking {
    masker: Masker,
}

impl Answers for Asking {
    fn answer(&self, prompt: &Prompt) -> Result<Option<String>, String> {
        let default = match prompt.default.as_ref().and_then(Value::as_str) {
            Some(default) if !prompt.private => format!(" [{default}]"),
            _ => String::new(),
        };
        let question = format!("{}{default}: ", prompt.question);
        loop {
            let first = self.line(&question, prompt)?;
            if !prompt.confirm || self.line(&format!("again, {question}"), prompt)? == first {
                if prompt.private {
                    self.masker.add(&first);
                }
                return Ok(Some(first.reveal().to_owned()));
            }
            say::err("it was not the same both times");
        }
    }
}

impl Asking {
    fn line(&self, question: &str, prompt: &Prompt) -> Result<Secret, String> {
        let ended = |_| format!("`{}` was not answered", prompt.name);
        if prompt.private {
            return rpassword::prompt_password(question)
                .map(Secret::new)
                .map_err(ended);
        }
        say::ask(question);
        let mut answer = String::new();
        match std::io::stdin().lock().read_line(&mut answer) {
            Ok(0) => Err(format!("`{}` was not answered", prompt.name)),
            Ok(_) => Ok(Secret::new(answer.trim_end_matches(['\r', '\n']))),
            Err(error) => Err(ended(error)),
        }
    }
}

struct Terminal;

#[async_trait]
impl PassphrasePrompt for Terminal {
    async fn passphrase(&self, file: &Path, attempt: u32) -> Option<Secret> {
        let again = if attempt > 1 {
            " (that was not it)"
        } else {
            ""
        };
        let question = format!("passphrase of `{}`{again}: ", file.display());
        let answer = tokio::task::spawn_blocking(move || rpassword::prompt_password(question))
            .await
            .ok()?
            .ok()?;
        (!answer.is_empty()).then(|| Secret::new(answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_the_first_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p");
        std::fs::write(&path, "s3 cret \nnot this\n").unwrap();
        assert_eq!(first_line(&path).unwrap().reveal(), "s3 cret ");
        std::fs::write(&path, "\nx").unwrap();
        assert!(first_line(&path).unwrap_err().message.contains("is empty"));
        let missing = folder.path().join("none");
        assert!(
            first_line(&missing)
                .unwrap_err()
                .message
                .contains("cannot read")
        );
    }
}
