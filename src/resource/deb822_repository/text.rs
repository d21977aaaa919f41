//! The text of a `.sources` file, as Ansible's module and python-debian write it.

use crate::resource::Args;
use crate::value::Kind as ValueKind;

/// Fields in the order of their parameters' names.
#[derive(Debug, Clone)]
pub struct Fields(Vec<(String, String)>);

/// The name of the file, without its ending.
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    let mut gap = false;
    for c in name.to_lowercase().chars() {
        if c == '_' || c.is_whitespace() {
            if !gap {
                slug.push('-');
            }
            gap = true;
            continue;
        }
        gap = false;
        if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' {
            slug.push(c);
        }
    }
    slug
}

/// The fields that are given, with another text for `signed_by`.
pub fn fields(args: &Args, signed_by: Option<&str>) -> Fields {
    let mut given: Vec<(&str, String)> = vec![("types", "deb".to_owned())];
    for (name, entry) in args.iter() {
        if ["state", "mode", "types"].contains(&name) || entry.value.is_null() {
            continue;
        }
        let text = match &entry.value.kind {
            ValueKind::Bool(flag) => if *flag { "yes" } else { "no" }.to_owned(),
            ValueKind::List(_) => args.list(name).join(" "),
            ValueKind::Str(_) if name == "signed_by" => signed_by.unwrap_or_default().to_owned(),
            ValueKind::Str(text) => text.to_string(),
            _ => entry.value.to_json().to_string(),
        };
        given.push((name, text));
    }
    if args.has("types") {
        given[0].1 = args.list("types").join(" ");
    }
    given.sort();
    Fields(
        given
            .into_iter()
            .map(|(name, text)| (title(name), lines(&text)))
            .collect(),
    )
}

impl Fields {
    /// Names another key.
    pub fn signed_by(&mut self, path: &str) {
        for (name, text) in &mut self.0 {
            if name == "Signed-By" {
                path.clone_into(text);
            }
        }
    }

    /// The key's file, when it is one.
    pub fn key_file(&self) -> Option<&str> {
        let found = self.0.iter().find(|(name, _)| name == "Signed-By");
        found
            .map(|(_, text)| text.as_str())
            .filter(|text| text.starts_with('/'))
    }

    /// The whole file.
    pub fn text(&self) -> String {
        let mut all = String::new();
        for (name, text) in &self.0 {
            let gap = if text.is_empty() || text.starts_with('\n') {
                ""
            } else {
                " "
            };
            all.push_str(&format!("{name}:{gap}{text}\n"));
        }
        all
    }
}

/// `signed_by` is `Signed-By`.
fn title(name: &str) -> String {
    match name {
        "name" => return "X-Repolib-Name".to_owned(),
        "uris" => return "URIs".to_owned(),
        _ => {}
    }
    let parts = name.split('_').map(|part| {
        let (first, rest) = part.split_at(1.min(part.len()));
        first.to_uppercase() + rest
    });
    parts.collect::<Vec<_>>().join("-")
}

/// Several lines stand below the field, empty ones as a dot.
fn lines(text: &str) -> String {
    if !text.contains('\n') {
        return text.to_owned();
    }
    let lines = text.trim().lines().map(|line| match line.trim() {
        "" => "\n    .".to_owned(),
        line => format!("\n    {line}"),
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_ansibles() {
        for (name, wanted) in [
            ("docker", "docker"),
            ("Example  _Repo 1.0!", "example-repo-10"),
            ("a--b", "a--b"),
            ("ÄÖ", ""),
        ] {
            assert_eq!(slug(name), wanted);
        }
    }

    #[test]
    fn fields_are_written_as_python_debian_does() {
        let fields = Fields(vec![
            (title("allow_downgrade_to_insecure"), "no".into()),
            (title("inrelease_path"), "x".into()),
            (title("signed_by"), lines("-----BEGIN\n\n  abc\n-----END\n")),
            (title("uris"), "http://a http://b".into()),
        ]);
        assert_eq!(
            fields.text(),
            "Allow-Downgrade-To-Insecure: no\nInrelease-Path: x\nSigned-By:\n    -----BEGIN\n    .\n    abc\n    -----END\nURIs: http://a http://b\n"
        );
        assert_eq!(fields.key_file(), None);
    }
}
