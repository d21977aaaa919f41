//! What ansible-vault and age write is read, and what is written here is read by them. Skipped where they cannot be installed.
#![expect(clippy::print_stdout, reason = "a skipped test says so")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SECRETS: &str = "db_password: tr0ub4dor&3 ü\nother: 'x'\n";

/// The folder of Ansible's programs, installed once into the folder of builds.
fn ansible() -> Option<PathBuf> {
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ansible-core");
    let programs = venv.join("bin");
    let runs = |command: &mut Command| command.output().is_ok_and(|ran| ran.status.success());
    let works = || runs(Command::new(programs.join("ansible-vault")).arg("--version"));
    if works() {
        return Some(programs);
    }
    let made = runs(Command::new("python3").args(["-m", "venv"]).arg(&venv));
    let pip = programs.join("pip");
    let installed = made && runs(Command::new(pip).args(["install", "-q", "ansible-core"]));
    (installed && works()).then_some(programs)
}

struct Side {
    folder: tempfile::TempDir,
    programs: PathBuf,
}

impl Side {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, program: &Path, words: &[&str], input: &str) -> String {
        let mut command = Command::new(program);
        command
            .args(words)
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("it runs");
        let mut stdin = child.stdin.take().expect("piped");
        stdin.write_all(input.as_bytes()).expect("written");
        drop(stdin);
        let output = child.wait_with_output().expect("its end");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program:?} {words:?}: {said}");
        String::from_utf8(output.stdout).expect("text")
    }

    fn theirs(&self, words: &str, input: &str) -> String {
        let words: Vec<&str> = words.split(' ').collect();
        self.run(&self.programs.join("ansible-vault"), &words, input)
    }

    fn ours(&self, words: &str, input: &str) -> String {
        let words: Vec<&str> = words.split(' ').collect();
        self.run(Path::new(env!("CARGO_BIN_EXE_hadeploy")), &words, input)
    }
}

#[test]
fn vaults_are_read_both_ways() {
    let Some(programs) = ansible() else {
        println!("skipped: ansible-core cannot be installed with pip");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let side = Side { folder, programs };
    std::fs::write(side.path("pw"), "correct horse ü\n").expect("written");
    let write = |name: &str, text: &str| std::fs::write(side.path(name), text).expect(name);

    // Whole files, without a label and with one.
    for id in ["pw", "prod@pw"] {
        write("theirs.yml", SECRETS);
        side.theirs(&format!("encrypt theirs.yml --vault-id {id}"), "");
        assert_eq!(
            side.ours("vault view theirs.yml --vault-id pw", ""),
            SECRETS
        );
        write("ours.yml", SECRETS);
        side.ours(&format!("vault encrypt ours.yml --vault-id {id}"), "");
        assert_eq!(
            side.theirs(&format!("view ours.yml --vault-id {id}"), ""),
            SECRETS
        );
    }
    // Rekeyed and edited files.
    write("new", "battery staple");
    side.ours(
        "vault rekey theirs.yml --vault-id prod@pw --new-vault-id dev@new",
        "",
    );
    assert_eq!(
        side.theirs("view theirs.yml --vault-id dev@new", ""),
        SECRETS
    );

    // Values in YAML: each reads the other's.
    let own = side.ours(
        "vault encrypt-string --stdin-name a --vault-id prod@pw",
        "one ü",
    );
    let other = side.theirs("encrypt_string --stdin-name b --vault-id pw", "two");
    write("values.yml", &format!("---\n{own}{other}"));
    let play = "- hosts: localhost\n  connection: local\n  gather_facts: false\n  vars_files: [values.yml]\n  tasks:\n    - assert: {that: [\"a == 'one ü'\", \"b == 'two'\"]}\n";
    write("play.yml", play);
    let words = ["play.yml", "--vault-id", "prod@pw"];
    side.run(&side.programs.join("ansible-playbook"), &words, "");
    side.ours("plan play.yml --vault-id prod@pw", "");
    // A value that is not the expected one would have failed the play.
    write("play.yml", &play.replace("'two'", "'three'"));
    let ran = Command::new(env!("CARGO_BIN_EXE_hadeploy"))
        .args(["plan", "play.yml", "--vault-id", "prod@pw"])
        .current_dir(side.folder.path())
        .env("HOME", side.folder.path())
        .output()
        .expect("it runs");
    assert_eq!(ran.status.code(), Some(1));
}

/// The programs of Debian's package `age`, unpacked once into the folder of builds.
#[cfg(feature = "age")]
fn age() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("age");
    let programs = folder.join("usr/bin");
    let runs = |command: &mut Command| command.output().is_ok_and(|ran| ran.status.success());
    if !programs.join("age").exists() {
        std::fs::create_dir_all(&folder).ok()?;
        let fetch = || {
            let mut command = Command::new("apt-get");
            runs(command.args(["download", "age"]).current_dir(&folder))
        };
        // Without lists there is no package to be found.
        let update = || runs(Command::new("apt-get").arg("update"));
        if !(fetch() || update() && fetch()) {
            return None;
        }
        let unpack = "dpkg-deb -x age_*.deb .";
        runs(Command::new("sh").args(["-c", unpack]).current_dir(&folder));
    }
    let works = runs(Command::new(programs.join("age")).arg("--version"));
    works.then_some(programs)
}

#[cfg(feature = "age")]
#[test]
fn files_of_age_are_read_both_ways() {
    let Some(programs) = age() else {
        println!("skipped: the package `age` cannot be fetched");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let (age, keygen) = (programs.join("age"), programs.join("age-keygen"));
    let side = Side { folder, programs };
    let write = |name: &str, text: &str| std::fs::write(side.path(name), text).expect(name);
    side.run(&keygen, &["-o", "own.txt"], "");
    let own = side.run(&keygen, &["-y", "own.txt"], "");
    let ssh = ["-q", "-t", "ed25519", "-N", "", "-f", "ssh"];
    let with_ssh = Command::new("ssh-keygen")
        .args(ssh)
        .current_dir(side.folder.path())
        .status()
        .is_ok_and(|status| status.success());
    let mut keys = vec![("own.txt", own)];
    if with_ssh {
        let public = std::fs::read_to_string(side.path("ssh.pub")).expect("a public key");
        keys.push(("ssh", public));
    } else {
        println!("skipped: OpenSSH's keys, as there is no ssh-keygen");
    }
    for (private, public) in &keys {
        write("team.txt", public);
        write("plain.yml", SECRETS);
        // As bytes, and as text.
        for armour in [&[][..], &["-a"]] {
            let mut words = vec!["-R", "team.txt", "-o", "theirs.yml"];
            words.extend(armour);
            words.push("plain.yml");
            side.run(&age, &words, "");
            let seen = side.ours(
                &format!("vault view theirs.yml --age-identity {private}"),
                "",
            );
            assert_eq!(seen, SECRETS, "{private}");
        }
        side.ours("vault encrypt plain.yml -R team.txt", "");
        let seen = side.run(&age, &["-d", "-i", private, "plain.yml"], "");
        assert_eq!(seen, SECRETS, "{private}");
    }
}
