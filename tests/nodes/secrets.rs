//! Secrets from vaults: searched for in all that a run says, writes and starts, while it runs and behind it.

use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::run::Site;
use crate::world::{Node, World};
use crate::{Case, on};

pub fn cases() -> Vec<Case> {
    [12, 13]
        .into_iter()
        .map(|release| {
            let run = move |world: &World| vaults(world, release);
            on(
                release,
                Case::new(format!("secrets::of_vaults_on_{release}"), run),
            )
        })
        .collect()
}

/// What is encrypted, each under its own variable.
const SECRETS: &[(&str, &str)] = &[
    ("file_word", "Xw7-filed-s3cret"),
    ("own_word", "Yq4 inl1ned's \"word\""),
    ("asked_word", "Zr9-asked-s3cret"),
];
/// What each of them holds in any of its spellings.
const TRACES: &[&str] = &[
    "Xw7-filed",
    "Yq4 inl1ned",
    "Yq4%20inl1ned",
    "Zr9-asked",
    "Vw2-vault-passw0rd",
];

const PLAY: &str = r#"- hosts: n1
  gather_facts: false
  vars: { ansible_become: true }
  tasks:
    - name: folder
      file: { path: /srv/vault, state: directory, mode: '0700' }
    - name: a template of both
      copy: { content: "a={{ file_word }}\nb={{ own_word }}\n", dest: /srv/vault/conf, mode: '0600' }
    - name: a file that is a vault
      copy: { src: key.pem, dest: /srv/vault/key.pem, mode: '0600' }
    - name: it is said
      debug: { msg: "x {{ file_word }} y {{ own_word | to_json }} z {{ asked_word | b64encode }}" }
    - name: an output and an error
      shell: echo "$W"; echo {{ file_word }} >&2
      environment: { W: "{{ own_word }}" }
      register: said
      changed_when: false
    - name: it is said again
      debug: { var: said }
    - name: a line of a shell, for long
      shell: ": {{ file_word }} {{ asked_word }}; : >/srv/vault/runs; sleep 6; rm /srv/vault/runs"
      no_log: true
    - name: a program, for long
      command: { cmd: sleep 1, stdin: "{{ asked_word }}" }
    - name: it fails
      shell: echo "{{ file_word }}" >&2; exit 9
      ignore_errors: true
"#;

fn hadeploy(site: &Site, words: &[&str], input: &str) -> String {
    use std::io::Write;
    let mut child = Command::new(env!("CARGO_BIN_EXE_hadeploy"))
        .args(words)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", site.path(".home"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{words:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A project with a vaulted file of variables, an inline value, a vaulted source and a vaulted file for `-e`.
fn project(node: &Node) -> Site {
    let site = Site::with(&node.lab, PLAY);
    site.write("password", "Vw2-vault-passw0rd\n");
    let password = site.path("password");
    let password = password.to_str().unwrap();
    let seal = |text: &str| {
        hadeploy(
            &site,
            &["vault", "encrypt", "--vault-password-file", password],
            text,
        )
    };
    let [file, own, asked] = SECRETS else {
        unreachable!("there are three")
    };
    let filed = format!("{}: {}\n", file.0, file.1);
    std::fs::create_dir_all(site.path("group_vars/all")).unwrap();
    site.write("group_vars/all/vault.yml", seal(&filed));
    let id = format!("n1@{password}");
    let words = [
        "vault",
        "encrypt-string",
        "--stdin-name",
        own.0,
        "--vault-id",
        &id,
    ];
    site.write("group_vars/all/vars.yml", hadeploy(&site, &words, own.1));
    site.write(
        "key.pem",
        seal("-----BEGIN-----\nXw7-filed-s3cret-key\n-----END-----\n"),
    );
    site.write("asked.yml", seal(&format!("{}: {}\n", asked.0, asked.1)));
    site
}

/// Files below a folder that hold a trace.
fn holding(folder: &Path) -> String {
    let mut command = Command::new("grep");
    command
        .arg("-rlaF")
        .args(TRACES.iter().flat_map(|trace| ["-e", trace]));
    String::from_utf8(command.arg(folder).output().unwrap().stdout).unwrap()
}

/// The same on a node, and in what its system says; nothing is found when it prints nothing.
fn search(node: &Node, places: &str) -> String {
    let traces: String = TRACES.iter().map(|trace| format!("{trace}\n")).collect();
    // The search must not find itself among the arguments of programs.
    let traces = STANDARD.encode(traces);
    node.sh(&format!(
        "echo {traces} | base64 -d >/root/traces\n\
         journalctl --no-pager -o export >/root/journal; systemctl show '*' >/root/show; ps axeww >/root/ps\n\
         for p in /proc/[0-9]*; do cat $p/cmdline $p/environ 2>/dev/null; done >/root/proc\n\
         cd /root; grep -laF -f traces journal show ps proc\n\
         grep -rlaF --exclude=traces -f /root/traces {places} 2>/dev/null\n\
         rm -f /root/traces /root/journal /root/show /root/ps /root/proc; true"
    ))
}

fn vaults(world: &World, release: u8) {
    let node = world.first(release);
    node.sh("rm -rf /srv/vault");
    let site = project(&node);
    let (password, asked) = (
        site.path("password"),
        format!("@{}", site.path("asked.yml").display()),
    );
    let password = password.to_str().unwrap();
    let with = |command: &'static str, more: &[&'static str]| {
        let mut words = vec![command.to_owned()];
        words.extend(more.iter().map(|word| (*word).to_owned()));
        words.extend(["--vault-password-file", password, "-e", &asked].map(str::to_owned));
        words
    };
    let start =
        |words: &[String]| site.start(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let silent = |run: &crate::run::Run| {
        let text = format!("{}{}", run.text(), run.stderr);
        for trace in TRACES {
            assert!(!text.contains(trace), "`{trace}` in {text}");
        }
        // What was said before a secret was known to be one, and in other letters.
        assert!(!text.contains("WnI5LWFza2Vk"), "base64 in {text}");
    };

    let run = start(&with("plan", &["--diff", "-vvv"])).wait();
    assert_eq!(run.code, 0, "{run}");
    silent(&run);

    let running = start(&with("apply", &["--diff", "-vvv"]));
    node.wait_for("test -e /srv/vault/runs");
    assert_eq!(
        search(
            &node,
            "/run /tmp /var/tmp /dev/shm /var/log /var/lib/hadeploy /etc"
        ),
        "",
        "while it runs"
    );
    let here = Command::new("sh")
        .args([
            "-c",
            "ps axeww; cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null",
        ])
        .output()
        .unwrap();
    let here = String::from_utf8_lossy(&here.stdout).into_owned();
    let run = running.wait();
    assert_eq!(run.code, 0, "{run}");
    silent(&run);
    for trace in TRACES {
        assert!(
            !here.contains(trace),
            "`{trace}` in the processes of the controller"
        );
    }
    assert!(run.text().contains("(masked)"), "{run}");

    let [file, own, _] = SECRETS else {
        unreachable!("there are three")
    };
    assert_eq!(
        node.sh("cat /srv/vault/conf"),
        format!("a={}\nb={}", file.1, own.1)
    );
    assert_eq!(
        node.sh("sed -n 2p /srv/vault/key.pem"),
        "Xw7-filed-s3cret-key"
    );
    let all = "/run /tmp /var/tmp /dev/shm /var/log /var/lib/hadeploy /etc /root /home";
    assert_eq!(search(&node, all), "", "behind it");
    assert_eq!(
        holding(&site.path(".home")),
        "",
        "in the home of who ran it"
    );

    // Another password: the diff shows neither the new one nor the one that it replaces.
    node.sh("sed -i s/Xw7-filed-s3cret/Old-filed-s3cret/ /srv/vault/conf");
    let run = start(&with("apply", &["--diff"])).wait();
    assert_eq!(run.code, 0, "{run}");
    silent(&run);
    assert!(!run.text().contains("Old-filed"), "{run}");

    // Without the password nothing is touched.
    let run = site.start(&["apply"]).wait();
    assert_eq!(run.code, 1, "{run}");
    assert!(
        run.text().contains("no password of a vault is given"),
        "{run}"
    );
}
