//! The rules in a table, and the same files shown to `ssh-keygen -F`.

use std::fmt::Write as _;
use std::process::Command;

use proptest::prelude::*;

use super::*;

/// A key in wire format that only its type and number tell apart.
fn key(key_type: &str, number: u8) -> Vec<u8> {
    let mut wire = Vec::new();
    for field in [key_type.as_bytes(), &[number; 32]] {
        wire.extend(u32::try_from(field.len()).unwrap().to_be_bytes());
        wire.extend(field);
    }
    wire
}

fn ed(number: u8) -> Vec<u8> {
    key("ssh-ed25519", number)
}

/// `ssh-ed25519 AAAA…`
fn text(key: &[u8]) -> String {
    format!("{} {}", key_type_of(key).unwrap(), STANDARD.encode(key))
}

fn known(file: &str) -> KnownHosts {
    let mut known = KnownHosts::default();
    known.add(Path::new("kh"), file.as_bytes());
    known
}

/// `K` in a file is the key that will be offered, `O` another of its type, `P` one of another type.
fn verdict(file: &str, host: &str, port: u16) -> String {
    let file = file
        .replace('K', &text(&ed(1)))
        .replace('O', &text(&ed(2)))
        .replace('P', &text(&key("ecdsa-sha2-nistp256", 3)));
    match known(&file).host(host, port).verdict(&ed(1)) {
        Verdict::Known(_) => "known".to_string(),
        Verdict::Unknown { other_types } if other_types.is_empty() => "unknown".to_string(),
        Verdict::Unknown { other_types } => format!("unknown beside {}", other_types.join(" ")),
        Verdict::Changed(places) => format!(
            "changed {}",
            places
                .iter()
                .map(|place| place.line.to_string())
                .collect::<Vec<_>>()
                .join(" ")
        ),
        Verdict::Revoked(place) => format!("revoked {}", place.line),
    }
}

#[test]
fn the_table_of_rules() {
    let cases = [
        ("", "unknown"),
        ("web.example K", "known"),
        ("web.example K a comment", "known"),
        ("  web.example\tK  \r", "known"),
        ("WEB.Example K", "known"),
        ("other,web.example,10.0.0.1 K", "known"),
        ("*.example K", "known"),
        ("w?b.exampl? K", "known"),
        ("*.example,!web.example K", "unknown"),
        ("!web.example,*.example K", "unknown"),
        ("!db.example,*.example K", "known"),
        ("!db.example K", "unknown"),
        ("web.example.org K", "unknown"),
        ("# web.example K", "unknown"),
        ("#a\n\n#b\nweb.example O", "changed 4"),
        ("web.example O\nweb.example O", "changed 1 2"),
        ("web.example O\nweb.example K", "known"),
        ("web.example K\nweb.example O", "known"),
        ("web.example P", "unknown beside ecdsa-sha2-nistp256"),
        ("web.example P\nweb.example O", "changed 2"),
        ("@revoked web.example K", "revoked 1"),
        ("@revoked * K", "revoked 1"),
        ("web.example K\n@revoked web.example K", "revoked 2"),
        ("web.example K\n@revoked web.example O", "known"),
        ("@revoked db.example K\nweb.example K", "known"),
        ("@cert-authority web.example K", "unknown"),
        ("@cert-authority * O\nweb.example K", "known"),
        ("@future web.example K", "unknown"),
        ("web.example ssh-ed25519 AAAA$$$\nweb.example K", "known"),
        ("web.example ssh-ed25519\nweb.example K", "known"),
        ("web.example\n@revoked\nweb.example K", "known"),
        ("|1|bad\n|1|%%|%%\nweb.example K", "known"),
        ("[web.example]:22 K", "unknown"),
        ("[web.example]:2222 K", "unknown"),
    ];
    for (file, expected) in cases {
        assert_eq!(verdict(file, "web.example", 22), expected, "{file}");
    }
}

#[test]
fn another_port_has_names_of_its_own() {
    let cases = [
        ("[web.example]:2222 K", "known"),
        ("[web.example]:2223 K", "unknown"),
        ("[web.example]:* K", "known"),
        ("[*]:2222 K", "known"),
        // The name alone speaks for any port when it knows the very key; that it knows another says nothing.
        ("web.example K", "known"),
        ("web.example O", "unknown"),
        ("[web.example]:2222 O\nweb.example K", "known"),
        ("[web.example]:2222 O", "changed 1"),
        ("@revoked web.example K\n[web.example]:2222 K", "revoked 1"),
    ];
    for (file, expected) in cases {
        assert_eq!(verdict(file, "web.example", 2222), expected, "{file}");
    }
}

#[test]
fn authorities_and_key_types_are_found() {
    let file = format!(
        "@cert-authority *.example {}\nweb.example {}\nweb.example {}\n",
        text(&ed(9)),
        text(&key("ssh-rsa", 1)),
        text(&ed(1))
    );
    let known = known(&file);
    assert!(
        known.host("web.example", 22).has_authority()
            && known.host("web.example", 2222).has_authority()
            && !known.host("web.org", 22).has_authority()
    );
    assert!(
        known.host("web.example", 22).is_authority(&ed(9))
            && !known.host("web.example", 22).is_authority(&ed(1))
    );
    assert_eq!(
        known.host("web.example", 22).key_types(),
        ["ssh-rsa", "ssh-ed25519"]
    );
    assert_eq!(
        known.host("db.example", 22).key_types(),
        Vec::<String>::new()
    );
}

#[test]
fn what_is_written_is_read() {
    for (host, port) in [("web.example", 22), ("10.0.0.1", 2222), ("fe80::1", 22)] {
        let file = line_for(host, port, &ed(1)).unwrap();
        let verdict = known(&file).host(host, port).verdict(&ed(1));
        assert!(matches!(verdict, Verdict::Known(place) if place.line == 1));
    }
    assert_eq!(line_for("web", 22, b"no key"), None);
}

#[test]
fn several_files_keep_their_names_and_lines() {
    let mut known = known(&format!("web {}\n", text(&ed(2))));
    known.add(
        Path::new("second"),
        format!("# c\nweb {}\n", text(&ed(3))).as_bytes(),
    );
    let Verdict::Changed(places) = known.host("web", 22).verdict(&ed(1)) else {
        panic!()
    };
    assert_eq!(
        places.iter().map(KnownKeyPlace::at).collect::<Vec<_>>(),
        ["kh:1", "second:2"]
    );
}

/// The lines of `file` that `ssh-keygen -F` finds for `name`; `None` where there is no ssh-keygen.
fn keygen_finds(file: &str, name: &str) -> Option<Vec<usize>> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kh");
    std::fs::write(&path, file).unwrap();
    let output = Command::new("ssh-keygen")
        .args(["-F", name, "-f"])
        .arg(path)
        .output()
        .ok()?;
    let lines = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| {
            line.rsplit_once("found: line ")?
                .1
                .split(' ')
                .next()?
                .parse()
                .ok()
        })
        .collect();
    Some(lines)
}

fn we_find(file: &str, name: &str) -> Vec<usize> {
    known(file)
        .of(&name.to_lowercase())
        .iter()
        .map(|line| line.number)
        .collect()
}

/// A real public key, which ssh-keygen insists on.
const REAL: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

#[test]
fn hashed_files_say_the_same_as_to_ssh_keygen() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kh");
    std::fs::write(
        &path,
        format!("web.example {REAL}\n[10.0.0.1]:2222 {REAL}\ndb.example,10.0.0.2 {REAL}\n"),
    )
    .unwrap();
    let Ok(hashed) = Command::new("ssh-keygen")
        .args(["-q", "-H", "-f"])
        .arg(&path)
        .output()
    else {
        return;
    };
    assert!(hashed.status.success());
    let file = std::fs::read_to_string(&path).unwrap();
    assert!(file.starts_with("|1|"));
    for name in [
        "web.example",
        "WEB.example",
        "[10.0.0.1]:2222",
        "10.0.0.1",
        "db.example",
        "10.0.0.2",
        "nobody",
    ] {
        assert_eq!(
            we_find(&file, name),
            keygen_finds(&file, &name.to_lowercase()).unwrap(),
            "{name}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn patterns_mean_what_ssh_keygen_says(
        lines in prop::collection::vec((prop::option::of(prop::sample::select(vec!["@revoked", "@cert-authority"])), prop::collection::vec("!?([ab*?.AB]{1,5}|\\[[ab*?]{1,3}\\]:[2*?]{1,3})", 1..4), "[ \t]{1,3}"), 1..5),
        name in "([ab.]{1,4}|\\[[ab]{1,2}\\]:2{1,3})",
    ) {
        let mut file = String::new();
        for (marker, patterns, blank) in lines {
            let marker = marker.map_or_else(String::new, |marker| format!("{marker} "));
            writeln!(file, "{marker}{}{blank}{REAL}", patterns.join(",")).unwrap();
        }
        if let Some(found) = keygen_finds(&file, &name) {
            prop_assert_eq!(we_find(&file, &name), found, "{}", file);
        }
    }

    #[test]
    fn whatever_is_hashed_is_found_as_by_ssh_keygen(
        names in prop::collection::vec("([ab]{1,2}\\.[ab]|\\[[ab]\\]:2{1,2})", 1..4),
        asked in "([ab]{1,2}\\.[ab]|\\[[ab]\\]:2{1,2})",
        salt in any::<[u8; 20]>(),
    ) {
        let mut file = String::new();
        for name in &names {
            let hash = STANDARD.encode(hashed(&salt, name));
            writeln!(file, "|1|{}|{hash} {REAL}", STANDARD.encode(salt)).unwrap();
        }
        if let Some(found) = keygen_finds(&file, &asked) {
            prop_assert_eq!(we_find(&file, &asked), found, "{} in {:?}", asked, names);
        }
    }

    #[test]
    fn a_file_that_is_damaged_makes_nothing_panic(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..12),
    ) {
        let whole = format!(
            "# mine\nweb,10.0.0.1 {REAL}\n@cert-authority *.example,!db.example {REAL}\n@revoked * {REAL}\n[web]:2222 {REAL} note\n{}",
            hashed_line_for("web", 22, &ed(1), &[7; 20]).unwrap()
        );
        let mut bytes = whole.into_bytes();
        for (at, byte, how) in damage {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.drain(at..(at + 9).min(bytes.len() - 1).max(at))),
            }
        }
        let mut known = KnownHosts::default();
        known.add(Path::new("a"), &bytes);
        for port in [22, 2222] {
            let host = known.host("web", port);
            host.verdict(&ed(1));
            host.has_authority();
        }
    }

    #[test]
    fn no_file_makes_it_panic(file in prop::collection::vec(any::<u8>(), 0..200), line in "(@[a-z-]{0,15} )?[|!a*1,]{0,9} ssh-ed25519 [A-Za-z0-9+/=]{0,60}") {
        let mut known = KnownHosts::default();
        known.add(Path::new("a"), &file);
        known.add(Path::new("b"), line.as_bytes());
        known.host("a", 22).verdict(&file);
        known.host("a", 2222).key_types();
    }
}
