//! A node under two names of the inventory, and the folder that commands begin in: both as Ansible's users know them.

use crate::run::{Run, Site};
use crate::world::{Node, World};
use crate::{Case, on};

/// All cases.
pub fn cases() -> Vec<Case> {
    let case = |name: &str, release: u8, run: fn(&Node)| {
        let of = move |world: &World| run(&world.first(release));
        on(
            release,
            Case::new(format!("twins::{name}_on_{release}"), of),
        )
    };
    vec![
        case("two_names", 12, two_names),
        case("two_names", 13, two_names),
        case("commands_begin_at_home", 12, commands_begin_at_home),
        case("commands_begin_at_home", 13, commands_begin_at_home),
    ]
}

/// An account that logs in with the lab's key and may do everything, and the lines by which it is reached.
fn account(node: &Node, name: &str) -> String {
    node.sh(&format!(
        "id {name} >/dev/null 2>&1 || useradd -m -s /bin/sh {name}
         mkdir -p ~{name}/.ssh; cp /root/.ssh/authorized_keys ~{name}/.ssh/; chown -R {name} ~{name}
         printf '{name} ALL=(ALL:ALL) NOPASSWD: ALL\\n' >/etc/sudoers.d/{name}; chmod 0440 /etc/sudoers.d/{name}"
    ));
    way(node, name)
}

/// How a node is reached as an account.
fn way(node: &Node, user: &str) -> String {
    let inventory = std::fs::read_to_string(node.lab.inventory().unwrap()).unwrap();
    let line = |name: &str| {
        let found = inventory.lines().map(str::trim);
        let mut found = found.filter_map(|line| line.strip_prefix(name));
        found.next().unwrap().trim().to_owned()
    };
    format!(
        "{{ansible_host: {}, ansible_user: {user}, ansible_ssh_private_key_file: {}, ansible_ssh_common_args: {}}}",
        node.address(),
        line("ansible_ssh_private_key_file:"),
        line("ansible_ssh_common_args:"),
    )
}

const PLAY: &str = r#"- hosts: all
  gather_facts: false
  become: true
  tasks:
    - name: own
      copy: {content: "{{ inventory_hostname }}\n", dest: "/srv/twins/{{ inventory_hostname }}"}
      notify: note
    - name: shared
      lineinfile: {path: /srv/twins/shared, line: "{{ inventory_hostname }}", create: true}
    - name: package
      apt: {name: hello}
    - name: act
      shell: echo {{ inventory_hostname }} >>/srv/twins/acts
      args: {creates: "/srv/twins/done-{{ inventory_hostname }}"}
    - name: done
      file: {path: "/srv/twins/done-{{ inventory_hostname }}", state: touch, access_time: preserve, modification_time: preserve}
  handlers:
    - name: note
      shell: echo {{ inventory_hostname }} >>/srv/twins/handled
"#;

fn changed(run: &Run, host: &str) -> u64 {
    run.count(host, "changed")
}

fn two_names(node: &Node) {
    let other = account(node, "twin");
    let both = format!(
        "all:\n  hosts:\n    alpha: {}\n    beta: {other}\n",
        way(node, "root")
    );
    node.sh("rm -rf /srv/twins; mkdir /srv/twins; apt-get -y purge hello >/dev/null 2>&1");
    let mut site = Site::with(&node.lab, PLAY);
    site.inventory(&both);
    let plan = site.plan();
    plan.says(&["`alpha` and `beta` are one machine", "they take turns"]);
    let run = site.apply();
    run.says(&["`alpha` and `beta` are one machine"]);
    let sorted = |name: &str| node.sh(&format!("sort /srv/twins/{name}"));
    for name in ["shared", "acts", "handled"] {
        assert_eq!(sorted(name), "alpha\nbeta", "{name}: {run}");
    }
    assert_eq!(
        node.sh("cat /srv/twins/alpha /srv/twins/beta"),
        "alpha\nbeta",
        "{run}"
    );
    // The package is the machine's: who comes second finds it.
    assert_eq!(changed(&run, "alpha") + changed(&run, "beta"), 11, "{run}");
    node.wait_for("test ! -e /run/hadeploy/lease");
    node.wait_for("! find /run/hadeploy/steps /var/lib/hadeploy/owed -mindepth 1 | grep .");
    let kept = node.sh("tail -n1 /var/log/hadeploy.log");
    assert!(kept.contains("\"changed\":11"), "{kept}");
    let again = site.apply();
    assert_eq!(
        (changed(&again, "alpha"), changed(&again, "beta")),
        (0, 0),
        "{again}"
    );
    // Facts and commands.
    let facts = site.expect_bare(&["facts", "all", "--filter", "hostname"], 0);
    assert_eq!(facts.named("facts").len(), 2, "{facts}");
    let mut exec = site.command(&["exec", "all", "-b"]);
    exec.args(["--", "test -d /run/hadeploy/lease && id -u"]);
    let ran = exec.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert_eq!(ran.status.code(), Some(0), "{said}");
    assert!(said.starts_with("alpha, beta (2 hosts)\n  0\n"), "{said}");
    node.wait_for("test ! -e /run/hadeploy/lease");
}

const FOLDERS: &str = r#"- hosts: n1
  gather_facts: false
  tasks:
    - {name: shell, shell: pwd, changed_when: false, register: plain}
    - {name: command, command: pwd, changed_when: false, register: program}
    - {name: raw, raw: pwd, changed_when: false, register: line}
    - {name: script, script: where.sh, changed_when: false, register: file}
    - {name: root, shell: pwd, become: true, changed_when: false, register: root}
    - {name: other, shell: pwd, become: true, become_user: nobody, changed_when: false, register: other}
    - {name: relative, shell: pwd, args: {chdir: below/here}, changed_when: false, register: below}
    - {name: made, command: touch below/made, args: {creates: below/made}, become: true}
    - {name: gone, command: rm below/gone, args: {removes: below/gone}}
    - {name: inside, command: touch made, args: {chdir: below/here, creates: made}}
    - name: told
      become: true
      copy:
        dest: /srv/folders
        content: "{{ [plain, program, line, file, root, other, below] | map(attribute='stdout') | map('trim') | join(' ') }}\n"
"#;

fn commands_begin_at_home(node: &Node) {
    let way = account(node, "homer");
    node.sh(
        "chmod 700 ~homer; su homer -c 'rm -rf ~/below; mkdir -p ~/below/here; touch ~/below/gone'",
    );
    let mut site = Site::with(&node.lab, FOLDERS);
    site.write("files/where.sh", "#!/bin/sh\npwd\n");
    site.inventory(&format!("all:\n  hosts:\n    n1: {way}\n"));
    let run = site.apply();
    // The home is open to nobody else; whoever may not read it begins in `/`.
    let home = "/home/homer";
    assert_eq!(
        node.sh("cat /srv/folders"),
        format!("{home} {home} {home} {home} {home} / {home}/below/here"),
        "{run}"
    );
    assert_eq!(
        node.sh("cd ~homer/below; stat -c '%n %U' made here/made; test ! -e gone"),
        "made root\nhere/made homer",
        "{run}"
    );
    for task in ["made", "inside"] {
        assert_eq!(run.status(task), "changed", "{run}");
    }
    let again = site.apply();
    assert!(again.with("changed").is_empty(), "{again}");
    node.sh("chmod 755 ~homer");
    assert_eq!(site.apply().code, 0);
    assert!(
        node.sh("cat /srv/folders")
            .ends_with(&format!("{home} {home} {home}/below/here"))
    );
}
