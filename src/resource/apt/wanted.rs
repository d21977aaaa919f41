//! What the user wrote for packages: names, versions with wildcards; and the lines of apt's simulations.

use crate::change::Field;
use crate::diagnostic::Diagnostic;
use crate::fact::PackageInfo;
use crate::resource::Args;
use crate::template::Stop;

/// A package, perhaps at a version.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wanted {
    /// Its name, perhaps with `:architecture`.
    pub(super) name: String,
    /// A version, perhaps with `*`, `?` and `[…]`.
    pub(super) version: Option<String>,
}

impl Wanted {
    /// Whether the installed version is the one that is wanted. An unknown version, of a prediction, is.
    pub(super) fn fits(&self, info: &PackageInfo) -> bool {
        match (&self.version, &info.version) {
            (Some(pattern), Some(version)) => fnmatch(pattern, version),
            _ => true,
        }
    }
}

/// The packages of the `name` argument.
pub(super) fn parse(args: &Args) -> Result<Vec<Wanted>, Stop> {
    let mut all: Vec<Wanted> = Vec::new();
    for text in args.list("name") {
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        let wrong = |message: String, help: &str| {
            Stop::from(Diagnostic::at(args.value_place("name"), message).help(help))
        };
        let (name, version) = match text.split_once('=') {
            Some((name, version)) => (name.trim(), Some(version.trim().to_owned())),
            None => (text, None),
        };
        if name.ends_with(['<', '>', '!']) {
            return Err(wrong(
                format!("`{text}` compares versions"),
                "name one version, such as `nginx=1.22*`, or use `state: latest`",
            ));
        }
        if name.contains(['*', '?', '[']) {
            return Err(wrong(
                format!("`{name}` is a pattern of package names"),
                "name each package; to upgrade all, use `upgrade: yes`",
            ));
        }
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.:".contains(c);
        let first = name
            .chars()
            .next()
            .is_some_and(|c| c.is_ascii_alphanumeric());
        let version_ok = version.as_deref().is_none_or(|version| {
            !version.is_empty() && !version.contains(|c: char| c.is_whitespace() || c.is_control())
        });
        if !first || !name.chars().all(allowed) || !version_ok {
            return Err(wrong(
                format!("`{text}` is not a package name"),
                "a name is lower-case letters, digits, `+`, `-` and `.`, with `=version` behind it if one is wanted",
            ));
        }
        let wanted = Wanted {
            name: name.to_owned(),
            version,
        };
        if !all.contains(&wanted) {
            all.push(wanted);
        }
    }
    Ok(all)
}

/// Whether a version fits a shell pattern.
pub(super) fn fnmatch(pattern: &str, text: &str) -> bool {
    // Versions hold no `/`, and globset's defaults let `*` match everything else.
    globset::Glob::new(pattern).is_ok_and(|glob| glob.compile_matcher().is_match(text))
        || pattern == text
}

/// A line of `apt-get -s` as a field: `Inst bash [5.2] (5.3 Debian:12 [amd64])`, `Remv foo [1]`, `Del foo 1 [5 kB]`.
pub(super) fn simulated(line: &str) -> Field {
    let mut words = line.split(' ');
    let verb = words.next().unwrap_or("");
    let name = words.next().unwrap_or("");
    let bracket = |open: char, close: char| {
        let from = line.find(open)? + 1;
        line[from..].split([close, ' ']).next()
    };
    match verb {
        "Inst" => {
            // Without an installed version the first bracket is the architecture, inside the round ones.
            let old = bracket('[', ']').filter(|_| line.find('[') < line.find('('));
            Field::value(
                name,
                old.unwrap_or(""),
                bracket('(', ')').unwrap_or("present"),
            )
        }
        "Del" => Field::value(name, words.next().unwrap_or(""), ""),
        _ => Field::value(name, bracket('[', ']').unwrap_or(""), ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_fit_patterns() {
        assert!(fnmatch("1.22*", "1.22.1-9+deb12u10"));
        assert!(fnmatch("2:8.0.*", "2:8.0.2-1~bpo12+1"));
        assert!(fnmatch("5:7.0.15-1~deb12u1", "5:7.0.15-1~deb12u1"));
        assert!(!fnmatch("1.2", "1.22"));
    }

    #[test]
    fn simulated_lines_are_fields() {
        assert_eq!(
            simulated("Inst bash [5.2.15-2+b8] (5.2.15-2+b13 Debian:12.15/oldstable [amd64])"),
            Field::value("bash", "5.2.15-2+b8", "5.2.15-2+b13")
        );
        assert_eq!(
            simulated("Inst libnew (1.0 Debian:12 [amd64])"),
            Field::value("libnew", "", "1.0")
        );
        assert_eq!(simulated("Remv old [3]"), Field::value("old", "3", ""));
        assert_eq!(
            simulated("Del vim 2:9 [1,234 kB]"),
            Field::value("vim", "2:9", "")
        );
    }
}
