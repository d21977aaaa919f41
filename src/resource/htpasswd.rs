//! `htpasswd`: who may log in at a web server by a file of passwords.

mod hash;

use sha2::{Digest, Sha256};

use self::hash::{Scheme, is_of};
use super::attributes::{self, Attributes};
use super::body::Body;
use super::copy::REFUSED_OF_FILES;
use super::edit::{self, Found};
use super::place::trimmed;
use super::write::Target;
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change, Field};
use crate::diagnostic::{Diagnostic, list};
use crate::fact::{Known, Missing, Question};
use crate::secret::{MASK, Secret};

/// Keeps a name with its password in a file for basic authentication. The hash is made on the controller, and the node needs nothing for it; the
/// password goes nowhere. A hash that is there is held against the password, so that it stays as long as the password is right, whatever
/// its scheme. No diff shows a line of the file.
///
/// # Differs from Ansible
/// - `hash_scheme` has `apr_md5_crypt`, `bcrypt` (cost 10), `sha256_crypt`, `sha512_crypt`, `md5_crypt`, `ldap_sha1` and `plaintext`; passlib's others
///   are refused; a hash of DES, which nobody should have any more, is replaced
/// - owner, group and mode of a file that is there stay where they are not given, as for every kind that writes a file
///
/// # Returns
/// - `path`: the file
/// - `name`: the name
/// - `msg`: what became of it
///
/// # Examples
/// ```yaml
/// - name: who may see the statistics
///   htpasswd:
///     path: /etc/nginx/stats.htpasswd
///     name: ops
///     password: "{{ stats_password }}"
///     hash_scheme: bcrypt
///     group: www-data
///     mode: "0640"
/// - name: one may not any more
///   htpasswd:
///     path: /etc/nginx/stats.htpasswd
///     name: former
///     state: absent
/// ```
pub static HTPASSWD: Kind = Kind {
    name: "htpasswd",
    aliases: &["community.general.htpasswd"],
    summary: "keeps a name and its password in a file for basic authentication",
    params: &[
        Param::new("path", ParamType::Path, "The file.")
            .required()
            .aliases(&["dest", "destfile"]),
        Param::new("name", ParamType::Str, "The name.")
            .required()
            .aliases(&["username"]),
        Param::new(
            "password",
            ParamType::Str,
            "The password; needed for a name that is not there yet. Never shown.",
        ),
        Param::new(
            "hash_scheme",
            ParamType::Str,
            "How a new password is hashed: `apr_md5_crypt`, `bcrypt`, `sha512_crypt` …",
        )
        .default("apr_md5_crypt")
        .aliases(&["crypt_scheme"]),
        Param::new(
            "state",
            ParamType::Choice(&["present", "absent"]),
            "Whether the name is in the file.",
        )
        .default("present"),
        Param::new("create", ParamType::Bool, "Whether a missing file is made.").default("true"),
        attributes::OWNER,
        attributes::GROUP,
        attributes::MODE,
    ],
    free_form: None,
    refused: REFUSED_OF_FILES,
    check,
    bind,
};

const SCHEMES: [&str; 7] = [
    "apr_md5_crypt",
    "bcrypt",
    "sha512_crypt",
    "sha256_crypt",
    "md5_crypt",
    "ldap_sha1",
    "plaintext",
];

/// A node's own number, drawn by chance when it was set up.
const MACHINE: &str = "/etc/machine-id";

fn check(args: &Args) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    if let Some(name) = args.literal("hash_scheme")
        && Scheme::named(name).is_none()
    {
        faults.push(
            Diagnostic::at(
                args.value_place("hash_scheme"),
                format!("hadeploy's `htpasswd` has no `{name}`"),
            )
            .nearest(name, SCHEMES)
            .help(format!("there is {}", list(SCHEMES))),
        );
    }
    if let Some(name) = args.literal("name")
        && (name.is_empty() || name.contains([':', '\n']) || name.starts_with('#'))
    {
        let place = args.value_place("name");
        faults.push(
            Diagnostic::at(place, format!("`{name}` cannot be a name there"))
                .help("a colon ends the name in the file"),
        );
    }
    faults
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    if let Some(fault) = check(args).into_iter().next() {
        return Err(fault.into());
    }
    let password = args.str("password");
    let bad = |text: &str| text.contains(['\n', '\0']);
    if password.is_some_and(bad) {
        let place = args.value_place("password");
        return Err(Diagnostic::at(place, "a password is one line").into());
    }
    let scheme = Scheme::named(args.str("hash_scheme").unwrap_or(SCHEMES[0]));
    Ok(Box::new(Htpasswd {
        target: Target {
            dest: trimmed(args.str("path").unwrap_or_default()).into(),
            attributes: Attributes::bind(args, controller)?,
            follow: true,
            force: true,
            backup: false,
            validate: None,
            folders: None,
        },
        name: args.str("name").unwrap_or_default().to_owned(),
        password: password.map(Secret::new),
        scheme: scheme.unwrap_or(Scheme::Apr1),
        present: args.str("state") != Some("absent"),
        create: args.bool("create", true),
    }))
}

/// A name that is to be in a file, or not.
struct Htpasswd {
    target: Target,
    name: String,
    password: Option<Secret>,
    scheme: Scheme,
    present: bool,
    create: bool,
}

impl Resource for Htpasswd {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let mut questions = edit::questions(&self.target);
        questions.extend([
            Question::Path(MACHINE.into()),
            Question::Text(MACHINE.into()),
        ]);
        known.need(questions)?;
        let old = match edit::read(&self.target, known)? {
            Found::Text(old) => Some(old),
            Found::Not(change) => return Ok(*change),
            Found::Absent if !self.present => {
                return Ok(self.told(
                    Change::none("the file does not exist"),
                    "the file does not exist",
                ));
            }
            Found::Absent if !self.create => {
                return Ok(edit::no_file(&self.target.dest, true));
            }
            Found::Absent => None,
        };
        let text = String::from_utf8_lossy(old.as_deref().unwrap_or_default()).into_owned();
        let start = format!("{}:", self.name);
        let kept = text.lines().find_map(|line| line.strip_prefix(&start));
        let kept = kept.map(|hash| hash.split(':').next().unwrap_or_default());
        let (new, field, msg) = match (self.present, kept, &self.password) {
            (false, None, _) => (None, None, "is not there".to_owned()),
            (false, Some(_), _) => {
                let lines = text.split_inclusive('\n');
                let new: String = lines.filter(|line| !line.starts_with(&start)).collect();
                let field = Field::value("name", &*self.name, "");
                (Some(new), Some(field), format!("Removed {}", self.name))
            }
            (true, Some(hash), Some(password)) if !is_of(hash, password.reveal()) => {
                let hash = self.hash(known, &text, password)?;
                let field = Field::value("password", MASK, MASK);
                let new = put(&text, &start, &hash);
                (Some(new), Some(field), format!("Updated {}", self.name))
            }
            (true, Some(_), _) => (None, None, format!("{} is there", self.name)),
            (true, None, None) => {
                let message = format!("`{}` is not in `{}` yet", self.name, self.target.dest);
                return Ok(Change::failed(message).help("give its `password`"));
            }
            (true, None, Some(password)) => {
                let hash = self.hash(known, &text, password)?;
                let field = Field::value("name", "", &*self.name);
                let new = put(&text, &start, &hash);
                (Some(new), Some(field), format!("Added {}", self.name))
            }
        };
        let body = match new {
            Some(new) => Body::new(new.into_bytes()),
            None => Body::new(old.unwrap_or_else(|| Vec::new().into())),
        };
        let mut change = self.target.diff(known, &body)?;
        if change.obstacle.is_some() {
            return Ok(change);
        }
        hide(&mut change.fields);
        if let Some(field) = field {
            change.fields.insert(0, field);
        }
        change.reason = match change.action {
            Action::None => msg.clone(),
            _ => String::new(),
        };
        change.result.clear();
        Ok(self.told(change, &msg))
    }
}

impl Htpasswd {
    /// The salt follows from what the node drew by chance and from what is there: a plan that is made again comes to the same.
    fn hash(&self, known: &Known, old: &str, password: &Secret) -> Result<String, Missing> {
        let chance = known.text(MACHINE)?.cloned();
        let digest = Sha256::new()
            .chain_update(chance.as_deref().unwrap_or_default())
            .chain_update([0])
            .chain_update(&*self.target.dest)
            .chain_update([0])
            .chain_update(&self.name)
            .chain_update([0])
            .chain_update(old)
            .finalize();
        let mut salt = [0; 16];
        salt.copy_from_slice(&digest[..16]);
        Ok(self.scheme.hash(password.reveal(), &salt))
    }

    fn told(&self, change: Change, msg: &str) -> Change {
        change
            .result("path", &*self.target.dest)
            .result("name", self.name.as_str())
            .result("msg", msg)
    }
}

/// With the line of this name, in the place of the old one or at the end. Doubles of it go: a server takes the first.
fn put(text: &str, start: &str, hash: &str) -> String {
    let line = format!("{start}{hash}\n");
    let mut new = String::new();
    let mut done = false;
    for old in text.split_inclusive('\n') {
        match old.starts_with(start) {
            true if done => {}
            true => {
                new.push_str(&line);
                done = true;
            }
            false => new.push_str(old),
        }
    }
    if !done {
        if !new.is_empty() && !new.ends_with('\n') {
            new.push('\n');
        }
        new.push_str(&line);
    }
    new
}

/// No hash of anybody is shown.
fn hide(fields: &mut [Field]) {
    for field in fields {
        if let Field::Text { before, after, .. } = field {
            (*before, *after) = (None, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::put;

    #[test]
    fn a_line_takes_the_place_of_the_old_one() {
        assert_eq!(put("", "a:", "x"), "a:x\n");
        assert_eq!(put("# who\nb:1", "a:", "x"), "# who\nb:1\na:x\n");
        assert_eq!(put("a:1\nb:1\na:2\n", "a:", "x"), "a:x\nb:1\n");
        assert_eq!(put("aa:1\n", "a:", "x"), "aa:1\na:x\n");
    }
}
