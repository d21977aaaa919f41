//! The shell text that packs: the same files always give the same bytes.

use std::collections::BTreeSet;

use crate::command::quote;

/// How an archive is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Bz2,
    Gz,
    Tar,
    Xz,
    Zip,
}

impl Format {
    /// By Ansible's word.
    pub fn named(word: &str) -> Format {
        match word {
            "bz2" => Format::Bz2,
            "tar" => Format::Tar,
            "xz" => Format::Xz,
            "zip" => Format::Zip,
            _ => Format::Gz,
        }
    }

    /// The program that compresses, and how it is called between two files.
    fn program(self) -> (&'static str, &'static str) {
        match self {
            Format::Bz2 => ("bzip2", "bzip2 -c"),
            Format::Gz => ("gzip", "gzip -nc"),
            Format::Tar => ("tar", "cat"),
            Format::Xz => ("xz", "xz -T1 -c"),
            Format::Zip => ("zip", "cat"),
        }
    }

    /// The package that brings the program.
    pub fn package(self) -> &'static str {
        match self {
            Format::Xz => "xz-utils",
            other => other.program().0,
        }
    }
}

/// What is packed.
pub struct Pack {
    /// The folder that names in the archive are relative to, with a slash at its end.
    pub root: String,
    /// Absolute paths that are there, by name.
    pub targets: Vec<String>,
    pub missing: Vec<String>,
    /// Whether it is an archive, rather than one file compressed.
    pub archives: bool,
    pub format: Format,
    /// What is left out.
    pub patterns: Vec<String>,
    /// The archive itself, which is left out too.
    pub dest: String,
}

/// The folder that all paths lie in, as Ansible's module finds it.
pub fn root(paths: &BTreeSet<String>) -> String {
    let folder = |path: &String| {
        let end = path.rfind('/').map_or(0, |at| at + 1);
        path[..end].to_owned()
    };
    let mut folders = paths.iter().map(folder);
    let mut common = folders.next().unwrap_or_default();
    for folder in folders {
        let same = common
            .bytes()
            .zip(folder.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        let mut end = same;
        while !common.is_char_boundary(end) {
            end -= 1;
        }
        let end = common[..end].rfind('/').map_or(0, |at| at + 1);
        common.truncate(end);
    }
    common
}

impl Pack {
    /// Ansible's word for what it will be.
    pub fn state(&self) -> &'static str {
        match (self.archives, self.missing.is_empty()) {
            (false, _) => "compress",
            (true, true) => "archive",
            (true, false) => "incomplete",
        }
    }

    /// Whether it is one file that is only compressed. zip and tar make an archive also of one.
    fn compresses(&self) -> bool {
        !self.archives && !matches!(self.format, Format::Tar | Format::Zip)
    }

    /// Prints the names in the archive, each ended by NUL; run in the root.
    fn names(&self) -> String {
        let inner = |path: &str| path.strip_prefix(&self.root).unwrap_or(path).to_owned();
        let mut tests = String::new();
        for pattern in &self.patterns {
            tests.push_str(&format!(" ! -path {}", quote(&format!("./{pattern}"))));
        }
        let literal: String = inner(&self.dest)
            .chars()
            .flat_map(|c| {
                ['\\', c]
                    .into_iter()
                    .skip(usize::from(!"*?[\\".contains(c)))
            })
            .collect();
        tests.push_str(&format!(
            " ! -path {} ! -name '.*.hadeploy-*'",
            quote(&format!("./{literal}"))
        ));
        let mut text = "{ ".to_owned();
        for target in &self.targets {
            let path = quote(&format!("./{}", inner(target)));
            text.push_str(&format!(
                "if [ -d {path} ] && [ ! -L {path} ]; then find {path} -mindepth 1{tests} -print0; else find {path} -maxdepth 0{tests} -print0; fi; "
            ));
        }
        text.push_str("} | sed -z 's#^\\./##' | LC_ALL=C sort -zu");
        text
    }

    /// Prints the archive. What ends badly is marked by the file `mark`, since a pipe only tells of its end.
    fn stream(&self, mark: &str) -> String {
        let (_, compress) = self.format.program();
        let root = quote(&self.root);
        if self.compresses() {
            return format!("{compress} <{}", quote(&self.targets[0]));
        }
        match self.format {
            // A name that begins with a dash must not be taken for an option. Into a file that it can go back in, zip writes other bytes
            // than into a pipe.
            Format::Zip => format!(
                "( cd -- {root} && {} | sed -z 's#^#./#' | tr '\\0' '\\n' | {{ zip -q -X -y -@ -{mark}; }} ) | {compress}",
                self.names()
            ),
            _ => format!(
                "( cd -- {root} && {} | {{ tar -c --format=gnu --no-recursion --null -T - -f -; [ $? -le 1 ]{mark}; }} ) | {compress}",
                self.names()
            ),
        }
    }

    /// The question what the archive would be: its SHA-256, or the program that is missing.
    pub fn probe(&self) -> String {
        let (program, _) = self.format.program();
        format!(
            "archive {}\ncommand -v {program} >/dev/null || {{ echo none {program}; exit; }}\n{} | sha256sum | head -c 64",
            self.dest,
            self.stream("")
        )
    }

    /// Writes the archive to `$t`.
    pub fn write(&self) -> String {
        format!(
            "{{ {} >\"$t\"; }} &&\n{{ [ ! -e \"$t.bad\" ] || {{ rm -f -- \"$t.bad\"; false; }}; }}",
            self.stream(" || : >\"$t.bad\"")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(paths: &[&str]) -> BTreeSet<String> {
        paths.iter().map(|path| (*path).to_owned()).collect()
    }

    #[test]
    fn the_root_is_the_folder_of_all() {
        assert_eq!(root(&set(&["/etc/foo"])), "/etc/");
        assert_eq!(root(&set(&["/etc/foo", "/etc/foobar/x"])), "/etc/");
        assert_eq!(root(&set(&["/srv/a/x", "/srv/ab/y"])), "/srv/");
        assert_eq!(root(&set(&["/a", "/b/c"])), "/");
    }
}
