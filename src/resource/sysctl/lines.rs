//! The file of a `sysctl` key, its value, and the shell text that tells the running kernel.

use crate::command::quote;

/// The value as it is written: words for truth are numbers.
pub fn value(text: &str) -> String {
    let text = text.trim();
    match text.to_ascii_lowercase().as_str() {
        "y" | "yes" | "on" | "true" | "t" => "1".to_owned(),
        "n" | "no" | "off" | "false" | "f" => "0".to_owned(),
        _ => text.to_owned(),
    }
}

/// Where the kernel shows a key; none for what cannot be one. When its first separator is a dot, dots part it and a slash stands for a dot.
pub fn path(key: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-:.@*/".contains(c);
    let dotted = key
        .find(['.', '/'])
        .is_some_and(|at| key[at..].starts_with('.'));
    let path: String = key
        .chars()
        .map(|c| match c {
            '.' if dotted => '/',
            '/' if dotted => '.',
            c => c,
        })
        .collect();
    let parts = path.split('/');
    let good = key.chars().all(plain)
        && !key.contains('*')
        && path.contains('/')
        && parts
            .into_iter()
            .all(|part| !part.is_empty() && part != "." && part != "..");
    good.then(|| format!("/proc/sys/{path}"))
}

/// Values are the same when their words are: the kernel parts them by tabs.
pub fn same(one: &str, other: &str) -> bool {
    one.split_whitespace().eq(other.split_whitespace())
}

/// A value with single blanks.
pub fn plain(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text with the key's line as it is to be. The last line of a key counts; when it is wrong, the first is mended and the others go.
pub fn put(text: &[u8], key: &str, value: Option<&str>) -> Vec<u8> {
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let of_key = |line: &[u8]| -> Option<String> {
        let line = String::from_utf8_lossy(line);
        let (name, value) = line.trim().split_once('=')?;
        (name.trim() == key).then(|| value.trim().to_owned())
    };
    let last = lines.iter().rev().find_map(|line| of_key(line));
    if last.as_deref() == value {
        return text.to_vec();
    }
    let mut new = Vec::with_capacity(text.len() + 64);
    let mut line = value.map(|value| format!("{key}={value}\n"));
    for old in lines {
        if of_key(old).is_none() {
            new.extend_from_slice(old);
        } else {
            new.extend(line.take().unwrap_or_default().into_bytes());
        }
    }
    if let Some(line) = line {
        if !new.is_empty() && !new.ends_with(b"\n") {
            new.push(b'\n');
        }
        new.extend(line.into_bytes());
    }
    new
}

/// Writes a value to where the kernel takes it.
const PUT: &str = r#"put() {
  case $1 in
    *[./]*) separator=${1#"${1%%[./]*}"} ;;
    *) separator=/ ;;
  esac
  case $separator in
    .*) path=/proc/sys/$(printf %s "$1" | tr ./ /.) ;;
    *) path=/proc/sys/$1 ;;
  esac
  if [ ! -e "$path" ]; then
    [ -z "$lenient" ] || return 0
    echo "the kernel has no key $1" >&2
    return 1
  fi
  (printf '%s\n' "$2" >"$path") 2>/dev/null || { echo "the kernel does not take '$2' for $1" >&2; return 1; }
}
"#;

/// Sets one key.
pub fn set(key: &str, value: &str) -> String {
    format!("lenient=\n{PUT}put {} {}\n", quote(key), quote(value))
}

/// Sets all keys of a file, as `sysctl -p` does: it goes on behind an error, and fails at the end. Behind a `-` errors do not count.
pub fn load(file: &str, lenient: bool) -> String {
    let lenient = if lenient { "yes" } else { "" };
    format!(
        "lenient={lenient}\n{PUT}{LOAD}done <{}\nexit \"$status\"\n",
        quote(file)
    )
}

const LOAD: &str = r#"status=0
while read -r line || [ -n "$line" ]; do
  case $line in
    '#'*|';'*) continue ;;
    *=*) ;;
    *) continue ;;
  esac
  key=${line%%=*}
  value=${line#*=}
  key=${key%"${key##*[![:space:]]}"}
  value=${value#"${value%%[![:space:]]*}"}
  value=${value%"${value##*[![:space:]]}"}
  case $key in
    -*) put "${key#-}" "$value" 2>/dev/null ;;
    *) put "$key" "$value" || status=1 ;;
  esac
"#;

#[cfg(test)]
mod tests {
    use super::*;

    fn put(text: &str, value: Option<&str>) -> String {
        let new = super::put(text.as_bytes(), "net.a", value);
        assert_eq!(super::put(&new, "net.a", value), new, "twice");
        String::from_utf8(new).expect("utf-8")
    }

    #[test]
    fn the_line_of_a_key() {
        assert_eq!(put("", Some("1")), "net.a=1\n");
        assert_eq!(
            put("#net.a=1\nx = 2", Some("1 2")),
            "#net.a=1\nx = 2\nnet.a=1 2\n"
        );
        assert_eq!(put(" net.a = 1 \nb=c\n", Some("1")), " net.a = 1 \nb=c\n");
        assert_eq!(
            put("net.a=1\nb=c\nnet.a = 2\n", Some("3")),
            "net.a=3\nb=c\n"
        );
        assert_eq!(put("net.a=1\nb=c\n", None), "b=c\n");
        assert_eq!(put("b=c", None), "b=c");
    }

    #[test]
    fn keys_and_values() {
        assert_eq!(
            path("net.ipv4.ip_forward").as_deref(),
            Some("/proc/sys/net/ipv4/ip_forward")
        );
        assert_eq!(
            path("net.ipv4.conf.eth0/100.rp_filter").as_deref(),
            Some("/proc/sys/net/ipv4/conf/eth0.100/rp_filter")
        );
        assert_eq!(
            path("net/ipv4/conf/eth0.100/rp_filter").as_deref(),
            Some("/proc/sys/net/ipv4/conf/eth0.100/rp_filter")
        );
        for key in [
            "",
            "net",
            "net..a",
            "net.a b",
            "../etc/passwd",
            "net.ipv4.*",
        ] {
            assert_eq!(path(key), None, "{key}");
        }
        assert_eq!(
            [value(" Yes "), value("off"), value("2 3")],
            ["1", "0", "2 3"]
        );
        assert!(same("1024\t65535\n", "1024 65535"));
    }
}
