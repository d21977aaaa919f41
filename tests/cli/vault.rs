//! `hadeploy vault`, and runs that read vaults.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use crate::executable::make_executable;
use crate::{Ran, Sandbox};

const SECRETS: &str = "db_password: tr0ub4dor\nport: 5433\n";
const PLAY: &str = "- name: here
  hosts: localhost
  gather_facts: false
  vars_files: [secrets.yml]
  tasks:
    - name: tell
      debug: {msg: \"word {{ db_password }} and {{ own | default('none') }}\"}
";

fn sandbox(files: &[(&str, &str)]) -> Sandbox {
    let all = [("pw", "correct horse\n"), ("other", "battery staple\n")];
    let all: Vec<_> = all.iter().chain(files).copied().collect();
    Sandbox::new(&all)
}

impl Sandbox {
    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.work(name)).expect(name)
    }

    fn work(&self, name: &str) -> std::path::PathBuf {
        self.home("")
            .parent()
            .expect("a root")
            .join("work")
            .join(name)
    }

    fn vault(&self, words: &str) -> Ran {
        let words: Vec<&str> = ["vault"].into_iter().chain(words.split(' ')).collect();
        self.run(&words)
    }

    fn good(&self, words: &str) -> Ran {
        let ran = self.vault(words);
        assert_eq!(ran.status, 0, "{words}: {}", ran.stderr);
        ran
    }

    fn piped(&self, words: &str, input: &str) -> Ran {
        let words: Vec<&str> = ["vault"].into_iter().chain(words.split(' ')).collect();
        let mut command = self.command(&words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().expect("it runs");
        let mut stdin = child.stdin.take().expect("piped");
        stdin.write_all(input.as_bytes()).expect("written");
        drop(stdin);
        let output = child.wait_with_output().expect("its end");
        Ran {
            status: output.status.code().expect("no signal"),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// With an editor that is a line of shell; the file is `$1`.
    fn edit(&self, words: &str, script: &str) -> Ran {
        let editor = self.work("editor");
        std::fs::write(&editor, format!("#!/bin/sh\n{script}\n")).expect("written");
        make_executable(&editor);
        let words: Vec<&str> = ["vault"].into_iter().chain(words.split(' ')).collect();
        let mut command = self.command(&words);
        command
            .env("EDITOR", &editor)
            .env("XDG_RUNTIME_DIR", self.home(""));
        Ran::of(command)
    }
}

#[test]
fn a_file_is_encrypted_shown_and_decrypted() {
    let sandbox = sandbox(&[("s.yml", SECRETS)]);
    let ran = sandbox.good("encrypt s.yml --vault-password-file pw");
    assert_eq!(
        (ran.stdout.as_str(), ran.stderr.as_str()),
        ("", "encrypted `s.yml`\n")
    );
    let vault = sandbox.read("s.yml");
    assert!(vault.starts_with("$ANSIBLE_VAULT;1.1;AES256\n"), "{vault}");
    let mode = sandbox
        .work("s.yml")
        .metadata()
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(
        sandbox.good("view s.yml --vault-password-file pw").stdout,
        SECRETS
    );
    assert_eq!(sandbox.read("s.yml"), vault, "looking changes nothing");
    sandbox.good("decrypt s.yml --vault-id any@pw");
    assert_eq!(sandbox.read("s.yml"), SECRETS);
    let left = std::fs::read_dir(sandbox.work("")).unwrap().count();
    assert_eq!(left, 3, "nothing lies beside it");
}

#[test]
fn streams_and_another_output_leave_the_file_alone() {
    let sandbox = sandbox(&[("s.yml", SECRETS)]);
    let ran = sandbox.piped("encrypt --vault-password-file pw", SECRETS);
    let shown = sandbox.piped("view --vault-password-file pw -", &ran.stdout);
    assert_eq!(shown.stdout, SECRETS);
    assert_eq!(
        sandbox
            .piped("decrypt --vault-password-file pw", &ran.stdout)
            .stdout,
        SECRETS
    );
    sandbox.good("encrypt s.yml --output t.yml --vault-password-file pw");
    assert_eq!(sandbox.read("s.yml"), SECRETS);
    let ran = sandbox.good("decrypt t.yml --output - --vault-password-file pw");
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), (SECRETS, ""));
}

#[test]
fn a_label_names_its_password() {
    let sandbox = sandbox(&[("s.yml", SECRETS)]);
    let both = "--vault-id dev@pw --vault-id prod@other";
    let ran = sandbox.vault(&format!("encrypt s.yml {both}"));
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr
            .contains("several passwords to encrypt with: `dev` and `prod`"),
        "{}",
        ran.stderr
    );
    let ran = sandbox.vault(&format!("encrypt s.yml {both} --encrypt-vault-id prdo"));
    assert!(
        ran.stderr.contains("no password has the label `prdo`"),
        "{}",
        ran.stderr
    );
    sandbox.good(&format!("encrypt s.yml {both} --encrypt-vault-id prod"));
    assert!(
        sandbox
            .read("s.yml")
            .starts_with("$ANSIBLE_VAULT;1.2;AES256;prod\n")
    );
    assert_eq!(
        sandbox
            .good("view s.yml --vault-password-file other")
            .stdout,
        SECRETS
    );
    let ran = sandbox.vault("view s.yml --vault-id dev@pw");
    assert!(
        ran.stderr.contains("no password fits the vault `prod`")
            && ran.stderr.contains("(tried `dev`)"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_value_is_encrypted_ready_to_paste() {
    let sandbox = sandbox(&[]);
    let ran = sandbox.piped(
        "encrypt-string --stdin-name db_password --vault-password-file pw",
        "tr0ub4dor",
    );
    assert!(
        ran.stdout
            .starts_with("db_password: !vault |\n          $ANSIBLE_VAULT;1.1;AES256\n          "),
        "{}",
        ran.stdout
    );
    assert_eq!(ran.stderr, "");
    let inner: String = ran
        .stdout
        .lines()
        .skip(1)
        .map(|line| format!("{}\n", line.trim()))
        .collect();
    assert_eq!(
        sandbox
            .piped("view --vault-password-file pw", &inner)
            .stdout,
        "tr0ub4dor"
    );
    let ran = sandbox.good("encrypt_string one two -n a -n b --vault-password-file pw");
    assert!(
        ran.stdout.starts_with("a: !vault |\n") && ran.stdout.contains("\nb: !vault |\n"),
        "{}",
        ran.stdout
    );
    let ran = sandbox.vault("encrypt-string one -n a -n b --vault-password-file pw");
    assert!(
        ran.stderr.contains("`--name b` has no value"),
        "{}",
        ran.stderr
    );
    let ran = sandbox.piped("encrypt-string --vault-password-file pw", "line\n");
    assert!(
        ran.stdout.starts_with("!vault |\n") && ran.stderr.contains("ends with a newline"),
        "{}",
        ran.stderr
    );
}

#[test]
fn edit_writes_only_what_changed_and_leaves_nothing_behind() {
    let sandbox = sandbox(&[("s.yml", SECRETS)]);
    sandbox.good("encrypt s.yml --vault-id prod@pw");
    let vault = sandbox.read("s.yml");
    let ran = sandbox.edit(
        "edit s.yml --vault-id pw",
        "stat -c '%a %n' \"$1\" \"${1%/*}\" >seen; : >\"$1~\"",
    );
    assert_eq!(
        (ran.status, ran.stderr.as_str()),
        (0, "`s.yml` is unchanged\n")
    );
    assert_eq!(sandbox.read("s.yml"), vault);
    let seen = sandbox.read("seen");
    let home = sandbox.home("");
    let modes: Vec<&str> = seen
        .lines()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!(modes, ["600", "700"], "{seen}");
    assert!(seen.contains(home.to_str().unwrap()), "{seen}");
    let ran = sandbox.edit(
        "edit s.yml --vault-id pw",
        "sed -i s/tr0ub/TR0UB/ \"$1\"; exit 3",
    );
    assert!(
        ran.status == 1 && ran.stderr.contains("status 3: nothing was written"),
        "{}",
        ran.stderr
    );
    assert_eq!(sandbox.read("s.yml"), vault);
    let ran = sandbox.edit("edit s.yml --vault-id pw", "sed -i s/tr0ub/TR0UB/ \"$1\"");
    assert_eq!((ran.status, ran.stderr.as_str()), (0, "wrote `s.yml`\n"));
    assert!(
        sandbox
            .read("s.yml")
            .starts_with("$ANSIBLE_VAULT;1.2;AES256;prod\n")
    );
    let shown = sandbox.good("view s.yml --vault-id pw").stdout;
    assert_eq!(shown, SECRETS.replace("tr0ub", "TR0UB"));
    assert_eq!(
        std::fs::read_dir(&home).unwrap().count(),
        0,
        "the plain text is gone"
    );
}

#[test]
fn an_editor_that_is_left_open_leaves_nothing_behind() {
    let sandbox = sandbox(&[("s.yml", SECRETS)]);
    sandbox.good("encrypt s.yml --vault-id pw");
    let editor = sandbox.work("editor");
    std::fs::write(&editor, "#!/bin/sh\n: >open\nexec sleep 60\n").unwrap();
    make_executable(&editor);
    let mut command = sandbox.command(&["vault", "edit", "s.yml", "--vault-id", "pw"]);
    command
        .env("EDITOR", &editor)
        .env("XDG_RUNTIME_DIR", sandbox.home(""));
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let begin = std::time::Instant::now();
    while !sandbox.work("open").exists() {
        assert!(begin.elapsed().as_secs() < 60, "it opens no editor");
        assert!(child.try_wait().unwrap().is_none(), "it ended");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let kill = |signal: &str| {
        let pid = child.id().to_string();
        std::process::Command::new("kill")
            .args([signal, &pid])
            .status()
            .unwrap();
    };
    assert_eq!(std::fs::read_dir(sandbox.home("")).unwrap().count(), 1);
    kill("-INT");
    kill("-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(std::fs::read_dir(sandbox.home("")).unwrap().count(), 0);
}

#[test]
fn create_makes_a_new_vault_and_no_other() {
    let sandbox = sandbox(&[]);
    let ran = sandbox.edit("create s.yml --vault-id prod@pw", "echo 'a: 1' >\"$1\"");
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(sandbox.good("view s.yml --vault-id pw").stdout, "a: 1\n");
    let ran = sandbox.edit("create s.yml --vault-id pw", "echo 'a: 2' >\"$1\"");
    assert!(
        ran.stderr.contains("`s.yml` is there already"),
        "{}",
        ran.stderr
    );
    let ran = sandbox.edit("create t.yml --vault-id pw", "true");
    assert!(ran.stderr.contains("nothing was written"), "{}", ran.stderr);
    assert!(!sandbox.work("t.yml").exists());
}

#[test]
fn rekey_changes_the_password_and_the_label() {
    let sandbox = sandbox(&[("s.yml", SECRETS), ("t.yml", "x: 1\n")]);
    sandbox.good("encrypt s.yml t.yml --vault-password-file pw");
    std::fs::set_permissions(sandbox.work("s.yml"), PermissionsExt::from_mode(0o644)).unwrap();
    sandbox.good("rekey s.yml t.yml --vault-password-file pw --new-vault-id prod@other");
    for name in ["s.yml", "t.yml"] {
        assert!(
            sandbox
                .read(name)
                .starts_with("$ANSIBLE_VAULT;1.2;AES256;prod\n")
        );
    }
    let mode = sandbox
        .work("s.yml")
        .metadata()
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o644);
    assert_eq!(
        sandbox.vault("view s.yml --vault-password-file pw").status,
        1
    );
    assert_eq!(
        sandbox
            .good("view s.yml --vault-password-file other")
            .stdout,
        SECRETS
    );
    sandbox.good("rekey s.yml --vault-password-file other --new-vault-password-file pw");
    assert!(
        sandbox
            .read("s.yml")
            .starts_with("$ANSIBLE_VAULT;1.1;AES256\n")
    );
    // With a vault among them that stays closed, none is touched.
    let before = sandbox.read("s.yml");
    let ran =
        sandbox.vault("rekey s.yml t.yml --vault-password-file pw --new-vault-password-file other");
    assert!(
        ran.status == 1 && ran.stderr.contains("cannot open `t.yml`"),
        "{}",
        ran.stderr
    );
    assert_eq!(sandbox.read("s.yml"), before);
}

#[test]
fn diff_compares_contents_with_another_vault_or_with_git() {
    let sandbox = sandbox(&[
        ("s.yml", SECRETS),
        ("t.yml", "db_password: new\nport: 5433\n"),
    ]);
    sandbox.good("encrypt s.yml t.yml --vault-id pw");
    let ran = sandbox.good("diff s.yml t.yml --vault-id pw");
    assert_eq!(
        ran.stdout,
        "--- s.yml\n+++ t.yml\n@@ -1,2 +1,2 @@\n-db_password: tr0ub4dor\n+db_password: new\n port: 5433\n"
    );
    assert_eq!(
        sandbox
            .vault("diff s.yml t.yml --detailed-exitcode --vault-id pw")
            .status,
        2
    );
    let ran = sandbox.vault("diff s.yml --vault-id pw");
    assert!(
        ran.status == 1 && ran.stderr.contains("git has no `s.yml` in `HEAD`"),
        "{}",
        ran.stderr
    );
    let git = |words: &str| {
        let mut command = std::process::Command::new("git");
        command.args(["-c", "user.name=t", "-c", "user.email=t@example.org"]);
        command.args(words.split(' ')).current_dir(sandbox.work(""));
        assert!(
            command.output().expect("git runs").status.success(),
            "{words}"
        );
    };
    git("init -q");
    git("add s.yml");
    git("commit -qm first");
    assert_eq!(sandbox.good("diff s.yml --vault-id pw").stdout, "");
    std::fs::rename(sandbox.work("t.yml"), sandbox.work("s.yml")).unwrap();
    let ran = sandbox.good("diff s.yml --vault-id pw");
    assert!(
        ran.stdout.starts_with("--- HEAD:s.yml\n+++ s.yml\n")
            && ran.stdout.contains("-db_password: tr0ub4dor\n"),
        "{}",
        ran.stdout
    );
}

#[test]
fn what_is_no_vault_or_a_broken_one_is_said_with_its_line() {
    let sandbox = sandbox(&[("s.yml", SECRETS), ("plain.yml", "a: 1\n")]);
    sandbox.good("encrypt s.yml --vault-password-file pw");
    let vault = sandbox.read("s.yml");
    let write = |name: &str, text: &str| std::fs::write(sandbox.work(name), text).unwrap();
    write(
        "hex.yml",
        &vault.replacen("\n6", "\ng", 1).replacen("\n3", "\ng", 1),
    );
    write(
        "odd.yml",
        vault.trim_end().strip_suffix(|_: char| true).unwrap(),
    );
    let lines = |count: usize| vault.split_inclusive('\n').take(count).collect::<String>();
    write("short.yml", &lines(2));
    // Cut on a whole byte within its content: only the code of authentication can tell.
    write("cut.yml", &vault.trim_end()[..vault.trim_end().len() - 4]);
    write("head.yml", &lines(1));
    write("old.yml", &vault.replacen(";1.1;", ";1.0;", 1));
    for (words, said) in [
        ("view plain.yml", "`plain.yml` is not a vault"),
        ("decrypt plain.yml", "`plain.yml` is not a vault"),
        ("encrypt s.yml", "`s.yml` is encrypted already"),
        ("view none.yml", "there is no file `none.yml`"),
        (
            "view hex.yml",
            "hex.yml:2: the vault is broken: there is something other than hex digits",
        ),
        ("view odd.yml", "odd number of hex digits: it is cut off"),
        (
            "view short.yml",
            "short.yml:2: the vault is broken: the vault ends within its salt",
        ),
        (
            "view cut.yml",
            "another one is needed, or the vault was changed",
        ),
        (
            "view head.yml",
            "head.yml:1: the vault is broken: nothing follows the header",
        ),
        ("view old.yml", "version `1.0` is not supported"),
        (
            "view s.yml --vault-id dev@",
            "the label `dev` has no password",
        ),
        (
            "view s.yml --vault-id dev@none",
            "there is no password file",
        ),
        (
            "view s.yml --vault-id dev@prompt",
            "there is no password file",
        ),
    ] {
        let ran = sandbox.vault(&format!(
            "{words} --vault-password-file {}",
            match words.contains("prompt") {
                true => "none",
                false => "pw",
            }
        ));
        let wanted = usize::from(words.contains("none") && words.contains("--vault-id"));
        // A source that fails does not matter where another password fits.
        if wanted == 1 && words.contains("dev@none") {
            assert_eq!((ran.status, ran.stdout.as_str()), (0, SECRETS), "{words}");
            continue;
        }
        assert_eq!(
            (ran.status, ran.stdout.as_str()),
            (1, ""),
            "{words}: {}",
            ran.stderr
        );
        assert!(ran.stderr.contains(said), "{words}: {}", ran.stderr);
    }
    let ran = sandbox.vault("view s.yml");
    assert!(
        ran.stderr.contains("no password of a vault is given")
            && ran.stderr.contains("--vault-password-file FILE"),
        "{}",
        ran.stderr
    );
    let ran = sandbox.vault("encrypt plain.yml");
    assert!(
        ran.stderr.contains("no password is given to encrypt with"),
        "{}",
        ran.stderr
    );
    let ran = sandbox.good("view --or-plain plain.yml");
    assert_eq!(ran.stdout, "a: 1\n");
}

/// The sandbox with a vaulted file of variables and a value encrypted in the play.
fn project() -> Sandbox {
    let sandbox = sandbox(&[("secrets.yml", SECRETS), ("s.yml", PLAY)]);
    sandbox.good("encrypt secrets.yml --vault-id prod@pw");
    let ran = sandbox.piped("encrypt-string --stdin-name own --vault-id other", "my 0wn");
    let own: String = ran
        .stdout
        .lines()
        .map(|line| format!("    {line}\n"))
        .collect();
    let play = PLAY.replace("  tasks:", &format!("  vars:\n{own}  tasks:"));
    std::fs::write(sandbox.work("s.yml"), play).unwrap();
    sandbox
}

#[test]
fn a_run_reads_vaults_and_shows_none_of_it() {
    let sandbox = project();
    let words = [
        "plan",
        "s.yml",
        "-vvv",
        "--vault-id",
        "prod@pw",
        "--vault-password-file",
        "other",
    ];
    for json in [false, true] {
        let mut words = words.to_vec();
        if json {
            words.extend(["--output", "json"]);
        }
        let ran = sandbox.run(&words);
        assert_eq!(ran.status, 0, "{}{}", ran.stdout, ran.stderr);
        assert!(
            ran.stdout.contains("word (masked) and (masked)"),
            "{}",
            ran.stdout
        );
        for secret in ["tr0ub4dor", "my 0wn", "correct horse", "battery staple"] {
            assert!(
                !ran.stdout.contains(secret) && !ran.stderr.contains(secret),
                "{secret}"
            );
        }
    }
}

#[test]
fn the_password_may_come_from_the_environment_or_the_settings() {
    let sandbox = sandbox(&[("secrets.yml", SECRETS), ("s.yml", PLAY), ("sub/x", "")]);
    sandbox.good("encrypt secrets.yml --vault-password-file pw");
    let mut command = sandbox.command(&["validate", "s.yml"]);
    assert_eq!(Ran::of(command).status, 1);
    command = sandbox.command(&["validate", "s.yml"]);
    command.env("HADEPLOY_VAULT_PASSWORD", "correct horse");
    assert_eq!(Ran::of(command).status, 0);
    command = sandbox.command(&["validate", "s.yml"]);
    command.env("ANSIBLE_VAULT_PASSWORD_FILE", "pw");
    assert_eq!(Ran::of(command).status, 0);
    std::fs::write(sandbox.work("hadeploy.yml"), "vault_password_file: pw\n").unwrap();
    command = sandbox.command(&["validate", "../s.yml"]);
    command.current_dir(sandbox.work("sub"));
    let ran = Ran::of(command);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
}

#[test]
fn a_password_that_is_missing_is_said_where_it_is_needed() {
    let sandbox = project();
    let plan = |more: &[&str]| {
        let words: Vec<&str> = ["plan", "s.yml"].iter().chain(more).copied().collect();
        let ran = sandbox.run(&words);
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
        ran.stderr
    };
    let said = plan(&[]);
    assert!(said.contains("s.yml:7:"), "{said}");
    assert!(
        said.contains("the vault is encrypted, and no password of a vault is given"),
        "{said}"
    );
    assert!(said.contains("--vault-id LABEL@FILE"), "{said}");
    let said = plan(&["--vault-id", "pw"]);
    assert!(
        said.contains("s.yml:7:") && said.contains("no password fits the vault:"),
        "{said}"
    );
    let said = plan(&["--vault-id", "other"]);
    assert!(
        said.contains("cannot open `secrets.yml`: no password fits the vault `prod`"),
        "{said}"
    );
    // Whoever meets no vault needs none.
    let ran = sandbox.run(&["hosts", "localhost", "--vault-id", "none"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
}

#[test]
fn lines_of_an_encrypted_file_are_shown_in_no_error() {
    let sandbox = sandbox(&[
        ("secrets.yml", "a: hunter2 # tr0ub4dor\na: x1\n"),
        ("s.yml", PLAY),
    ]);
    sandbox.good("encrypt secrets.yml --vault-password-file pw");
    for more in [&[][..], &["--output", "json"]] {
        let words = ["plan", "s.yml", "--vault-password-file", "pw"];
        let words: Vec<&str> = words.iter().chain(more).copied().collect();
        let ran = sandbox.run(&words);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.status, 1);
        assert!(said.contains("the key `a` is given twice"), "{said}");
        assert!(
            !said.contains("hunter2") && !said.contains("tr0ub4dor"),
            "{said}"
        );
    }
    let human = sandbox
        .run(&["plan", "s.yml", "--vault-password-file", "pw"])
        .stderr;
    assert!(
        human.contains("in secrets.yml:2:1, which is encrypted"),
        "{human}"
    );
}

#[test]
fn sources_that_are_vaults_must_open_before_anything_begins() {
    let play = "- hosts: localhost
  gather_facts: false
  tasks:
    - copy: {src: key.pem, dest: /tmp/none/key.pem}
    - template: {src: conf.j2, dest: /tmp/none/conf}
    - copy: {src: raw.bin, dest: /tmp/none/raw, decrypt: false}
";
    let sandbox = sandbox(&[
        ("key.pem", "gehe1m\n"),
        ("conf.j2", "{{ nothing }}\n"),
        ("raw.bin", "x\n"),
        ("s.yml", play),
    ]);
    sandbox.good("encrypt key.pem conf.j2 raw.bin --vault-password-file pw");
    let ran = sandbox.run(&["validate", "s.yml"]);
    assert_eq!(ran.status, 1);
    for said in [
        "`key.pem` is encrypted",
        "s.yml:4:",
        "`conf.j2` is encrypted",
        "s.yml:5:",
    ] {
        assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
    }
    assert!(!ran.stderr.contains("raw.bin"), "{}", ran.stderr);
    // An opened template is checked like any other, and its lines stay hidden.
    let ran = sandbox.run(&["validate", "s.yml", "--vault-password-file", "pw"]);
    assert_eq!(ran.status, 1);
    assert!(ran.stderr.contains("`nothing` is"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("which is encrypted") && !ran.stderr.contains("{{ nothing"),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_variables_of_hosts_are_masked() {
    let sandbox = sandbox(&[
        ("h.yml", "all: {hosts: {n1: {plain: 'seen'}}}\n"),
        (
            "group_vars/all.yml",
            "deep: {list: [tr0ub4dor]}\npin: 918273\n",
        ),
    ]);
    sandbox.good("encrypt group_vars/all.yml --vault-password-file pw");
    for more in [&[][..], &["--output", "json"]] {
        let words = [
            "hosts",
            "-i",
            "h.yml",
            "--vars",
            "--vault-password-file",
            "pw",
        ];
        let words: Vec<&str> = words.iter().chain(more).copied().collect();
        let ran = sandbox.run(&words);
        assert_eq!(ran.status, 0, "{}", ran.stderr);
        assert!(
            ran.stdout.contains("seen") && ran.stdout.contains("(masked)"),
            "{}",
            ran.stdout
        );
        assert!(
            !ran.stdout.contains("tr0ub4dor") && !ran.stdout.contains("918273"),
            "{}",
            ran.stdout
        );
    }
}

#[cfg(feature = "age")]
const OWN: &str = "# the key of a test\nAGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33\n";
#[cfg(feature = "age")]
const TEAM: &str = "# who may open it\nage1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN alice@rust\n";

#[cfg(feature = "age")]
#[test]
fn a_team_shares_files_by_its_keys() {
    let sandbox = sandbox(&[
        ("secrets.yml", SECRETS),
        ("s.yml", PLAY),
        ("team.txt", TEAM),
        ("own.txt", OWN),
    ]);
    sandbox.good("encrypt -R team.txt secrets.yml");
    let sealed = sandbox.read("secrets.yml");
    assert!(sealed.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"));
    let refused = |words: &[&str], said: &str| {
        let ran = sandbox.run(words);
        assert_eq!(ran.status, 1, "{words:?}");
        assert!(ran.stderr.contains(said), "{words:?}: {}", ran.stderr);
        assert!(!ran.stderr.contains("tr0ub4dor"), "{}", ran.stderr);
    };
    refused(
        &["plan", "s.yml"],
        "cannot open `secrets.yml`: it was encrypted by age, and no private key is given",
    );
    refused(
        &["plan", "s.yml", "--age-identity", "none.txt"],
        "none.txt`",
    );
    refused(
        &["plan", "s.yml", "--age-identity", "team.txt"],
        "team.txt:2: this is no private key of age's",
    );
    let ran = sandbox.run(&["apply", "s.yml", "--yes", "-v", "--age-identity", "own.txt"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("word (masked)"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("tr0ub4dor"), "{}", ran.stdout);

    // A value in YAML, and the setting that names the keys.
    let value = sandbox.piped(
        "encrypt-string -R team.txt --stdin-name own",
        "geheim aus age",
    );
    assert_eq!(value.status, 0, "{}", value.stderr);
    std::fs::write(
        sandbox.work("hadeploy.yml"),
        "age_identity_file: own.txt\nage_recipients_file: team.txt\n",
    )
    .expect("written");
    std::fs::write(sandbox.work("values.yml"), &value.stdout).expect("written");
    std::fs::write(
        sandbox.work("v.yml"),
        PLAY.replace("[secrets.yml]", "[secrets.yml, values.yml]"),
    )
    .expect("written");
    let ran = sandbox.run(&["apply", "v.yml", "--yes", "-v"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("word (masked) and (masked)"),
        "{}",
        ran.stdout
    );

    // The other commands.
    assert_eq!(sandbox.good("view secrets.yml").stdout, SECRETS);
    sandbox.good("rekey secrets.yml");
    assert_ne!(sandbox.read("secrets.yml"), sealed);
    sandbox.good("rekey secrets.yml --new-vault-id pw");
    assert!(
        sandbox
            .read("secrets.yml")
            .starts_with("$ANSIBLE_VAULT;1.1")
    );
    sandbox.good("rekey secrets.yml --vault-id pw -R team.txt");
    let ran = sandbox.vault("encrypt secrets.yml");
    assert!(ran.stderr.contains("encrypted already"), "{}", ran.stderr);
    sandbox.good("decrypt secrets.yml");
    assert_eq!(sandbox.read("secrets.yml"), SECRETS);
    // Without a password, hadeploy.yml says for whom.
    sandbox.good("encrypt secrets.yml");
    assert!(sandbox.read("secrets.yml").starts_with("-----BEGIN AGE"));

    // For others only, broken, and with wrong keys.
    std::fs::write(
        sandbox.work("secrets.yml"),
        sealed.replace("\n\n", "\n").replacen("YWdl", "YWdm", 1),
    )
    .expect("written");
    refused(&["plan", "s.yml"], "what age encrypted is broken");
    std::fs::write(sandbox.work("secrets.yml"), SECRETS).expect("written");
    let other = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pb";
    refused(
        &["vault", "encrypt", "-r", other, "secrets.yml"],
        "--recipient: this is no public key",
    );
    std::fs::write(sandbox.work("bad.txt"), OWN).expect("written");
    refused(
        &["vault", "encrypt", "-R", "bad.txt", "secrets.yml"],
        "bad.txt:2: this is a private key",
    );
    assert_eq!(sandbox.read("secrets.yml"), SECRETS);
    let alice = TEAM.lines().last().expect("a line");
    let ran = sandbox.run(&["vault", "encrypt", "-r", alice, "secrets.yml"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    refused(
        &["plan", "s.yml"],
        "it was encrypted by age for other keys than ours",
    );
}
