//! Inventories and host patterns.

use hadeploy::inventory::{ConnectionVars, HostPattern, Inventory, Method};
use hadeploy::vault::Keyring;

use crate::Folder;

const SITE: &str = "\
all:
  vars: {level: all, only_all: 1}
  children:
    web:
      hosts:
        web[01:03]:
        web04: {ansible_host: 10.0.0.4, ansible_port: 2222, level: host}
      vars: {level: web, tier: front}
    db:
      hosts: {db1: , db2: }
      vars: {level: db}
    site:
      children: {web: , db: }
      vars: {level: site, tier: any}
    spare:
  hosts:
    lonely:
";

fn load(folder: &Folder, names: &[&str]) -> (Inventory, String) {
    let paths: Vec<String> = names.iter().map(|name| folder.name(name)).collect();
    let (inventory, faults) = Inventory::load(&paths, &[folder.path("play")], &Keyring::default());
    let said = folder.said(&faults);
    (inventory, said)
}

fn var(inventory: &Inventory, host: &str, name: &str) -> String {
    inventory.hosts[host]
        .vars
        .get(name)
        .map_or("-".to_owned(), |entry| entry.value.to_json().to_string())
}

fn select(inventory: &Inventory, pattern: &str) -> String {
    match HostPattern::from_option("--limit", pattern).and_then(|it| it.select(inventory)) {
        Ok(matched) => matched
            .hosts
            .iter()
            .map(|name| name.as_str())
            .collect::<Vec<_>>()
            .join(" "),
        Err(faults) => faults
            .iter()
            .map(|fault| {
                let label = fault.label.as_deref().unwrap_or("");
                format!("{} | {label}", fault.one_line())
            })
            .collect::<Vec<_>>()
            .join("; "),
    }
}

#[test]
fn groups_depths_and_members_are_those_of_ansible() {
    let folder = Folder::new(&[("hosts.yml", SITE)]);
    let (inventory, said) = load(&folder, &["hosts.yml"]);
    assert_eq!(said, "");
    let hosts: Vec<&str> = inventory.hosts.keys().map(|name| name.as_str()).collect();
    assert_eq!(
        hosts,
        ["web01", "web02", "web03", "web04", "db1", "db2", "lonely"]
    );
    let groups = |host: &str| -> Vec<&str> {
        inventory.hosts[host]
            .groups
            .iter()
            .map(|group| group.as_str())
            .collect()
    };
    assert_eq!(groups("web01"), ["site", "web"]);
    assert_eq!(groups("lonely"), ["ungrouped"]);
    assert_eq!(inventory.groups["web"].depth, 2);
    assert_eq!(inventory.groups["site"].hosts.len(), 6);
    assert_eq!(inventory.groups["all"].hosts.len(), 7);
    assert!(inventory.groups["spare"].hosts.is_empty());
    // The deeper group wins over the one above it, the host over all.
    assert_eq!(var(&inventory, "web01", "level"), "\"web\"");
    assert_eq!(var(&inventory, "web04", "level"), "\"host\"");
    assert_eq!(var(&inventory, "lonely", "level"), "\"all\"");
    assert_eq!(var(&inventory, "web01", "tier"), "\"front\"");
}

#[test]
fn variable_folders_have_ansibles_precedence() {
    let folder = Folder::new(&[
        (
            "hosts.yml",
            "all: {vars: {a: inline}, children: {web: {vars: {b: inline, f: inline}, hosts: {w1: {c: inline, e: inline}}}}}",
        ),
        (
            "group_vars/all.yml",
            "a: near all\nb: near all\nd: near all\n",
        ),
        ("group_vars/web/one.yml", "b: near web\nc: near web\n"),
        ("group_vars/web/two.yaml", "two: true\n"),
        ("group_vars/web/notes.txt", "not: read"),
        ("play/group_vars/all", "d: far all\nb: far all\n"),
        ("play/group_vars/web.yml", "f: far web\nc: far web\n"),
        ("host_vars/w1.yml", "c: near host\ng: near host\n"),
        ("play/host_vars/w1.yml", "g: far host\n"),
    ]);
    let (inventory, said) = load(&folder, &["hosts.yml"]);
    assert_eq!(said, "");
    for (name, value) in [
        ("a", "near all"),
        ("b", "near web"),
        ("c", "near host"),
        ("d", "far all"),
        ("e", "inline"),
        ("f", "far web"),
        ("g", "far host"),
    ] {
        assert_eq!(
            var(&inventory, "w1", name),
            format!("\"{value}\""),
            "{name}"
        );
    }
    assert_eq!(var(&inventory, "w1", "two"), "true");
    let place = inventory.hosts["w1"].vars["g"].value.span.at();
    assert_eq!(place, folder.name("play/host_vars/w1.yml:1"));
}

#[test]
fn priority_decides_between_groups_of_one_depth() {
    let folder = Folder::new(&[(
        "hosts.yml",
        "a: {hosts: {n: }, vars: {x: a, ansible_group_priority: 10}}\nb: {hosts: {n: }, vars: {x: b}}\n",
    )]);
    let (inventory, said) = load(&folder, &["hosts.yml"]);
    assert_eq!(said, "");
    assert_eq!(var(&inventory, "n", "x"), "\"a\"");
    assert_eq!(var(&inventory, "n", "ansible_group_priority"), "-");
}

#[test]
fn a_later_inventory_wins() {
    let folder = Folder::new(&[
        ("one.yml", "web: {hosts: {n: {x: 1, y: 1}}}"),
        ("two.yml", "web: {hosts: {n: {x: 2}, m: }}"),
    ]);
    let (inventory, said) = load(&folder, &["one.yml", "two.yml"]);
    assert_eq!(said, "");
    assert_eq!(var(&inventory, "n", "x"), "2");
    assert_eq!(var(&inventory, "n", "y"), "1");
    assert_eq!(inventory.groups["web"].hosts.len(), 2);
}

#[test]
fn patterns_select_in_inventory_order() {
    let folder = Folder::new(&[("hosts.yml", SITE)]);
    let (inventory, _) = load(&folder, &["hosts.yml"]);
    for (pattern, hosts) in [
        ("all", "web01 web02 web03 web04 db1 db2 lonely"),
        ("*", "web01 web02 web03 web04 db1 db2 lonely"),
        ("db:web01", "web01 db1 db2"),
        ("db2,web01", "web01 db2"),
        ("web:!web02", "web01 web03 web04"),
        ("!web", "db1 db2 lonely"),
        ("site:&db", "db1 db2"),
        ("web*:!*4", "web01 web02 web03"),
        ("web[0]", "web01"),
        ("web[-1]", "web04"),
        ("web[0:2]", "web01 web02 web03"),
        ("web[2:]", "web03 web04"),
        ("web[1-2]", "web02 web03"),
        ("~web0[13]", "web01 web03"),
        ("~(web|db).*2", "web02 db2"),
        ("web0[12]*", "web01 web02"),
        ("spare", ""),
        ("ungrouped", "lonely"),
    ] {
        assert_eq!(select(&inventory, pattern), hosts, "{pattern}");
    }
}

#[test]
fn bad_patterns_say_where() {
    let folder = Folder::new(&[("hosts.yml", SITE)]);
    let (inventory, _) = load(&folder, &["hosts.yml"]);
    for (pattern, words) in [
        (
            "db:wbe",
            "<--limit>:1:4: no host or group is called `wbe` | did you mean `web`?",
        ),
        (
            "web:!web05",
            "<--limit>:1:5: no host or group is called `web05` | did you mean",
        ),
        ("x*", "<--limit>:1:1: no host or group matches `x*`"),
        (
            "web[9]",
            "`web[9]` selects no host | there are 4, counted from 0",
        ),
        ("web[-5]", "selects no host"),
        (
            "web[2:1]",
            "bad host pattern `web[2:1]` | `[2:1]` ends before it begins",
        ),
        ("web[0", "bad host pattern `web[0` | `[` without `]`"),
        ("web:~(", "bad host pattern `~(` | unclosed group"),
        ("web db", "bad host pattern `web db`"),
        ("!", "a name is missing behind `!`"),
        ("", "the host pattern is empty"),
        ("@retry", "cannot be read from a file"),
    ] {
        let said = select(&inventory, pattern);
        assert!(said.contains(words), "{pattern}: {said}");
    }
}

#[test]
fn connection_variables_are_typed() {
    let folder = Folder::new(&[("hosts.yml", SITE)]);
    let (inventory, _) = load(&folder, &["hosts.yml"]);
    let host = &inventory.hosts["web04"];
    let connection = ConnectionVars::of(&host.vars)
        .typed(&host.name)
        .expect("good values");
    assert_eq!(connection.address, "10.0.0.4");
    assert_eq!(connection.port, Some(2222));
    assert_eq!(connection.method, Method::Ssh);
    assert_eq!(connection.user, None);
    let name = &inventory.hosts["db1"];
    let plain = ConnectionVars::of(&name.vars)
        .typed(&name.name)
        .expect("no values");
    assert_eq!(plain.address, "db1");
}

#[test]
fn wrong_inventories_are_refused() {
    for (text, words) in [
        (
            "- web1\n",
            "error hosts.yml:1:1: an inventory is a mapping of groups, not a list",
        ),
        (
            "web:\n  host: {a: }\n",
            "error hosts.yml:2:3: unknown key `host` in the group `web` | did you mean `hosts`?",
        ),
        (
            "web:\n  hosts:\n    - a\n",
            "error hosts.yml:3:5: `hosts` must be a mapping, not a list | write each name as a key",
        ),
        ("web:\n  hosts: {'w[3:1]': }\n", "bad host range `w[3:1]`"),
        (
            "web:\n  hosts: {'a b': }\n",
            "`a b` cannot be the name of a host",
        ),
        ("web:\n  hosts: {'a:22': }\n", "ansible_port: 2222"),
        (
            "web:\n  hosts: {-x: }\n",
            "`-x` cannot be the name of a host",
        ),
        (
            "web:\n  hosts: {a: {ansible_prot: 1}}\n",
            "error hosts.yml:2:15: unknown connection variable `ansible_prot` | did you mean `ansible_port`?",
        ),
        (
            "web:\n  hosts: {a: {ansible_ssh_host: x}}\n",
            "hadeploy does not have `ansible_ssh_host` | it is called `ansible_host`",
        ),
        (
            "web:\n  hosts: {'a[0:60000]': , 'b[0:60000]': }\n",
            "the inventory has more than 100000 hosts",
        ),
        (
            "web:\n  hosts: {a: {b-c: 1}}\n",
            "`b-c` cannot be the name of a variable",
        ),
        (
            "a: {children: {b: {children: {a: }}}}\n",
            "the group `b` is inside itself",
        ),
        ("web: {hosts: {a: {x: 1, x: 2}}}\n", "x"),
        ("#!/bin/sh\n", "is a program, and may not be executed"),
    ] {
        let folder = Folder::new(&[("hosts.yml", text)]);
        let (_, said) = load(&folder, &["hosts.yml"]);
        assert!(said.starts_with("error"), "{text}: {said}");
        assert!(said.contains(words), "{text}: {said}");
    }
    let folder = Folder::new(&[]);
    let (_, said) = load(&folder, &["nothing.yml"]);
    assert!(said.contains("there is no such file"), "{said}");
}

#[test]
fn variables_without_effect_are_said_once() {
    let folder = Folder::new(&[(
        "hosts.yml",
        "web: {hosts: {a: {ansible_python_interpreter: x}, b: {ansible_python_interpreter: x}}}",
    )]);
    let (_, said) = load(&folder, &["hosts.yml"]);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with("warning hosts.yml:1:19:"), "{said}");
}

#[test]
fn a_vars_file_for_nobody_is_warned_of_and_two_for_one_refused() {
    let folder = Folder::new(&[
        ("hosts.yml", "web: {hosts: {a: }}"),
        ("group_vars/wbe.yml", "x: 1"),
        ("group_vars/web.yml", "x: 1"),
        ("group_vars/web.yaml", "x: 1"),
        ("host_vars/a.yml", "- 1"),
    ]);
    let (_, said) = load(&folder, &["hosts.yml"]);
    assert!(
        said.contains("warning `group_vars/wbe.yml` belongs to no group or host"),
        "{said}"
    );
    assert!(said.contains("did you mean `web`?"), "{said}");
    assert!(said.contains("are both for `web`"), "{said}");
    assert!(
        said.contains("host_vars/a.yml:1:1: a file of variables is a mapping"),
        "{said}"
    );
}

#[test]
fn a_listed_host_says_who_set_what() {
    let folder = Folder::new(&[
        ("hosts.yml", SITE),
        (
            "group_vars/web.yml",
            "level: file\nansible_become_password: hunter2\n",
        ),
    ]);
    let (inventory, said) = load(&folder, &["hosts.yml"]);
    assert_eq!(said, "");
    let listed = inventory.list("web01").expect("a host");
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].groups, ["site", "web"]);
    let level = listed[0]
        .vars
        .iter()
        .find(|var| &*var.name == "level")
        .expect("a variable");
    assert_eq!(&*level.origin, "group_vars/web");
    assert_eq!(level.at, folder.name("group_vars/web.yml:1"));
    let over: Vec<String> = level
        .over
        .iter()
        .map(|it| format!("{} {} {}", it.origin, it.value, it.at))
        .collect();
    let at = |line: usize| folder.name(&format!("hosts.yml:{line}"));
    assert_eq!(
        over,
        [
            format!("group web \"web\" {}", at(8)),
            format!("group site \"site\" {}", at(14)),
            format!("group all \"all\" {}", at(2)),
        ]
    );
    assert!(!format!("{listed:?}").contains("hunter2"));
    assert!(inventory.list("spare").is_err());
}
