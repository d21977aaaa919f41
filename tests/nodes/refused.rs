//! What cannot be, on a real node: each kind says why, and leaves everything as it was.

use crate::run::Site;
use crate::world::{Node, World};
use crate::{Case, on};

pub fn cases() -> Vec<Case> {
    let case = |name: &str, release: u8, run: fn(&Node)| {
        let told = move |world: &World| run(&world.first(release));
        on(
            release,
            Case::new(format!("refused::{name}_on_{release}"), told),
        )
    };
    [12, 13]
        .into_iter()
        .flat_map(|release| {
            [
                case("mounts", release, mounts),
                case("repositories", release, repositories),
                case("passwords", release, passwords),
                case("packages", release, packages),
            ]
        })
        .collect()
}

fn play(task: &str) -> String {
    format!("- hosts: n1\n  gather_facts: false\n  tasks:\n    - name: it\n      {task}\n")
}

/// The task fails with these words.
fn fails(node: &Node, task: &str, words: &[&str]) {
    let site = Site::with(&node.lab, &play(task));
    let run = site.run(&["apply", "--yes"]);
    assert_eq!(run.status("it"), "failed", "{task}\n{run}");
    let text = run.text();
    for word in words {
        assert!(text.contains(word), "`{word}` is not said\n{run}");
    }
}

const FSTAB: &str = "tmpfs /srv/re/m tmpfs size=1m 0 0";

fn mounts(node: &Node) {
    node.sh(&format!(
        "umount /srv/re/m 2>/dev/null; rm -rf /srv/re; mkdir -p /srv/re/m; echo '{FSTAB}' >/etc/fstab; mount /srv/re/m; touch /srv/re/m/kept"
    ));
    let untouched = || {
        assert_eq!(node.sh("cat /etc/fstab"), FSTAB);
        assert_eq!(
            node.sh("findmnt -rno FSTYPE /srv/re/m; ls -A /srv/re"),
            "tmpfs\nm"
        );
    };
    let nowhere = "mount: {path: /srv/re/new, src: UUID=00000000-0000-0000-0000-000000000000, fstype: ext4, state: STATE}";
    for state in ["present", "mounted"] {
        fails(
            node,
            &nowhere.replace("STATE", state),
            &[
                "unreachable on boot required source",
                "nofail",
                "the old one stands",
            ],
        );
        untouched();
    }
    // The kernel refuses the mount itself: neither line nor mount point stay.
    fails(
        node,
        "mount: {path: /srv/re/new, src: tmpfs, fstype: tmpfs, opts: size=much, state: mounted}",
        &["/srv/re/new", "the old one stands"],
    );
    untouched();
    // Something else in the place of what is mounted.
    node.sh("mkdir /srv/re/m/d; systemd-run -q --unit=re-busy --working-directory=/srv/re/m/d sleep 600; sleep 0.3");
    fails(
        node,
        "mount: {path: /srv/re/m, src: none, fstype: ramfs, state: mounted}",
        &["busy"],
    );
    fails(node, "mount: {path: /srv/re/m, state: absent}", &["busy"]);
    untouched();
    fails(
        node,
        "mount: {path: /srv/re/m, src: other, fstype: ramfs, state: ephemeral}",
        &["`tmpfs` is mounted at `/srv/re/m`"],
    );
    node.sh("systemctl stop re-busy; umount /srv/re/m; rm -r /srv/re; : >/etc/fstab");
}

fn repositories(node: &Node) {
    node.sh(
        "command -v git >/dev/null || { apt-get update -q >/dev/null; DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends git openssh-client >/dev/null 2>&1; }; \
         rm -rf /srv/rg; mkdir -p /srv/rg/full && touch /srv/rg/full/x && cd /srv/rg && git init -q -b main up && cd up && git config user.name k && git config user.email k@k && echo 1 >f && git add f && git commit -qm 1 && git clone -q /srv/rg/up /srv/rg/altered && echo 2 >/srv/rg/altered/f && git clone -q /srv/rg/up /srv/rg/other && chown -R daemon /srv/rg/other",
    );
    let git = |more: &str| format!("git: {{repo: /srv/rg/up, {more}}}");
    fails(
        node,
        &git("dest: /srv/rg/altered"),
        &[
            "1 file in `/srv/rg/altered` was altered by hand",
            "force: true",
        ],
    );
    assert_eq!(node.sh("cat /srv/rg/altered/f"), "2");
    fails(
        node,
        &git("dest: /srv/rg/full"),
        &["`/srv/rg/full` is not empty, and no repository"],
    );
    fails(
        node,
        &git("dest: /srv/rg/new, version: none"),
        &["has no branch or tag `none`"],
    );
    fails(
        node,
        &git("dest: /srv/rg/other"),
        &["dubious ownership", "become_user"],
    );
    fails(
        node,
        "git: {repo: 'ssh://root@127.0.0.1/srv/rg/up', dest: /srv/rg/new}",
        &["Host key verification failed", "known_hosts"],
    );
    fails(
        node,
        "git: {repo: 'http://me:hunter2@127.0.0.1:9/x', dest: /srv/rg/new}",
        &["127.0.0.1"],
    );
    assert_eq!(
        node.sh("ls -d /srv/rg/new 2>/dev/null || echo none"),
        "none"
    );
    let site = Site::with(
        &node.lab,
        &play("git: {repo: 'http://me:hunter2@127.0.0.1:9/x', dest: /srv/rg/new}"),
    );
    for run in [site.run(&["plan"]), site.run(&["apply", "--yes"])] {
        assert!(!run.text().contains("hunter2"), "{run}");
    }
    by_ssh(node);
}

/// The node is its own server: with a key, and a server that was not known.
fn by_ssh(node: &Node) {
    node.sh(
        "rm -rf /srv/rg/key* /root/.ssh/known_hosts; ssh-keygen -q -t ed25519 -N '' -f '/srv/rg/key it'; mkdir -p -m 0700 /root/.ssh; touch /root/.ssh/authorized_keys; sed -i '/kind-git/d' /root/.ssh/authorized_keys; sed 's/ [^ ]*$/ kind-git/' '/srv/rg/key it.pub' >>/root/.ssh/authorized_keys",
    );
    let task = "git: {repo: 'ssh://root@127.0.0.1/srv/rg/up', dest: /srv/rg/ssh, key_file: /srv/rg/key it, accept_newhostkey: true}";
    let site = Site::with(&node.lab, &play(task));
    let plan = site.plan();
    assert_eq!(plan.with("changed"), ["it"], "{plan}");
    // A plan writes nothing, also no key of a host.
    assert_eq!(
        node.sh("ls /root/.ssh/known_hosts 2>/dev/null || echo none"),
        "none"
    );
    assert_eq!(site.apply().with("changed"), ["it"]);
    assert_eq!(
        node.sh("cat /srv/rg/ssh/f; grep -q . /root/.ssh/known_hosts && echo kept"),
        "1\nkept"
    );
    assert!(site.apply().with("changed").is_empty());
    node.sh("sed -i '/kind-git/d' /root/.ssh/authorized_keys; rm /root/.ssh/known_hosts");
}

/// A password is nowhere but where the web server reads its hash.
fn passwords(node: &Node) {
    node.sh("rm -rf /srv/rp; mkdir /srv/rp; printf 'other:$apr1$zz$j2/RZcZLBHtY4Hv3/anFc1\\n' >/srv/rp/pw");
    let task = "htpasswd: {path: /srv/rp/pw, name: ops, password: Xk3-traced-word}";
    let site = Site::with(&node.lab, &play(task));
    for words in [
        &["plan", "--diff"][..],
        &["apply", "--yes", "--diff", "-vv"],
        &["apply", "--yes", "--diff"],
    ] {
        let run = site.run(words);
        let text = run.text();
        for trace in ["Xk3-traced", "apr1"] {
            assert!(!text.contains(trace), "{trace}\n{run}");
        }
    }
    let found = node.sh("journalctl --no-pager 2>/dev/null | grep -c Xk3-traced; grep -rl Xk3-traced /run/hadeploy /var/lib/hadeploy /srv /var/log 2>/dev/null | grep -v journal | wc -l");
    assert_eq!(found, "0\n0");
    assert_eq!(node.sh("grep -c '^ops:.apr1.' /srv/rp/pw"), "1");
    fails(
        node,
        "htpasswd: {path: /srv/rp/pw, name: new}",
        &["`new` is not in `/srv/rp/pw` yet"],
    );
}

/// What needs a package says which; a plan in which an earlier task installs it does not fail.
fn packages(node: &Node) {
    node.sh("mkdir -p /srv/rk; for p in /usr/bin/git /usr/sbin/locale-gen /usr/sbin/setcap; do [ ! -e $p ] || mv $p $p.away; done");
    let kinds = [
        ("git: {repo: /srv/rg/up, dest: /srv/rk/new}", "`git`"),
        ("locale_gen: {name: de_DE.UTF-8}", "`locales`"),
        (
            "capabilities: {path: /bin/true, capability: cap_net_raw+ep}",
            "`libcap2-bin`",
        ),
        (
            "mount: {path: /srv/rk/m, src: 'x:/y', fstype: nfs, state: ephemeral}",
            "`nfs-common`",
        ),
    ];
    for (task, package) in kinds {
        fails(node, task, &[package]);
        let before = format!("shell: 'true'\n    - name: behind\n      {task}");
        let plan = Site::with(&node.lab, &play(&before)).plan();
        assert_eq!(plan.status("behind"), "unknown", "{plan}");
    }
    node.sh("for p in /usr/bin/git /usr/sbin/locale-gen /usr/sbin/setcap; do [ ! -e $p.away ] || mv $p.away $p; done; rm -r /srv/rk");
}
