//! The options of ssh, by what becomes of them here.

/// Options of `-o` that are honoured.
pub(super) const HONOURED: &[&str] = &[
    "ConnectTimeout",
    "GlobalKnownHostsFile",
    "HostKeyAlias",
    "IdentitiesOnly",
    "IdentityAgent",
    "IdentityFile",
    "Port",
    "ServerAliveCountMax",
    "ServerAliveInterval",
    "StrictHostKeyChecking",
    "User",
    "UserKnownHostsFile",
];

/// Options that change nothing here: there is one connection anyway, no question, no forwarding, no password.
pub(super) const HARMLESS: &[&str] = &[
    "BatchMode",
    "CheckHostIP",
    "ClearAllForwardings",
    "Compression",
    "ControlMaster",
    "ControlPath",
    "ControlPersist",
    "ForwardAgent",
    "ForwardX11",
    "GSSAPIAuthentication",
    "HashKnownHosts",
    "KbdInteractiveAuthentication",
    "LogLevel",
    "NumberOfPasswordPrompts",
    "PasswordAuthentication",
    "PreferredAuthentications",
    "TCPKeepAlive",
    "UpdateHostKeys",
    "VisualHostKey",
];

/// Options that would matter, and are refused so that nobody believes they hold.
pub(super) const REFUSED: &[&str] = &[
    "AddressFamily",
    "BindAddress",
    "BindInterface",
    "CASignatureAlgorithms",
    "CertificateFile",
    "Ciphers",
    "HostKeyAlgorithms",
    "HostName",
    "Include",
    "KexAlgorithms",
    "KnownHostsCommand",
    "LocalForward",
    "MACs",
    "PKCS11Provider",
    "PermitLocalCommand",
    "LocalCommand",
    "ProxyCommand",
    "ProxyJump",
    "ProxyUseFdpass",
    "PubkeyAcceptedAlgorithms",
    "PubkeyAuthentication",
    "RekeyLimit",
    "RemoteCommand",
    "RemoteForward",
    "RequestTTY",
    "RevokedHostKeys",
    "SendEnv",
    "SetEnv",
    "VerifyHostKeyDNS",
];

/// Letters without a value that change nothing here.
pub(super) const HARMLESS_FLAGS: &str = "aACkqTvxX";
/// Letters that exist in OpenSSH and are refused.
pub(super) const REFUSED_FLAGS: &str = "46BbcDEeFfGgIJKLmMNnOPQRSstVWwYy";

/// The option most like `key`, when one is.
pub(super) fn nearest(key: &str) -> Option<String> {
    let key = key.to_lowercase();
    let all = HONOURED.iter().chain(HARMLESS).chain(REFUSED);
    let (likeness, name) = all
        .map(|name| (strsim::jaro_winkler(&key, &name.to_lowercase()), *name))
        .max_by(|a, b| a.0.total_cmp(&b.0))?;
    (likeness > 0.8).then(|| name.to_string())
}
