//! Who runs the tasks, what looks after security, names and languages of the node: the smaller ones of the gathered facts.

use serde_json::{Map, Value, json};

use super::Raw;

type Facts = Map<String, Value>;

/// Facts that a node has when it has what they are about.
pub const SOMETIMES: &[&str] = &[
    "ssh_host_key_dsa_public",
    "ssh_host_key_dsa_public_keytype",
    "ssh_host_key_ecdsa_public",
    "ssh_host_key_ecdsa_public_keytype",
    "ssh_host_key_ed25519_public",
    "ssh_host_key_ed25519_public_keytype",
    "ssh_host_key_rsa_public",
    "ssh_host_key_rsa_public_keytype",
    "userspace_architecture",
];

pub(super) fn facts(raw: &Raw, facts: &mut Facts) {
    release(raw, facts);
    account(raw, facts);
    security(raw, facts);
    names(raw, facts);
    python(raw, facts);
}

/// Where the release was read, and the words of `lsb_release`, which on Debian are those of os-release.
fn release(raw: &Raw, facts: &mut Facts) {
    let value = |name: &str| -> String {
        let value = facts.get(name).and_then(Value::as_str);
        value.unwrap_or("").to_owned()
    };
    let of_file = |key: &str| {
        raw.lines("/etc/os-release")
            .iter()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
            .unwrap_or("")
            .trim_matches(['"', '\''])
            .to_owned()
    };
    let (name, version) = (value("distribution"), value("distribution_version"));
    let lsb = json!({
        "id": name, "codename": value("distribution_release"), "release": of_file("VERSION_ID"),
        "major_release": value("distribution_major_version"), "description": of_file("PRETTY_NAME"),
    });
    let machine = value("architecture");
    facts.insert("lsb".into(), lsb);
    facts.insert("distribution_file_parsed".into(), true.into());
    facts.insert("distribution_file_path".into(), "/etc/os-release".into());
    facts.insert("distribution_file_variety".into(), name.into());
    let minor = version
        .split('.')
        .nth(1)
        .map_or(Value::Null, |minor| minor.to_owned().into());
    facts.insert("distribution_minor_version".into(), minor);
    let bits = raw.line("@bits");
    let bits = if bits.is_empty() { "64" } else { bits };
    if machine == "x86_64" {
        let userspace = if bits == "32" { "i386" } else { "x86_64" };
        facts.insert("userspace_architecture".into(), userspace.into());
    }
    facts.insert("userspace_bits".into(), bits.into());
    facts.insert("machine".into(), machine.into());
    let guest = value_is_guest(facts);
    let kind = facts.get("virtualization_type").cloned();
    let kinds: Vec<Value> = kind.into_iter().filter(|_| guest).collect();
    let role = if guest { "guest" } else { "NA" };
    facts.insert("virtualization_role".into(), role.into());
    facts.insert("virtualization_tech_guest".into(), kinds.into());
    facts.insert(
        "virtualization_tech_host".into(),
        Vec::<Value>::new().into(),
    );
}

fn value_is_guest(facts: &Facts) -> bool {
    facts
        .get("virtualization_type")
        .is_some_and(|kind| kind != "NA")
}

/// The line of the account, and the four numbers of the process.
fn account(raw: &Raw, facts: &mut Facts) {
    let fields: Vec<&str> = raw.line("@account").split(':').collect();
    let field = |index: usize| fields.get(index).copied().unwrap_or("");
    let number = |text: &str| text.parse::<u64>().map_or(Value::Null, Value::from);
    facts.insert("user_uid".into(), number(field(2)));
    facts.insert("user_gid".into(), number(field(3)));
    facts.insert("user_gecos".into(), field(4).into());
    facts.insert("user_dir".into(), field(5).into());
    facts.insert("user_shell".into(), field(6).into());
    for name in ["real_user_id", "effective_user_id"] {
        facts.insert(name.into(), number(field(2)));
    }
    for name in ["real_group_id", "effective_group_id"] {
        facts.insert(name.into(), number(field(3)));
    }
}

fn security(raw: &Raw, facts: &mut Facts) {
    let selinux = match raw.line("/sys/fs/selinux/enforce") {
        "" => json!({"status": "disabled"}),
        "1" => json!({"status": "enabled", "mode": "enforcing"}),
        _ => json!({"status": "enabled", "mode": "permissive"}),
    };
    facts.insert("selinux".into(), selinux);
    let armed = !raw.line("@apparmor").is_empty();
    let armor = if armed { "enabled" } else { "disabled" };
    facts.insert("apparmor".into(), json!({"status": armor}));
    let fips = raw.line("/proc/sys/crypto/fips_enabled") == "1";
    facts.insert("fips".into(), fips.into());
    facts.insert("is_chroot".into(), false.into());
    for kind in ["dsa", "ecdsa", "ed25519", "rsa"] {
        let line = raw.line(&format!("/etc/ssh/ssh_host_{kind}_key.pub"));
        let mut words = line.split_whitespace();
        if let (Some(form), Some(key)) = (words.next(), words.next()) {
            let name = format!("ssh_host_key_{kind}_public");
            facts.insert(format!("{name}_keytype"), form.into());
            facts.insert(name, key.into());
        }
    }
}

/// What /etc/resolv.conf says.
fn names(raw: &Raw, facts: &mut Facts) {
    let mut dns = Facts::new();
    let mut servers = Vec::new();
    for line in raw.lines("/etc/resolv.conf") {
        let mut words = line
            .split_whitespace()
            .take_while(|word| !word.starts_with(['#', ';']));
        match words.next() {
            Some("nameserver") => servers.extend(words),
            Some("domain") => {
                if let Some(domain) = words.next() {
                    dns.insert("domain".into(), domain.into());
                }
            }
            Some(key @ ("search" | "sortlist")) => {
                dns.insert(key.into(), words.collect::<Vec<_>>().into());
            }
            Some("options") => {
                let options: Facts = words
                    .map(|option| match option.split_once(':') {
                        Some((key, value)) => (key.to_owned(), value.into()),
                        None => (option.to_owned(), true.into()),
                    })
                    .collect();
                dns.insert("options".into(), options.into());
            }
            _ => {}
        }
    }
    if !servers.is_empty() {
        dns.insert("nameservers".into(), servers.into());
    }
    facts.insert("dns".into(), dns.into());
}

/// The Python that a node has, or else the one that its release would install as `python3`: roles choose names of packages by it.
fn python(raw: &Raw, facts: &mut Facts) {
    let said = raw.line("@python").strip_prefix("Python ").unwrap_or("");
    let release = facts
        .get("distribution_major_version")
        .and_then(Value::as_str);
    // Debian's own versions of python3: https://packages.debian.org/python3
    let text = match (said, release) {
        ("", Some("11")) => "3.9.2",
        ("", Some("12")) => "3.11.2",
        ("", Some(_)) | ("", None) => "3.13.5",
        (said, _) => said,
    };
    let number = |index: usize| -> u64 {
        let part = text.split('.').nth(index).unwrap_or("0");
        let digits = part.split(|c: char| !c.is_ascii_digit()).next();
        digits.unwrap_or("0").parse().unwrap_or(0)
    };
    let (major, minor, micro) = (number(0), number(1), number(2));
    facts.insert("python_version".into(), text.into());
    facts.insert(
        "python".into(),
        json!({
            "executable": "/usr/bin/python3", "type": "cpython", "has_sslcontext": true,
            "version": {"major": major, "minor": minor, "micro": micro, "releaselevel": "final", "serial": 0},
            "version_info": [major, minor, micro, "final", 0],
        }),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Facts {
        let text = format!("@files\n{text}");
        let mut found = Facts::new();
        for (name, value) in [
            ("distribution", "Debian"),
            ("distribution_version", "12.15"),
            ("distribution_major_version", "12"),
            ("distribution_release", "bookworm"),
            ("architecture", "x86_64"),
            ("virtualization_type", "kvm"),
        ] {
            found.insert(name.into(), value.into());
        }
        facts(&Raw::read(&text), &mut found);
        found
    }

    #[test]
    fn release_and_account() {
        let found = read(
            "/etc/os-release:VERSION_ID=\"12\"
/etc/os-release:PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"
@bits:64
@account:deploy:x:1000:1001:Deploy,,,:/home/deploy:/bin/bash
",
        );
        assert_eq!(
            found["lsb"],
            json!({"id": "Debian", "codename": "bookworm", "release": "12", "major_release": "12", "description": "Debian GNU/Linux 12 (bookworm)"})
        );
        assert_eq!(found["distribution_minor_version"], "15");
        assert_eq!(found["user_dir"], "/home/deploy");
        assert_eq!(found["user_gid"], 1001);
        assert_eq!(found["effective_user_id"], 1000);
        assert_eq!(found["virtualization_role"], "guest");
        assert_eq!(found["virtualization_tech_guest"], json!(["kvm"]));
        assert_eq!(found["python"]["version"]["minor"], 11);
    }

    #[test]
    fn names_are_those_of_resolv_conf() {
        let found = read(
            "/etc/resolv.conf:# made by hand
/etc/resolv.conf:nameserver 192.0.2.53
/etc/resolv.conf:nameserver 2001:db8::53 # the second
/etc/resolv.conf:search example.org lan
/etc/resolv.conf:options edns0 timeout:2
",
        );
        assert_eq!(
            found["dns"],
            json!({
                "nameservers": ["192.0.2.53", "2001:db8::53"], "search": ["example.org", "lan"],
                "options": {"edns0": true, "timeout": "2"},
            })
        );
        assert_eq!(read("")["dns"], json!({}));
    }

    #[test]
    fn host_keys_python_and_what_guards_the_node() {
        let found = read(
            "/etc/ssh/ssh_host_ed25519_key.pub:ssh-ed25519 AAAAkey root@n1
@apparmor:yes
@python:Python 3.12.0rc1
",
        );
        assert_eq!(found["ssh_host_key_ed25519_public"], "AAAAkey");
        assert_eq!(found["ssh_host_key_ed25519_public_keytype"], "ssh-ed25519");
        assert_eq!(found["apparmor"]["status"], "enabled");
        assert_eq!(found["selinux"]["status"], "disabled");
        assert_eq!(found["python_version"], "3.12.0rc1");
        assert_eq!(found["python"]["version"]["micro"], 0);
    }
}
