//! The machine's own apt sources, read for the Debian archive and rewritten for a node's release.

use std::fs;
use std::path::Path;

use super::error::{At, LabError};
use super::release::Release;

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// The parts of a release that a server has.
const POCKETS: [&str; 3] = ["", "-updates", "-security"];

/// One archive with the suites that are taken from it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Archive {
    uri: String,
    /// What stands behind the release's name: empty, `-updates` or `-security`.
    pockets: Vec<&'static str>,
    components: Vec<String>,
}

/// The sources for a node, in deb822 form, taken from the machine's own.
///
/// `host` is the machine's own code name; only entries of its Debian release are taken over, so that
/// archives of others (which may not know the node's release) stay out.
///
/// # Errors
/// The machine's sources name no Debian archive of its release.
pub(super) fn for_release(host: &str, release: Release) -> Result<String, LabError> {
    let mut archives = Vec::new();
    let apt = Path::new("/etc/apt");
    let mut files = vec![apt.join("sources.list")];
    if let Ok(entries) = fs::read_dir(apt.join("sources.list.d")) {
        files.extend(entries.flatten().map(|entry| entry.path()));
    }
    files.sort();
    for file in files.into_iter().filter(|file| file.is_file()) {
        let text = fs::read_to_string(&file).at(&file)?;
        match file.extension().and_then(|ending| ending.to_str()) {
            Some("list") => archives.extend(one_line(&text, host)),
            Some("sources") => archives.extend(deb822(&text, host)),
            _ => {}
        }
    }
    if !archives.iter().any(|archive| archive.pockets.contains(&"")) {
        return Err(LabError::NoSources(host.to_owned()));
    }
    Ok(render(&archives, release))
}

fn render(archives: &[Archive], release: Release) -> String {
    let stanza = |archive: &Archive| {
        let suites: Vec<String> = archive
            .pockets
            .iter()
            .map(|pocket| format!("{}{pocket}", release.codename()))
            .collect();
        format!(
            "Types: deb\nURIs: {}\nSuites: {}\nComponents: {}\nSigned-By: {KEYRING}\n",
            archive.uri,
            suites.join(" "),
            archive.components.join(" ")
        )
    };
    archives.iter().map(stanza).collect::<Vec<_>>().join("\n")
}

fn archive(uri: &str, suites: &[&str], components: &[&str], host: &str) -> Option<Archive> {
    let pockets: Vec<&'static str> = suites
        .iter()
        .filter_map(|suite| suite.trim_end_matches('/').strip_prefix(host))
        .filter_map(|rest| POCKETS.into_iter().find(|pocket| *pocket == rest))
        .collect();
    let fetched = ["http://", "https://"]
        .iter()
        .any(|scheme| uri.starts_with(scheme));
    let debian = !pockets.is_empty() && components.contains(&"main") && fetched;
    debian.then(|| Archive {
        uri: uri.trim_end_matches('/').into(),
        pockets,
        components: components
            .iter()
            .map(|component| (*component).into())
            .collect(),
    })
}

fn one_line(text: &str, host: &str) -> Vec<Archive> {
    text.lines()
        .filter_map(|line| {
            let line = line.split('#').next()?.trim();
            let line = line.strip_prefix("deb ")?.trim_start();
            let line = match line.strip_prefix('[') {
                Some(options) => options.split_once(']')?.1,
                None => line,
            };
            let words: Vec<&str> = line.split_whitespace().collect();
            let (uri, rest) = words.split_first()?;
            let (suite, components) = rest.split_first()?;
            archive(uri, &[suite], components, host)
        })
        .collect()
}

fn deb822(text: &str, host: &str) -> Vec<Archive> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let mut archives = Vec::new();
    for stanza in lines.split(|line| line.trim().is_empty()) {
        let field = |name: &str| -> Vec<&str> { field(stanza, name) };
        if !field("types").contains(&"deb")
            || field("enabled")
                .iter()
                .any(|word| *word == "no" || *word == "false")
        {
            continue;
        }
        let (suites, components) = (field("suites"), field("components"));
        archives.extend(
            field("uris")
                .into_iter()
                .filter_map(|uri| archive(uri, &suites, &components, host)),
        );
    }
    archives
}

/// The words of a field, its continuation lines too.
fn field<'a>(stanza: &[&'a str], name: &str) -> Vec<&'a str> {
    let mut words = Vec::new();
    let mut inside = false;
    for line in stanza {
        if line.starts_with([' ', '\t']) {
            if inside {
                words.extend(line.split_whitespace());
            }
        } else if let Some((key, value)) = line.split_once(':') {
            inside = key.eq_ignore_ascii_case(name);
            if inside {
                words.extend(value.split_whitespace());
            }
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deb822_keeps_the_debian_archive_only() {
        let text = "Types: deb deb-src\n# a comment\nURIs: http://mirror.example/debian/\nSuites: bookworm\n bookworm-updates bookworm-backports\nComponents: main contrib\nSigned-By: /x\n\nTypes: deb\nURIs: https://vendor.example/node_20.x\nSuites: nodistro\nComponents: main\n\nEnabled: no\nTypes: deb\nURIs: http://off.example/\nSuites: bookworm\nComponents: main\n";
        let text = render(&deb822(text, "bookworm"), Release::Trixie);
        assert_eq!(
            text,
            "Types: deb\nURIs: http://mirror.example/debian\nSuites: trixie trixie-updates\nComponents: main contrib\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
        );
    }

    #[test]
    fn one_line_entries_with_options() {
        let text = "# deb http://no.example/debian bookworm main\ndeb [arch=amd64 signed-by=/k] http://mirror.example/debian bookworm main # note\ndeb-src http://mirror.example/debian bookworm main\ndeb http://sec.example/debian-security/ bookworm-security main\ndeb https://vendor.example/apt tool-bookworm main\ndeb http://vendor.example/linux/debian bookworm stable\n";
        let archives = one_line(text, "bookworm");
        assert_eq!(archives.len(), 2);
        assert_eq!(archives[0].uri, "http://mirror.example/debian");
        assert_eq!(archives[1].pockets, ["-security"]);
    }

    #[test]
    fn other_vendors_are_no_debian_archive() {
        let text = "deb https://vendor.example/apt tool-bookworm main\ndeb http://mirror.example/debian trixie main\n";
        assert!(one_line(text, "bookworm").is_empty());
    }
}
