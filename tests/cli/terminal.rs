//! What happens only on a terminal, which `script` makes.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{LOCAL, Ran, Sandbox};

/// Runs the binary on a terminal of its own, with something typed into it.
fn on_a_terminal(sandbox: &Sandbox, words: &str, typed: &str, env: &[(&str, &str)]) -> Ran {
    let mut child = script(sandbox, words, env).spawn().expect("script runs");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(typed.as_bytes()).expect("typed");
    let output = child.wait_with_output().expect("its end");
    drop(stdin);
    Ran {
        status: output.status.code().expect("no signal"),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The binary on a terminal of its own.
fn script(sandbox: &Sandbox, words: &str, env: &[(&str, &str)]) -> Command {
    let plain = sandbox.command(&[]);
    let mut command = Command::new("script");
    command
        .args(["-q", "-e", "-c"])
        .arg(format!("{} {words}", env!("CARGO_BIN_EXE_hadeploy")))
        .arg("/dev/null")
        .current_dir(plain.get_current_dir().expect("a folder"))
        .env_clear()
        .envs(
            plain
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .env("TERM", "xterm-256color")
        .envs(env.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs the binary on a terminal, and types each answer when what it answers is there.
fn converse(sandbox: &Sandbox, words: &str, answers: &[(&str, &str)]) -> Ran {
    let mut child = script(sandbox, words, &[]).spawn().expect("script runs");
    let mut stdin = child.stdin.take().expect("piped");
    let mut stdout = child.stdout.take().expect("piped");
    let mut told = Vec::new();
    let mut answers = answers.iter();
    let mut next = answers.next();
    let mut from = 0;
    let mut piece = [0; 4096];
    loop {
        let length = stdout.read(&mut piece).expect("read");
        if length == 0 {
            break;
        }
        told.extend_from_slice(&piece[..length]);
        if let Some((question, answer)) = next
            && String::from_utf8_lossy(&told[from..]).contains(question)
        {
            from = told.len();
            stdin.write_all(answer.as_bytes()).expect("typed");
            next = answers.next();
        }
    }
    let status = child.wait().expect("its end");
    Ran {
        status: status.code().expect("no signal"),
        stdout: String::from_utf8_lossy(&told).into_owned(),
        stderr: String::new(),
    }
}

/// The plan is shown without a question, then the apply asks for each; the last is not shown.
const PAUSES: &str = "- name: here
  hosts: localhost
  gather_facts: false
  tasks:
    - name: first
      pause: {prompt: Which release}
      register: first
    - name: second
      pause: {prompt: \"The pin?\", echo: false}
      register: second
    - name: told
      assert: {that: [\"first.user_input == 'v 2'\", \"second.user_input == '4711-secret'\"]}
";

#[test]
fn pause_asks_in_the_middle_of_an_apply() {
    let sandbox = Sandbox::new(&[("s.yml", PAUSES)]);
    let ran = converse(
        &sandbox,
        "apply s.yml --yes --lock-timeout 2m",
        &[("Which release: ", "v 2\n"), ("The pin? ", "4711-secret\n")],
    );
    assert_eq!(ran.status, 0, "{}", ran.stdout);
    assert!(
        ran.stdout.contains("first\r\nWhich release: "),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("v 2"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("4711"), "{}", ran.stdout);
}

#[test]
fn ctrl_c_ends_a_question_of_pause() {
    let sandbox = Sandbox::new(&[("s.yml", PAUSES)]);
    let words = "apply s.yml --yes --lock-timeout 2m";
    let ran = converse(&sandbox, words, &[("Which release: ", "v\x03")]);
    assert_eq!(ran.status, 130, "{}", ran.stdout);
    let begin = Instant::now();
    let ran = converse(
        &sandbox,
        words,
        &[("Which release: ", "\n"), ("The pin? ", "\x03")],
    );
    assert_eq!(ran.status, 130, "{}", ran.stdout);
    // Its lease was given back, and not taken over after half a minute.
    assert!(begin.elapsed() < Duration::from_secs(25), "{}", ran.stdout);
}

#[test]
fn pause_goes_on_where_nobody_can_be_asked() {
    let sandbox = Sandbox::new(&[("s.yml", PAUSES)]);
    let ran = sandbox.run(&["apply", "s.yml", "--lock-timeout", "2m"]);
    assert_eq!(ran.status, 3, "{}{}", ran.stdout, ran.stderr);
    let all = ran.stdout + &ran.stderr;
    for name in ["first", "second"] {
        let words =
            format!("`{name}` asks, and nobody can be asked: it goes on with an empty answer");
        assert!(all.contains(&words), "{all}");
    }
}

#[test]
fn apply_asks_and_a_no_is_exit_status_1() {
    let sandbox = Sandbox::new(&[("s.yml", LOCAL)]);
    for answer in ["n\n", "\n", "nay\n"] {
        let ran = on_a_terminal(&sandbox, "apply s.yml", answer, &[]);
        assert_eq!(ran.status, 1, "{}", ran.stdout);
        assert!(
            ran.stdout.contains("apply `s.yml` to 1 host? [y/N]"),
            "{}",
            ran.stdout
        );
        assert!(ran.stdout.contains("nothing was touched"), "{}", ran.stdout);
    }
    assert!(!sandbox.home(".local").exists(), "a run began");
}

#[test]
fn what_would_change_is_shown_before_it_asks() {
    let playbook = "- name: here
  hosts: localhost
  gather_facts: false
  tasks:
    - name: conf
      copy: {content: secret-text, dest: \"{{ playbook_dir }}/conf\"}
      notify: restart on a terminal
    - name: migrate
      command: \"touch {{ playbook_dir }}/never\"
      register: migrated
  handlers:
    - name: restart on a terminal
      service: {name: hadeploy-no-such-unit, state: restarted}
      when: migrated.stdout == 'x'
";
    let sandbox = Sandbox::new(&[("s.yml", playbook)]);
    let ran = on_a_terminal(&sandbox, "apply s.yml", "n\n", &[("NO_COLOR", "1")]);
    assert_eq!(ran.status, 1, "{}", ran.stdout);
    let (before, after) = ran.stdout.split_once("[y/N]").expect("a question");
    for said in [
        "would change  conf  (new, restarts hadeploy-no-such-unit.service)",
        "restarts      hadeploy-no-such-unit.service on localhost",
        "not foretold  `migrate` on localhost",
        "pending on 1 of 1 host",
    ] {
        assert!(before.contains(said), "{said}: {}", ran.stdout);
    }
    assert!(after.contains("nothing was touched"), "{}", ran.stdout);
    assert!(
        !ran.stdout.contains("secret-text"),
        "no differences of texts unless --diff"
    );
    assert!(!sandbox.home("../work/conf").exists() && !sandbox.home("../work/never").exists());
}

#[test]
fn a_plan_asks_nothing_and_so_does_who_says_so() {
    // Nothing listens on a port that was given back, so a run that was not held up by a question ends at once.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let inventory =
        format!("all:\n  hosts:\n    gone: {{ansible_host: 127.0.0.1, ansible_port: {port}}}\n");
    let playbook = "- hosts: all\n  tasks:\n    - ping:\n";
    let sandbox = Sandbox::new(&[("h.yml", &inventory), ("s.yml", playbook)]);
    for (words, env, asked) in [
        ("apply s.yml -i h.yml", &[][..], true),
        ("apply s.yml -i h.yml", &[("CI", "false")], true),
        ("apply s.yml -i h.yml", &[("CI", "true")], false),
        ("apply s.yml -i h.yml --yes", &[], false),
        ("apply s.yml -i h.yml --output json", &[], false),
        ("plan s.yml -i h.yml", &[], false),
    ] {
        let ran = on_a_terminal(&sandbox, words, "y\n", env);
        assert_eq!(ran.status, 1, "{words}: {}", ran.stdout);
        assert_eq!(
            ran.stdout.contains("[y/N]"),
            asked,
            "{words}: {}",
            ran.stdout
        );
        assert!(ran.stdout.contains("refused"), "{words}: {}", ran.stdout);
    }
}

#[test]
fn colours_unless_they_are_not_wanted() {
    let sandbox = Sandbox::new(&[("s.yml", "hosts: web\n")]);
    for (env, coloured) in [
        (&[][..], true),
        (&[("NO_COLOR", "1")], false),
        (&[("TERM", "dumb")], false),
    ] {
        let ran = on_a_terminal(&sandbox, "validate s.yml", "", env);
        assert_eq!(ran.status, 1);
        assert_eq!(
            ran.stdout.contains("\u{1b}["),
            coloured,
            "{env:?}: {:?}",
            ran.stdout
        );
    }
}

const ASKS: &str = "- name: here
  hosts: localhost
  gather_facts: false
  vars_prompt:
    - {name: word, prompt: the word, confirm: true}
    - {name: place, private: false, default: Ulm}
  tasks:
    - debug: {msg: \"<{{ word }}> <{{ place }}>\"}
- name: again
  hosts: localhost
  gather_facts: false
  vars_prompt: [{name: word, prompt: \"the word: \"}]
  tasks:
    - assert: {that: [\"word | length == 13\"]}
";

#[test]
fn vars_prompt_asks_once_and_hides_what_is_private() {
    let sandbox = Sandbox::new(&[("s.yml", ASKS)]);
    let typed = "one\ntwo\n{{ gehe1m }}x\n{{ gehe1m }}x\n\n";
    let ran = on_a_terminal(&sandbox, "plan s.yml", typed, &[]);
    assert_eq!(ran.status, 0, "{}", ran.stdout);
    assert!(ran.stdout.contains("the word: "), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("not the same both times"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("place [Ulm]: "), "{}", ran.stdout);
    assert!(ran.stdout.contains("<(masked)> <Ulm>"), "{}", ran.stdout);
}

/// `--yes` is the answer to hadeploy's own question alone.
#[test]
fn who_says_yes_is_asked_what_the_playbook_asks() {
    let sandbox = Sandbox::new(&[("s.yml", ASKS)]);
    let words = "apply s.yml --yes --lock-timeout 2m";
    let secret = "{{ gehe1m }}x\n";
    let answers = [
        ("the word: ", secret),
        ("again, the word: ", secret),
        ("place [Ulm]: ", "Bonn\n"),
    ];
    let ran = converse(&sandbox, words, &answers);
    assert_eq!(ran.status, 0, "{}", ran.stdout);
    assert!(ran.stdout.contains("<(masked)> <Bonn>"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("[y/N]"), "{}", ran.stdout);
    // Who gives the answers beforehand is not asked.
    let ran = converse(
        &sandbox,
        &format!("{words} -e word=thirteen-long -e place=Jena"),
        &[],
    );
    assert_eq!(ran.status, 0, "{}", ran.stdout);
    assert!(
        ran.stdout.contains("<thirteen-long> <Jena>"),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains("the word"), "{}", ran.stdout);
    // In a pipeline nobody is there, terminal or not.
    let ran = on_a_terminal(
        &sandbox,
        &format!("{words} -e word=thirteen-long"),
        "",
        &[("CI", "true")],
    );
    assert_eq!(ran.status, 0, "{}", ran.stdout);
    assert!(
        ran.stdout.contains("<thirteen-long> <Ulm>"),
        "{}",
        ran.stdout
    );
}

#[test]
fn without_a_terminal_vars_prompt_takes_defaults_and_what_is_given() {
    let sandbox = Sandbox::new(&[("s.yml", ASKS)]);
    let ran = sandbox.run(&["plan", "s.yml"]);
    assert_eq!(ran.status, 1);
    assert!(ran.stderr.contains("s.yml:5:14"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("nobody can be asked for `word`") && ran.stderr.contains("-e word="),
        "{}",
        ran.stderr
    );
    let ran = sandbox.run(&["plan", "s.yml", "-e", "word=thirteen-long"]);
    assert_eq!(ran.status, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.contains("<thirteen-long> <Ulm>"),
        "{}",
        ran.stdout
    );
    // Looking asks nobody.
    for words in [
        &["validate", "s.yml"][..],
        &["plan", "s.yml", "--list-tasks"],
    ] {
        assert_eq!(sandbox.run(words).status, 0, "{words:?}");
    }
}

#[test]
fn a_password_of_vaults_is_asked_for_when_one_is_met() {
    let sandbox = Sandbox::new(&[
        ("s.yml", LOCAL),
        ("pw", "gehe1m"),
        ("v.yml", "a: tr0ub4dor\n"),
    ]);
    let ran = on_a_terminal(&sandbox, "plan s.yml -J", "", &[]);
    assert!(
        ran.status == 0 && !ran.stdout.contains("vault password"),
        "{}",
        ran.stdout
    );
    assert_eq!(
        sandbox
            .run(&["vault", "encrypt", "v.yml", "--vault-password-file", "pw"])
            .status,
        0
    );
    let ran = on_a_terminal(&sandbox, "plan s.yml -J -e @v.yml", "gehe1m\n", &[]);
    assert!(
        ran.status == 0 && ran.stdout.contains("vault password: "),
        "{}",
        ran.stdout
    );
    let ran = on_a_terminal(&sandbox, "vault view v.yml", "wrong\n", &[]);
    assert!(
        ran.status == 1 && ran.stdout.contains("no password fits"),
        "{}",
        ran.stdout
    );
    let ran = on_a_terminal(
        &sandbox,
        "vault rekey v.yml --vault-password-file pw",
        "new\nnwe\n",
        &[],
    );
    assert!(
        ran.status == 1
            && ran.stdout.contains("new vault password")
            && ran.stdout.contains("not the same"),
        "{}",
        ran.stdout
    );
    let ran = on_a_terminal(
        &sandbox,
        "vault rekey v.yml --vault-password-file pw",
        "new\nnew\n",
        &[],
    );
    assert_eq!(ran.status, 0, "{}", ran.stdout);
    let ran = on_a_terminal(&sandbox, "vault view v.yml", "new\n", &[]);
    assert!(
        ran.status == 0 && ran.stdout.contains("a: tr0ub4dor"),
        "{}",
        ran.stdout
    );
}
