//! How debconf's store is read: by its own Perl modules, which open it for reading only, as `debconf-show` does.

use serde_json::{Map, Value as Json};

use crate::command::quote;
use crate::fact::debconf::title;
use crate::resource::body::sha256;

/// Prints `exists owned seen`, a line end, and the value.
const READ: &str = r#"command -v debconf-show >/dev/null || { printf none; exit; }
perl -MDebconf::Db -MDebconf::Question -e '
Debconf::Db->load(readonly => "true");
my ($package, $name) = @ARGV;
my $q = Debconf::Question->get($name);
my $owned = $q && grep { $_ eq $package } split(/, /, $q->owners);
printf "%d %d %d\n", $q ? 1 : 0, $owned ? 1 : 0, $q && $q->flag("seen") eq "true" ? 1 : 0;
print $q->value if $q && defined $q->value;' "#;

/// The question about one answer. Of a password only the SHA-256 comes.
pub fn one(package: &str, name: &str, secret: bool) -> String {
    let read = format!("{READ}{} {}", quote(package), quote(name));
    let script = match secret {
        false => read,
        true => format!(
            "found=$({read}; printf x)\nfound=${{found%x}}\nprintf '%s\\n' \"${{found%%\n*}}\"\nvalue=${{found#*\n}}\n[ -z \"$value\" ] || printf %s \"$value\" | sha256sum | head -c 64"
        ),
    };
    format!("{}\n{script}", title(name, package))
}

/// The question about all answers of a package.
pub fn all(package: &str) -> String {
    format!("answers of {package}\ndebconf-show -- {}", quote(package))
}

/// What `debconf-show` prints, `* NAME: VALUE`; the star is for those that were asked.
pub fn answers(text: &str) -> Map<String, Json> {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| {
            let name = name.trim_matches(['*', ' ']);
            (name.to_owned(), value.trim().into())
        })
        .collect()
}

/// What debconf has of a question.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Whether there is no debconf.
    pub no_debconf: bool,
    /// Whether the question is there.
    pub exists: bool,
    /// Whether it is one of the package's.
    pub owned: bool,
    /// Whether it counts as asked.
    pub seen: bool,
    /// The answer; of a password its SHA-256, if it has one.
    pub value: String,
}

impl Found {
    /// From what [`one`] prints.
    pub fn read(output: &[u8]) -> Found {
        let text = String::from_utf8_lossy(output);
        let (head, value) = text.split_once('\n').unwrap_or((&text, ""));
        let mut flags = head.split(' ').map(|flag| flag == "1");
        let mut flag = || flags.next().unwrap_or_default();
        Found {
            no_debconf: head == "none",
            exists: flag(),
            owned: flag(),
            seen: flag(),
            value: value.to_owned(),
        }
    }

    /// The same as [`one`] prints it.
    pub fn written(&self) -> String {
        let flag = u8::from;
        format!(
            "{} {} {}\n{}",
            flag(self.exists),
            flag(self.owned),
            flag(self.seen),
            self.value
        )
    }
}

/// A check that the question `probe` is now answered like that; of the flag alone, when only it was set. It names no value.
pub fn verify(probe: &str, wanted: &Found, flag: bool) -> String {
    let script = probe.split_once('\n').map_or("", |(_, script)| script);
    let (part, wanted) = match flag {
        true => (
            "head -n 1 | cut -d ' ' -f 3",
            format!("{}\n", u8::from(wanted.seen)),
        ),
        false => ("tail -n +2", wanted.value.clone()),
    };
    format!(
        "found=$({{\n{script}\n}} | {part} | sha256sum)\n[ \"${{found%% *}}\" = {} ] || {{ echo 'another answer'; exit 1; }}",
        sha256(wanted.as_bytes())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let found = Found {
            exists: true,
            owned: true,
            value: "a b".to_owned(),
            ..Found::default()
        };
        assert_eq!(Found::read(found.written().as_bytes()), found);
        assert_eq!(Found::read(b"0 0 0\n"), Found::default());
        assert!(Found::read(b"none").no_debconf);
    }

    #[test]
    fn answers_are_read_without_their_stars() {
        let found = answers(
            "* tzdata/Areas: Etc\n  tzdata/Zones/Etc: UTC\n  x/password: (password omitted)\n",
        );
        assert_eq!(
            Json::Object(found),
            serde_json::json!({"tzdata/Areas": "Etc", "tzdata/Zones/Etc": "UTC", "x/password": "(password omitted)"})
        );
    }
}
