//! What is guarded, and what is not.

use super::guarded::{Login, guarded};
use crate::change::{Action, Change, Effect, Field, Step, Touch};
use crate::fact::{AccountInfo, Answer, Known, PathInfo, Question};

const OPS: Login = Login {
    name: "ops",
    root: true,
    ssh: true,
};

/// All that is asked beside the task's own questions is known: the login user's home, and the port.
fn known() -> Known {
    let mut known = Known::new(false);
    let account = AccountInfo {
        uid: Some(1000),
        gid: Some(1000),
        group: "ops".into(),
        comment: "".into(),
        home: "/srv/people/ops".into(),
        home_exists: true,
        shell: "/bin/sh".into(),
        groups: Vec::new(),
        password: None,
        expires: None,
        aging: Default::default(),
    };
    known.learn([(
        Question::Account("ops".into()),
        Answer::Account(Some(account)),
    )]);
    known
}

fn change(touch: Touch) -> Change {
    Change::new(Action::Update).step(Step::new("do it", "true").touch(touch))
}

/// What is guarded when such a thing is changed; none when nothing is.
fn what(login: Login, touch: Touch) -> Option<String> {
    let mut known = known();
    loop {
        match guarded(change(touch.clone()), &known, login, "") {
            Ok(change) => {
                let guard = change.steps[0].guard.as_ref()?;
                return Some(guard.what.clone());
            }
            Err(missing) => {
                known.learn(missing.questions().iter().map(|question| match question {
                    Question::Probe(_) => (question.clone(), Answer::Probe(b"22"[..].into())),
                    other => panic!("{other:?} is asked"),
                }));
            }
        }
    }
}

fn path(path: &str) -> Option<String> {
    what(OPS, Touch::Path(path.to_owned()))
}

#[test]
fn what_the_way_in_depends_on_is_guarded() {
    for own in [
        "/etc/ssh/sshd_config.d/10-a.conf",
        "/etc/ssh/authorized_keys/ops",
        "/etc/sudoers",
        "/etc/sudoers.d/ops",
        "/etc/pam.d/sshd",
        "/etc/nologin",
        "/etc/passwd",
        "/etc/systemd/network/10-a.network",
        "/etc/netplan/a.yaml",
        "/etc/systemd/system/ssh.service.d/a.conf",
        "/etc/systemd/system/ssh.socket.d/a.conf",
        "/srv/people/ops",
        "/srv/people/ops/.ssh",
        "/srv/people/ops/.ssh/authorized_keys",
        "/srv/people/ops/.bashrc",
        "/srv",
        "/etc",
    ] {
        assert!(path(own).is_some_and(|what| what.contains(own)), "{own}");
    }
    for other in [
        "/etc/ssh/ssh_config",
        "/etc/ssh/ssh_known_hosts",
        "/etc/motd",
        "/srv/people/ops/.ssh/known_hosts",
        "/srv/people/ops/.ssh/id_ed25519",
        "/srv/people/ops/notes",
        "/home/ada/.ssh/authorized_keys",
        "/root/.ssh/authorized_keys",
        "/srv/app",
    ] {
        assert_eq!(path(other), None, "{other}");
    }
}

/// A folder above is put back whole; but nothing is restarted for files that stayed as they were.
#[test]
fn a_change_of_a_folder_above_looks_first() {
    let effects = |path: &str| {
        let mut known = known();
        let question = guarded(change(Touch::Path(path.to_owned())), &known, OPS, "");
        if let Err(missing) = question {
            let probes = missing.questions().iter().cloned();
            known.learn(probes.map(|question| (question, Answer::Probe(b"22"[..].into()))));
        }
        let change = guarded(change(Touch::Path(path.to_owned())), &known, OPS, "").unwrap();
        let effects = change.steps.into_iter().skip(1);
        effects.map(|step| step.script).collect::<Vec<_>>()
    };
    let looks = |script: &String| script.contains("diff -rq") && script.contains("|| exit 0");
    let above = effects("/etc");
    assert!(above.len() >= 5 && above.iter().all(looks), "{above:?}");
    let direct = effects("/etc/ssh/sshd_config");
    assert!(direct.len() == 1 && !looks(&direct[0]), "{direct:?}");
    assert!(direct[0].starts_with("PORT=22\n"), "{direct:?}");
    let socket = effects("/etc/systemd/system/ssh.socket.d/a.conf");
    assert!(socket[0].starts_with("PORT=22\n"), "{socket:?}");
}

#[test]
fn a_file_behind_a_link_is_guarded_where_it_lies() {
    let mut known = known();
    let info = PathInfo {
        abs: "/srv/keys".into(),
        real: "/etc/sudoers.d/keys".into(),
        stat: None,
    };
    known.learn([(Question::Path("/srv/keys".into()), Answer::Path(info))]);
    let change = change(Touch::Path("/srv/keys".to_owned()));
    let change = guarded(change, &known, OPS, "").unwrap();
    let guard = change.steps[0].guard.as_ref().unwrap();
    assert!(guard.save.contains("/etc/sudoers.d/keys"), "{}", guard.save);
    // The rules are read once more, behind the change.
    assert!(change.steps.last().unwrap().script.contains("visudo -c"));
}

#[test]
fn accounts_and_units_of_others_are_not() {
    let root = Login {
        name: "root",
        ..OPS
    };
    let account = |name: &str| Touch::Account(name.to_owned());
    assert_eq!(
        what(OPS, account("ops")).as_deref(),
        Some("the account ops")
    );
    assert_eq!(what(OPS, account("ada")), None);
    assert!(what(root, Touch::Path("/root/.ssh".to_owned())).is_some());
    assert!(what(OPS, Touch::Unit("ssh.service".to_owned())).is_some());
    assert_eq!(what(OPS, Touch::Unit("nginx.service".to_owned())), None);
    assert!(what(OPS, Touch::Group("admins".to_owned())).is_some());
    let made = Change::new(Action::Create)
        .step(Step::new("make it", "true").touch(Touch::Group("admins".to_owned())));
    let made = guarded(made, &known(), OPS, "group").unwrap();
    assert!(made.steps[0].guard.is_none());
    let reload = change(Touch::Unit("ssh.service".to_owned()))
        .effect(Effect::Reload("ssh.service".to_owned()));
    let reload = guarded(reload, &known(), OPS, "service").unwrap();
    assert!(reload.steps[0].guard.is_none());
    // Nothing can be saved without root.
    let plain = Login { root: false, ..OPS };
    assert_eq!(what(plain, account("ops")), None);
}

/// What listens may be either: both are put back, and the socket before the daemon.
#[test]
fn the_daemon_and_its_socket_are_saved_together() {
    for unit in ["ssh.service", "ssh.socket"] {
        let change = change(Touch::Unit(unit.to_owned()));
        let change = guarded(change, &known(), OPS, "service").unwrap();
        let guard = change.steps.iter().find_map(|step| step.guard.as_ref());
        let guard = guard.unwrap();
        assert_eq!(guard.what, unit);
        for both in ["is-active ssh.service", "is-active ssh.socket"] {
            assert!(guard.save.contains(both), "{}", guard.save);
        }
        let at = |words: &str| guard.restore.find(words).unwrap();
        assert!(at("systemctl start ssh.socket") < at("systemctl start ssh.service"));
    }
}

#[test]
fn a_change_without_steps_asks_nothing() {
    let none = guarded(Change::none("as wanted"), &Known::new(false), OPS, "user");
    assert!(none.is_ok_and(|change| change.steps.is_empty()));
}

#[test]
fn what_has_no_way_back_is_refused() {
    let refused = |login, kind, field: Field| {
        let change = change(Touch::Everything).field(field);
        let change = guarded(change, &known(), login, kind).unwrap();
        change.obstacle.map(|obstacle| obstacle.message)
    };
    let gone = |name: &str| Field::value(name, "1.0", "");
    assert!(refused(OPS, "apt", gone("openssh-server")).is_some());
    assert!(refused(OPS, "apt", gone("sudo:amd64")).is_some());
    assert_eq!(refused(OPS, "apt", gone("nginx")), None);
    assert_eq!(
        refused(OPS, "apt", Field::value("sudo", "1.0", "1.1")),
        None
    );
    let root = Login {
        name: "root",
        ..OPS
    };
    assert_eq!(refused(root, "apt", gone("sudo")), None);
    let mut gone = change(Touch::Account("ops".to_owned()));
    gone.action = Action::Delete;
    let gone = guarded(gone, &known(), OPS, "user").unwrap();
    assert!(gone.obstacle.is_some() && gone.steps.is_empty());
}

#[test]
fn a_setting_of_the_kernel_is_guarded_when_it_may_cut_the_network() {
    let set = |key: &str| {
        let change = change(Touch::Path("/proc/sys".to_owned())).result("name", key);
        let change = guarded(change, &known(), OPS, "sysctl").unwrap();
        change.steps[0].guard.is_some()
    };
    assert!(set("net.ipv6.conf.all.disable_ipv6"));
    assert!(set("net/ipv4/conf/eth0.1/rp_filter"));
    assert!(!set("vm.swappiness"));
}
