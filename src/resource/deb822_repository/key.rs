//! The key of a source, fetched by the node.

use crate::change::{Expect, Step, Touch};
use crate::command::quote;
use crate::diagnostic::Diagnostic;
use crate::fact::{Answer, Known, Missing, PathInfo, Question};
use crate::resource::Controller;
use crate::resource::attributes::Attributes;
use crate::resource::get_url::script::fetch;
use crate::resource::http::{Request, Url, shown};
use crate::resource::mode::FileMode;
use crate::resource::place::temporary;
use crate::source::Span;
use crate::template::Stop;

/// Where keys are kept.
pub const FOLDER: &str = "/etc/apt/keyrings";

/// A key at an address.
pub struct Key {
    request: Request,
    path: String,
    attributes: Attributes,
}

/// The file of a source's key.
pub fn kept(slug: &str, ending: &str) -> String {
    format!("{FOLDER}/{slug}.{ending}")
}

impl Key {
    /// The key, when an address is meant; a path, a fingerprint or the text of a key is no address.
    pub fn read(
        text: &str,
        slug: &str,
        at: &Span,
        controller: &dyn Controller,
    ) -> Result<Option<Key>, Stop> {
        let scheme = text.split("://").next().unwrap_or_default();
        let word = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        if !text.contains("://") || text.contains('\n') || !scheme.chars().all(word) {
            return Ok(None);
        }
        let url = Url::parse(text).map_err(|message| {
            Diagnostic::at(at, message)
                .help("give an `http://` or `https://` address, or put the key on the node with `copy` and name its path")
        })?;
        Ok(Some(Key {
            request: Request::of(url, false),
            path: kept(slug, "asc"),
            attributes: Attributes::of_nobody(controller).with_mode(Some(FileMode::Bits(0o644))),
        }))
    }

    /// The step that fetches it. What comes must be a public key of OpenPGP, as text or binary; apt reads the text form by the ending.
    pub fn fetch(&self, known: &Known) -> Result<Step, Missing> {
        let Ok(resolved) = self.attributes.resolve(known)? else {
            return Ok(Step::new("fetch the key", "exit 1"));
        };
        let path = quote(&self.path);
        let script = format!(
            "fail() {{ printf '%s\\n' \"$1\" >&2; exit 1; }}\nd=$(mktemp -d) || exit\n{}trap 'rm -rf -- \"$d\" \"$t\"' EXIT\n\
             [ -d {FOLDER} ] || mkdir -m 0755 {FOLDER} || exit\n{}\
             if grep -q -e '-----BEGIN PGP PUBLIC KEY BLOCK-----' \"$d/out\"; then cp -- \"$d/out\" \"$t\"\nelse\n\
             case $(od -An -tx1 -N1 \"$d/out\" | tr -d ' ') in 98|99|c6) ;; *) fail {};; esac\n\
             {{ printf '%s\\n\\n' '-----BEGIN PGP PUBLIC KEY BLOCK-----'; base64 -w 64 <\"$d/out\"; echo '-----END PGP PUBLIC KEY BLOCK-----'; }} >\"$t\"\nfi || exit\n\
             chmod 0644 \"$t\" && sync -- \"$t\" && mv -fT -- \"$t\" {path}",
            temporary(&self.path),
            fetch(&self.request),
            quote(&format!(
                "what {} holds is no public key of OpenPGP",
                shown(&self.request.url.text)
            )),
        );
        let info = PathInfo {
            stat: Some(resolved.fresh('f', None)),
            ..known.path(&self.path)?.clone()
        };
        let mut step = Step::new(
            format!("fetch the key from {}", shown(&self.request.url.text)),
            script,
        )
        .touch(Touch::Path(self.path.clone()))
        .before(Expect::absent(self.path.clone()))
        .predict(
            Question::Path(self.path.as_str().into()),
            Answer::Path(info),
        )
        .verify(Expect::Path {
            path: self.path.clone(),
            kind: Some('f'),
            mode: Some(0o644),
            owner: Some("root".to_owned()),
            group: None,
            sha256: None,
            target: None,
        });
        if known.path(FOLDER)?.stat.is_none() {
            step = step.touch(Touch::Path(FOLDER.to_owned()));
        }
        Ok(step)
    }
}
