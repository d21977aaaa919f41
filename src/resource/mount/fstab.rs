//! Lines of fstab: which of them are of a mount point, and how one is written.

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What is mounted.
    pub src: String,
    /// Where.
    pub path: String,
    /// By which file system.
    pub fstype: String,
    /// With commas.
    pub opts: String,
    /// For `dump`.
    pub dump: String,
    /// When it is checked at boot.
    pub passno: String,
}

impl Entry {
    /// Reads a line; none when it is empty, a comment, or no line of fstab.
    pub fn read(line: &str) -> Option<Entry> {
        let words: Vec<&str> = line.split('#').next()?.split_whitespace().collect();
        let word = |at: usize| words.get(at).map(|word| plain(word));
        if !(4..=6).contains(&words.len()) {
            return None;
        }
        Some(Entry {
            src: word(0)?,
            path: word(1)?,
            fstype: word(2)?,
            opts: word(3)?,
            dump: word(4).unwrap_or("0".to_owned()),
            passno: word(5).unwrap_or("0".to_owned()),
        })
    }

    /// The line.
    pub fn line(&self) -> String {
        let words = [
            &self.src,
            &self.path,
            &self.fstype,
            &self.opts,
            &self.dump,
            &self.passno,
        ];
        let words: Vec<String> = words.into_iter().map(|word| escaped(word)).collect();
        words.join(" ") + "\n"
    }
}

/// A word as fstab has it.
fn escaped(word: &str) -> String {
    let mut text = String::with_capacity(word.len());
    for c in word.chars() {
        match c {
            '\\' | ' ' | '\t' | '\n' | '#' => text.push_str(&format!("\\{:03o}", u32::from(c))),
            c => text.push(c),
        }
    }
    text
}

/// A word without its escapes: `\040` is a space.
pub fn plain(word: &str) -> String {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|_| *first == b'\\');
        let code = digits.and_then(|digits| {
            let text = std::str::from_utf8(digits).ok()?;
            u8::from_str_radix(text, 8).ok()
        });
        match code {
            Some(code) => {
                bytes.push(code);
                rest = &after[3..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether a line is of this mount point. Swap has none, so there it is what is mounted that counts.
fn is_of(entry: &Entry, path: &str, src: Option<&str>) -> bool {
    let swap = entry.path == "none" && entry.fstype == "swap";
    entry.path == path && !(swap && src.is_some_and(|src| src != entry.src))
}

/// The first line of a mount point.
pub fn find(text: &str, path: &str, src: Option<&str>) -> Option<Entry> {
    let mut entries = text.lines().filter_map(Entry::read);
    entries.find(|entry| is_of(entry, path, src))
}

/// With this entry in the place of the first of its mount point, or at the end. All other lines stay as they are, to the byte.
pub fn with(text: &str, wanted: &Entry) -> String {
    let mut new = String::with_capacity(text.len() + 80);
    let mut done = false;
    for line in text.split_inclusive('\n') {
        match Entry::read(line) {
            Some(entry) if is_of(&entry, &wanted.path, Some(&wanted.src)) => {
                match (done, entry == *wanted) {
                    (true, _) => {}
                    (false, true) => new.push_str(line),
                    (false, false) => new.push_str(&wanted.line()),
                }
                done = true;
            }
            _ => new.push_str(line),
        }
    }
    if !done {
        if !new.is_empty() && !new.ends_with('\n') {
            new.push('\n');
        }
        new.push_str(&wanted.line());
    }
    new
}

/// Without the lines of a mount point.
pub fn without(text: &str, path: &str, src: Option<&str>) -> String {
    let stays = |line: &&str| !Entry::read(line).is_some_and(|entry| is_of(&entry, path, src));
    text.split_inclusive('\n').filter(stays).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# by hand\n\nUUID=1\t/  ext4\terrors=remount-ro 0 1 # root\n/dev/sdb1 /srv/a\\040b xfs defaults\n/dev/sdc none swap sw 0 0\n/dev/sdd none swap sw 0 0";

    fn entry(src: &str, path: &str, fstype: &str) -> Entry {
        Entry {
            src: src.into(),
            path: path.into(),
            fstype: fstype.into(),
            opts: "defaults".into(),
            dump: "0".into(),
            passno: "0".into(),
        }
    }

    #[test]
    fn what_is_as_wanted_stays_to_the_byte() {
        assert_eq!(with(TEXT, &entry("/dev/sdb1", "/srv/a b", "xfs")), TEXT);
        let root = find(TEXT, "/", None).expect("a line");
        assert_eq!(
            (root.opts.as_str(), root.passno.as_str()),
            ("errors=remount-ro", "1")
        );
        assert_eq!(with(TEXT, &root), TEXT);
    }

    #[test]
    fn one_line_is_replaced_added_or_taken_away() {
        let new = with(TEXT, &entry("/dev/sdb2", "/srv/a b", "xfs"));
        let line = "/dev/sdb2 /srv/a\\040b xfs defaults 0 0\n";
        assert_eq!(
            new,
            TEXT.replace("/dev/sdb1 /srv/a\\040b xfs defaults\n", line)
        );
        let added = with(TEXT, &entry("tmpfs", "/srv/t", "tmpfs"));
        assert_eq!(added, format!("{TEXT}\ntmpfs /srv/t tmpfs defaults 0 0\n"));
        assert_eq!(
            without(&new, "/srv/a b", None),
            TEXT.replace("/dev/sdb1 /srv/a\\040b xfs defaults\n", "")
        );
        assert_eq!(
            without(TEXT, "none", Some("/dev/sdd")),
            TEXT.replace("/dev/sdd none swap sw 0 0", "")
        );
    }

    #[test]
    fn escapes_are_read_and_written() {
        for word in ["a b", "back\\slash", "a\tb#c", "漢"] {
            assert_eq!(plain(&escaped(word)), word);
            assert!(!escaped(word).contains([' ', '#']));
        }
    }
}
