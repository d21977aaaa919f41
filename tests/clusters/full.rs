//! The disk of the primary fills up.

use std::thread;
use std::time::Duration;

use crate::platform::{NODES, Own, Platform};
use crate::run::Run;
use crate::{Case, World};

/// Room for packages, data and WAL, and little besides.
const DISK: u64 = 3 << 30;
/// What takes all the room, root's share of it too.
const FILL: &str = "dd if=/dev/zero of=/var/lib/filler bs=1M 2>/dev/null; dd if=/dev/zero of=/var/lib/filler.rest bs=4k 2>/dev/null; sync";

pub fn cases() -> Vec<Case> {
    let on = |release: u8| {
        Case::long(format!("full::primary_{release}"), move |_: &World| {
            primary(&Own(Platform::with_disk(release, DISK)))
        })
    };
    [12, 13].into_iter().map(on).collect()
}

fn primary(platform: &Platform) {
    platform.is_settled();
    // The writers' own notes need room.
    for name in NODES {
        platform
            .node(name)
            .sh("mountpoint -q /var/lib/drill || mount -t tmpfs tmpfs /var/lib/drill");
        platform.install_writer_on(name);
    }
    let old = platform.primary();
    let full = format!("the disk of {old} is nearly full");
    platform.drill("the disk of the primary fills up", |_| {
        platform.node(old).sh(FILL);
        refuses(platform, "full", &full);
        // No segment that was prepared is left, so that a new one is needed, which has no place.
        let primaries = || platform.primaries();
        let mut switches = 0;
        while primaries().contains(&old) && switches < 200 {
            let _ = platform.sql(old, "SELECT pg_switch_wal(), txid_current()");
            switches += 1;
        }
        println!("    {switches} segments of WAL until {old} stopped");
        platform.wait_for_failover(&platform.others(old));
        thread::sleep(Duration::from_secs(10));
        let new = platform.primary();
        let data = kept(platform, old);
        let run = refuses(
            platform,
            "another took over",
            &format!("{old} was the primary, and is not rejoined now"),
        );
        for name in platform.others(old) {
            assert_eq!(run.count(name, "changed"), 0, "{run}");
        }
        assert_eq!(platform.primary(), new, "{run}");
        assert_eq!(kept(platform, old), data, "{run}");
        platform
            .node(old)
            .sh("rm /var/lib/filler /var/lib/filler.rest");
        let run = platform.apply();
        println!("    with room again: {}", platform.changes(&run).join(", "));
        assert_eq!(platform.primary(), new, "{run}");
        // Its own data were rewound, not copied anew.
        platform
            .node(old)
            .sh("! ls -d /var/lib/postgresql/*/main.hadeploy-*");
    });
    platform.is_settled();
}

/// The WAL files of a node.
fn kept(platform: &Platform, name: &str) -> String {
    platform
        .node(name)
        .sh("ls /var/lib/postgresql/*/main/pg_wal")
}

/// `pg status` and an apply say what is wrong, and neither changes anything of the databases.
fn refuses(platform: &Platform, when: &str, words: &str) -> Run {
    let status = platform.site.order(&["pg", "status"]).wait();
    status.says(&[words]);
    let cluster = status.named("cluster_status")[0];
    println!("    {when}: {}", cluster["summary"].as_str().unwrap());
    let all = platform.site.order(&["status"]).wait();
    all.says(&[words]);
    let run = platform.site.run(&["apply"]);
    println!(
        "    {when}: the apply: {} {}",
        run.code,
        run.events.last().unwrap()["reason"]
    );
    assert_ne!(run.code, 0, "{run}");
    run.says(&[words]);
    assert_eq!(platform.changes(&run), [""; 0], "{run}");
    run
}
