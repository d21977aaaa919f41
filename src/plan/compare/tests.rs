//! Plans held against each other, and promises against changes.

use super::super::{Identity, NOBODY, Promise, Salt, Shown};
use super::*;
use crate::change::{Action, Field};

fn salt() -> Salt {
    Salt::new([1; 16])
}

fn unit(status: &str, action: Action, fields: &[Field]) -> UnitPlan {
    let mask = |text: &str| text.replace("hunter2", "(masked)");
    UnitPlan::of(status, action, fields, None, &salt(), Shown::Masked(&mask))
}

fn mode(before: &str, after: &str) -> UnitPlan {
    unit(
        "changed",
        Action::Update,
        &[Field::value("mode", before, after)],
    )
}

fn text(before: Option<&str>, after: &str) -> UnitPlan {
    let field = Field::Text {
        field: "content".to_owned(),
        before_sha256: before.map(str::to_owned),
        after_sha256: Some(after.to_owned()),
        before: None,
        after: None,
    };
    unit("changed", Action::Update, &[field])
}

fn nothing() -> UnitPlan {
    unit("ok", Action::None, &[])
}

fn task(place: &str, units: &[UnitPlan]) -> TaskPlan {
    TaskPlan {
        place: place.to_owned(),
        task: "t".to_owned(),
        at: "s.yml:3".to_owned(),
        kind: "file".to_owned(),
        status: units
            .first()
            .map_or("skipped", |unit| &unit.status)
            .to_owned(),
        known_after: None,
        behind: None,
        leads: None,
        down: None,
        effects: Vec::new(),
        units: units.to_vec(),
    }
}

fn plan(tasks: &[TaskPlan]) -> Plan {
    Plan {
        version: String::new(),
        made: String::new(),
        by: String::new(),
        commit: None,
        of: Identity::default(),
        salt: salt(),
        files: BTreeMap::new(),
        hosts: [("n1".to_owned(), tasks.to_vec())].into_iter().collect(),
    }
}

fn words(saved: &[TaskPlan], now: &[TaskPlan]) -> Vec<String> {
    moved(&plan(saved), &plan(now))
        .into_iter()
        .map(|moved| format!("{}: {} / {}", moved.field, moved.planned, moved.now))
        .collect()
}

#[test]
fn what_moved_is_said_field_by_field() {
    let cases = [
        (mode("0600", "0644"), mode("0600", "0644"), vec![]),
        (
            mode("0600", "0644"),
            mode("0666", "0644"),
            vec!["mode: 0600 → 0644 / 0666 → 0644"],
        ),
        (
            mode("0600", "0644"),
            nothing(),
            vec!["change: update (mode 0600 → 0644) / nothing"],
        ),
        (
            nothing(),
            mode("0600", "0644"),
            vec!["change: nothing / update (mode 0600 → 0644)"],
        ),
        (
            text(Some("aa"), "bb"),
            text(Some("cc"), "bb"),
            vec!["content: what was found there / something else is there"],
        ),
        (
            text(Some("aa"), "bb"),
            text(Some("aa"), "cc"),
            vec!["content: what is wanted / something else is wanted"],
        ),
    ];
    for (saved, now, wanted) in cases {
        assert_eq!(
            words(&[task("0/1", &[saved])], &[task("0/1", &[now])]),
            wanted
        );
    }
}

#[test]
fn a_secret_that_moved_is_noticed_and_not_shown() {
    let with = |value: &str| {
        unit(
            "changed",
            Action::Update,
            &[Field::value("line", "", value)],
        )
    };
    let mask = |text: &str| {
        text.replace("hunter2", "(masked)")
            .replace("hunter3", "(masked)")
    };
    let other = UnitPlan::of(
        "changed",
        Action::Update,
        &[Field::value("line", "", "pw=hunter3")],
        None,
        &salt(),
        Shown::Masked(&mask),
    );
    let saved = with("pw=hunter2");
    let said = words(
        &[task("0/1", std::slice::from_ref(&saved))],
        &[task("0/1", &[other])],
    );
    assert_eq!(said, ["line: what is wanted / something else is wanted"]);
    let file = serde_json::to_string(&plan(&[task("0/1", &[saved])])).unwrap();
    assert!(
        !file.contains("hunter2") && file.contains("pw=(masked)"),
        "{file}"
    );
}

#[test]
fn hidden_fields_are_compared_all_the_same() {
    let hidden = |value: &str| {
        UnitPlan::of(
            "changed",
            Action::Update,
            &[Field::value("a", "", "1"), Field::value("b", "", value)],
            None,
            &salt(),
            Shown::Never,
        )
    };
    assert!(differences(&hidden("2"), &hidden("2")).is_empty());
    assert!(!differences(&hidden("2"), &hidden("3")).is_empty());
    assert!(
        !serde_json::to_string(&hidden("secret"))
            .unwrap()
            .contains("secret")
    );
}

#[test]
fn tasks_that_come_or_go_are_said() {
    let (one, two) = (task("0/1", &[nothing()]), task("0/2", &[nothing()]));
    let both = [one.clone(), two];
    assert_eq!(
        words(&both, std::slice::from_ref(&one)),
        ["task: ok / it does not come"]
    );
    assert_eq!(
        words(std::slice::from_ref(&one), &both),
        ["task: it does not come / ok"]
    );
    // A handler may come twice at one place.
    assert_eq!(
        words(&[one.clone(), one.clone()], &[one]),
        ["task: ok / it does not come"]
    );
}

#[test]
fn a_promise_lets_only_the_planned_change_pass() {
    let mut behind = task("0/3", &[text(Some("aa"), "bb")]);
    behind.behind = Some("install nginx".to_owned());
    let mut waits = task("0/4", &[unit("unknown", Action::None, &[])]);
    waits.status = "unknown".to_owned();
    let strict = plan(&[
        task("0/1", &[mode("0600", "0644")]),
        task("0/2", &[nothing()]),
    ]);
    let open = plan(&[behind, waits, task("0/2", &[nothing()])]);
    for (plan, place, now, passes) in [
        (&strict, "0/1", mode("0600", "0644"), true),
        (&strict, "0/1", mode("0666", "0644"), false),
        (&strict, "0/2", mode("0600", "0644"), false),
        (&strict, "0/9", mode("0600", "0644"), false),
        // What is found may be otherwise, what is written may not.
        (&open, "0/3", text(None, "bb"), true),
        (&open, "0/3", text(None, "cc"), false),
        (&open, "0/4", mode("0600", "0644"), true),
        (&open, "0/2", mode("0600", "0644"), false),
        // Where something is open, tasks may come that nobody could plan.
        (&open, "0/9", mode("0600", "0644"), true),
    ] {
        let promise = Promise::new(plan);
        let said = promise.check("n1", place, 0, &now);
        assert_eq!(said.is_ok(), passes, "{place}: {said:?}");
        assert!(promise.check("n2", place, 0, &now).is_err());
    }
}

/// A cluster on two hosts: the same restarts whoever leads it.
fn led(by: &str, fields: &[Field]) -> Vec<TaskPlan> {
    let units = [unit("changed", Action::Update, fields)];
    vec![TaskPlan {
        leads: Some(by.to_owned()),
        ..task("0/1", &units)
    }]
}

#[test]
fn a_server_of_a_cluster_that_is_down_is_said_before_what_follows() {
    // As on real nodes: what is done about it stands in no plan, since that ends with the restart of the primary.
    let pause = Field::value("repmgrd", "running", "paused");
    let of = |fields: &[Field], down: Option<&str>| {
        let mut tasks = led("n1", fields);
        tasks[0].down = down.map(str::to_owned);
        let hosts = [
            ("n1".to_owned(), led("n1", std::slice::from_ref(&pause))),
            ("n2".to_owned(), tasks),
        ];
        Plan {
            hosts: hosts.into_iter().collect(),
            ..plan(&[])
        }
    };
    let words = |it: &Moved| {
        let host = it.host.as_deref().unwrap_or("-");
        format!("{host} {}: {} / {}", it.field, it.planned, it.now)
    };
    let saved = of(std::slice::from_ref(&pause), None);
    let now = of(&[], Some("stopped standby"));
    let said: Vec<String> = moved(&saved, &now).iter().map(words).collect();
    assert_eq!(
        said,
        [
            "n2 server: running / stopped standby",
            "n2 repmgrd: running → paused / nothing",
        ]
    );
    // One that was down already, and one that is up again.
    assert_eq!(moved(&now, &now), []);
    let said: Vec<String> = moved(&now, &saved).iter().map(words).collect();
    assert_eq!(said[0], "n2 server: stopped standby / running");
    // While it is applied.
    let promise = |plan: &Plan, down: Option<&str>| {
        let stand = [("n1", None), ("n2", down)];
        let found = Promise::new(plan).stands_otherwise("0/1", stand);
        found
            .into_iter()
            .map(|it| format!("{}: {} / {}", it.field, it.planned, it.now))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        promise(&saved, Some("stopped standby")),
        ["n2 server: running / stopped standby"]
    );
    assert!(promise(&saved, None).is_empty());
    assert!(promise(&now, Some("stopped standby")).is_empty());
}

#[test]
fn a_cluster_with_another_primary_has_moved_once() {
    let restart = [Field::value("server", "needs a restart", "restarted")];
    let of = |by: &str| {
        let hosts = ["n1", "n2"].map(|host| (host.to_owned(), led(by, &restart)));
        Plan {
            hosts: hosts.into_iter().collect(),
            ..plan(&[])
        }
    };
    assert_eq!(moved(&of("n1"), &of("n1")), []);
    let said = moved(&of("n1"), &of("n2"));
    assert_eq!(said.len(), 1, "{said:?}");
    let it = &said[0];
    assert_eq!(
        (it.host.as_deref(), it.task.as_deref(), it.field.as_str()),
        (None, Some("t"), "primary")
    );
    assert_eq!((it.planned.as_str(), it.now.as_str()), ("n1", "n2"));
    // While it is applied: what leads it is looked up, whatever else is open.
    let mut open = of("n1");
    for task in open.hosts.values_mut().flatten() {
        task.behind = Some("run".to_owned());
    }
    for plan in [of("n1"), open] {
        let promise = Promise::new(&plan);
        assert!(promise.led_otherwise("0/1", "n1").is_none());
        assert!(promise.led_otherwise("0/1", "n2").is_some());
        assert!(promise.led_otherwise("0/1", NOBODY).is_some());
        assert!(promise.led_otherwise("0/2", "n2").is_none());
    }
    // One that was still to be made gets its primary on the way.
    let bare = Promise::new(&of(NOBODY));
    assert!(bare.led_otherwise("0/1", "n1").is_none());
}
