//! `hadeploy vault encrypt-string`: a value as a vault inside YAML.

use zeroize::Zeroizing;

use super::args::StringArgs;
use super::keys::Sealer;
use super::store::{Modes, Place};
use super::{Fault, Outcome};
use crate::cli::environment::Environment;
use crate::cli::{exit, passwords, say};
use crate::diagnostic::Diagnostic;

/// How far Ansible indents the lines of a vault in YAML.
const INDENT: &str = "          ";

/// A value and the variable it is for.
struct Named {
    name: Option<String>,
    value: Zeroizing<Vec<u8>>,
}

pub fn encrypt(args: &StringArgs, sealer: &Sealer, env: &Environment) -> Outcome {
    let mut text = String::new();
    for Named { name, value } in values(args, env)? {
        text.push_str(&pasteable(name.as_deref(), &sealer.seal(&value)?));
    }
    let to = args.output.as_deref().map_or(Place::Stream, Place::file);
    to.write(text.as_bytes(), Modes::Kept)?;
    Ok(exit::DONE)
}

/// The values in the order given: of the command line, then the question, then standard input.
fn values(args: &StringArgs, env: &Environment) -> Result<Vec<Named>, Fault> {
    let mut names = args.name.iter().cloned();
    let mut found = Vec::new();
    let given = args.values.iter().filter(|value| *value != "-");
    for value in given {
        found.push(Named {
            name: names.next(),
            value: Zeroizing::new(value.clone().into_bytes()),
        });
    }
    if args.prompt {
        let value = passwords::ask_twice("value to encrypt", env.asks)
            .map_err(|why| Box::new(Diagnostic::error(why)))?;
        found.push(Named {
            name: names.next(),
            value: Zeroizing::new(value.reveal().as_bytes().to_vec()),
        });
    }
    let wants_input = args.stdin_name.is_some() || args.values.iter().any(|value| value == "-");
    if wants_input || found.is_empty() {
        let value = Place::Stream.read(env)?;
        if value.ends_with(b"\n") {
            say::err(
                "note: the value ends with a newline, which is encrypted with it; `printf %s` writes none",
            );
        }
        found.push(Named {
            name: args.stdin_name.clone().or_else(|| names.next()),
            value,
        });
    }
    if let Some(name) = names.next() {
        return Err(Box::new(
            Diagnostic::error(format!("`--name {name}` has no value")).help(
                "give as many values as names; `--stdin-name` names what standard input holds",
            ),
        ));
    }
    Ok(found)
}

/// A vault as Ansible writes it into YAML.
fn pasteable(name: Option<&str>, vault: &str) -> String {
    let mut text = name.map_or(String::new(), |name| format!("{name}: "));
    text.push_str("!vault |\n");
    for line in vault.lines() {
        text.push_str(INDENT);
        text.push_str(line);
        text.push('\n');
    }
    text
}
