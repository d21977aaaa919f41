//! Cuts the doc comments above the rows of kinds out of source text. The build script reads this file too, so it uses nothing of the crate.

/// The name and the doc comment of each kind whose row stands in `source`, in order. The comment is without its slashes; empty when there is none.
pub fn kinds(source: &str) -> Vec<(String, String)> {
    let lines: Vec<&str> = source.lines().collect();
    let mut found = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let Some(name) = is_row(line)
            .then(|| lines.get(number + 1))
            .flatten()
            .and_then(|below| named(below))
        else {
            continue;
        };
        let above = lines[..number]
            .iter()
            .rev()
            .skip_while(|line| line.starts_with("#["))
            .map_while(|line| line.strip_prefix("///"))
            .map(|text| text.strip_prefix(' ').unwrap_or(text));
        let mut comment: Vec<&str> = above.collect();
        comment.reverse();
        found.push((name.to_owned(), comment.join("\n")));
    }
    found
}

/// `pub static FIND: Kind = Kind {`, however far it is public.
fn is_row(line: &str) -> bool {
    line.starts_with("pub") && line.contains(" static ") && line.ends_with(": Kind = Kind {")
}

fn named(line: &str) -> Option<&str> {
    line.trim().strip_prefix("name: \"")?.strip_suffix("\",")
}

#[cfg(test)]
mod tests {
    use super::kinds;

    #[test]
    fn comments_stand_right_above_their_rows() {
        let source = "\
/// Of something else.
fn other() {}

/// Tells one thing.
///
///   indented
#[rustfmt::skip]
pub(in crate::x) static ONE: Kind = Kind {
    name: \"one\",
};

pub static TWO: Kind = Kind {
    name: \"two\",
};
/// A row of another table.
pub static THREE: Thing = Thing {
    name: \"three\",
};
";
        let found = kinds(source);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["one", "two"]);
        assert_eq!(found[0].1, "Tells one thing.\n\n  indented");
        assert_eq!(found[1].1, "");
    }
}
