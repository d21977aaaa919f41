//! `hadeploy exec` and `hadeploy facts` on nodes: as whom they act, what they hold meanwhile, and what is left of a command that is stopped.

use std::process::{Command, Stdio};

use crate::Case;
use crate::run::Site;
use crate::world::World;

/// All cases.
pub fn cases() -> Vec<Case> {
    vec![Case::new("visits::facts_and_commands", facts_and_commands)]
}

const LONG: &str = "- hosts: n2
  gather_facts: false
  tasks:
    - name: long
      shell: mkdir -p /srv/visits; echo $$ >/srv/visits/apply; sleep 600
";

fn facts_and_commands(world: &World) {
    let (first, second) = (world.node("n1"), world.node("n2"));
    first.sh("rm -rf /run/hadeploy/lease /srv/visits; mkdir /srv/visits");
    second.sh("rm -rf /run/hadeploy/lease /srv/visits; mkdir /srv/visits");
    let site = Site::with(&first.lab, LONG);

    let facts = site.expect_bare(&["facts", "n1,n2", "--filter", "hostname,user_id"], 0);
    let told = facts.named("facts");
    assert_eq!(told.len(), 2, "{facts}");
    let mut names: Vec<&str> = told
        .iter()
        .map(|event| event["facts"]["hostname"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["n1", "n2"], "{facts}");
    assert_eq!(told[0]["facts"].as_object().unwrap().len(), 2, "{facts}");

    // As root, with the lease, which goes back; the node keeps a line of it.
    let words = |words: &[&str], command: &str| -> (i32, String) {
        let mut run = exec(&site, words);
        let ran = run.args(["--", command]).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        (
            ran.status.code().unwrap(),
            said + &String::from_utf8_lossy(&ran.stderr),
        )
    };
    let (code, said) = words(
        &["exec", "n1,n2", "-b"],
        "id -u; test -d /run/hadeploy/lease && echo held",
    );
    assert_eq!(code, 0, "{said}");
    assert!(
        said.starts_with("n1, n2 (2 hosts)\n  0\n  held\n"),
        "{said}"
    );
    first.wait_for("test ! -e /run/hadeploy/lease");
    first.wait_for("grep 'id -u' /var/log/hadeploy.log | grep -q '\"tasks\":.*exec: id -u'");

    let (code, said) = words(&["exec", "n1,n2"], "[ $(hostname) = n1 ]");
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("n2: exit status 1\n"), "{said}");
    assert!(said.contains("1 of 2 hosts failed: n2"), "{said}");

    // Beside an apply: refused, and nothing is started anywhere; without a lease it is not minded.
    let running = site.start(&["apply"]);
    second.wait_for("test -s /srv/visits/apply");
    let (code, said) = words(&["exec", "n1,n2", "-b"], "touch /srv/visits/by-exec");
    assert_eq!(code, 4, "{said}");
    assert!(said.contains("another run holds the lease of n2"), "{said}");
    first.sh("test ! -e /srv/visits/by-exec");
    let (code, said) = words(&["exec", "n2", "-b", "--no-lease"], "cat /srv/visits/apply");
    assert_eq!(
        (code, said.trim().parse::<u32>().is_ok()),
        (0, true),
        "{said}"
    );
    second.sh("kill $(cat /srv/visits/apply)");
    running.wait();

    // A command is ended with its run, also when that is killed.
    for signal in ["-INT", "-KILL"] {
        let mut run = exec(&site, &["exec", "n1", "-b"]);
        run.args(["--", "echo $$ >/srv/visits/pid; sleep 600"]);
        let mut child = run
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        first.wait_for("test -s /srv/visits/pid");
        let id = child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &id])
                .status()
                .unwrap()
                .success()
        );
        let code = child.wait().unwrap().code();
        assert_eq!(code, (signal == "-INT").then_some(130));
        first.wait_for("! kill -0 $(cat /srv/visits/pid) 2>/dev/null");
        first.wait_for("test ! -e /run/hadeploy/lease");
        first.sh("rm /srv/visits/pid");
    }
}

/// The binary for people, on the inventory of a site; the command comes behind.
fn exec(site: &Site, words: &[&str]) -> Command {
    let mut run = site.command(words);
    run.env("NO_COLOR", "1").stdin(Stdio::null());
    run
}
