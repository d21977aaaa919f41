//! Playbooks and inventories together: hosts, tags, sources and names.

use hadeploy::playbook::{Options, Project, TagChoice};
use hadeploy::template::Templates;

use crate::Folder;
use crate::kinds::KINDS;

const HOSTS: &str = "\
web: {hosts: {web1: {colour: red}, web2: }, vars: {port: 80, greeting: 'hi {{ whom }}'}}
db: {hosts: {db1: }}
spare: {}
";

fn options() -> Options {
    Options {
        kinds: KINDS,
        ..Options::default()
    }
}

fn load(folder: &Folder, options: &Options) -> (Project, String) {
    let inventories: Vec<String> = ["hosts.yml"]
        .iter()
        .filter(|name| folder.path(name).exists())
        .map(|name| folder.name(name))
        .collect();
    let templates = Templates::new();
    let (project, faults) = Project::load(
        &[folder.name("site.yml")],
        &inventories,
        options,
        &templates,
    );
    let said = folder.said(&faults);
    (project, said)
}

/// What is said about a playbook of these tasks for `web`.
fn tasks(text: &str, files: &[(&str, &str)]) -> String {
    let indented: String = text.lines().map(|line| format!("    {line}\n")).collect();
    let site = format!("- hosts: web\n  tasks:\n{indented}");
    let mut all = vec![("hosts.yml", HOSTS), ("site.yml", site.as_str())];
    all.extend(files);
    load(&Folder::new(&all), &options()).1
}

fn hosts(project: &Project) -> Vec<String> {
    project
        .list()
        .iter()
        .map(|play| play.hosts.join(" "))
        .collect()
}

fn labels(project: &Project) -> Vec<String> {
    project
        .list()
        .iter()
        .flat_map(|play| play.tasks.iter().map(|task| task.name.to_string()))
        .collect()
}

#[test]
fn plays_get_their_hosts_and_the_limit() {
    let folder = Folder::new(&[
        ("hosts.yml", HOSTS),
        (
            "site.yml",
            "- hosts: web\n- hosts: [db, web1]\n- hosts: '{{ where }}'\n  vars: {where: db}\n- hosts: spare\n",
        ),
    ]);
    let (project, said) = load(&folder, &options());
    assert_eq!(hosts(&project), ["web1 web2", "web1 db1", "db1", ""]);
    assert_eq!(
        said,
        "warning site.yml:5:10: the play `spare` is skipped | no host is in `spare`\n"
    );
    let limited = Options {
        limit: Some("web:!web2".to_owned()),
        extra: vec!["where=web2".to_owned()],
        ..options()
    };
    let (project, said) = load(&folder, &limited);
    assert_eq!(hosts(&project), ["web1", "web1", "", ""]);
    assert!(said.contains("`--limit` leaves it no host"), "{said}");
    assert!(!said.contains("error"), "{said}");
}

#[test]
fn no_host_at_all_is_an_error() {
    let folder = Folder::new(&[("hosts.yml", HOSTS), ("site.yml", "- hosts: web\n")]);
    let limited = Options {
        limit: Some("db".to_owned()),
        ..options()
    };
    let (_, said) = load(&folder, &limited);
    assert!(said.contains("error no play has a host"), "{said}");
    let unknown = Options {
        limit: Some("wbe".to_owned()),
        ..options()
    };
    let (_, said) = load(&folder, &unknown);
    assert_eq!(
        said,
        "error <--limit>:1:1: no host or group is called `wbe` | did you mean `web`? | `hadeploy hosts -i INVENTORY` lists what there is\n"
    );
}

#[test]
fn an_unknown_host_in_a_play_is_said_at_its_place() {
    let folder = Folder::new(&[("hosts.yml", HOSTS), ("site.yml", "- hosts: db:wbe\n")]);
    let (_, said) = load(&folder, &options());
    assert!(
        said.contains(
            "error site.yml:1:13: no host or group is called `wbe` | did you mean `web`?"
        ),
        "{said}"
    );
}

#[test]
fn a_play_goes_without_names_that_the_inventory_does_not_know() {
    for (pattern, then) in [
        ("db:cache", "`cache`, so the play goes without it"),
        ("all:!cache", "`cache`, so nothing is left out for it"),
        ("all:!web9", "`web9`, so nothing is left out for it"),
        ("web:!old-*", "`old-*`, so nothing is left out for it"),
        ("db:lb", "`lb`, so the play goes without it"),
    ] {
        let play = format!("- hosts: '{pattern}'\n");
        let folder = Folder::new(&[("hosts.yml", HOSTS), ("site.yml", &play)]);
        let (project, said) = load(&folder, &options());
        assert!(
            said.starts_with("warning site.yml:1:") && said.contains(then),
            "{pattern}: {said}"
        );
        assert_ne!(hosts(&project), [""], "{pattern}");
    }
    for pattern in ["all:!localhost", "all:&web"] {
        let play = format!("- hosts: '{pattern}'\n");
        let folder = Folder::new(&[("hosts.yml", HOSTS), ("site.yml", &play)]);
        assert_eq!(load(&folder, &options()).1, "", "{pattern}");
    }
}

#[test]
fn an_unknown_name_that_leaves_a_play_without_hosts_is_an_error() {
    for pattern in [
        "cache",
        "web:&cache",
        "cache:queue",
        "web:&~x.*",
        "all:!wbe",
    ] {
        let play = format!("- hosts: '{pattern}'\n");
        let folder = Folder::new(&[("hosts.yml", HOSTS), ("site.yml", &play)]);
        let (_, said) = load(&folder, &options());
        assert!(
            said.starts_with("error site.yml:1:")
                && said
                    .contains("a group that may be without hosts stands in the inventory, empty"),
            "{pattern}: {said}"
        );
    }
}

#[test]
fn localhost_needs_no_inventory() {
    let folder = Folder::new(&[("site.yml", "- hosts: localhost\n")]);
    let (project, said) = load(&folder, &options());
    assert_eq!(said, "");
    assert_eq!(hosts(&project), ["localhost"]);
    let folder = Folder::new(&[("site.yml", "- hosts: web\n")]);
    let (_, said) = load(&folder, &options());
    assert!(said.contains("no inventory is given"), "{said}");
}

#[test]
fn tags_and_start_choose_tasks_but_not_handlers() {
    let folder = Folder::new(&[
        ("hosts.yml", HOSTS),
        (
            "site.yml",
            "\
- hosts: web
  tasks:
    - {name: one, debug: {}, tags: a}
    - {name: two, debug: {}, tags: [b, never]}
    - {name: three, debug: {}}
    - {name: four, debug: {}, tags: always}
  handlers:
    - {name: h, debug: {}, tags: zzz}
",
        ),
    ]);
    let choose = |only: &[&str], skip: &[&str], start: Option<&str>| {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let options = Options {
            tags: TagChoice {
                only: owned(only),
                skip: owned(skip),
            },
            start_at_task: start.map(str::to_owned),
            ..options()
        };
        let (project, said) = load(&folder, &options);
        assert_eq!(project.plays[0].play.handlers.len(), 1);
        format!("{} {said}", labels(&project).join(" "))
    };
    assert_eq!(choose(&[], &[], None), "one three four ");
    assert_eq!(choose(&["a"], &[], None), "one four ");
    assert_eq!(choose(&["b"], &["always"], None), "two ");
    assert_eq!(choose(&[], &[], Some("three")), "three four ");
    assert_eq!(choose(&[], &[], Some("thr*")), "three four ");
    let said = choose(&[], &[], Some("thre"));
    assert!(
        said.contains("error no task is called `thre` | did you mean `three`?"),
        "{said}"
    );
    let said = choose(&["aa"], &[], None);
    assert!(
        said.contains("error no task has the tag `aa` of `--tags` | did you mean `a`?"),
        "{said}"
    );
}

#[test]
fn undefined_names_are_found_where_nothing_can_define_them() {
    for (text, words) in [
        (
            "- debug: {msg: 'a {{ colur }}'}",
            "error site.yml:3:26: `colur` is not defined | did you mean `colour`?",
        ),
        (
            "- command: echo {{ nothing_here }}",
            "`nothing_here` is not defined",
        ),
        (
            "- debug: {var: nothing_here}",
            "`nothing_here` is not defined",
        ),
        (
            "- debug: {}\n  when: nothing_here",
            "`nothing_here` is not defined",
        ),
        (
            "- debug: {}\n  loop: '{{ nothing_here }}'",
            "`nothing_here` is not defined",
        ),
        ("- debug: {msg: '{{ item }}'}", "`item` is not defined"),
        (
            "- debug: {msg: '{{ greeting }}'}",
            "error hosts.yml:1:79: `whom` is not defined",
        ),
        (
            "- debug: {msg: '{{ hostname }}'}",
            "the fact of that name is `ansible_facts.hostname`",
        ),
        (
            "- debug: {msg: '{{ ansible_facts.hostnme }}'}",
            "unknown fact `hostnme` | did you mean `hostname`?",
        ),
        (
            "- debug: {msg: \"{{ ansible_facts['hostnme'] }}\"}",
            "unknown fact `hostnme`",
        ),
        (
            "- debug: {msg: '{{ hostvars[inventory_hostname].ansible_facts.hostnme }}'}",
            "unknown fact `hostnme`",
        ),
        (
            "- debug: {msg: '{{ ansible_hostnme }}'}",
            "unknown fact `ansible_hostnme` | did you mean `hostname`?",
        ),
        (
            "- debug: {}\n  when: ansible_facts.os_famly == 'x'",
            "error site.yml:4:27: unknown fact `os_famly` | did you mean `os_family`?",
        ),
        (
            "- template: {src: t.j2, dest: /t}",
            "error templates/t.j2:1:4: `nothing_here` is not defined",
        ),
    ] {
        let said = tasks(text, &[("templates/t.j2", "{{ nothing_here }}\n")]);
        assert!(said.contains(words), "{text}:\n{said}");
        assert_eq!(said.lines().count(), 1, "{text}:\n{said}");
    }
}

#[test]
fn names_that_may_be_defined_are_left_alone() {
    for text in [
        "- debug: {msg: '{{ colour }} {{ port }}'}",
        "- debug: {msg: '{{ nothing | default(1) }}'}",
        "- debug: {msg: '{{ nothing }}'}\n  when: nothing is defined",
        "- debug: {msg: '{{ result.stdout }}'}\n- command: x\n  register: result",
        "- debug: {msg: '{{ item }} {{ i }} {{ ansible_loop.index }}'}\n  loop: [1]\n  loop_control: {index_var: i, extended: true}",
        "- debug: {msg: '{{ own }} {{ other }}'}\n  vars: {own: 1, other: '{{ own }}'}",
        "- debug: {msg: '{{ hostvars[inventory_hostname].x }} {{ groups.all }} {{ group_names }}'}",
        "- debug: {msg: '{{ ansible_facts.hostname }} {{ ansible_default_ipv4.address }} {{ ansible_eth0 }}'}",
        "- debug: {msg: '{{ ansible_facts.get(1) }} {{ ansible_check_mode }}'}",
        "- debug: {msg: '{{ result.ansible_facts.own }} {{ result.results[0].ansible_facts.own }}'}\n- command: x\n  register: result",
        "- debug: {msg: '{% for x in [1] %}{{ x }}{% endfor %}{% set y = 1 %}{{ y }}'}",
        "- debug: {msg: ansible_facts.nonsense}",
        "- set_fact: {made: 1}\n- debug: {msg: '{{ made }} {{ words }}'}\n- set_fact: words=a",
    ] {
        assert_eq!(tasks(text, &[]), "", "{text}");
    }
}

#[test]
fn templates_and_sources_are_checked() {
    for (text, words) in [
        ("- debug: {msg: '{{ 1 +'}", "error site.yml:3:"),
        ("- debug: {msg: '{{ 1 | nofilter }}'}", "nofilter"),
        ("- debug: {}\n  when: 1 ==", "error site.yml:4:"),
        (
            "- template: {src: bad.j2, dest: /t}",
            "error templates/bad.j2:2:",
        ),
        (
            "- template: {src: gone.j2, dest: /t}",
            "error site.yml:3:23: there is no template `gone.j2` | looked for `templates/gone.j2`, then `gone.j2`",
        ),
        (
            "- copy: {src: gone, dest: /t}",
            "error site.yml:3:19: there is no file `gone` | looked for `files/gone`, then `gone`",
        ),
    ] {
        let said = tasks(text, &[("templates/bad.j2", "ok\n{% if %}\n")]);
        assert!(said.contains(words), "{text}:\n{said}");
    }
    let said = tasks(
        "- copy: {src: here, dest: /t}\n- copy: {src: '{{ colour }}', dest: /t}",
        &[("files/here", "x")],
    );
    assert_eq!(said, "");
}

#[test]
fn a_template_in_the_inventory_is_checked() {
    let folder = Folder::new(&[
        ("hosts.yml", "web: {hosts: {a: {x: '{{ 1 +'}}}\n"),
        ("site.yml", "- hosts: web\n"),
    ]);
    let (_, said) = load(&folder, &options());
    assert!(said.starts_with("error hosts.yml:1:"), "{said}");
}

#[test]
fn the_projects_templates_are_found_from_its_playbooks() {
    let folder = Folder::new(&[
        ("hosts.yml", HOSTS),
        ("templates/t.j2", "x"),
        (
            "playbooks/tasks/one.yml",
            "- template: {src: t.j2, dest: /t}\n",
        ),
        (
            "playbooks/site.yml",
            "- hosts: web\n  tasks:\n    - import_tasks: tasks/one.yml\n",
        ),
    ]);
    let (_, faults) = Project::load(
        &[folder.name("playbooks/site.yml")],
        &[folder.name("hosts.yml")],
        &options(),
        &Templates::new(),
    );
    assert_eq!(folder.said(&faults), "");
}

#[test]
fn connection_variables_are_checked_before_connecting() {
    for (vars, words) in [
        (
            "ansible_port: ssh",
            "error hosts.yml:1:33: `ansible_port` must be a number from 1 to 65535",
        ),
        (
            "ansible_connection: docker",
            "`ansible_connection` must be `ssh` or `local`",
        ),
        (
            "ansible_become_method: su",
            "`ansible_become_method` can only be `sudo`",
        ),
        ("ansible_host: -oProxyCommand=x", "is not an address"),
    ] {
        let hosts = format!("web: {{hosts: {{a: {{{vars}}}}}}}\n");
        let folder = Folder::new(&[
            ("hosts.yml", hosts.as_str()),
            ("site.yml", "- hosts: web\n"),
        ]);
        let (_, said) = load(&folder, &options());
        assert!(said.contains(words), "{vars}: {said}");
    }
}

#[test]
fn variables_beside_an_import_win_over_the_plays() {
    let folder = Folder::new(&[
        ("hosts.yml", HOSTS),
        (
            "site.yml",
            "- import_playbook: b.yml\n  vars: {x: outer, y: outer}\n",
        ),
        (
            "b.yml",
            "- import_playbook: c.yml\n  vars: {x: inner, z: inner}\n",
        ),
        (
            "c.yml",
            "- hosts: web\n  vars: {x: own, y: own, z: own, w: own}\n",
        ),
    ]);
    let (project, said) = load(&folder, &options());
    assert_eq!(said, "");
    let vars = &project.plays[0].play.vars;
    let texts: Vec<&str> = ["x", "y", "z", "w"]
        .iter()
        .filter_map(|name| vars[*name].value.as_str())
        .collect();
    assert_eq!(texts, ["outer", "outer", "inner", "own"]);
}

#[test]
fn a_handler_whose_name_needs_a_host_is_warned_of() {
    let play = "- hosts: web\n  handlers:\n    - name: 'restart {{ inventory_hostname }}'\n      debug:\n    - {name: 'x {{ inventory_hostname }}', listen: x, debug: }\n";
    let folder = Folder::new(&[("hosts.yml", HOSTS), ("site.yml", play)]);
    let (_, said) = load(&folder, &options());
    assert!(
        said.starts_with("warning site.yml:3:13: nothing can notify this handler")
            && said.lines().count() == 1,
        "{said}"
    );
}

#[test]
fn keywords_of_a_play_that_are_templates_are_filled_in_beforehand() {
    let play = "- hosts: web\n  vars: {facts: false, share: 30}\n  gather_facts: '{{ facts }}'\n  force_handlers: '{{ force | default(true) }}'\n  max_fail_percentage: '{{ share }}'\n- hosts: db\n  any_errors_fatal: '{{ strict | default(omit) }}'\n";
    let folder = Folder::new(&[("hosts.yml", HOSTS), ("site.yml", play)]);
    let (project, said) = load(&folder, &options());
    assert_eq!(said, "");
    let of = |at: usize| {
        let play = &project.plays[at].play;
        (play.gather_facts, play.force_handlers, play.may_fail)
    };
    assert_eq!(of(0), (false, true, Some(30.0)));
    assert_eq!(of(1), (true, false, None));
    let strict = Options {
        extra: vec!["strict=true share=200".to_owned()],
        ..options()
    };
    let (project, said) = load(&folder, &strict);
    assert_eq!(project.plays[1].play.may_fail, Some(0.0));
    assert!(
        said.starts_with(
            "error site.yml:5:24: `max_fail_percentage` must be a number from 0 to 100"
        ),
        "{said}"
    );
    let open = "- hosts: web\n  gather_facts: '{{ inventory_hostname }}'\n";
    let folder = Folder::new(&[("hosts.yml", HOSTS), ("site.yml", open)]);
    let (_, said) = load(&folder, &options());
    assert!(
        said.contains("`gather_facts` is read before any host is known"),
        "{said}"
    );
}
