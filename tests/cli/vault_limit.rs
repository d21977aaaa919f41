//! Runs of somebody who has the password of one environment only.

use crate::executable::make_executable;
use crate::{Ran, Sandbox};

const INVENTORY: &str = "all:
  vars: {ansible_connection: local}
  children:
    staging: {hosts: {s1: {place: here}}}
    prod: {hosts: {p1: {place: there}}}
";

/// Staging and production, each with a vault of its own: whole files, and a value beside one that is not encrypted.
fn sandbox(tasks: &str) -> Sandbox {
    let play = format!("- hosts: all\n  gather_facts: false\n  tasks:\n{tasks}");
    let sandbox = Sandbox::new(&[
        ("h.yml", INVENTORY),
        ("s.yml", &play),
        ("staging.pw", "correct horse\n"),
        ("prod.pw", "battery staple\n"),
        ("group_vars/staging/vault.yml", "secret: of-staging\n"),
        ("group_vars/prod/vars.yml", "domain: prod.example\n"),
        ("group_vars/prod/vault.yml", "secret: of-production\n"),
    ]);
    for (file, id) in [("staging", "staging@staging.pw"), ("prod", "prod@prod.pw")] {
        let file = format!("group_vars/{file}/vault.yml");
        let ran = sandbox.run(&["vault", "encrypt", &file, "--vault-id", id]);
        assert_eq!(ran.status, 0, "{}", ran.stderr);
    }
    let words = [
        "vault",
        "encrypt-string",
        "t0ken",
        "--name",
        "token",
        "--vault-id",
        "prod@prod.pw",
    ];
    let ran = sandbox.run(&words);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let vars = format!("plain: seen\n{}", ran.stdout);
    let file = sandbox
        .home("")
        .parent()
        .expect("a root")
        .join("work/host_vars/p1.yml");
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
    std::fs::write(file, vars).expect("written");
    sandbox
}

const SECRET: &str = "    - debug: {msg: \"{{ secret | length }}\"}\n";

fn plan(sandbox: &Sandbox, more: &[&str]) -> Ran {
    let words = ["plan", "s.yml", "-i", "h.yml"];
    let words: Vec<&str> = words.iter().chain(more).copied().collect();
    sandbox.run(&words)
}

const LIMITED: &[&str] = &["--limit", "staging", "--vault-id", "staging@staging.pw"];

#[test]
fn vaults_of_hosts_outside_the_limit_stay_closed() {
    let sandbox = sandbox(SECRET);
    let ran = plan(&sandbox, LIMITED);
    assert_eq!(ran.status, 0, "{}{}", ran.stdout, ran.stderr);
    for command in [
        &["validate", "s.yml"][..],
        &["hosts", "staging", "--vars"],
        &["explain", "s1", "secret"],
    ] {
        let mut words = command.to_vec();
        words.extend(["-i", "h.yml", "--vault-id", "staging@staging.pw"]);
        if command[0] == "validate" {
            words.extend(["--limit", "staging"]);
        }
        let ran = sandbox.run(&words);
        assert_eq!(ran.status, 0, "{words:?}: {}", ran.stderr);
    }
    // The password of production is not even asked for.
    let script = sandbox.home("ask");
    let asked = sandbox.home("asked");
    let text = format!(
        "#!/bin/sh\ntouch '{}'\necho battery staple\n",
        asked.display()
    );
    std::fs::write(&script, text).expect("written");
    make_executable(&script);
    let id = format!("prod@{}", script.display());
    let ran = plan(&sandbox, &[LIMITED, &["--vault-id", &id]].concat());
    assert_eq!((ran.status, asked.exists()), (0, false), "{}", ran.stderr);
    let ran = plan(&sandbox, &[&LIMITED[2..], &["--vault-id", &id]].concat());
    assert_eq!((ran.status, asked.exists()), (0, true), "{}", ran.stderr);
}

#[test]
fn what_is_needed_and_stays_closed_is_said_with_its_file() {
    let sandbox = sandbox(SECRET);
    for more in [
        &LIMITED[2..],
        &["--limit", "prod", "--vault-id", "staging@staging.pw"],
    ] {
        let ran = plan(&sandbox, more);
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
        for words in [
            "cannot open `group_vars/prod/vault.yml`: no password fits the vault `prod`",
            "host_vars/p1.yml:3:",
        ] {
            assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
        }
        // What is closed is not told of as missing.
        assert!(!ran.stderr.contains("not defined"), "{}", ran.stderr);
    }
    // A host that acts for others is needed.
    let sandbox = self::sandbox("    - command: hostname\n      delegate_to: p1\n");
    let ran = plan(&sandbox, LIMITED);
    let told = format!("{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.status, 1, "{told}");
    assert!(
        told.contains("cannot open `group_vars/prod/vault.yml`"),
        "{told}"
    );
}

#[test]
fn variables_of_hosts_outside_the_limit_are_opened_when_they_are_read() {
    let tell = |expression: &str| {
        let sandbox = sandbox(&format!(
            "    - debug: {{msg: \"<{{{{ {expression} }}}}>\"}}\n"
        ));
        let own = plan(&sandbox, LIMITED);
        let both = plan(
            &sandbox,
            &[LIMITED, &["--vault-id", "prod@prod.pw"]].concat(),
        );
        let text = |ran: Ran| format!("{} {}{}", ran.status, ran.stdout, ran.stderr);
        (text(own), text(both))
    };
    for (expression, words) in [
        ("hostvars['p1'].place", "<there>"),
        ("hostvars['p1'].plain", "<seen>"),
        ("hostvars['p1']['place'] ~ hostvars.s1.place", "<therehere>"),
        (
            "groups['prod'] | map('extract', hostvars, 'place') | first",
            "<there>",
        ),
    ] {
        let (own, both) = tell(expression);
        assert!(
            own.starts_with('0') && own.contains(words),
            "{expression}: {own}"
        );
        assert!(
            both.starts_with('0') && both.contains(words),
            "{expression}: {both}"
        );
    }
    for (expression, file) in [
        (
            "hostvars['p1'].secret | length",
            "group_vars/prod/vault.yml",
        ),
        ("hostvars['p1'].token | length", "host_vars/p1.yml:3"),
        // The vault may have it, and is the stronger one.
        (
            "hostvars['p1'].domain | length",
            "group_vars/prod/vault.yml",
        ),
    ] {
        let (own, both) = tell(expression);
        assert!(
            own.starts_with('1') && own.contains(file),
            "{expression}: {own}"
        );
        assert!(
            both.starts_with('0') && both.contains('<'),
            "{expression}: {both}"
        );
        for text in [own, both] {
            assert!(
                !text.contains("t0ken") && !text.contains("of-production"),
                "{text}"
            );
        }
    }
}

/// Plays for staging and for production, each with a vars file of its own that is a vault.
fn with_files(more: &str) -> Sandbox {
    let play = |group: &str, tasks: &str| {
        format!("- hosts: {group}\n  gather_facts: false\n  vars_files: [{group}.yml]\n{tasks}")
    };
    let tasks = "  tasks:\n    - {debug: {msg: \"<{{ secret | length }}>\"}, tags: [tell]}\n";
    let plays = format!(
        "{}{}{more}",
        play("staging", tasks),
        play("prod", &tasks.replace("tell", "other"))
    );
    let sandbox = Sandbox::new(&[
        ("h.yml", INVENTORY),
        ("s.yml", &plays),
        ("staging.pw", "correct horse\n"),
        ("prod.pw", "battery staple\n"),
        ("staging.yml", "secret: of-staging\n"),
        ("prod.yml", "secret: of-production\n"),
    ]);
    for group in ["staging", "prod"] {
        let (file, id) = (format!("{group}.yml"), format!("{group}@{group}.pw"));
        let ran = sandbox.run(&["vault", "encrypt", &file, "--vault-id", &id]);
        assert_eq!(ran.status, 0, "{}", ran.stderr);
    }
    sandbox
}

#[test]
fn vars_files_of_plays_that_are_skipped_stay_closed() {
    let own = &LIMITED[2..];
    let sandbox = with_files("");
    for more in [&LIMITED[..2], &["--tags", "tell"]] {
        let ran = plan(&sandbox, &[more, own].concat());
        assert_eq!(ran.status, 0, "{more:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("<10>"), "{more:?}: {}", ran.stdout);
    }
    // A play that is not skipped needs its file.
    for more in [&[][..], &["--tags", "other"], &["--limit", "prod"]] {
        let ran = plan(&sandbox, &[more, own].concat());
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
        let words = "cannot open `prod.yml`: no password fits the vault `prod`";
        assert!(ran.stderr.contains(words), "{more:?}: {}", ran.stderr);
        assert!(!ran.stderr.contains("not defined"), "{}", ran.stderr);
    }
    // So does one whose hosts stand in it, one whose user does, and one that may owe a handler.
    let owes = "  handlers: [{name: h, debug: {msg: \"{{ secret }}\"}}]\n";
    for (play, more) in [
        (
            "- hosts: \"{{ secret }}\"\n  vars_files: [prod.yml]\n".to_owned(),
            &LIMITED[..2],
        ),
        (
            "- hosts: prod\n  vars_files: [prod.yml]\n  remote_user: \"{{ secret }}\"\n".to_owned(),
            &["--tags", "tell"],
        ),
        (
            format!("- hosts: prod\n  vars_files: [prod.yml]\n{owes}"),
            &["--tags", "tell"],
        ),
    ] {
        let ran = plan(&with_files(&play), &[more, own].concat());
        assert_eq!(
            (ran.status, ran.stdout.as_str()),
            (1, ""),
            "{play}: {}",
            ran.stderr
        );
        assert!(
            ran.stderr.contains("cannot open `prod.yml`"),
            "{play}: {}",
            ran.stderr
        );
    }
    // Both passwords open both.
    let ran = plan(&sandbox, &[own, &["--vault-id", "prod@prod.pw"]].concat());
    assert_eq!(ran.status, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("<13>"), "{}", ran.stdout);
}
