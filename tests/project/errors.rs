//! What is said about wrong playbooks: place, words, hint.

use hadeploy::playbook::{Installed, parse_playbook};
use hadeploy::vault::Keyring;

use crate::Folder;
use crate::kinds::KINDS;

/// What is said about a playbook and the files beside it.
fn said(text: &str, files: &[(&str, &str)]) -> String {
    let mut all = vec![("site.yml", text)];
    all.extend(files);
    let folder = Folder::new(&all);
    let (_, faults) = parse_playbook(
        &folder.name("site.yml"),
        KINDS,
        0,
        &Keyring::default(),
        &Installed::default(),
    );
    folder.said(&faults)
}

/// What is said about the lines of one task.
fn task(lines: &str) -> String {
    let mut text = "- hosts: all\n  tasks:\n".to_owned();
    for (index, line) in lines.lines().enumerate() {
        let lead = if index == 0 { "    - " } else { "      " };
        text.push_str(&format!("{lead}{line}\n"));
    }
    said(&text, &[])
}

#[test]
fn tasks() {
    for (lines, words) in [
        (
            "aptt: {name: x}",
            "error site.yml:3:7: unknown key or module `aptt` of a task | did you mean `apt`?",
        ),
        (
            "apt: {name: x}\nwehn: true",
            "error site.yml:4:7: unknown key or module `wehn` of a task | did you mean `when`?",
        ),
        (
            "apt: {nmae: x}",
            "error site.yml:3:13: unknown parameter `nmae` for `apt` | did you mean `name`?",
        ),
        (
            "file: {state: file}",
            "error site.yml:3:7: `file` needs `path`",
        ),
        (
            "file: {path: /x, state: fiel}",
            "error site.yml:3:31: `state` cannot be `fiel` | did you mean `file`?",
        ),
        (
            "file: {path: /x, mode: 644}",
            "error site.yml:3:30: this is not a file mode",
        ),
        ("file: {path: x}", "the path `x` is relative"),
        (
            "apt: {update_cache: maybe}",
            "error site.yml:3:27: `update_cache` must be true or false, not text `maybe`",
        ),
        (
            "apt: {force: 1}",
            "hadeploy's `apt` does not have `force` | remove it",
        ),
        (
            "apt: {name: x}\ncopy: {dest: /x}",
            "error site.yml:4:7: a task does one thing, not `apt` and `copy` | make two tasks of it",
        ),
        ("name: x", "error site.yml:3:7: the task does nothing"),
        (
            "apt: [x]",
            "error site.yml:3:12: the parameters of `apt` are a mapping, not a list",
        ),
        (
            "apt: nginx",
            "error site.yml:3:12: `apt` takes no text such as `nginx`",
        ),
        (
            "apt: \"{{ x }}\"",
            "the parameters of `apt` cannot be one template",
        ),
        (
            "apt: {name: x}\nargs: \"{{ x }}\"",
            "`args` cannot be a template",
        ),
        ("apt: {name: x}\nargs: {name: y}", "`name` is given twice"),
        (
            "apt: {name: x}\nloop: things",
            "error site.yml:4:13: `loop` must be a list or a template, not text | write a list, or the variable as a template: `\"{{ things }}\"`",
        ),
        ("apt: {name: x}\nloop: {a: 1}", "dict2items"),
        (
            "apt: {name: x}\nloop: 3",
            "`loop` must be a list or a template, not a whole number",
        ),
        (
            "apt: {name: x}\nwith_hiera: a",
            "hadeploy does not have `with_hiera` on a task",
        ),
        (
            "apt: {name: x}\nloop: [1]\nwith_items: [1]",
            "a task has one loop",
        ),
        (
            "apt: {name: x}\nloop: [1]\nloop_control: {loopvar: x}",
            "unknown key `loopvar` of `loop_control` | did you mean `loop_var`?",
        ),
        (
            "apt: {name: x}\nloop_control: {loop_var: x}",
            "`loop_control` without a loop",
        ),
        (
            "apt: {name: x}\nregister: a-b",
            "error site.yml:4:17: `a-b` cannot be the name of a variable",
        ),
        (
            "apt: {name: x}\nregister: item",
            "warning site.yml:4:17: the name `item` is reserved",
        ),
        (
            "apt: {name: x}\nwhen: {a: b}",
            "`when` must be an expression or a list of them, not a mapping",
        ),
        ("apt: {name: x}\nwhen:", "`when` is empty"),
        (
            "apt: {name: x}\nbecome: maybe",
            "`become` must be true or false, not text",
        ),
        (
            "apt: {name: x}\nbecome_method: su",
            "`become_method` cannot be `su` | only `sudo` is there",
        ),
        (
            "apt: {name: x}\ntags: [\"{{ x }}\"]",
            "`tags` cannot be a template",
        ),
        (
            "apt: {name: x}\ntimeout: soon",
            "`timeout` must be a number of seconds, not text",
        ),
        (
            "apt: {name: x}\ndelay: 3",
            "error site.yml:4:7: `delay` without `until` or `retries`",
        ),
        (
            "apt: {name: x}\nuntil: true\nretries: often",
            "error site.yml:5:16: `retries` must be a whole number, not text",
        ),
        (
            "apt: {name: x}\nuntil: {a: b}",
            "`until` must be an expression or a list of them",
        ),
        (
            "apt: {name: x}\nrollout: befor",
            "error site.yml:4:16: `rollout` cannot be `befor` | did you mean `before`?",
        ),
        (
            "apt: {name: x}\nrollout: \"{{ x }}\"",
            "`rollout` cannot be a template",
        ),
        (
            "apt: {name: x}\nvars: [1]",
            "`vars` must be a mapping, not a list",
        ),
        (
            "apt: {name: x}\nenvironment: x",
            "`environment` must be a mapping, not text",
        ),
        ("apt: {name: x}\nlisten: x", "only handlers listen"),
        (
            "apt: {name: x}\ndelegate_to: [x]",
            "error site.yml:4:20: `delegate_to` must be text, not a list",
        ),
        (
            "local_action: aptt name=x",
            "error site.yml:3:21: unknown key or module `aptt` of a task",
        ),
        ("apt: {name: x}\nasync: 5", "each step runs detached anyway"),
        (
            "block: [{apt: {nmae: x}}]",
            "error site.yml:3:22: unknown parameter `nmae`",
        ),
        (
            "block: [{apt: {name: x}}]\nrescue: [{aptt: {name: x}}]",
            "error site.yml:4:17: unknown key or module `aptt` of a task",
        ),
        (
            "block: [{apt: {name: x}}]\nloop: [1]",
            "error site.yml:4:7: `loop` does not go with `block`",
        ),
        (
            "block: [{apt: {name: x}}]\nresuce: []",
            "error site.yml:4:7: unknown key `resuce` of a block | did you mean `rescue`?",
        ),
        (
            "rescue: [{apt: {name: x}}]",
            "error site.yml:3:7: `rescue` without `block`",
        ),
        (
            "block: {apt: {name: x}}",
            "block must be a list of tasks, not a mapping",
        ),
        (
            "block: [{apt: {name: x}}]\nasync: 3",
            "hadeploy does not have `async` on a block",
        ),
        (
            "include_role: {nam: x}",
            "error site.yml:3:22: unknown parameter `nam` for `include_role` | did you mean `name`?",
        ),
        (
            "community.general.ufw: {}",
            "hadeploy does not have the module `community.general.ufw`",
        ),
        (
            "some.strange.thing: {}",
            "hadeploy does not have the module `some.strange.thing`",
        ),
        ("apt_key: {}", "/etc/apt/keyrings"),
        (
            "meta: flush_handler",
            "unknown `meta: flush_handler` | did you mean `flush_handlers`?",
        ),
        (
            "meta: refresh_inventory",
            "hadeploy does not have `meta: refresh_inventory` | the inventory is read once",
        ),
        (
            "meta: end_role",
            "error site.yml:3:7: `meta: end_role` stands in no role",
        ),
        (
            "include_vars: no.yml",
            "error site.yml:3:21: there is no file `no.yml` | looked for `vars/no.yml`, then `no.yml`",
        ),
        (
            "include_vars: {file: x, hash_behaviour: merge}",
            "hadeploy does not have `hash_behaviour` of `include_vars`",
        ),
        (
            "include_vars: {fil: x}",
            "unknown parameter `fil` for `include_vars` | did you mean `file`?",
        ),
        (
            "apt: {name: x}\nmodule_defaults: {aptt: {}}",
            "error site.yml:4:25: hadeploy does not have the module `aptt` | did you mean `apt`?",
        ),
        (
            "apt: {name: x}\nmodule_defaults: {apt: {nam: x}}",
            "error site.yml:4:31: unknown parameter `nam` for `apt` | did you mean `name`?",
        ),
        (
            "apt: {name: x}\nmodule_defaults: {group/aws: {}}",
            "groups of modules have no defaults here",
        ),
        (
            "apt: {name: x}\nasync: 1",
            "hadeploy does not have `async` on a task",
        ),
        (
            "action: aptt name=x",
            "error site.yml:3:15: unknown key or module `aptt` of a task | did you mean `apt`?",
        ),
        (
            "apt: {name: x}\nnotify: restart",
            "error site.yml:4:15: no handler is called `restart` | the play has no `handlers`",
        ),
        (
            "import_tasks: gone.yml",
            "error site.yml:3:21: cannot read `gone.yml`: there is no such file",
        ),
        (
            "import_tasks: site.yml\nloop: [1]",
            "`loop` does not go with `import_tasks`",
        ),
        (
            "import_tasks: \"{{ x }}.yml\"",
            "`import_tasks` cannot be a template",
        ),
    ] {
        let said = task(lines);
        assert!(said.contains(words), "{lines}:\n{said}");
        assert_eq!(
            said.lines().count(),
            1 + said.matches("imports itself").count(),
            "one fault for:\n{lines}\n{said}"
        );
    }
}

#[test]
fn plays() {
    for (text, words) in [
        (
            "hosts: all\n",
            "error site.yml:1:1: a playbook is a list of plays, not a mapping | begin the play with a dash",
        ),
        ("", "a playbook is a list of plays, not nothing"),
        ("[]\n", "the playbook holds no play"),
        ("- x\n", "error site.yml:1:3: a play is a mapping, not text"),
        ("- name: x\n", "error site.yml:1:3: the play has no `hosts`"),
        ("- apt: {name: x}\n", "this looks like a task"),
        (
            "- hosts: all\n  tasky: []\n",
            "error site.yml:2:3: unknown key `tasky` of a play | did you mean `tasks`?",
        ),
        (
            "- hosts: all\n  roles: x\n",
            "error site.yml:2:10: `roles` must be a list of roles, not text | write `roles: [NAME]`",
        ),
        (
            "- hosts: all\n  serial: [1, half]\n",
            "error site.yml:2:15: `serial` is a number of hosts or a percentage",
        ),
        (
            "- hosts: all\n  max_fail_percentage: 120\n",
            "`max_fail_percentage` is a number from 0 to 100",
        ),
        (
            "- hosts: all\n  strategy: debug\n",
            "error site.yml:2:13: `strategy` cannot be `debug` | there is no interactive debugger",
        ),
        (
            "- hosts: all\n  strategy: fre\n",
            "error site.yml:2:13: `strategy` cannot be `fre` | did you mean `free`?",
        ),
        (
            "- hosts: all\n  order: shuffle\n",
            "error site.yml:2:10: `order` cannot be `shuffle` | a plan and its apply go the same way",
        ),
        (
            "- hosts: all\n  tasks:\n    - {debug: , loop: [1], loop_control: {extended: \"{{ x }}\"}}\n",
            "`extended` cannot be a template",
        ),
        (
            "- hosts: all\n  handlers:\n    - block: [{debug: {}}]\n",
            "error site.yml:3:7: a block cannot be a handler",
        ),
        (
            "- hosts: all\n  rolling: 1\n",
            "error site.yml:2:12: `rolling` must be a mapping, not a whole number",
        ),
        (
            "- hosts: all\n  tasks: {apt: x}\n",
            "tasks must be a list of tasks, not a mapping",
        ),
        ("- hosts: all\n  tasks:\n    -\n", "the task is empty"),
        (
            "- hosts: all\n  tasks:\n    - x\n",
            "a task is a mapping, not text",
        ),
        (
            "- hosts: all\n  vars_files: [gone.yml]\n",
            "error site.yml:2:16: there is no vars file `gone.yml`",
        ),
        (
            "- hosts: all\n  vars_files: [[gone.yml, lost.yml]]\n",
            "error site.yml:2:16: none of these vars files is there",
        ),
        (
            "- hosts: all\n  connection: winrm\n",
            "`connection` cannot be `winrm`",
        ),
        (
            "- hosts: all\n  handlers:\n    - name: a\n      debug: {}\n    - name: a\n      debug: {}\n",
            "warning site.yml:5:13: two handlers are called `a`",
        ),
        (
            "- hosts: all\n  tasks:\n    - debug: {}\n      notify: rsetart\n  handlers:\n    - name: restart\n      debug: {}\n",
            "error site.yml:4:15: no handler is called `rsetart` | did you mean `restart`?",
        ),
        (
            "- import_playbook: site.yml\n",
            "error site.yml:1:20: `site.yml` imports itself | `site.yml` imports `site.yml`",
        ),
        ("- import_playbook: gone.yml\n", "cannot read `gone.yml`"),
        (
            "- import_playbook: x.yml\n  hosts: all\n",
            "`hosts` does not go with `import_playbook`",
        ),
        ("- hosts: all\n\ttasks: []\n", "site.yml:2"),
        ("- hosts: all\n  hosts: web\n", "site.yml:2:3"),
    ] {
        let said = said(text, &[]);
        assert!(said.contains(words), "{text}:\n{said}");
    }
}

#[test]
fn an_import_loop_shows_the_way_round() {
    let said = said(
        "- hosts: all\n  tasks:\n    - import_tasks: a.yml\n",
        &[
            ("a.yml", "- import_tasks: b.yml\n"),
            ("b.yml", "- import_tasks: a.yml\n"),
        ],
    );
    assert_eq!(
        said,
        "error b.yml:1:17: `a.yml` imports itself | `a.yml` imports `b.yml` imports `a.yml`\n"
    );
}

#[test]
fn imports_that_multiply_are_bounded() {
    let twice = |name: &str| format!("- import_tasks: {name}\n- import_tasks: {name}\n");
    let names: Vec<String> = (0..20).map(|index| format!("t{index}.yml")).collect();
    let mut files: Vec<(&str, String)> = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let text = match names.get(index + 1) {
            Some(next) => twice(next),
            None => "- debug: {}\n".to_owned(),
        };
        files.push((name, text));
    }
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    let said = said(
        "- hosts: all\n  tasks:\n    - import_tasks: t0.yml\n",
        &files,
    );
    assert!(
        said.contains("more than 10000 files are imported"),
        "{said}"
    );
}

#[test]
fn yaml_bombs_are_refused() {
    let mut text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for letter in 'b'..='j' {
        let before = (letter as u8 - 1) as char;
        text.push_str(&format!("{letter}: &{letter} [*{before}, *{before}, *{before}, *{before}, *{before}, *{before}, *{before}, *{before}, *{before}, *{before}]\n"));
    }
    let before = std::time::Instant::now();
    let said = said(
        "- hosts: all\n  vars_files: [bomb.yml]\n",
        &[("bomb.yml", &text)],
    );
    assert!(said.starts_with("error bomb.yml"), "{said}");
    assert!(before.elapsed().as_secs() < 20);
}

#[test]
fn all_faults_are_said_together() {
    let said = said(
        "- hosts: all\n  rols: []\n  tasks:\n    - apt: {nmae: x}\n    - cpoy: {}\n    - apt: {name: x}\n      wen: 1\n",
        &[],
    );
    assert_eq!(said.lines().count(), 4, "{said}");
}

#[test]
fn tasks_that_multiply_are_bounded() {
    let many = "- debug:\n".repeat(1000);
    let wide = "- import_tasks: many.yml\n".repeat(200);
    let said = said(
        "- hosts: all\n  tasks:\n    - import_tasks: wide.yml\n",
        &[("many.yml", &many), ("wide.yml", &wide)],
    );
    assert!(said.contains("more than 100000 tasks"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_fault_is_shown_with_its_line_and_the_nearest_word() {
    let folder = Folder::new(&[(
        "site.yml",
        "- hosts: all\n  tasks:\n    - name: web server\n      apt: {nmae: nginx}\n",
    )]);
    let (_, faults) = parse_playbook(
        &folder.name("site.yml"),
        KINDS,
        0,
        &Keyring::default(),
        &Installed::default(),
    );
    let shown: String = faults.iter().map(|fault| fault.render(false)).collect();
    let shown = shown.replace(&folder.name("site.yml"), "site.yml");
    assert_eq!(
        shown,
        "\
error: unknown parameter `nmae` for `apt`
 --> site.yml:4:13
  |
4 |       apt: {nmae: nginx}
  |             ^^^^ did you mean `name`?
  |
  = help: `apt` takes `name`, `state` and `update_cache`
"
    );
}

#[test]
fn questions_of_a_play() {
    let play = |prompt: &str| {
        said(
            &format!("- hosts: all\n  vars_prompt:\n    - {prompt}\n"),
            &[],
        )
    };
    for (prompt, words) in [
        (
            "{prompt: x}",
            "error site.yml:3:7: a question of `vars_prompt` has no `name`",
        ),
        (
            "{name: a-b}",
            "error site.yml:3:14: `a-b` cannot be the name of a variable",
        ),
        (
            "{name: a, encrypt: sha512_crypt}",
            "error site.yml:3:17: hadeploy does not have `encrypt` of `vars_prompt`",
        ),
        (
            "{name: a, promt: x}",
            "error site.yml:3:17: unknown key `promt` of `vars_prompt` | did you mean `prompt`?",
        ),
        (
            "word",
            "error site.yml:3:7: `vars_prompt` must be a list of mappings, not text",
        ),
    ] {
        assert!(play(prompt).contains(words), "{prompt}: {}", play(prompt));
    }
    assert_eq!(
        play("{name: a, private: no, default: x, confirm: yes, unsafe: yes}"),
        ""
    );
}
