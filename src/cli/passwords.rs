//! The passwords of vaults: which there are, and where each comes from.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
#[cfg(feature = "age")]
use std::sync::Arc;

use super::defaults::Defaults;
use super::environment::Environment;
use super::options::VaultArgs;
use crate::diagnostic::Diagnostic;
use crate::process::Program;
use crate::secret::{Masker, Secret};
#[cfg(feature = "age")]
use crate::vault::AgeKey;
use crate::vault::{DEFAULT_LABEL, Key, Keyring, PasswordSource, is_label};

/// The words that ask, as a source of `--vault-id`.
const PROMPTS: &[&str] = &["prompt", "prompt_ask_vault_pass"];

/// All passwords that the command line, the environment and hadeploy.yml name. None is got before a vault needs it.
///
/// # Errors
/// A `--vault-id` that is none.
pub fn keyring(
    args: &VaultArgs,
    defaults: &Defaults,
    env: &Environment,
) -> Result<Keyring, Vec<Diagnostic>> {
    let keys = keys(args, defaults, env, Asked::Once)?;
    Ok(opening(keys, args, defaults, env))
}

/// These passwords, with the private keys of the command line, else of the environment, else of hadeploy.yml.
pub fn opening(
    keys: Vec<Key>,
    args: &VaultArgs,
    defaults: &Defaults,
    env: &Environment,
) -> Keyring {
    #[cfg(feature = "age")]
    return Keyring::with_age(keys, age_keys(args, defaults, env), Masker::new());
    #[cfg(not(feature = "age"))]
    {
        let _ = (args, defaults, env);
        Keyring::new(keys, Masker::new())
    }
}

#[cfg(feature = "age")]
fn age_keys(args: &VaultArgs, defaults: &Defaults, env: &Environment) -> Vec<AgeKey> {
    let mut files = args.age_identity.clone();
    if files.is_empty() {
        files.extend(env.age_identity.clone().or(defaults.age_identity.clone()));
    }
    let key = |path: PathBuf| {
        let passphrase = Passphrase {
            what: format!("passphrase of `{}`", path.display()),
            asks: env.asks,
        };
        AgeKey::new(env.folder.join(env.expand(&path)), Arc::new(passphrase))
    };
    files.into_iter().map(key).collect()
}

/// Those with labels first, then those without: of the command line, else of the environment, else of hadeploy.yml.
pub fn keys(
    args: &VaultArgs,
    defaults: &Defaults,
    env: &Environment,
    asked: Asked,
) -> Result<Vec<Key>, Vec<Diagnostic>> {
    let mut keys = Vec::new();
    let mut faults = Vec::new();
    for word in &args.vault_id {
        match vault_id(word, env, asked) {
            Ok(key) => keys.push(key),
            Err(fault) => faults.push(*fault),
        }
    }
    let mut plain = |source: Box<dyn PasswordSource>| keys.push(Key::new(DEFAULT_LABEL, source));
    for path in &args.vault_password_file {
        plain(Box::new(FileSource::new(path, DEFAULT_LABEL, env)));
    }
    if args.ask_vault_pass {
        plain(Box::new(Question::new(DEFAULT_LABEL, env, asked)));
    }
    if args.vault_password_file.is_empty() && !args.ask_vault_pass {
        if let Some(password) = &env.vault_password {
            plain(Box::new(Given(password.clone())));
        } else if let Some(path) = &env.vault_password_file {
            plain(Box::new(FileSource::new(path, DEFAULT_LABEL, env)));
        } else if let Some(path) = &defaults.vault_password_file {
            plain(Box::new(FileSource::new(path, DEFAULT_LABEL, env)));
        }
    }
    match faults.is_empty() {
        true => Ok(keys),
        false => Err(faults),
    }
}

/// One `LABEL@SOURCE`; without a label it is `default`.
pub fn vault_id(word: &str, env: &Environment, asked: Asked) -> Result<Key, Box<Diagnostic>> {
    let (label, source) = word.split_once('@').unwrap_or((DEFAULT_LABEL, word));
    let fault = |message: String| {
        Box::new(
            Diagnostic::error(message)
                .help("write `--vault-id LABEL@FILE`, `--vault-id LABEL@prompt`, or only the file"),
        )
    };
    if !is_label(label) {
        return Err(fault(format!("`{word}` has no label before its `@`")));
    }
    if source.is_empty() {
        return Err(fault(format!(
            "the label `{label}` has no password: nothing follows the `@`"
        )));
    }
    if PROMPTS.contains(&source) {
        return Ok(Key::new(label, Box::new(Question::new(label, env, asked))));
    }
    Ok(Key::new(
        label,
        Box::new(FileSource::new(Path::new(source), label, env)),
    ))
}

/// A password without a label, in a file or printed by it.
pub fn file(path: &Path, env: &Environment) -> Key {
    Key::new(
        DEFAULT_LABEL,
        Box::new(FileSource::new(path, DEFAULT_LABEL, env)),
    )
}

/// A password without a label that is asked for.
pub fn question(env: &Environment, asked: Asked) -> Key {
    Key::new(
        DEFAULT_LABEL,
        Box::new(Question::new(DEFAULT_LABEL, env, asked)),
    )
}

/// How somebody is asked for a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// To open what is there.
    Once,
    /// To encrypt: a slip of the finger would lock everybody out.
    Twice,
    /// To encrypt, beside the password that opens.
    New,
}

/// The password itself.
struct Given(Secret);

impl PasswordSource for Given {
    fn password(&self) -> Result<Secret, String> {
        Ok(self.0.clone())
    }
}

/// A file with the password, or a script that prints it.
struct FileSource {
    path: PathBuf,
    label: String,
}

impl FileSource {
    fn new(path: &Path, label: &str, env: &Environment) -> FileSource {
        FileSource {
            path: env.folder.join(env.expand(path)),
            label: label.to_owned(),
        }
    }

    /// What an executable file prints. One whose name ends with `-client` is told the label, as in Ansible.
    fn run(&self) -> Result<Secret, String> {
        let said = self.path.display();
        let stem = self.path.file_stem().unwrap_or_default();
        let mut program = Program::new(self.path.to_string_lossy());
        if stem.to_string_lossy().ends_with("-client") {
            program = program.args(["--vault-id", self.label.as_str()]);
        }
        let ran = program.asked().map_err(|error| {
            format!("{error}; the password file `{said}` is executable, so it is run: `chmod -x` it if it holds the password itself")
        })?;
        let printed =
            Secret::new(String::from_utf8(ran.stdout).map_err(|_| {
                format!("what the password script `{said}` printed is not UTF-8 text")
            })?);
        if ran.status != 0 {
            return Err(format!(
                "the password script `{said}` ended with status {}",
                ran.status
            ));
        }
        Ok(Secret::new(printed.reveal().trim_matches(['\r', '\n'])))
    }
}

impl PasswordSource for FileSource {
    fn password(&self) -> Result<Secret, String> {
        let said = self.path.display();
        let unreadable = |error| match std::io::Error::kind(&error) {
            std::io::ErrorKind::NotFound => format!("there is no password file `{said}`"),
            _ => format!("cannot read the password file `{said}`: {error}"),
        };
        let metadata = self.path.metadata().map_err(unreadable)?;
        if metadata.is_dir() {
            return Err(format!("the password file `{said}` is a folder"));
        }
        let password = match metadata.is_file() && metadata.permissions().mode() & 0o111 != 0 {
            true => self.run()?,
            false => {
                let text = std::fs::read_to_string(&self.path).map_err(unreadable)?;
                let text = Secret::new(text);
                Secret::new(text.reveal().trim())
            }
        };
        match password.reveal().is_empty() {
            true => Err(format!("the password in `{said}` is empty")),
            false => Ok(password),
        }
    }
}

/// Somebody at a terminal.
struct Question {
    label: String,
    asks: bool,
    asked: Asked,
}

impl Question {
    fn new(label: &str, env: &Environment, asked: Asked) -> Question {
        Question {
            label: label.to_owned(),
            asks: env.asks,
            asked,
        }
    }
}

impl PasswordSource for Question {
    fn password(&self) -> Result<Secret, String> {
        let new = if self.asked == Asked::New { "new " } else { "" };
        let what = match self.label.as_str() {
            DEFAULT_LABEL => format!("{new}vault password"),
            label => format!("{new}vault password `{label}`"),
        };
        match self.asked {
            Asked::Once => ask(&what, self.asks),
            Asked::Twice | Asked::New => ask_twice(&what, self.asks),
        }
    }
}

/// The passphrase of a private key.
#[cfg(feature = "age")]
struct Passphrase {
    what: String,
    asks: bool,
}

#[cfg(feature = "age")]
impl PasswordSource for Passphrase {
    fn password(&self) -> Result<Secret, String> {
        match self.asks {
            true => ask(&self.what, true),
            false => Err(format!(
                "nobody can be asked for the {}: there is no terminal; give a key without one",
                self.what
            )),
        }
    }
}

/// Asks for a password; `what` says for which.
pub fn ask(what: &str, asks: bool) -> Result<Secret, String> {
    let nobody = || {
        format!(
            "nobody can be asked for the {what}: there is no terminal; name a file with `--vault-password-file`"
        )
    };
    if !asks {
        return Err(nobody());
    }
    let answer = rpassword::prompt_password(format!("{what}: ")).map_err(|_| nobody())?;
    let answer = Secret::new(answer);
    match answer.reveal().is_empty() {
        true => Err(format!("the {what} is empty")),
        false => Ok(answer),
    }
}

/// Asks twice, so that nothing is mistyped.
pub fn ask_twice(what: &str, asks: bool) -> Result<Secret, String> {
    let first = ask(what, asks)?;
    match ask(&format!("{what} again"), asks)? == first {
        true => Ok(first),
        false => Err(format!("the {what} was not the same both times")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env() -> Environment {
        Environment {
            asks: false,
            vault_password: None,
            vault_password_file: None,
            ..Environment::read()
        }
    }

    fn got(source: &Path, label: &str) -> Result<String, String> {
        let key = vault_id(
            &format!("{label}@{}", source.display()),
            &env(),
            Asked::Once,
        )
        .unwrap();
        let keyring = Keyring::new(vec![key], Masker::new());
        keyring
            .password(&keyring.keys()[0])
            .map(|password| password.reveal().to_owned())
            .map_err(|why| why.to_string())
    }

    #[test]
    fn a_password_comes_from_a_file_or_a_script() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str, mode: u32| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            if mode & 0o100 != 0 {
                crate::executable::make_executable(&path);
            }
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            path
        };
        let plain = write("plain", "  s3 cret \n\n", 0o600);
        assert_eq!(got(&plain, "x").as_deref(), Ok("s3 cret"));
        let script = write("script", "#!/bin/sh\necho \"$#:$*\"\n", 0o700);
        assert_eq!(got(&script, "x").as_deref(), Ok("0:"));
        let client = write("pass-client.sh", "#!/bin/sh\necho \"$#:$*\"\n", 0o700);
        assert_eq!(got(&client, "prod").as_deref(), Ok("2:--vault-id prod"));
        let fails = write("fails", "#!/bin/sh\nexit 3\n", 0o700);
        assert!(got(&fails, "x").unwrap_err().contains("status 3"));
        let data = write("data", "s3cret", 0o700);
        assert!(got(&data, "x").unwrap_err().contains("chmod -x"));
        let empty = write("empty", "\n", 0o600);
        assert!(got(&empty, "x").unwrap_err().contains("is empty"));
        let none = folder.path().join("none");
        assert!(
            got(&none, "x")
                .unwrap_err()
                .contains("there is no password file")
        );
        assert!(got(folder.path(), "x").unwrap_err().contains("is a folder"));
        assert!(
            got(Path::new("prompt"), "x")
                .unwrap_err()
                .contains("nobody can be asked")
        );
    }

    #[test]
    fn the_command_line_goes_before_the_environment_before_the_settings() {
        let labels = |args: &VaultArgs, env: &Environment, defaults: &Defaults| {
            let keys = keys(args, defaults, env, Asked::Once).unwrap();
            let keyring = Keyring::new(keys, Masker::new());
            let keys = keyring.keys().iter();
            keys.map(|key| (key.label().to_owned(), keyring.password(key).is_ok()))
                .collect::<Vec<_>>()
        };
        let pair = |label: &str, given| (label.to_owned(), given);
        let defaults = Defaults {
            vault_password_file: Some("/none".into()),
            ..Defaults::default()
        };
        let with = Environment {
            vault_password: Some(Secret::new("x1")),
            ..env()
        };
        let args = VaultArgs::default();
        assert_eq!(labels(&args, &env(), &Defaults::default()), []);
        assert_eq!(labels(&args, &env(), &defaults), [pair("default", false)]);
        assert_eq!(labels(&args, &with, &defaults), [pair("default", true)]);
        let args = VaultArgs {
            vault_id: vec!["dev@/none".to_owned()],
            ..args
        };
        assert_eq!(
            labels(&args, &with, &defaults),
            [pair("dev", false), pair("default", true)]
        );
        let args = VaultArgs {
            ask_vault_pass: true,
            ..args
        };
        assert_eq!(
            labels(&args, &with, &defaults),
            [pair("dev", false), pair("default", false)]
        );
    }

    #[test]
    fn a_vault_id_needs_a_label_and_a_source() {
        let wrong = |word| {
            vault_id(word, &env(), Asked::Once)
                .err()
                .map(|fault| fault.message)
        };
        assert!(wrong("@f").unwrap().contains("has no label"));
        assert!(wrong("a;b@f").unwrap().contains("has no label"));
        assert!(wrong("dev@").unwrap().contains("has no password"));
        assert_eq!(wrong("file"), None);
    }
}
