//! `package_facts`: the installed packages, as the fact `packages`.

use std::collections::HashMap;

use serde_json::{Map, Value as Json, json};

use super::{Args, Bound, Kind, Param, ParamType, Resource};
use crate::change::Change;
use crate::diagnostic::{Diagnostic, count};
use crate::fact::{Known, Missing, Question};

/// Reads the installed packages into the fact `packages`: by name a list of mappings with `name`, `version`, `arch`, `category`, `origin` and `source`. A
/// package of another architecture is named with it, as `libc6:i386`.
///
/// # Differs from Ansible
/// - `manager` can only be `auto` or `apt`: nodes are Debian
/// - nothing has to be installed on the node beforehand: `python3-apt` is not used
///
/// # Returns
/// - `ansible_facts`: the fact `packages`
///
/// # Examples
/// ```yaml
/// - name: what is installed
///   package_facts:
///
/// - name: which nginx
///   debug:
///     msg: "{{ ansible_facts.packages['nginx'][0].version }}"
///   when: "'nginx' in ansible_facts.packages"
/// ```
pub static PACKAGE_FACTS: Kind = Kind {
    name: "package_facts",
    aliases: &[
        "ansible.builtin.package_facts",
        "ansible.legacy.package_facts",
    ],
    summary: "reads the installed packages into the fact `packages`",
    params: &[
        Param::new(
            "manager",
            ParamType::List,
            "`auto` or `apt`; nodes are Debian.",
        )
        .default("auto"),
        Param::new(
            "strategy",
            ParamType::Choice(&["first", "all"]),
            "Accepted; there is one package manager.",
        )
        .default("first"),
    ],
    free_form: None,
    refused: &[],
    check,
    bind: |args, _| -> Bound {
        match check(args).into_iter().next() {
            Some(fault) => Err(fault.into()),
            None => Ok(Box::new(PackageFacts)),
        }
    },
};

fn check(args: &Args) -> Vec<Diagnostic> {
    let managers = args.list("manager");
    let foreign = |name: &&&str| !["auto", "apt"].contains(*name) && !name.contains("{{");
    let any = managers.iter().any(|name| !foreign(&name));
    let fault = |name: &&str| {
        Diagnostic::at(
            args.value_place("manager"),
            format!("there is no `{name}` on Debian nodes"),
        )
        .help("it is `apt`, or `auto`")
    };
    let wrong = managers.iter().find(foreign).filter(|_| !any);
    wrong.map(fault).into_iter().collect()
}

struct PackageFacts;

/// Who it is from is what the release says of itself by which apt knows the installed version.
const QUESTION: &str = r"installed packages
dpkg-query -W -f 'P\t${db:Status-Abbrev}\t${binary:Package}\t${Package}\t${Architecture}\t${Version}\t${Section}\n'
printf 'N\t%s\n' $(dpkg --print-architecture)
apt-cache policy | sed 's/^/R\t/'
dpkg-query -W -f '${db:Status-Abbrev} ${binary:Package}\n' | sed -n 's/^.i. *//p' | xargs -r apt-cache policy -- | sed 's/^/V\t/'";

impl Resource for PackageFacts {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        known.need([Question::Probe(QUESTION.into())])?;
        let packages = packages(&String::from_utf8_lossy(known.probe(QUESTION)?));
        Ok(Change::none(count(packages.len(), "package"))
            .brings("packages", Json::Object(packages)))
    }
}

/// The fact, from dpkg's lines and apt's.
fn packages(text: &str) -> Map<String, Json> {
    let lines: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .collect();
    let of = |letter: &'static str| {
        let rows = lines.iter().filter(move |(mark, _)| *mark == letter);
        rows.map(|(_, rest)| *rest)
    };
    let native = of("N").next().unwrap_or_default();
    let origins = origins(of("R"));
    let known = known_by(of("V"));
    let mut packages = Map::new();
    for row in of("P") {
        let columns: Vec<&str> = row.split('\t').collect();
        let [status, binary, package, arch, version, section] = columns.as_slice() else {
            continue;
        };
        if status.as_bytes().get(1) != Some(&b'i') {
            continue;
        }
        let name = match [native, "all"].contains(arch) {
            true => (*package).to_owned(),
            false => format!("{package}:{arch}"),
        };
        // apt leaves the architecture out where it is the node's own.
        let release = known
            .get(*binary)
            .or_else(|| known.get(name.as_str()))
            .and_then(|line| origins.get(line));
        packages.insert(
            name.clone(),
            json!([{
                "name": name, "version": version, "arch": arch, "category": section,
                "origin": release.copied().unwrap_or_default(), "source": "apt",
            }]),
        );
    }
    packages
}

/// What each source says of itself (`o=Debian`), by the line that names it.
fn origins<'a>(lines: impl Iterator<Item = &'a str>) -> HashMap<&'a str, &'a str> {
    let mut origins = HashMap::new();
    let mut source = "";
    for line in lines {
        let line = line.trim();
        match line.strip_prefix("release ") {
            Some(words) => {
                let origin = words.split(',').find_map(|word| word.strip_prefix("o="));
                origins.insert(source, origin.unwrap_or_default());
            }
            None => source = after_priority(line),
        }
    }
    origins
}

/// The first source of each package's installed version.
fn known_by<'a>(lines: impl Iterator<Item = &'a str>) -> HashMap<&'a str, &'a str> {
    let mut known = HashMap::new();
    let (mut name, mut installed) = ("", false);
    for line in lines {
        if let Some(head) = line.strip_suffix(':').filter(|head| !head.starts_with(' ')) {
            (name, installed) = (head, false);
        } else if line.starts_with(" *** ") {
            installed = true;
        } else if installed && line.starts_with("        ") {
            known.insert(name, after_priority(line.trim()));
            installed = false;
        }
    }
    known
}

/// `500 http://… bookworm/main amd64 Packages` without the number.
fn after_priority(line: &str) -> &str {
    line.split_once(' ').map_or(line, |(_, rest)| rest.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_told_as_ansible_tells_them() {
        let text = "P\tii \tbash\tbash\tamd64\t5.2.15-2+b8\tshells\n\
            P\trc \tgone\tgone\tamd64\t1\tadmin\n\
            P\thi \tlibc6:amd64\tlibc6\tamd64\t2.36\tlibs\n\
            P\tii \tlibc6:i386\tlibc6\ti386\t2.36\tlibs\n\
            P\tii \town\town\tall\t1\tmisc\n\
            N\tamd64\n\
            R\tPackage files:\n\
            R\t 100 /var/lib/dpkg/status\n\
            R\t     release a=now\n\
            R\t 500 http://deb.example/debian bookworm/main amd64 Packages\n\
            R\t     release v=12.9,o=Debian,a=stable,n=bookworm,l=Debian,c=main,b=amd64\n\
            R\t     origin deb.example\n\
            V\tbash:\n\
            V\t  Installed: 5.2.15-2+b8\n\
            V\t  Version table:\n\
            V\t     5.2.15-3 500\n\
            V\t        500 http://other.example/debian x/main amd64 Packages\n\
            V\t *** 5.2.15-2+b8 500\n\
            V\t        500 http://deb.example/debian bookworm/main amd64 Packages\n\
            V\t        100 /var/lib/dpkg/status\n\
            V\town:\n\
            V\t *** 1 100\n\
            V\t        100 /var/lib/dpkg/status\n";
        let found = packages(text);
        assert_eq!(
            found["bash"],
            json!([{"name": "bash", "version": "5.2.15-2+b8", "arch": "amd64", "category": "shells", "origin": "Debian", "source": "apt"}])
        );
        assert_eq!(found["own"][0]["origin"], "");
        assert_eq!(found["libc6"][0]["arch"], "amd64");
        assert_eq!(found["libc6:i386"][0]["name"], "libc6:i386");
        assert_eq!(found.len(), 4);
    }
}
