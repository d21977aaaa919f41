//! `hadeploy init`: a new project that can be validated right away.

mod texts;

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;

use super::demo::site;
use super::{exit, say, usage};
use crate::command::quote;
use crate::diagnostic::count;
use crate::secret::Secret;
use crate::vault;

/// Begin a project: an inventory, a playbook, secrets in a vault
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct InitArgs {
    /// Where: a folder, which is made if it is not there
    #[arg(default_value = ".", hide_default_value = true)]
    dir: PathBuf,
    /// A web server on one node instead of the whole platform
    #[arg(long)]
    minimal: bool,
}

const EXAMPLES: &str = "Examples:
  hadeploy init shop
  hadeploy init --minimal";

/// Where secrets lie, and what opens them.
const SECRETS: &str = "group_vars/all/secrets.yml";
const PASSWORD: &str = ".vault-password";

/// A file to write.
struct File {
    path: String,
    text: String,
    /// Only for who runs this.
    private: bool,
}

/// Runs it; gives the exit status.
pub fn run(args: &InitArgs) -> u8 {
    let files = match files(args.minimal) {
        Ok(files) => files,
        Err(error) => {
            return usage(
                &format!("cannot make a password: {error}"),
                "is /dev/urandom there?",
            );
        }
    };
    let there: Vec<&str> = files
        .iter()
        .map(|file| file.path.as_str())
        .filter(|path| fs::symlink_metadata(args.dir.join(path)).is_ok())
        .collect();
    if let Some(first) = there.first() {
        return usage(
            &format!(
                "`{}` is there already{}; nothing was written",
                args.dir.join(first).display(),
                match there.len() {
                    1 => String::new(),
                    more => format!(", and {} more", more - 1),
                }
            ),
            "name another folder, such as `hadeploy init shop`",
        );
    }
    for file in &files {
        if let Err(error) = write(&args.dir, file) {
            let path = args.dir.join(&file.path);
            return usage(
                &format!("cannot write `{}`: {error}", path.display()),
                "name a folder that can be written",
            );
        }
    }
    say::out(&next(args, files.len()));
    exit::DONE
}

/// What to type now.
fn next(args: &InitArgs, files: usize) -> String {
    let playbook = playbook(args.minimal);
    let enter = match args.dir == Path::new(".") {
        true => String::new(),
        false => format!("  cd {}\n", quote(&args.dir.display().to_string())),
    };
    format!(
        "{} in `{}`. Next:\n{enter}  hadeploy validate {playbook}\n  \
         $EDITOR inventory.yml            your nodes: addresses, who logs in\n  \
         hadeploy vault edit {SECRETS}\n  \
         hadeploy doctor                  can the nodes be reached, and are they well?\n  \
         hadeploy plan {playbook}\n  hadeploy apply {playbook}",
        count(files, "file"),
        args.dir.display()
    )
}

fn playbook(minimal: bool) -> &'static str {
    match minimal {
        true => "site.yml",
        false => "playbooks/site.yml",
    }
}

fn files(minimal: bool) -> io::Result<Vec<File>> {
    let file = |path: &str, text: String| File {
        path: path.to_owned(),
        text,
        private: false,
    };
    let secret = |path: &str, text: String| File {
        private: true,
        ..file(path, text)
    };
    let mut files = match minimal {
        true => texts::MINIMAL
            .iter()
            .map(|(path, text)| file(path, (*text).to_owned()))
            .collect(),
        false => {
            let mut files: Vec<File> = site::FILES
                .iter()
                .map(|(path, text)| file(path, (*text).to_owned()))
                .collect();
            files.push(file("inventory.yml", texts::inventory()));
            files
        }
    };
    let names: &[&str] = match minimal {
        true => &["page_secret"],
        false => texts::PASSWORDS,
    };
    let mut plain = String::from("---\n");
    for name in names {
        plain.push_str(&format!("{name}: {}\n", random::<16>()?));
    }
    let password = random::<24>()?;
    let sealed = vault::seal(
        plain.as_bytes(),
        &Secret::new(password.clone()),
        None,
        &bytes()?,
    );
    files.push(file(SECRETS, sealed.text()));
    files.push(secret(PASSWORD, format!("{password}\n")));
    files.push(file(
        "hadeploy.yml",
        texts::settings(playbook(minimal), PASSWORD),
    ));
    files.push(file(".gitignore", texts::ignored(PASSWORD)));
    files.push(file(
        "README.md",
        texts::readme(playbook(minimal), SECRETS, PASSWORD),
    ));
    Ok(files)
}

/// So many random bytes, in hexadecimal digits.
fn random<const N: usize>() -> io::Result<String> {
    let bytes: [u8; N] = bytes()?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Writes a file that is not there.
fn write(dir: &Path, file: &File) -> io::Result<()> {
    let path = dir.join(&file.path);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mode = match file.private {
        true => 0o600,
        false => 0o666,
    };
    let mut open = OpenOptions::new();
    let mut to = open.write(true).create_new(true).mode(mode).open(&path)?;
    to.write_all(file.text.as_bytes())
}
