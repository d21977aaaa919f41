//! The limit: one shell script, written by hand for this play, that reads all its state and says whether it holds.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::play::{File, Play, ROOT, SETTINGS, User};

/// The script for `sh -s` on a node. Status 0: everything is as the play wants it; else it says what is not.
pub fn script(play: &Play) -> String {
    let files: Vec<&File> = play
        .templates
        .iter()
        .chain(&play.blobs)
        .chain(&play.units)
        .collect();
    let mut text = String::from("differs() { echo \"$1 differ\" >&2; exit 1; }\n");
    let packages = play.packages.join(" ");
    let installed = lines(play.packages.iter().map(|name| format!("{name} ii ")));
    equal(
        &mut text,
        "packages",
        &format!("dpkg-query -W -f '${{Package}} ${{db:Status-Abbrev}}\\n' {packages}"),
        &installed,
    );
    let folders = play.folders.iter().map(|path| (path.as_str(), "755"));
    let modes = files
        .iter()
        .map(|file| (file.path.as_str(), file.mode.trim_start_matches('0')));
    let owned = folders.chain(modes).chain([(SETTINGS, "644")]);
    let owned: Vec<(&str, &str)> = owned.collect();
    let paths: Vec<&str> = owned.iter().map(|(path, _)| *path).collect();
    equal(
        &mut text,
        "owners and modes",
        &format!("stat -c '%n %U %G %a' {}", paths.join(" ")),
        &lines(
            owned
                .iter()
                .map(|(path, mode)| format!("{path} root root {mode}")),
        ),
    );
    let _ = writeln!(
        text,
        "sha256sum --check --status <<'END' || differs contents\n{}END",
        lines(files.iter().map(|file| sum(file)))
    );
    accounts(&mut text, play);
    equal(
        &mut text,
        "settings",
        &format!("grep -c -x -F '{}' {SETTINGS}", play.lines.join("\n")),
        &format!("{}\n", play.lines.len()),
    );
    let units: Vec<&str> = play.units.iter().map(|unit| unit.name.as_str()).collect();
    equal(
        &mut text,
        "units",
        &format!(
            "systemctl show -p ActiveState -p UnitFileState -p NeedDaemonReload {}",
            units.join(" ")
        ),
        &vec!["ActiveState=active\nUnitFileState=enabled\nNeedDaemonReload=no\n"; units.len()]
            .join("\n"),
    );
    let _ = writeln!(text, "echo {ROOT} is as wanted");
    text
}

fn accounts(text: &mut String, play: &Play) {
    let users: Vec<&str> = play.users.iter().map(|user| user.name.as_str()).collect();
    let groups = play.groups.iter().cloned();
    let accounts = play.users.iter().map(|user| {
        let User {
            name,
            comment,
            group,
        } = user;
        format!("{name}:{comment}:{group}:/home/{name}:/bin/bash")
    });
    equal(
        text,
        "accounts",
        &format!(
            "{{ getent group {}; getent passwd {}; }} | awk -F: \
             'NF == 4 {{ group[$3] = $1; print $1 }} NF == 7 {{ print $1 FS $5 FS group[$4] FS $6 FS $7 }}'",
            play.groups.join(" "),
            users.join(" ")
        ),
        &lines(groups.chain(accounts)),
    );
}

/// Compares what a command says with what it should say; the shell drops the last newlines of both.
fn equal(text: &mut String, what: &str, command: &str, wanted: &str) {
    let wanted = wanted.trim_end_matches('\n');
    let _ = writeln!(
        text,
        "[ \"$({command})\" = '{wanted}' ] || differs '{what}'"
    );
}

fn lines(all: impl Iterator<Item = String>) -> String {
    all.fold(String::new(), |text, line| text + &line + "\n")
}

fn sum(file: &File) -> String {
    let digest = Sha256::digest(&file.content);
    let hex = digest.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    format!("{hex}  {}", file.path)
}
