//! Lines of apt's sources, read as Ansible's module reads them.

/// A line with single spaces and without its comment, when it is one of a source that is not commented out.
pub fn source(line: &str) -> Option<String> {
    parse(line)
        .filter(|(enabled, _)| *enabled)
        .map(|(_, source)| source)
}

/// Whether a line of a source counts, and the source.
fn parse(line: &str) -> Option<(bool, String)> {
    let line = line.trim();
    let (enabled, line) = match line.strip_prefix('#') {
        Some(rest) => (false, rest),
        None => (true, line),
    };
    let line = match line.find('#') {
        Some(at) if at > 0 => &line[..at],
        _ => line,
    };
    let words: Vec<&str> = line.split_whitespace().collect();
    ["deb", "deb-src"]
        .contains(words.first()?)
        .then(|| (enabled, words.join(" ")))
}

/// The address in a source.
pub fn address(source: &str) -> Option<&str> {
    let rest = source.split_once(' ')?.1;
    let rest = match rest.strip_prefix('[') {
        Some(options) => options.split_once(']')?.1.trim_start(),
        None => rest,
    };
    let mut words = rest.split(' ').filter(|word| !word.is_empty());
    let address = words.next()?;
    let scheme = address.split_once(':')?.0;
    words.next()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "+-".contains(c);
    (!scheme.is_empty() && scheme.chars().all(plain)).then_some(address)
}

/// The file that Ansible would put a source into: its address without scheme and login, with `_` for all that is no letter or digit.
pub fn file_name(source: &str) -> String {
    let address = address(source).unwrap_or_default();
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    let address = address.split_once('@').map_or(address, |(_, rest)| rest);
    let parts = address.split(|c: char| !c.is_ascii_alphanumeric());
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    format!("{}.list", parts.join("_"))
}

/// The text where lines of the source that are commented out count again, and whether any line of it is there.
pub fn enable(text: &str, source: &str) -> (String, bool) {
    let mut found = false;
    let mut new = String::new();
    for line in text.split_inclusive('\n') {
        match parse(line) {
            Some((enabled, here)) if here == source => {
                found = true;
                match enabled {
                    true => new.push_str(line),
                    false => new.push_str(line.trim_start().trim_start_matches('#').trim_start()),
                }
            }
            _ => new.push_str(line),
        }
    }
    (new, found)
}

/// The text without lines of the source.
pub fn without(text: &str, wanted: &str) -> String {
    let stays = |line: &&str| source(line).as_deref() != Some(wanted);
    text.split_inclusive('\n').filter(stays).collect()
}

/// The text with the source behind it.
pub fn append(text: &str, source: &str) -> String {
    let gap = match text.is_empty() || text.ends_with('\n') {
        true => "",
        false => "\n",
    };
    format!("{text}{gap}{source}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_as_ansible_names_them() {
        for (line, name) in [
            (
                "deb http://archive.canonical.com/ubuntu hardy partner",
                "archive_canonical_com_ubuntu.list",
            ),
            (
                "deb [arch=amd64 signed-by=/a/b.gpg] https://u:p@x.example.com:8080/deb/ s main",
                "x_example_com_8080_deb.list",
            ),
            ("deb-src file:/srv/repo ./", "file_srv_repo.list"),
        ] {
            assert_eq!(file_name(&source(line).unwrap()), name);
        }
    }

    #[test]
    fn lines_are_found_whatever_their_spaces() {
        let wanted = "deb http://a s main";
        let text = "# deb   http://a  s main # why\nx\n deb http://a s  main\ndeb http://a s main contrib\n";
        let (new, found) = enable(text, wanted);
        assert!(found);
        assert_eq!(
            new,
            "deb   http://a  s main # why\nx\n deb http://a s  main\ndeb http://a s main contrib\n"
        );
        assert_eq!(without(&new, wanted), "x\ndeb http://a s main contrib\n");
        assert_eq!(append("x", wanted), "x\ndeb http://a s main\n");
        assert_eq!(
            enable("deb http://b s main\n", wanted),
            ("deb http://b s main\n".into(), false)
        );
    }

    #[test]
    fn only_sources_are_sources() {
        for wrong in ["", "# deb http://a s", "debx http://a s", "rpm http://a"] {
            assert_eq!(source(wrong), None, "{wrong}");
        }
        for wrong in ["deb http://a", "deb a s main", "deb [arch=amd64 http://a s"] {
            assert_eq!(source(wrong).as_deref().and_then(address), None, "{wrong}");
        }
    }
}
