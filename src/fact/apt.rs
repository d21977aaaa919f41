//! Questions about Debian packages: what is installed, what apt would install, how old its lists are, what an upgrade would do.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Answer, FactError, Question};
use crate::command::{Command, quote};

/// Installed state of a package.
#[derive(Debug, Clone, PartialEq)]
pub struct PackageInfo {
    /// Whether dpkg says `install ok installed`.
    pub installed: bool,
    /// The installed version; none when it is not installed, or in a prediction.
    pub version: Option<Arc<str>>,
    /// Whether it is on hold.
    pub held: bool,
    /// Whether only its configuration files are left (`deinstall ok config-files`).
    pub config_files: bool,
    /// Whether dpkg left it half way.
    pub half_way: bool,
    /// Whether apt marked it as automatically installed, so that `autoremove` takes it when nothing depends on it any more.
    pub automatic: bool,
}

impl PackageInfo {
    /// A package that dpkg does not know.
    pub const ABSENT: PackageInfo = PackageInfo {
        installed: false,
        version: None,
        held: false,
        config_files: false,
        half_way: false,
        automatic: false,
    };
}

/// What apt would install for a name. The key of its question is a package name, or `name/release` for another default release.
#[derive(Debug, Clone, PartialEq)]
pub struct CandidateInfo {
    /// The version, none when apt knows no such package.
    pub version: Option<Arc<str>>,
    /// Real packages that provide it, when it is virtual.
    pub providers: Vec<Arc<str>>,
    /// Those of the providers that are installed.
    pub provided_by: Vec<Arc<str>>,
    /// All versions apt could install, best first.
    pub versions: Vec<Arc<str>>,
}

/// The state of apt's package lists.
#[derive(Debug, Clone, PartialEq)]
pub struct AptLists {
    /// Age in seconds of the newest list by the node's clock; none when there are no lists.
    pub age: Option<u64>,
    /// Whether a source was altered, added or removed since they were fetched.
    pub outdated: bool,
}

type Answers = Result<Vec<(Question, Answer)>, FactError>;

/// `dpkg-query` says nothing on standard output about names it does not know. What apt marked stands in its own file.
pub(super) fn packages_script(keys: &[&str]) -> String {
    let query = Command::new("dpkg-query")
        .arg("-W")
        .arg("-f")
        .arg(r"${Package}\t${Architecture}\t${db:Status-Abbrev}\t${Version}\n")
        .arg("--")
        .args(keys.iter().copied());
    let names: Vec<&str> = keys.iter().map(|key| split_arch(key).0).collect();
    let marks = Command::new("awk")
        .arg("-v")
        .arg(format!("names={}", names.join(" ")))
        .arg(MARKED)
        .arg(MARKS);
    format!("{query} 2>/dev/null\n{marks} 2>/dev/null")
}

/// Where apt keeps which packages it installed automatically.
pub const MARKS: &str = "/var/lib/apt/extended_states";

/// Prints those of the names that are marked as automatically installed, with their architecture.
const MARKED: &str = r#"BEGIN { split(names, list, " "); for (at in list) wanted[list[at]] }
$1 == "Package:" { name = $2 }
$1 == "Architecture:" { arch = $2 }
$1 == "Auto-Installed:" && $2 == 1 && (name in wanted) { print "auto\t" name "\t" arch }"#;

pub(super) fn parse_packages(keys: &[&str], body: &[u8]) -> Answers {
    let text = String::from_utf8_lossy(body);
    let mut found: BTreeMap<&str, PackageInfo> = BTreeMap::new();
    let mut automatic = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let ["auto", name, arch] = line.split('\t').collect::<Vec<_>>()[..] {
            automatic.push((name, arch));
            continue;
        }
        let mut columns = line.split('\t');
        let (Some(name), Some(arch), Some(status), Some(version)) = (
            columns.next(),
            columns.next(),
            columns.next(),
            columns.next(),
        ) else {
            return Err(unreadable("packages", line));
        };
        let info = package(status, version).ok_or_else(|| unreadable("packages", line))?;
        for key in keys {
            let (wanted, wanted_arch) = split_arch(key);
            if wanted != name || wanted_arch.is_some_and(|wanted| wanted != arch) {
                continue;
            }
            // The same package may be there for several architectures; an installed one counts.
            let slot = found.entry(*key).or_insert_with(|| info.clone());
            if info.installed && !slot.installed {
                *slot = info.clone();
            }
        }
    }
    Ok(keys
        .iter()
        .map(|key| {
            let mut info = found.remove(key).unwrap_or(PackageInfo::ABSENT);
            let (name, arch) = split_arch(key);
            let marked =
                |mark: &(&str, &str)| mark.0 == name && arch.is_none_or(|arch| mark.1 == arch);
            info.automatic = info.installed && automatic.iter().any(marked);
            (Question::Package((*key).into()), Answer::Package(info))
        })
        .collect())
}

/// Reads dpkg's three letters: wanted, status, error.
fn package(status: &str, version: &str) -> Option<PackageInfo> {
    let mut letters = status.chars();
    let wanted = letters.next()?;
    let state = letters.next()?;
    let error = letters.next().unwrap_or(' ');
    // A package whose triggers are pending is unpacked and configured; apt counts it as installed.
    let installed = matches!(state, 'i' | 't' | 'W');
    Some(PackageInfo {
        installed,
        version: installed.then(|| version.into()),
        held: wanted == 'h',
        config_files: state == 'c',
        half_way: matches!(state, 'H' | 'U' | 'F' | 't' | 'W') || error != ' ',
        automatic: false,
    })
}

fn split_arch(name: &str) -> (&str, Option<&str>) {
    match name.split_once(':') {
        Some((name, "any" | "native")) => (name, None),
        Some((name, arch)) => (name, Some(arch)),
        None => (name, None),
    }
}

/// One `apt-cache policy` for all names of a release; `showpkg` only for names that have no version of their own.
pub(super) fn candidates_script(keys: &[&str]) -> String {
    let mut releases: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for key in keys {
        let (name, release) = key.split_once('/').unwrap_or((key, ""));
        releases.entry(release).or_default().push(name);
    }
    let mut script = String::new();
    for (release, names) in releases {
        let mut policy = Command::new("apt-cache");
        if !release.is_empty() {
            policy = policy.arg("-t").arg(release);
        }
        let policy = policy.arg("policy").arg("--").args(names);
        script.push_str(&format!(
            "printf '@release %s\\n' {}\npolicy=$({policy} 2>/dev/null)\n{VIRTUAL}",
            quote(release),
        ));
    }
    script
}

/// Prints the policy, and who provides those of its names that are virtual.
const VIRTUAL: &str = r#"printf '%s\n' "$policy"
name= virtual=
while IFS= read -r line; do
  case $line in
    '  Candidate: (none)') virtual="$virtual $name" ;;
    ' '*) ;;
    *:) name=${line%:} ;;
  esac
done <<EOF
$policy
EOF
if [ -n "$virtual" ]; then
  provides=$(apt-cache showpkg -- $virtual 2>/dev/null | while IFS= read -r line; do
    case $line in
      'Package: '*) name=${line#Package: } section= ;;
      'Reverse Provides:'*) section=provides ;;
      'Dependencies:'*|'Provides:'*|'Versions:'*|'Reverse Depends:'*) section= ;;
      '') ;;
      *) [ "$section" != provides ] || printf '@provides %s %s\n' "$name" "${line%% *}" ;;
    esac
  done)
  printf '%s\n' "$provides"
  [ -z "$provides" ] || dpkg-query -W -f '@installed ${db:Status-Abbrev} ${Package}\n' -- $(printf '%s\n' "$provides" | cut -d ' ' -f 3 | sort -u) 2>/dev/null
fi
"#;

pub(super) fn parse_candidates(keys: &[&str], body: &[u8]) -> Answers {
    let text = String::from_utf8_lossy(body);
    let mut found: BTreeMap<(String, String), CandidateInfo> = BTreeMap::new();
    let mut release = String::new();
    let mut name = String::new();
    for line in text.lines() {
        if let Some(word) = line.strip_prefix("@release ") {
            release = word.to_owned();
        } else if let Some(rest) = line.strip_prefix("@provides ") {
            let (virtual_name, provider) = rest
                .split_once(' ')
                .ok_or_else(|| unreadable("package candidates", line))?;
            let slot = candidate(&mut found, virtual_name, &release);
            if !slot.providers.iter().any(|known| &**known == provider) {
                slot.providers.push(provider.into());
            }
        } else if let Some(rest) = line.strip_prefix("@installed ") {
            let (status, provider) = rest
                .rsplit_once(' ')
                .ok_or_else(|| unreadable("package candidates", line))?;
            if package(status, "").is_some_and(|info| info.installed) {
                for info in found.values_mut() {
                    let theirs = info.providers.iter().find(|known| &***known == provider);
                    if let Some(name) = theirs.filter(|name| !info.provided_by.contains(name)) {
                        info.provided_by.push(name.clone());
                    }
                }
            }
        } else if let Some(head) = line
            .strip_suffix(':')
            .filter(|head| !head.starts_with(' ') && !head.is_empty())
        {
            name = head.to_owned();
            candidate(&mut found, &name, &release);
        } else if let Some(version) = line.strip_prefix("  Candidate: ") {
            if version != "(none)" {
                candidate(&mut found, &name, &release).version = Some(version.into());
            }
        } else if let Some(row) = line
            .strip_prefix("     ")
            .or_else(|| line.strip_prefix(" *** "))
            .filter(|row| !row.starts_with(' '))
            && let Some(version) = row.split(' ').next()
        {
            candidate(&mut found, &name, &release)
                .versions
                .push(version.into());
        }
    }
    Ok(keys
        .iter()
        .map(|key| {
            let (name, release) = key.split_once('/').unwrap_or((key, ""));
            let info = found
                .get(&(name.to_owned(), release.to_owned()))
                .cloned()
                .unwrap_or(CandidateInfo {
                    version: None,
                    providers: Vec::new(),
                    provided_by: Vec::new(),
                    versions: Vec::new(),
                });
            (Question::Candidate((*key).into()), Answer::Candidate(info))
        })
        .collect())
}

fn candidate<'a>(
    found: &'a mut BTreeMap<(String, String), CandidateInfo>,
    name: &str,
    release: &str,
) -> &'a mut CandidateInfo {
    found
        .entry((name.to_owned(), release.to_owned()))
        .or_insert_with(|| CandidateInfo {
            version: None,
            providers: Vec::new(),
            provided_by: Vec::new(),
            versions: Vec::new(),
        })
}

/// Where a successful update leaves its mark; the periodic jobs of Debian and Ubuntu use the same file.
pub const UPDATE_STAMP: &str = "/var/lib/apt/periodic/update-success-stamp";

/// An update that finds everything unchanged writes no list, so the folder's own time and the mark count too.
pub(super) fn lists_script() -> String {
    "date +%s\nfind /var/lib/apt/lists /var/lib/apt/periodic /etc/apt/sources.list /etc/apt/sources.list.d -maxdepth 1 -printf '%T@ %p\\n' 2>/dev/null"
        .to_owned()
}

pub(super) fn parse_lists(body: &[u8]) -> Result<AptLists, FactError> {
    let text = String::from_utf8_lossy(body);
    let mut lines = text.lines();
    let now: u64 = lines
        .next()
        .and_then(|line| line.trim().parse().ok())
        .ok_or_else(|| unreadable("apt's lists", &text))?;
    let mut newest = None;
    let mut any = false;
    let mut source = None;
    for line in lines {
        let Some((time, path)) = line.split_once(' ') else {
            continue;
        };
        let whole = time.split('.').next().and_then(|time| time.parse().ok());
        if path.starts_with("/etc/apt/") {
            source = source.max(whole);
            continue;
        }
        let list = path.contains("Release") || path.contains("_Packages");
        any |= list;
        if list || path == UPDATE_STAMP || path == "/var/lib/apt/lists" {
            newest = newest.max(whole);
        }
    }
    Ok(AptLists {
        age: newest
            .filter(|_| any)
            .map(|time: u64| now.saturating_sub(time)),
        outdated: source > newest,
    })
}

/// `apt-get -s WHAT`: the lines of what it would install, remove or delete.
pub(super) fn simulations_script(keys: &[&str]) -> String {
    keys.iter()
        .map(|key| {
            format!(
                "printf '@simulate %s\\n' {}\napt-get -s -q {key} 2>/dev/null | grep -E '^(Inst|Remv|Del|Purg) '\n",
                quote(key)
            )
        })
        .collect()
}

pub(super) fn parse_simulations(keys: &[&str], body: &[u8]) -> Answers {
    let text = String::from_utf8_lossy(body);
    let mut found: BTreeMap<&str, Vec<Arc<str>>> = BTreeMap::new();
    let mut open = "";
    for line in text.lines() {
        if let Some(key) = line.strip_prefix("@simulate ") {
            open = key;
        } else if !line.is_empty() {
            found.entry(open).or_default().push(line.into());
        }
    }
    Ok(keys
        .iter()
        .map(|key| {
            let lines = found.remove(key).unwrap_or_default();
            (
                Question::Simulation((*key).into()),
                Answer::Simulation(Arc::new(lines)),
            )
        })
        .collect())
}

fn unreadable(subject: &'static str, line: &str) -> FactError {
    FactError {
        subject,
        reason: format!("`{line}` is not understood"),
    }
}

#[cfg(test)]
mod tests;
