//! The variables of an inventory that say how a host is reached, and the words of `hadeploy.yml`.

use super::Shape::{Choice, Count, Duration, Flag, Literal, Text, Texts};
use super::{Word, word};

/// Variables of connections.
pub const CONNECTION: &[Word] = &[
    word(
        "ansible_host",
        Text,
        "Where SSH finds the host: a name or an address; its own name unless given.",
    ),
    word("ansible_port", Count, "The port of SSH; 22 unless given."),
    word("ansible_user", Text, "Who logs in."),
    word(
        "ansible_connection",
        Choice(&["ssh", "smart", "local"]),
        "How it is reached; `local` is this machine.",
    ),
    word(
        "ansible_ssh_private_key_file",
        Text,
        "The key to log in with, on this machine.",
    ),
    word(
        "ansible_ssh_common_args",
        Text,
        "Options of ssh, such as `-o ProxyJump=bastion`.",
    ),
    word(
        "ansible_ssh_extra_args",
        Text,
        "More options of ssh, behind the common ones.",
    ),
    word(
        "ansible_become",
        Flag,
        "Whether tasks act as another account, by sudo.",
    ),
    word(
        "ansible_become_user",
        Text,
        "That account; root unless named.",
    ),
    word("ansible_become_method", Choice(&["sudo"]), "Only sudo."),
    word(
        "ansible_become_password",
        Text,
        "The password of sudo; best in a vault.",
    ),
    word("ansible_become_pass", Text, "The same."),
];

/// Keys of `hadeploy.yml`.
pub const SETTINGS: &[Word] = &[
    word(
        "inventory",
        Texts,
        "The inventories, where `-i` is not given.",
    ),
    word(
        "forks",
        Count,
        "Hosts that are worked on at once, from 1 to 10000.",
    ),
    word(
        "host_key_checking",
        Choice(&["yes", "accept-new", "no"]),
        "Refuse unknown host keys, learn them, or take all.",
    ),
    word(
        "remote_user",
        Literal,
        "Who logs in, where the inventory says nothing.",
    ),
    word("private_key_file", Literal, "The key to log in with."),
    word(
        "vault_password_file",
        Literal,
        "The password of vaults: a file, or a script that prints it.",
    ),
    word(
        "age_identity_file",
        Literal,
        "The private keys that open what age encrypted.",
    ),
    word(
        "age_recipients_file",
        Literal,
        "The public keys for which `hadeploy vault` encrypts.",
    ),
    word(
        "lock_timeout",
        Duration,
        "How long another run's lease is waited for.",
    ),
    word(
        "playbook",
        Literal,
        "Where `status`, `pg`, `redis` and `node` find the platform.",
    ),
    word(
        "deploy_playbook",
        Literal,
        "What `deploy` and `rollback` run.",
    ),
    word("log_dir", Literal, "The folder of the logs of runs."),
];
