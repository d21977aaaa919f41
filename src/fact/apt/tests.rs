//! What dpkg and apt of Debian 12 and 13 print.

use super::*;

fn packages(keys: &[&str], body: &str) -> Vec<PackageInfo> {
    parse_packages(keys, body.as_bytes())
        .expect("it is readable")
        .into_iter()
        .map(|(_, answer)| match answer {
            Answer::Package(info) => info,
            other => panic!("{other:?}"),
        })
        .collect()
}

fn candidates(keys: &[&str], body: &str) -> Vec<CandidateInfo> {
    parse_candidates(keys, body.as_bytes())
        .expect("it is readable")
        .into_iter()
        .map(|(_, answer)| match answer {
            Answer::Candidate(info) => info,
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn installed_held_removed_and_broken_packages_differ() {
    let body = "bash\tamd64\tii \t5.2.15-2+b8\nlibc6\tamd64\tii \t2.36\nlibc6\ti386\tun \t\nvim\tamd64\thi \t9\n\
                nginx\tamd64\trc \t1.22\nfoo\tall\tiF \t1\nbar\tall\tiHR\t1\n";
    let infos = packages(
        &[
            "bash",
            "libc6",
            "libc6:i386",
            "vim",
            "nginx",
            "foo",
            "bar",
            "zip",
        ],
        body,
    );
    assert_eq!(infos[0].version.as_deref(), Some("5.2.15-2+b8"));
    assert!(infos[1].installed && !infos[2].installed);
    assert!(infos[3].installed && infos[3].held);
    assert!(!infos[4].installed && infos[4].config_files && infos[4].version.is_none());
    assert!(!infos[5].installed && infos[5].half_way);
    assert!(infos[6].half_way);
    assert_eq!(infos[7], PackageInfo::ABSENT);
}

#[test]
fn what_apt_marked_is_told_of_what_is_installed() {
    let body = "auto\tamd64\tii \t1\nbash\tamd64\tii \t5\njq\tall\tii \t1\nvim\tamd64\trc \t9\nauto\tjq\tamd64\nauto\tvim\tamd64\nauto\tbash\ti386\n";
    let infos = packages(&["auto", "bash:amd64", "jq", "vim"], body);
    let marks: Vec<bool> = infos.iter().map(|info| info.automatic).collect();
    assert_eq!(marks, [false, false, true, false]);
}

#[test]
fn policy_gives_candidate_and_versions() {
    let body = "@release \nnginx:\n  Installed: (none)\n  Candidate: 1.22.1-9+deb12u10\n  Version table:\n     \
                1.22.1-9+deb12u10 500\n        500 http://mirror.example/debian-security bookworm-security/main amd64 Packages\n     \
                1.22.1-9+deb12u9 500\n        500 http://mirror.example/debian bookworm/main amd64 Packages\n\
                bash:\n  Installed: 5.2.15-2+b8\n  Candidate: 5.2.15-2+b13\n  Version table:\n     5.2.15-2+b13 500\n        \
                500 http://x bookworm/main amd64 Packages\n *** 5.2.15-2+b8 100\n        100 /var/lib/dpkg/status\n\
                mail-transport-agent:\n  Installed: (none)\n  Candidate: (none)\n  Version table:\n\
                @provides mail-transport-agent postfix\n@provides mail-transport-agent postfix\n@provides mail-transport-agent exim4\n\
                @installed un  exim4\n@installed ii  postfix\n";
    let infos = candidates(&["bash", "mail-transport-agent", "nginx", "zzz"], body);
    assert_eq!(infos[0].version.as_deref(), Some("5.2.15-2+b13"));
    assert_eq!(infos[0].versions.len(), 2);
    assert_eq!(infos[1].version, None);
    assert_eq!(infos[1].providers, ["postfix".into(), "exim4".into()]);
    assert_eq!(infos[1].provided_by, ["postfix".into()]);
    assert_eq!(&*infos[2].versions[1], "1.22.1-9+deb12u9");
    assert_eq!(infos[3].version, None);
    assert!(infos[3].providers.is_empty());
}

#[test]
fn lists_age_by_the_newest_mark() {
    let body = "1000\n100.5 /var/lib/apt/lists/d_InRelease\n700.1 /var/lib/apt/lists\n950.9 /var/lib/apt/lists/lock\n";
    assert_eq!(parse_lists(body.as_bytes()).expect("ok").age, Some(300));
    let body = format!("1000\n100.5 /var/lib/apt/lists/d_InRelease\n990.0 {UPDATE_STAMP}\n");
    assert_eq!(parse_lists(body.as_bytes()).expect("ok").age, Some(10));
    let sources =
        |at: u64| format!("{body}{at}.5 /etc/apt/sources.list.d\n100.0 /etc/apt/sources.list\n");
    assert!(!parse_lists(sources(989).as_bytes()).expect("ok").outdated);
    assert!(parse_lists(sources(991).as_bytes()).expect("ok").outdated);
    let empty = "1000\n950.0 /var/lib/apt/lists\n";
    assert_eq!(parse_lists(empty.as_bytes()).expect("ok").age, None);
    assert!(parse_lists(b"").is_err());
}

#[test]
fn simulations_are_kept_apart() {
    let body = "@simulate autoremove\nRemv libfoo [1]\n@simulate upgrade\nInst bash [1] (2 Debian [amd64])\n";
    let answers =
        parse_simulations(&["autoremove", "upgrade", "dist-upgrade"], body.as_bytes()).expect("ok");
    let counts: Vec<usize> = answers
        .iter()
        .map(|(_, answer)| match answer {
            Answer::Simulation(lines) => lines.len(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(counts, [1, 1, 0]);
}
