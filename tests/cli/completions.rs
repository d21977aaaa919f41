//! Completion in real shells, those that this machine has; the binary is asked by each of them as it asks when somebody presses the tab key.
#![expect(clippy::print_stdout, reason = "a skipped test says so")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{Ran, Sandbox};

const INVENTORY: &str = "all:
  children:
    web:
      hosts: { onlyone: , other: }
";

const PLAYBOOK: &str = "- hosts: all
  tags: [wholeplay]
  tasks:
    - ping:
      tags: [onlytag, second]
";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new(&[
        ("i.yml", INVENTORY),
        ("onlybook.yml", PLAYBOOK),
        ("site.yml", PLAYBOOK),
        ("hadeploy.yml", "inventory: i.yml\nplaybook: site.yml\n"),
    ]);
    let logs = sandbox.home(".local/state/hadeploy/runs");
    std::fs::create_dir_all(&logs).expect("a folder");
    std::fs::write(logs.join("20260101t000000-aaaaaa.jsonl"), "").expect("a file");
    for (shell, file) in [("bash", "rc.bash"), ("zsh", "rc.zsh"), ("fish", "rc.fish")] {
        let ran = sandbox.run(&["completions", shell]);
        assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{shell}");
        std::fs::write(sandbox.home(file), ran.stdout).expect("a file");
    }
    sandbox
}

/// The shell, with the binary's folder first in its path; none where it is not installed, which is said.
fn shell(sandbox: &Sandbox, name: &str) -> Option<Command> {
    if !Path::new("/usr/bin").join(name).exists() && !Path::new("/bin").join(name).exists() {
        println!("skipped: no {name} on this machine");
        return None;
    }
    let binary = Path::new(env!("CARGO_BIN_EXE_hadeploy"));
    let folder = binary.parent().expect("a folder").display();
    let plain = sandbox.command(&[]);
    let mut command = Command::new(name);
    command
        .current_dir(plain.get_current_dir().expect("a folder"))
        .env_clear()
        .env("HOME", sandbox.home(""))
        .env("PATH", format!("{folder}:/usr/bin:/bin"))
        .env("TERM", "dumb")
        .stdin(Stdio::null());
    Some(command)
}

/// Words before the tab key, and what comes of them.
const WANTED: &[(&str, &str)] = &[
    ("hadeploy hosts only", "onlyone"),
    ("hadeploy hosts we", "web"),
    ("hadeploy plan site.yml --limit other,only", "other,onlyone"),
    ("hadeploy plan site.yml --tags onl", "onlytag"),
    ("hadeploy plan site.yml --skip-tags who", "wholeplay"),
    ("hadeploy apply onlyb", "onlybook.yml"),
    ("hadeploy rolling-up", "rolling-update"),
    ("hadeploy log la", "last"),
    ("hadeploy log 2026", "20260101t000000-aaaaaa"),
    ("hadeploy doc config_", "config_tree"),
    (
        "hadeploy apply site.yml --host-key-che",
        "--host-key-checking",
    ),
];

#[test]
fn bash_completes() {
    let sandbox = sandbox();
    for (line, wanted) in WANTED {
        let Some(mut bash) = shell(&sandbox, "bash") else {
            return;
        };
        // As readline does it: the words, the one under the cursor, and the function that `complete` was given.
        let script = format!(
            "source ~/rc.bash\nCOMP_WORDS=({line})\nCOMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\nCOMP_TYPE=9\n\
             f=$(complete -p hadeploy); f=${{f#*-F }}; f=${{f%% *}}\n\
             $f hadeploy \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
        );
        bash.args(["--norc", "--noprofile", "-c", &script]);
        let ran = Ran::of(bash);
        let got: Vec<&str> = ran.stdout.lines().map(str::trim).collect();
        assert_eq!(got, [*wanted], "{line}: {}", ran.stderr);
    }
}

#[test]
fn fish_completes() {
    let sandbox = sandbox();
    for (line, wanted) in WANTED {
        let Some(mut fish) = shell(&sandbox, "fish") else {
            return;
        };
        let script = format!("source ~/rc.fish; complete -C '{line}'");
        fish.args(["--no-config", "-c", &script]);
        let ran = Ran::of(fish);
        let got: Vec<&str> = ran
            .stdout
            .lines()
            .filter_map(|line| line.split('\t').next())
            .collect();
        assert_eq!(got, [*wanted], "{line}: {}", ran.stderr);
    }
}

#[test]
fn zsh_completes() {
    let sandbox = sandbox();
    for (line, wanted) in WANTED {
        let Some(mut zsh) = shell(&sandbox, "zsh") else {
            return;
        };
        // Its completion works only where somebody types: on a terminal of zsh's own, where the tab key is pressed and the line looked at.
        let script = format!(
            "zmodload zsh/zpty\nzpty z zsh -f -i\n\
             zpty -w z 'PS1=; unset zle_bracketed_paste; autoload -U compinit; compinit -u -D; source ~/rc.zsh; print READY'\n\
             while zpty -r z said; do [[ $said == READY* ]] && break; done\n\
             zpty -w -n z $'{line}\\t'\nzpty -w -n z $'\\C-a'\n\
             zpty -w z $'print -r -- GOT \\C-e DONE'\n\
             while zpty -r z said; do print -r -- $said; [[ $said == GOT*DONE* ]] && break; done\n"
        );
        zsh.args(["-f"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = zsh.spawn().expect("zsh runs");
        let mut stdin = child.stdin.take().expect("piped");
        stdin.write_all(script.as_bytes()).expect("typed");
        drop(stdin);
        let output = child.wait_with_output().expect("its end");
        let said = String::from_utf8_lossy(&output.stdout);
        let (before, _) = line.rsplit_once(' ').expect("two words");
        let got = said.lines().find(|line| line.starts_with("GOT "));
        let words = got
            .unwrap_or_default()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        assert_eq!(
            words,
            format!("GOT {before} {wanted} DONE"),
            "{line}: {said}"
        );
    }
}

#[test]
fn a_project_that_cannot_be_read_completes_nothing_and_says_nothing() {
    let sandbox = Sandbox::new(&[("hadeploy.yml", "inventory: [")]);
    let mut command = sandbox.command(&["--", "hadeploy", "hosts", "x"]);
    command
        .env("HADEPLOY_COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", "2");
    let ran = Ran::of(command);
    assert_eq!(
        (ran.status, ran.stdout.trim(), ran.stderr.as_str()),
        (0, "", "")
    );
}
