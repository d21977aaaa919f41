//! INI files, folders, programs and lists of hosts: what is said of them, and where variables come from.

use hadeploy::inventory::Inventory;
use hadeploy::vault::Keyring;

use crate::Folder;
use crate::damage::{Dice, damage};
use crate::executable::make_executable;

fn load(folder: &Folder, sources: &[&str]) -> (Inventory, String) {
    let sources: Vec<String> = sources
        .iter()
        .map(|source| match source.ends_with(',') {
            true => (*source).to_owned(),
            false => folder.name(source),
        })
        .collect();
    let (inventory, faults) = Inventory::load(&sources, &[], &Keyring::default());
    for fault in &faults {
        assert!(fault.render(false).starts_with(fault.severity.word()));
    }
    let said = folder.said(&faults);
    (inventory, said)
}

/// A folder with a program `inv` that prints `list`, and `host` for each host.
fn program(list: &str, host: &str) -> Folder {
    let text = format!(
        "#!/bin/sh\nif [ \"$1\" = --host ]; then cat <<'E'\n{host}\nE\nelse cat <<'E'\n{list}\nE\nfi\n"
    );
    executable(&text)
}

fn executable(text: &str) -> Folder {
    let folder = Folder::new(&[("inv", text)]);
    make_executable(&folder.path("inv"));
    folder
}

#[test]
fn mistakes_in_an_ini_file_have_line_and_column() {
    for (text, words) in [
        ("[web]\nw1 x\n", "hosts:2:4: `x` is not `name=value`"),
        ("w1 x='a\n", "hosts:1:6: this quote is not closed"),
        (
            "[web]\nw1\n\n[wbe:vars]\nx=1\n",
            "hosts:4:2: `[wbe:vars]` is of a group that no section has | did you mean `web`?",
        ),
        (
            "[a:children]\nwbe\n[web]\n",
            "hosts:2:1: no section has the group `wbe` | did you mean `web`? | write `[wbe]`",
        ),
        (
            "[web:var]\n",
            "hosts:1:6: `var` is no kind of section | did you mean `vars`?",
        ),
        ("[web] w1\n", "hosts:1:7: nothing but a comment"),
        ("[web\nw1\n", "hosts:1:1: the section has no `]`"),
        ("[w b]\n", "hosts:1:2: `w b` cannot be the name of a group"),
        (
            "[]\n",
            "hosts:1:1: `` cannot be the name of a group | the name is empty",
        ),
        (
            "[web]\n[web:vars]\nx\n",
            "hosts:3:1: a line of `:vars` is written `name=value`",
        ),
        (
            "[web]\n[web:vars]\na.b = 1\n",
            "hosts:3:1: `a.b` cannot be the name of a variable",
        ),
        (
            "[s:children]\nweb x=1\n[web]\n",
            "hosts:2:4: a line of `:children` is the name of a group | variables of a group stand below `[web:vars]`",
        ),
        (
            "[a:children]\nb\n[b:children]\na\n",
            "hosts:4:1: the group `a` is inside itself",
        ),
        (
            "w[3:1]\n",
            "hosts:1:1: `w[3:1]` is not a host | `[3:1]` begins behind its end",
        ),
        (
            "[web]\nw1:\n",
            "hosts:2:1: `w1:` is not a host | behind the `:` stands no port",
        ),
        ("-w\n", "`-w` cannot be the name of a host"),
        (
            "w[0:60000]\nx[0:60000]\n",
            "hosts:2:1: the inventory has more than 100000 hosts",
        ),
        (
            "w1 ansible_prot=1\n",
            "hosts:1:4: unknown connection variable `ansible_prot` | did you mean `ansible_port`?",
        ),
        (
            "w1 ansible_ssh_host=x\n",
            "hosts:1:4: hadeploy does not have `ansible_ssh_host` | it is called `ansible_host`",
        ),
        (
            "[w]\na\n[w:vars]\nansible_group_priority=x\n",
            "hosts:4:24: `ansible_group_priority` must be a whole number",
        ),
    ] {
        let folder = Folder::new(&[("hosts", text)]);
        let (_, said) = load(&folder, &["hosts"]);
        assert!(said.contains(words), "{text}: {said}");
        assert_eq!(said.matches("error ").count(), 1, "{text}: {said}");
    }
}

#[test]
fn a_port_that_comes_too_late_is_warned_of() {
    let folder = Folder::new(&[(
        "hosts",
        "a\nb:22\nc:22\n[web]\na:23\nb:22\nc ansible_port=5\nc:22\n",
    )]);
    let (inventory, said) = load(&folder, &["hosts"]);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(
        lines[0].starts_with("warning hosts:5:1: the port has no effect: `a` is named before"),
        "{said}"
    );
    assert!(lines[1].starts_with("warning hosts:8:1: "), "{said}");
    assert!(!inventory.hosts["a"].vars.contains_key("ansible_port"));
}

#[test]
fn each_place_that_sets_a_variable_is_told() {
    let folder = Folder::new(&[
        (
            "one",
            "[web]\na x=1\n[web:vars]\nx=2\nx=3\n[all:vars]\nx=4\n",
        ),
        ("two", "[web]\na x=5\n[web:vars]\nx=6\n"),
    ]);
    let (inventory, said) = load(&folder, &["one", "two"]);
    assert_eq!(said, "");
    let listed = inventory.list("a").expect("a host");
    let x = &listed[0].vars[0];
    let over: Vec<String> = x
        .over
        .iter()
        .map(|it| format!("{}={} {}", it.origin, it.value, it.at))
        .collect();
    let at = |place: &str| folder.name(place);
    assert_eq!((x.value.to_string(), &x.at), ("5".to_owned(), &at("two:2")));
    assert_eq!(
        over,
        [
            format!("host a=1 {}", at("one:2")),
            format!("group web=6 {}", at("two:4")),
            format!("group web=3 {}", at("one:5")),
            format!("group web=2 {}", at("one:4")),
            format!("group all=4 {}", at("one:7")),
        ]
    );
}

#[test]
fn mistakes_in_what_a_program_prints_have_a_place() {
    for (list, words) in [
        ("Traceback", "inv --list>:1:1: this is not JSON"),
        (
            "{\"web\": {\"hosts\": [\"a\"}}",
            "inv --list>:1:23: this is not JSON",
        ),
        (
            "[]",
            "inv --list>:1:1: a program prints a mapping of groups, not a list",
        ),
        (
            "{\"web\":\n {\"hosts\": \"a\"}}",
            "inv --list>:2:12: `web.hosts` must be a list of names, not text",
        ),
        (
            "{\"web\":\n {\"hosts\": [1]}}",
            "inv --list>:2:13: `web.hosts` must be a list of names; this is a whole number",
        ),
        (
            "{\"web\":\n {\"host\": []}}",
            "inv --list>:2:3: unknown key `host` in the group `web` | did you mean `hosts`?",
        ),
        (
            "{\"web\": {\"vars\": []}}",
            "inv --list>:1:18: `web.vars` must be a mapping, not a list",
        ),
        (
            "{\"w b\": {}}",
            "inv --list>:1:2: `w b` cannot be the name of a group",
        ),
        (
            "{\"web\": [\"a b\"]}",
            "inv --list>:1:10: `a b` cannot be the name of a host",
        ),
        (
            "{\"web\": 1}",
            "inv --list>:1:9: the group `web` must be a mapping, not a whole number",
        ),
        (
            "{\"a\": {\"children\": [\"b\"]}, \"b\": {\"children\": [\"a\"]}}",
            "inv --list>:1:47: the group `a` is inside itself",
        ),
        (
            "{\"web\": [\"a\"], \"_meta\": {\"hostvars\": {\"a\": {\"ansible_prot\": 1}}}}",
            "inv --list>:1:45: unknown connection variable `ansible_prot`",
        ),
        (
            "{\"web\": [\"a\"], \"_meta\": {\"hostvars\": {\"b\": {}}}}",
            "warning <inv --list>:1:39: `b` has variables and stands in no group",
        ),
    ] {
        let (_, said) = load(&program(list, "{}"), &["inv"]);
        assert!(said.contains(words), "{list}: {said}");
        assert_eq!(said.lines().count(), 1, "{list}: {said}");
    }
    let (_, said) = load(&program("{\"web\": [\"a\"]}", "{\"x\":}"), &["inv"]);
    assert!(
        said.contains("inv --host a>:1:6: this is not JSON"),
        "{said}"
    );
    let (_, said) = load(&program("{\"web\": [\"a\"]}", "[]"), &["inv"]);
    assert!(
        said.contains("the variables of `a` must be a mapping"),
        "{said}"
    );
}

#[test]
fn a_program_that_fails_is_shown_with_its_words() {
    let (_, said) = load(
        &executable("#!/bin/sh\necho no token >&2\nexit 3\n"),
        &["inv"],
    );
    assert_eq!(
        said,
        "error `inv --list` ended with status 3 | it said:\nno token\n"
    );
    let (_, said) = load(&executable("#!/nonexistent/interpreter\n"), &["inv"]);
    assert!(
        said.contains("the inventory program `inv` gave no answer | `inv` did not start"),
        "{said}"
    );
    let (_, said) = load(&executable("#!/bin/sh\nprintf '\\377'\n"), &["inv"]);
    assert!(said.contains("printed is not UTF-8 text"), "{said}");
    let folder = Folder::new(&[("inv", "#!/bin/sh\n")]);
    let (_, said) = load(&folder, &["inv"]);
    assert!(
        said.contains("may not be executed | `chmod +x inv`"),
        "{said}"
    );
}

#[test]
fn a_text_that_may_be_executed_by_accident_is_read() {
    let (inventory, said) = load(&executable("[web]\na\n"), &["inv"]);
    assert_eq!(said, "");
    assert_eq!(inventory.groups["web"].hosts.len(), 1);
}

#[test]
fn folders_and_lists_say_what_is_wrong() {
    let folder = Folder::new(&[
        ("empty/group_vars/all.yml", "x: 1"),
        ("bad/a.ini", "[web\n"),
        ("bad/b.yml", "- 1\n"),
        ("bad/c.toml", "[web]\n"),
    ]);
    let (_, said) = load(&folder, &["empty"]);
    assert!(
        said.starts_with("error the folder `empty` holds no inventory"),
        "{said}"
    );
    let (_, said) = load(&folder, &["bad"]);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert!(
        lines[0].starts_with("error bad/a.ini:1:1: the section has no `]`"),
        "{said}"
    );
    assert!(
        lines[1].starts_with("error bad/b.yml:1:1: an inventory is a mapping"),
        "{said}"
    );
    assert!(
        lines[2].starts_with("error the inventory `bad/c.toml` is TOML"),
        "{said}"
    );
    let (_, said) = load(&folder, &["a, b c,"]);
    assert!(
        said.starts_with("error <-i>:1:4: `b c` cannot be the name of a host"),
        "{said}"
    );
    let (inventory, said) = load(&folder, &["w[1:3]:2222,"]);
    assert_eq!((said.as_str(), inventory.hosts.len()), ("", 3));
    assert_eq!(inventory.hosts["w2"].groups.len(), 1);
}

#[test]
fn plugins_are_refused_by_name() {
    for (name, words) in [
        ("constructed", "write the groups out"),
        ("ansible.builtin.constructed", "write the groups out"),
        (
            "community.digitalocean.digitalocean",
            "exec ansible-inventory -i",
        ),
        ("amazon.aws.aws_ec2", "exec ansible-inventory -i"),
    ] {
        let folder = Folder::new(&[("h.yml", &format!("plugin: {name}\nstrict: false\n"))]);
        let (_, said) = load(&folder, &["h.yml"]);
        let head = format!("error h.yml:1:9: `{name}` is a plugin of Ansible's");
        assert!(said.starts_with(&head) && said.contains(words), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    let folder = Folder::new(&[("h.yml", "plugin: {hosts: {a: }}\n")]);
    assert_eq!(load(&folder, &["h.yml"]).1, "");
}

#[test]
fn groups_are_drawn_as_a_tree() {
    let folder = Folder::new(&[(
        "hosts",
        "lonely\n[web]\nw1\nw2\n[site:children]\nweb\ndb\n[db]\nd1\nw1\n",
    )]);
    let (inventory, said) = load(&folder, &["hosts"]);
    assert_eq!(said, "");
    assert_eq!(
        inventory.graph("all").expect("a group"),
        "@all:\n  |--@site:\n  |  |--@db:\n  |  |  |--w1\n  |  |  |--d1\n  |  |--@web:\n  |  |  |--w1\n  |  |  |--w2\n  |--@ungrouped:\n  |  |--lonely\n"
    );
    assert_eq!(inventory.graph("wbe"), None);
}

/// A long chain of groups needs no deep stack.
#[test]
fn groups_may_be_nested_as_deep_as_a_file_can_say() {
    let mut text = String::from("[g0]\nh\n");
    for n in 1..2000 {
        text.push_str(&format!("[g{n}:children]\ng{}\n", n - 1));
    }
    let folder = Folder::new(&[("hosts", &text)]);
    let (inventory, said) = load(&folder, &["hosts"]);
    assert_eq!(said, "");
    assert_eq!(inventory.groups["g0"].depth, 2000);
    assert!(inventory.graph("all").is_some());
}

const INI: &str = "\
top:22 a='x y' b=[1,{'k':(2,)}]
[web] # c
w[01:03:2].x ansible_host=10.0.0.1 t=\"{{ u }}\"
[fe80::1]:22
[site:children]
web
[web:vars]
v = {'a': [1, 'é', r'\\n'], \"b\": 0x1F}
ansible_group_priority=5
w=b'x' 'y' # z
";

const LIST: &str = "{\"web\": {\"hosts\": [\"a\", \"b\"], \"vars\": {\"x\": {\"y\": [1, -2.5e3, null]}}}, \"site\": {\"children\": [\"web\"]}, \"_meta\": {\"hostvars\": {\"a\": {\"u\": \"\\u00e9\\\"\", \"t\": true}}}}";

#[test]
fn damaged_ini_files_are_read_or_refused_with_a_place() {
    let mut dice = Dice(23);
    let (mut good, mut bad) = (0, 0);
    for _ in 0..3000 {
        let folder = Folder::new(&[("h.ini", &damage(INI, &mut dice))]);
        let (inventory, faults) =
            Inventory::load(&[folder.name("h.ini")], &[], &Keyring::default());
        for fault in faults.iter().filter(|fault| fault.is_error()) {
            let span = fault.span.as_ref().expect("a place");
            assert!(
                span.line() <= 12 && span.column() >= 1,
                "{}",
                fault.one_line()
            );
            assert!(
                fault.render(false).contains("h.ini:"),
                "{}",
                fault.render(false)
            );
        }
        match faults.iter().any(|fault| fault.is_error()) {
            true => bad += 1,
            false => good += 1,
        }
        assert!(inventory.groups.contains_key("all"));
    }
    assert!(good > 100 && bad > 1000, "{good} {bad}");
}

#[test]
fn damaged_lists_are_read_or_refused_with_a_place() {
    let mut dice = Dice(29);
    let folder = executable("#!/bin/sh\nexec cat \"${0%/*}/list\"\n");
    let mut bad = 0;
    for _ in 0..300 {
        std::fs::write(folder.path("list"), damage(LIST, &mut dice)).expect("a file");
        let (_, faults) = Inventory::load(&[folder.name("inv")], &[], &Keyring::default());
        for fault in faults.iter().filter(|fault| fault.is_error()) {
            bad += 1;
            let span = fault.span.as_ref().expect("a place");
            assert!(span.column() <= LIST.len() + 8, "{}", fault.one_line());
            assert!(
                fault.render(false).contains(" --"),
                "{}",
                fault.render(false)
            );
        }
    }
    assert!(bad > 100, "{bad}");
}
