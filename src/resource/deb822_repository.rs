//! `deb822_repository`: a source of packages in `/etc/apt/sources.list.d/NAME.sources`, with the key it is signed by.

mod key;
mod text;

use super::attributes::Attributes;
use super::body::Body;
use super::copy::REFUSED_OF_FILES;
use super::edit::{self, Found};
use super::gone::gone;
use super::mode::FileMode;
use super::write::Target;
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change, Field};
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing, Question};
use key::{Key, kept};

/// Keeps a source of packages in `/etc/apt/sources.list.d/NAME.sources`, with the key that it is signed by. The file must pass
/// `apt-get indextargets` before it is in place. `apt` with `update_cache` fetches the package lists anew when a source was changed since, whatever
/// its `cache_valid_time`.
///
/// # Differs from Ansible
/// - the node fetches a key only when it has none of that name yet; remove `/etc/apt/keyrings/NAME.asc` to have it renewed
/// - a binary key is kept in its text form
/// - nothing has to be installed on the node beforehand: `python3-debian` is not used
///
/// # Returns
/// - `repo`: the text of the file, null when it is gone
/// - `key_filename`: the file of the key, null without one
/// - `dest`: the file
///
/// # Examples
/// ```yaml
/// - name: the packages of Docker
///   deb822_repository:
///     name: docker
///     uris: https://download.docker.com/linux/debian
///     suites: [bookworm]
///     components: [stable]
///     signed_by: https://download.docker.com/linux/debian/gpg
///
/// - name: Docker itself
///   apt: { name: docker-ce, update_cache: true }
///
/// - name: not the packages of example.com, nor their key
///   deb822_repository: { name: example, state: absent }
/// ```
pub static DEB822_REPOSITORY: Kind = Kind {
    name: "deb822_repository",
    aliases: &[
        "ansible.builtin.deb822_repository",
        "ansible.legacy.deb822_repository",
    ],
    summary: "adds or removes a source of packages with its key, as a `.sources` file",
    params: &[
        Param::new(
            "name",
            ParamType::Str,
            "The source's name; the file is called by it, in lower case, with `-` for spaces.",
        )
        .required(),
        Param::new(
            "state",
            ParamType::Choice(&["present", "absent"]),
            "`absent` also removes a key that was fetched for it.",
        )
        .default("present"),
        Param::new("types", ParamType::List, "`deb`, `deb-src`.").default("deb"),
        Param::new("uris", ParamType::List, "Addresses of the repository."),
        Param::new(
            "suites",
            ParamType::List,
            "Releases such as `bookworm`; a path that ends with `/` has no components.",
        ),
        Param::new("components", ParamType::List, "Parts such as `main`."),
        Param::new(
            "signed_by",
            ParamType::Str,
            "The key: a file of the node, an `http(s)://` address that the node fetches it from, its text, or fingerprints of keys in the trusted keyrings.",
        ),
        Param::new(
            "architectures",
            ParamType::List,
            "Only for these; all of the node's when not given.",
        ),
        Param::new(
            "languages",
            ParamType::List,
            "Languages of descriptions; `none` for none.",
        ),
        Param::new(
            "targets",
            ParamType::List,
            "What is downloaded, by apt's names of targets.",
        ),
        Param::new(
            "enabled",
            ParamType::Bool,
            "Whether apt reads it; `yes` when not given.",
        ),
        Param::new(
            "trusted",
            ParamType::Bool,
            "Whether it counts as authenticated without a key, or never.",
        ),
        Param::new(
            "pdiffs",
            ParamType::Bool,
            "Whether old lists are brought up to date by differences.",
        ),
        Param::new(
            "by_hash",
            ParamType::Bool,
            "Whether lists are fetched by their sums.",
        ),
        Param::new(
            "check_date",
            ParamType::Bool,
            "Whether a release dated in the future is refused.",
        ),
        Param::new(
            "check_valid_until",
            ParamType::Bool,
            "Whether a release that ran out is refused.",
        ),
        Param::new(
            "date_max_future",
            ParamType::Int,
            "Seconds by which a release may be dated in the future.",
        ),
        Param::new(
            "inrelease_path",
            ParamType::Str,
            "Where its InRelease file is, relative to the usual place.",
        ),
        Param::new(
            "allow_insecure",
            ParamType::Bool,
            "Whether an unsigned repository is used.",
        ),
        Param::new(
            "allow_weak",
            ParamType::Bool,
            "Whether weakly signed repositories are used.",
        ),
        Param::new(
            "allow_downgrade_to_insecure",
            ParamType::Bool,
            "Whether a repository may lose its signature.",
        ),
        Param::new("mode", ParamType::Mode, "Permissions of the file.").default("0644"),
    ],
    free_form: None,
    refused: REFUSED_OF_FILES,
    check,
    bind,
};

fn check(args: &Args) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    if args
        .literal("name")
        .is_some_and(|name| text::slug(name).is_empty())
    {
        faults.push(
            Diagnostic::at(
                args.value_place("name"),
                "no file can be called by that name",
            )
            .help("letters, digits and `-` make the file's name"),
        );
    }
    for (at, word) in args.list("types").into_iter().enumerate() {
        if !["deb", "deb-src"].contains(&word) && !word.contains("{{") {
            let place = args.value_place("types");
            faults.push(
                Diagnostic::at(place, format!("type {} cannot be `{word}`", at + 1))
                    .help("it is `deb` or `deb-src`"),
            );
        }
    }
    let known = args.literal("state").is_some() || !args.has("state");
    if known && args.literal("state") != Some("absent") {
        for name in ["uris", "suites"] {
            if !args.has(name) {
                faults.push(
                    Diagnostic::at(&args.span, format!("`deb822_repository` needs `{name}`"))
                        .help("apt reads no source without; only `state: absent` can do so"),
                );
            }
        }
    }
    faults
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    if let Some(fault) = check(args).into_iter().next() {
        return Err(fault.into());
    }
    let slug = text::slug(args.str("name").unwrap_or_default());
    let mode = args.get("mode").and_then(FileMode::read);
    let attributes =
        Attributes::of_nobody(controller).with_mode(Some(mode.unwrap_or(FileMode::Bits(0o644))));
    let absent = args.str("state") == Some("absent");
    let key = match args.str("signed_by").filter(|_| !absent) {
        Some(signed_by) => Key::read(signed_by, &slug, args.value_place("signed_by"), controller)?,
        None => None,
    };
    let signed_by = match &key {
        Some(_) => Some(kept(&slug, "asc")),
        None => args.str("signed_by").map(str::to_owned),
    };
    Ok(Box::new(Repository {
        target: Target {
            dest: format!("/etc/apt/sources.list.d/{slug}.sources").into(),
            attributes,
            follow: false,
            force: true,
            backup: false,
            validate: None,
            folders: None,
        },
        fields: (!absent).then(|| text::fields(args, signed_by.as_deref())),
        key,
        slug,
    }))
}

/// A source as wanted.
struct Repository {
    target: Target,
    slug: String,
    /// None when it is to be gone.
    fields: Option<text::Fields>,
    /// The key that is fetched for it.
    key: Option<Key>,
}

impl Resource for Repository {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let keys = ["asc", "gpg"].map(|ending| kept(&self.slug, ending));
        let mut questions = edit::questions(&self.target);
        if self.key.is_some() || self.fields.is_none() {
            questions.extend(keys.iter().map(|key| Question::Path(key.as_str().into())));
            questions.push(Question::Path(key::FOLDER.into()));
        }
        known.need(questions)?;
        if let Found::Not(change) = edit::read(&self.target, known)? {
            return Ok(*change);
        }
        let Some(fields) = &self.fields else {
            return self.remove(known, &keys);
        };
        let mut fields = fields.clone();
        let mut fetched = None;
        if let Some(key) = &self.key {
            let is_there = |path: &&String| known.path(path).is_ok_and(|it| it.stat.is_some());
            match keys.iter().find(is_there) {
                Some(path) => fields.signed_by(path),
                None => fetched = Some(key.fetch(known)?),
            }
        }
        let repo = fields.text();
        let mut change = self
            .target
            .diff(known, &Body::new(repo.clone().into_bytes()))?;
        if change.obstacle.is_some() {
            return Ok(change);
        }
        if let Some(step) = fetched {
            let field = Field::value("key", "", kept(&self.slug, "asc"));
            change.fields.insert(0, field);
            change.steps.insert(0, step);
            if change.action == Action::None {
                change.action = Action::Update;
                change.reason.clear();
            }
        }
        let key = fields.key_file().map(str::to_owned);
        Ok(change.result("repo", repo).result("key_filename", key))
    }
}

impl Repository {
    fn remove(&self, known: &Known, keys: &[String; 2]) -> Result<Change, Missing> {
        let mut change = Change::none("there is no such source");
        for path in [&*self.target.dest]
            .into_iter()
            .chain(keys.iter().map(String::as_str))
        {
            if let Some(step) = gone(known.path(path)?, path) {
                change.action = Action::Delete;
                change.reason.clear();
                change = change
                    .field(Field::value(path, "file", "absent"))
                    .step(step);
            }
        }
        Ok(change
            .result("dest", &*self.target.dest)
            .result("repo", serde_json::Value::Null)
            .result("key_filename", keys[1].as_str()))
    }
}
