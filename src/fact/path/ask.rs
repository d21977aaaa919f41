//! The shell fragments that read paths: one program for all keys of a kind, never an argument list that could grow too long.

use std::fmt::Write;

use super::TEXT_LIMIT;
use crate::command::quote;

/// What [`super::read`] reads back of each path, behind its name; each field ends with NUL.
const FIELDS: &str = r"%y\0%Y\0%m\0%U\0%G\0%u\0%g\0%s\0%T@\0%A@\0%C@\0%i\0%n\0%D\0%l\0";

/// Prints the resolved `~` keys, then the real path of every key, then the fields of those that are there.
pub fn paths_script(keys: &[&str]) -> String {
    within(
        keys,
        &format!(
            "list | xargs -0r realpath -mz --\n\
             list | find -files0-from - -maxdepth 0 -printf '%p\\0{FIELDS}'\n"
        ),
    )
}

/// Prints the resolved `~` keys, then `HASH  PATH` of those that are regular files. Others are not opened: a FIFO would hang.
pub fn digests_script(keys: &[&str]) -> String {
    within(
        keys,
        "list | find -L -files0-from - -maxdepth 0 -type f -print0 | xargs -0r sha256sum -z --\n",
    )
}

/// Prints the resolved `~` keys, then path and base64 of those that are regular files and not too long.
pub fn texts_script(keys: &[&str]) -> String {
    within(
        keys,
        &format!(
            "list | find -L -files0-from - -maxdepth 0 -type f -size -{}c -print0 |\n\
             xargs -0r sh -c 'for f do [ -r \"$f\" ] || continue; printf \"%s\\0\" \"$f\"; \
             base64 -w0 <\"$f\"; printf \"\\0\"; done' sh\n",
            TEXT_LIMIT + 1
        ),
    )
}

/// Prints for each key `d` and the fields of all below it, or `-`; an empty name ends each.
pub fn trees_script(keys: &[&str]) -> String {
    let mut script = open(keys);
    for key in keys {
        let _ = write!(
            script,
            "d={}\nif [ -d \"$d\" ]; then printf 'd\\0'; find \"$d/\" -mindepth 1 -printf '%P\\0{FIELDS}'; \
             else printf '%s\\0' -; fi\nprintf '\\0'\n",
            word(key)
        );
    }
    script + CLOSE
}

/// Prints for each key `d`, the clock, the folder and the fields of all below it, or `-`; an empty name ends each.
pub fn listings_script(keys: &[&str]) -> String {
    let paths: Vec<&str> = keys.iter().map(|key| listing(key).1).collect();
    let mut script = open(&paths);
    for key in keys {
        let (levels, path) = listing(key);
        let limit = match levels {
            "0" => String::new(),
            levels => format!(" -maxdepth {}", quote(levels)),
        };
        let _ = write!(
            script,
            "d={}\nif [ -d \"$d\" ]; then printf 'd\\0%s\\0%s\\0' \"$(date +%s)\" \"$d\"; \
             find \"$d/\" -mindepth 1{limit} -printf '%P\\0{FIELDS}'; \
             else printf '%s\\0' -; fi\nprintf '\\0'\n",
            word(path)
        );
    }
    script + CLOSE
}

/// The levels and the path of a listing's key.
fn listing(key: &str) -> (&str, &str) {
    key.split_once(' ').unwrap_or(("0", key))
}

/// Prints for each pattern the paths that it matches; an empty name ends each.
pub fn globs_script(keys: &[&str]) -> String {
    let mut script = open(keys);
    for key in keys {
        let _ = write!(
            script,
            "for f in {}; do if [ -e \"$f\" ] || [ -L \"$f\" ]; then printf '%s\\0' \"$f\"; fi; done\nprintf '\\0'\n",
            pattern(key)
        );
    }
    script + CLOSE
}

const CLOSE: &str = ") 2>/dev/null\n";

/// A subshell whose home is the account's own: `sudo` may leave the caller's in `HOME`.
fn open(keys: &[&str]) -> String {
    let mut script = "(\n".to_owned();
    if keys.iter().any(|key| key.starts_with('~')) {
        script
            .push_str("h=$(getent passwd \"$(id -u)\" | cut -d: -f6); [ -z \"$h\" ] || HOME=$h\n");
    }
    script
}

/// `body` in a subshell where `list` prints all keys, ended by NUL; first the resolved `~` keys are printed.
/// `printf` is a builtin, so the number of keys is not bounded by the system's argument limit.
fn within(keys: &[&str], body: &str) -> String {
    let mut script = open(keys);
    let words = |home: bool| -> Vec<String> {
        keys.iter()
            .filter(|key| !home || key.starts_with('~'))
            .map(|key| word(key))
            .collect()
    };
    let homes = words(true);
    if !homes.is_empty() {
        let _ = writeln!(script, "printf '%s\\0' {}", homes.join(" "));
    }
    let _ = writeln!(
        script,
        "list() {{ printf '%s\\0' {}; }}",
        words(false).join(" ")
    );
    script + body + CLOSE
}

/// A key as a shell word: its `~` or `~user` is the shell's to resolve, all else is literal.
fn word(key: &str) -> String {
    let (home, rest) = home(key);
    if rest.is_empty() && !home.is_empty() {
        return home.to_owned();
    }
    home.to_owned() + &quote(rest)
}

/// Splits `~user` off `~user/rest`. A name no account can have is not a home.
fn home(key: &str) -> (&str, &str) {
    let end = key.find('/').unwrap_or(key.len());
    let name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if key.starts_with('~') && key[1..end].chars().all(name) {
        // The slash stays bare, else the shell would not see where the name ends.
        key.split_at((end + 1).min(key.len()))
    } else {
        ("", key)
    }
}

/// A shell pattern as a word: `*`, `?` and bracket expressions stay the shell's, all else is literal.
fn pattern(key: &str) -> String {
    let (home, rest) = home(key);
    let mut text = home.to_owned();
    let mut literal = String::new();
    let mut chars = rest.char_indices();
    let flush = |literal: &mut String, text: &mut String| {
        if !literal.is_empty() {
            text.push_str(&quote(&std::mem::take(literal)));
        }
    };
    while let Some((at, c)) = chars.next() {
        match c {
            '*' | '?' => {
                flush(&mut literal, &mut text);
                text.push(c);
            }
            '[' => match bracket(&rest[at..]) {
                Some(end) => {
                    flush(&mut literal, &mut text);
                    text.push_str(&rest[at..at + end]);
                    let skip = rest[at..at + end].chars().count() - 1;
                    chars.nth(skip - 1);
                }
                None => literal.push(c),
            },
            c => literal.push(c),
        }
    }
    flush(&mut literal, &mut text);
    text
}

/// The length of a bracket expression of plain characters at the start of `text`; anything else is taken literally.
fn bracket(text: &str) -> Option<usize> {
    let end = text.find(']')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "!-_.".contains(c);
    let inner = &text[1..end];
    (!inner.is_empty() && inner != "!" && inner.chars().all(plain)).then_some(end + 1)
}
