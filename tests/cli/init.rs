//! `hadeploy init`: a project that is right as it is.

use std::os::unix::fs::PermissionsExt;

use crate::{Ran, Sandbox};

/// Runs the binary in a folder of the sandbox.
fn within(sandbox: &Sandbox, folder: &str, words: &[&str]) -> Ran {
    let mut command = sandbox.command(words);
    command.current_dir(sandbox.home("../work").join(folder));
    Ran::of(command)
}

fn said(ran: &Ran) -> (i32, &str, &str) {
    (ran.status, ran.stdout.as_str(), ran.stderr.as_str())
}

#[test]
fn a_small_project_is_right_at_once() {
    let sandbox = Sandbox::new(&[]);
    let ran = sandbox.run(&["init", "shop", "--minimal"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    assert!(
        ran.stdout
            .starts_with("8 files in `shop`. Next:\n  cd shop\n  hadeploy validate site.yml\n"),
        "{}",
        ran.stdout
    );
    let right = within(&sandbox, "shop", &["validate", "site.yml"]);
    assert_eq!(
        said(&right),
        (0, "1 play, 4 tasks: nothing to complain about\n", "")
    );
}

#[test]
fn the_whole_platform_is_right_at_once() {
    let sandbox = Sandbox::new(&[]);
    let ran = sandbox.run(&["init", "shop"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    for playbook in ["playbooks/site.yml", "playbooks/deploy.yml"] {
        let right = within(&sandbox, "shop", &["validate", playbook]);
        assert_eq!((right.status, right.stderr.as_str()), (0, ""), "{playbook}");
        assert!(
            right.stdout.ends_with("nothing to complain about\n"),
            "{}",
            right.stdout
        );
    }
    let inventory =
        std::fs::read_to_string(sandbox.home("../work/shop/inventory.yml")).expect("it");
    assert!(
        !inventory.contains("change-me") && !inventory.contains("Write your own, and keep"),
        "{inventory}"
    );
    assert!(
        inventory.contains("private_address: 10.0.0.11"),
        "{inventory}"
    );
}

#[test]
fn secrets_are_encrypted_and_no_two_projects_share_them() {
    let sandbox = Sandbox::new(&[]);
    let mut seen = Vec::new();
    for name in ["one", "two"] {
        assert_eq!(sandbox.run(&["init", name]).status, 0);
        let folder = sandbox.home("../work").join(name);
        let sealed =
            std::fs::read_to_string(folder.join("group_vars/all/secrets.yml")).expect("it");
        assert!(
            sealed.starts_with("$ANSIBLE_VAULT;1.1;AES256\n"),
            "{sealed}"
        );
        let password = folder.join(".vault-password");
        let mode = std::fs::metadata(&password)
            .expect("it")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let ignored = std::fs::read_to_string(folder.join(".gitignore")).expect("it");
        assert!(ignored.contains("/.vault-password\n"), "{ignored}");
        let open = within(
            &sandbox,
            name,
            &["vault", "view", "group_vars/all/secrets.yml"],
        );
        assert_eq!((open.status, open.stderr.as_str()), (0, ""));
        let lines: Vec<String> = open.stdout.lines().map(str::to_owned).collect();
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with("redis_password: ")),
            "{lines:?}"
        );
        seen.push((std::fs::read_to_string(&password).expect("it"), lines));
    }
    assert_ne!(seen[0].0, seen[1].0);
    let shared = seen[0]
        .1
        .iter()
        .filter(|line| line.contains(": ") && seen[1].1.contains(line));
    assert_eq!(shared.count(), 0);
}

#[test]
fn nothing_is_overwritten() {
    let sandbox = Sandbox::new(&[
        ("a/site.yml", "mine"),
        ("a/README.md", "mine"),
        ("b/other", ""),
    ]);
    let ran = sandbox.run(&["init", "a", "--minimal"]);
    let error = "error: `a/site.yml` is there already, and 1 more; nothing was written\nhelp: name another folder, such as `hadeploy init shop`\n";
    assert_eq!(said(&ran), (1, "", error));
    assert!(!sandbox.home("../work/a/inventory.yml").exists());
    assert_eq!(sandbox.run(&["init", "b", "--minimal"]).status, 0);
}
