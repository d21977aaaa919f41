//! What the user's own ssh configuration does to a run, as far as that shows without a node.

use crate::Sandbox;

const PLAY: &str =
    "- hosts: all\n  gather_facts: false\n  tasks:\n    - copy: {content: x, dest: /srv/x}\n";

/// All that a plan with this configuration in the home folder says; it must fail before any task.
fn refused(inventory: &str, config: &str) -> String {
    said("plan", 1, inventory, config)
}

/// All that a command says, which ends with that status.
fn said(command: &str, status: i32, inventory: &str, config: &str) -> String {
    let sandbox = Sandbox::new(&[("s.yml", PLAY), ("i.yml", inventory)]);
    std::fs::create_dir(sandbox.home(".ssh")).expect("a folder");
    std::fs::write(sandbox.home(".ssh/config"), config).expect("a file");
    let ran = sandbox.run(&[command, "s.yml", "-i", "i.yml"]);
    let said = (ran.stdout + &ran.stderr).replace(&sandbox.home("").display().to_string(), "~/");
    assert_eq!(ran.status, status, "{said}");
    said
}

#[test]
fn validate_says_what_a_run_would_say_of_the_ways() {
    let hosts = "all:\n  hosts:\n    n1:\n    n2:\n";
    for (inventory, config, words) in [
        (
            hosts,
            "Host n*\n  Port 2222\n  RemoteCommand tmux attach\n",
            "~/.ssh/config:3:3: `RemoteCommand` is not supported",
        ),
        (hosts, "Host n2\n  Prot 2222\n", "~/.ssh/config:2:3"),
        (hosts, "Host n*\n  ProxyJump n1 n2\n", "~/.ssh/config:2:3"),
        (
            "all:\n  hosts:\n    n1:\n      ansible_ssh_common_args: -o StrictHostKeyCheking=no\n",
            "",
            "i.yml:4:",
        ),
        (
            "all:\n  hosts:\n    n1:\n      ansible_port: '{{ 70000 }}'\n",
            "",
            "i.yml:4:",
        ),
    ] {
        let validated = said("validate", 1, inventory, config);
        let planned = said("plan", 1, inventory, config);
        let place = words.split(": ").next().unwrap_or_default();
        for said in [&validated, &planned] {
            assert_eq!(said.matches(place).count(), 1, "{words}: {said}");
        }
    }
    let right = "Host n*\n  Port 2222\n  IdentityFile ~/.ssh/%h\n";
    let said = said("validate", 0, hosts, right);
    assert!(said.contains("nothing to complain about"), "{said}");
}

#[test]
fn a_line_that_is_not_followed_is_shown_once_before_anything_connects() {
    let said = refused(
        "all:\n  hosts:\n    n1:\n    n2:\n",
        "Host n*\n  Port 2222\n  RemoteCommand tmux attach\n",
    );
    let times = said.matches("`RemoteCommand` is not supported").count();
    assert_eq!(times, 1, "{said}");
    for words in [
        "~/.ssh/config:3:3",
        "RemoteCommand tmux attach",
        "set `RemoteCommand none`",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("unreachable"), "{said}");
}

#[test]
fn arguments_that_are_not_taken_are_shown_where_they_stand() {
    let said = refused(
        "all:\n  hosts:\n    n1:\n      ansible_ssh_common_args: -o StrictHostKeyCheking=no\n",
        "",
    );
    for words in ["i.yml:4:", "did you mean `StrictHostKeyChecking`"] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn names_users_ports_and_programs_come_from_the_configuration() {
    let said = refused(
        "all:\n  hosts:\n    n1:\n    n2:\n      ansible_user: ann\n      ansible_port: 7\n    n3:\n      ansible_ssh_common_args: -F none -o ConnectTimeout=1 -o 'ProxyCommand=echo none >&2 %h'\n",
        "Host n*\n  HostName %h.internal\n  Port 2222\n  User deploy\n  ProxyCommand echo %h %p %r %n >&2\n",
    );
    for words in [
        "the connection to `deploy@n1.internal:2222` was lost",
        "the `ProxyCommand` says: n1.internal 2222 deploy n1",
        "the `ProxyCommand` says: n2.internal 7 ann n2",
        "the connection to `tester@n3:22` was lost",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}
