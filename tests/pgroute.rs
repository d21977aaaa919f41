//! `pgroute`, the program that keeps a node's pgbouncer on the primary: its decision, and what it does about it. The program is the
//! real one under the system's `sh`; PostgreSQL and pgbouncer are played by a `psql` of ours, nodes are real listeners.

#[path = "support/executable.rs"]
mod executable;

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

fn program() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks/files/pgbouncer/pgroute")
}

// --- the decision

/// What `decide` prints for `known`, which is `TARGET TIMELINE SYSTEM REACHED NODES`.
fn decided(known: &str, answers: &str) -> String {
    let mut sh = Command::new("sh")
        .args(["-c", &format!(". \"$1\"; decide {known}"), "sh"])
        .arg(program())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("sh runs");
    let mut input = sh.stdin.take().expect("its input");
    // A decision that needs no answers may not read them.
    let _ = input.write_all(answers.as_bytes());
    drop(input);
    let ran = sh.wait_with_output().expect("sh ends");
    assert!(ran.status.success(), "{known}: {answers}");
    String::from_utf8(ran.stdout).expect("text").trim().into()
}

#[test]
fn the_decision_follows_the_table() {
    const A2: &str = "a primary 00000002 77\n";
    const B2: &str = "b primary 00000002 77\n";
    const B3: &str = "b primary 00000003 77\n";
    const B_STANDBY: &str = "b standby\n";
    for (known, answers, wanted) in [
        // One primary.
        ("- 0 - 3 3", [A2, B_STANDBY], "route a 2 77"),
        ("- 0 - 2 3", [B_STANDBY, A2], "route a 2 77"),
        ("a 2 77 3 3", ["a silent\n", B3], "route b 3 77"),
        ("a 2 77 3 3", [A2, "b silent\n"], "route a 2 77"),
        // Timelines are numbers, and hexadecimal ones.
        (
            "a 9 77 3 3",
            ["a primary 00000009 77\n", "b primary 00000010 77\n"],
            "split b 16 77",
        ),
        (
            "a 9 77 3 3",
            ["b primary 0000000A 77\n", ""],
            "route b 10 77",
        ),
        // Two: the one that was promoted last, whoever is asked first.
        ("a 2 77 3 3", [A2, B3], "split b 3 77"),
        ("a 2 77 2 3", [B3, A2], "split b 3 77"),
        // Nothing tells them apart: who was primary stays it, also nobody.
        ("a 2 77 3 3", [A2, B2], "conflict a 2 77"),
        ("b 2 77 3 3", [A2, B2], "conflict b 2 77"),
        ("- 0 - 3 3", [A2, B2], "conflict - 0 -"),
        // Timelines of two clusters compare with nothing.
        (
            "a 2 77 3 3",
            [A2, "b primary 00000003 78\n"],
            "conflict a 2 77",
        ),
        // The last primary is gone, and one that it had replaced is back: its writes would be lost.
        ("b 3 77 3 3", [A2, "b silent\n"], "stale b 3 77"),
        // Another cluster in its place is taken.
        (
            "b 3 77 3 3",
            ["a primary 00000001 78\n", ""],
            "route a 1 78",
        ),
        ("a 2 77 3 3", ["a silent\n", B_STANDBY], "none a 2 77"),
        ("- 0 - 3 3", ["", ""], "none - 0 -"),
        // Half of the nodes is a minority, whatever is seen there.
        ("a 2 77 1 3", [A2, "b silent\n"], "minority a 2 77"),
        ("a 2 77 2 4", [A2, B3], "minority a 2 77"),
        ("a 2 77 3 4", [A2, B_STANDBY], "route a 2 77"),
        ("a 2 77 1 1", [A2, ""], "route a 2 77"),
        ("a 2 77 1 2", [A2, ""], "minority a 2 77"),
    ] {
        let answers = answers.concat();
        assert_eq!(decided(known, &answers), wanted, "{known}\n{answers}");
    }
    // Three: two old ones do not hide the new one.
    let three = format!("{A2}c primary 00000002 77\n{B3}");
    assert_eq!(decided("a 2 77 3 3", &three), "split b 3 77");
    let three = format!("{B3}{A2}c primary 00000003 77\n");
    assert_eq!(decided("a 2 77 3 3", &three), "conflict a 2 77");
}

// --- what it does

/// Answers as the PostgreSQL of an address, and as a pgbouncer that remembers what it was told.
const PSQL: &str = r#"#!/bin/sh
for said in "$@"; do :; done
case "$*" in
*' -p 6432 '*)
    read -r host paused disabled <pooler || exit 2
    case $said in
    'SHOW DATABASES') printf '%s\n' 'name|host|port|new|paused|disabled' "appdb|$host|5432||$paused|$disabled" 'pgbouncer||6432||0|0' && exit ;;
    'SHOW SERVERS') echo 'type|user|database|state|addr|port' && cat servers && exit ;;
    RELOAD) [ -e deaf ] || host=$(sed -n 's/^appdb = host=\([^ ]*\) .*/\1/p' databases.ini) ;;
    'DISABLE appdb') disabled=1 ;;
    'ENABLE appdb') disabled=0 ;;
    'KILL appdb') paused=1 && : >servers ;;
    'RESUME appdb') paused=0 ;;
    *) exit 1 ;;
    esac
    echo "$said" >>orders
    echo "$host $paused $disabled" >pooler
    ;;
*)
    address=${*##*host=}
    cat "pg.${address%% *}" 2>/dev/null
    ;;
esac
"#;
const SELF: &str = "127.0.0.21";
const SECOND: &str = "127.0.0.22";
const THIRD: &str = "127.0.0.23";

/// Three nodes, PostgreSQL on the first two; this is the first.
struct World {
    folder: tempfile::TempDir,
    listeners: Vec<TcpListener>,
}

impl World {
    /// What they answer, and `HOST PAUSED DISABLED` of pgbouncer.
    fn new(first: &str, second: &str, pooler: &str) -> World {
        let world = World {
            folder: tempfile::tempdir().expect("a folder"),
            listeners: [SECOND, THIRD]
                .map(|address| TcpListener::bind((address, 0)).expect("a listener"))
                .into(),
        };
        world.put("psql", PSQL);
        executable::make_executable(&world.path("psql"));
        for (address, answer) in [(SELF, first), (SECOND, second)] {
            if !answer.is_empty() {
                world.put(&format!("pg.{address}"), answer);
            }
        }
        world.put("pooler", &format!("{pooler}\n"));
        world.put("servers", "");
        world.put("databases.ini", "as it was\n");
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file");
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Nobody answers but the node itself.
    fn cut(mut self) -> World {
        self.listeners.clear();
        fs::remove_file(self.path(&format!("pg.{SECOND}"))).ok();
        self
    }

    /// Somebody paused so many seconds ago.
    fn marked(self, seconds: u64) -> World {
        let mark = fs::File::create(self.path("pause")).expect("a mark");
        mark.set_modified(SystemTime::now() - Duration::from_secs(seconds))
            .expect("a time");
        self
    }

    fn with_server(self, address: &str) -> World {
        self.put("servers", &format!("S|app|appdb|active|{address}|5432\n"));
        self
    }

    fn program(&self) -> Command {
        let ports: Vec<String> = self
            .listeners
            .iter()
            .map(|listener| {
                listener
                    .local_addr()
                    .expect("its address")
                    .port()
                    .to_string()
            })
            .collect();
        let folder = self.folder.path().display();
        self.put(
            "pgroute.conf",
            &format!(
                "database=appdb postgres='{SELF} {SECOND}' nodes='{SELF} {SECOND} {THIRD}' self={SELF} ports='{}'\n\
                 cd '{folder}'\ninclude='{folder}/databases.ini' run='{folder}' PATH=\"{folder}:$PATH\"\n",
                ports.join(" ")
            ),
        );
        let mut command = Command::new(program());
        command.env("PGROUTE_CONF", self.path("pgroute.conf"));
        command
    }

    /// What a dry run would do.
    fn would(&self) -> String {
        let ran = self.program().arg("--dry-run").output().expect("it runs");
        for left in ["orders", "state"] {
            assert!(!self.path(left).exists(), "a dry run left {left}");
        }
        assert_eq!(self.text("databases.ini"), "as it was\n");
        String::from_utf8(ran.stdout)
            .expect("text")
            .replace("would ", "")
            .replace('\n', "; ")
    }

    /// Runs it until its state has these words, and ends it.
    fn follows(&self, words: &[&str]) -> String {
        let mut running = self
            .program()
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        let begun = Instant::now();
        let mut state = String::new();
        while begun.elapsed() < Duration::from_secs(20) {
            state = self.text("state").replace('\n', " ");
            if words.iter().all(|word| state.contains(word)) {
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
        running.kill().expect("it is ended");
        running.wait().expect("it ends");
        state
    }
}

const OLD: &str = "primary 00000001 77\n";
const NEW: &str = "primary 00000002 77\n";
const STANDBY: &str = "standby\n";

#[test]
fn what_it_would_do_depends_on_what_pgbouncer_does() {
    for (what, world, wanted) in [
        (
            "all is right",
            World::new(OLD, STANDBY, "127.0.0.21 0 0"),
            "",
        ),
        (
            "nothing was routed to yet",
            World::new(OLD, STANDBY, "127.0.0.1 0 0"),
            "route to 127.0.0.21; RELOAD; ",
        ),
        (
            "the old primary is gone with its connections",
            World::new("", NEW, "127.0.0.21 0 0"),
            "route to 127.0.0.22; RELOAD; ",
        ),
        (
            "the old primary is silent, a connection is still open",
            World::new("", NEW, "127.0.0.21 0 0").with_server(SELF),
            "route to 127.0.0.22; RELOAD; KILL appdb; RESUME appdb; ",
        ),
        (
            "the old primary still takes writes",
            World::new(OLD, NEW, "127.0.0.21 0 0").with_server(SELF),
            "route to 127.0.0.22; RELOAD; KILL appdb; RESUME appdb; ",
        ),
        (
            "the old primary is a standby, which ends a connection by itself",
            World::new(STANDBY, NEW, "127.0.0.21 0 0").with_server(SELF),
            "route to 127.0.0.22; RELOAD; ",
        ),
        (
            "connections to the primary are no strays",
            World::new(OLD, STANDBY, "127.0.0.21 0 0").with_server(SELF),
            "",
        ),
        (
            "no primary",
            World::new("", STANDBY, "127.0.0.21 0 0").with_server(SELF),
            "",
        ),
        (
            "two primaries that nothing tells apart",
            World::new(OLD, OLD, "127.0.0.22 0 0").with_server(SELF),
            "",
        ),
        (
            "cut off",
            World::new(OLD, STANDBY, "127.0.0.21 0 0").cut(),
            "DISABLE appdb; KILL appdb; ",
        ),
        (
            "cut off, and fenced",
            World::new(OLD, STANDBY, "127.0.0.21 1 1").cut(),
            "",
        ),
        (
            "cut off, and only half fenced",
            World::new(OLD, STANDBY, "127.0.0.21 0 1").cut(),
            "DISABLE appdb; KILL appdb; ",
        ),
        (
            "cut off while somebody pauses",
            World::new(OLD, STANDBY, "127.0.0.21 1 0").cut().marked(1),
            "DISABLE appdb; KILL appdb; ",
        ),
        (
            "back, with another primary: routed before it is opened",
            World::new(STANDBY, NEW, "127.0.0.21 1 1"),
            "route to 127.0.0.22; RELOAD; ENABLE appdb; RESUME appdb; ",
        ),
        (
            "a pause that is on",
            World::new("", NEW, "127.0.0.21 1 0")
                .marked(50)
                .with_server(SELF),
            "route to 127.0.0.22; RELOAD; ",
        ),
        (
            "a pause that is about to begin",
            World::new(OLD, STANDBY, "127.0.0.21 0 0")
                .marked(1)
                .with_server(SECOND),
            "",
        ),
        (
            "a pause left behind",
            World::new(OLD, STANDBY, "127.0.0.21 1 0").marked(60),
            "RESUME appdb; ",
        ),
        (
            "a pause seen first",
            World::new(OLD, STANDBY, "127.0.0.21 1 0"),
            "",
        ),
    ] {
        assert_eq!(world.would(), wanted, "{what}");
    }
}

#[test]
fn it_follows_and_tells() {
    let world = World::new("", NEW, "127.0.0.21 0 0").with_server(SELF);
    let state = world.follows(&["verdict=route", "applied=1"]);
    for word in ["target=127.0.0.22 ", "timeline=2 ", "system=77 ", "since=1"] {
        assert!(state.contains(word), "no {word} in {state}");
    }
    assert_eq!(
        world.text("databases.ini"),
        "[databases]\nappdb = host=127.0.0.22 port=5432 dbname=appdb\n"
    );
    assert_eq!(world.text("orders"), "RELOAD\nKILL appdb\nRESUME appdb\n");
    assert_eq!(world.text("pooler"), "127.0.0.22 0 0\n");
    // What it knew outlives it: the replaced primary alone gets nobody.
    world.put("pg.127.0.0.21", OLD);
    fs::remove_file(world.path("pg.127.0.0.22")).expect("it goes");
    let state = world.follows(&["verdict=stale"]);
    assert!(
        state.contains("verdict=stale target=127.0.0.22 timeline=2"),
        "{state}"
    );
    assert_eq!(world.text("pooler"), "127.0.0.22 0 0\n");
}

#[test]
fn it_does_not_believe_a_reload() {
    let world = World::new("", NEW, "127.0.0.21 0 0");
    world.put("deaf", "");
    let state = world.follows(&["verdict=route"]);
    assert!(state.contains("applied=0"), "{state}");
    // It goes on trying.
    fs::remove_file(world.path("deaf")).expect("it goes");
    let state = world.follows(&["applied=1"]);
    assert!(state.contains("target=127.0.0.22 "), "{state}");
}

#[test]
fn one_look_that_failed_drops_nobody() {
    let world = World::new(OLD, STANDBY, "127.0.0.21 0 0").cut();
    let state = world.follows(&["verdict=minority", "applied=0"]);
    assert!(state.contains("applied=0"), "{state}");
    assert_eq!(world.text("orders"), "");
    world.follows(&["verdict=minority", "applied=1"]);
    assert_eq!(world.text("orders"), "DISABLE appdb\nKILL appdb\n");
    assert_eq!(world.text("pooler"), "127.0.0.21 1 1\n");
}

#[test]
fn a_pause_without_a_mark_gets_one() {
    let world = World::new(OLD, STANDBY, "127.0.0.21 1 0");
    world.follows(&["verdict=route"]);
    assert!(world.path("pause").exists());
    assert_eq!(world.text("orders"), "");
    let world = world.marked(61);
    fs::remove_file(world.path("state")).expect("it goes");
    world.follows(&["verdict=route"]);
    assert_eq!(world.text("orders"), "RESUME appdb\n");
    assert!(!world.path("pause").exists());
}

#[test]
fn before_pgbouncer_starts_nothing_is_routed_unless_it_was() {
    let world = World::new(OLD, STANDBY, "127.0.0.21 0 0");
    let forget = || {
        assert!(
            world
                .program()
                .arg("--forget")
                .status()
                .expect("it runs")
                .success()
        )
    };
    forget();
    let nowhere = "[databases]\nappdb = host=127.0.0.1 port=1 dbname=appdb\n";
    assert_eq!(world.text("databases.ini"), nowhere);
    world.put("state", "verdict=route\n");
    world.put("databases.ini", "as it was\n");
    forget();
    assert_eq!(world.text("databases.ini"), "as it was\n");
    fs::remove_file(world.path("databases.ini")).expect("it goes");
    forget();
    assert_eq!(world.text("databases.ini"), nowhere);
}
