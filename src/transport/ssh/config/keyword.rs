//! The keywords of ssh_config(5), by what becomes of them here. All of OpenSSH up to 10.0 stand in one of the three tables.

/// A keyword that is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    AddressFamily,
    BindAddress,
    CertificateFile,
    Ciphers,
    ConnectTimeout,
    GlobalKnownHostsFile,
    HashKnownHosts,
    Host,
    HostKeyAlgorithms,
    HostKeyAlias,
    HostName,
    IdentitiesOnly,
    IdentityAgent,
    IdentityFile,
    IgnoreUnknown,
    Include,
    KexAlgorithms,
    Macs,
    Match,
    Port,
    ProxyCommand,
    ProxyJump,
    ServerAliveCountMax,
    ServerAliveInterval,
    StrictHostKeyChecking,
    Tag,
    User,
    UserKnownHostsFile,
}

/// A keyword that would matter and is not followed.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    /// As OpenSSH spells it.
    pub(super) name: &'static str,
    /// Values that ask for nothing, in lower case.
    pub(super) harmless: &'static [&'static str],
    /// What to do instead.
    pub(super) instead: &'static str,
}

/// What becomes of a keyword.
pub(super) enum Treatment {
    Followed(Keyword),
    Ignored,
    Refused(&'static Refusal),
    Unknown,
}

const FOLLOWED: &[(&str, Keyword)] = &[
    ("AddressFamily", Keyword::AddressFamily),
    ("BindAddress", Keyword::BindAddress),
    ("CertificateFile", Keyword::CertificateFile),
    ("Ciphers", Keyword::Ciphers),
    ("ConnectTimeout", Keyword::ConnectTimeout),
    ("GlobalKnownHostsFile", Keyword::GlobalKnownHostsFile),
    ("HashKnownHosts", Keyword::HashKnownHosts),
    ("Host", Keyword::Host),
    ("HostKeyAlgorithms", Keyword::HostKeyAlgorithms),
    ("HostKeyAlias", Keyword::HostKeyAlias),
    ("HostName", Keyword::HostName),
    ("IdentitiesOnly", Keyword::IdentitiesOnly),
    ("IdentityAgent", Keyword::IdentityAgent),
    ("IdentityFile", Keyword::IdentityFile),
    ("IdentityFile2", Keyword::IdentityFile),
    ("IgnoreUnknown", Keyword::IgnoreUnknown),
    ("Include", Keyword::Include),
    ("KexAlgorithms", Keyword::KexAlgorithms),
    ("MACs", Keyword::Macs),
    ("Match", Keyword::Match),
    ("Port", Keyword::Port),
    ("ProxyCommand", Keyword::ProxyCommand),
    ("ProxyJump", Keyword::ProxyJump),
    ("ServerAliveCountMax", Keyword::ServerAliveCountMax),
    ("ServerAliveInterval", Keyword::ServerAliveInterval),
    ("StrictHostKeyChecking", Keyword::StrictHostKeyChecking),
    ("Tag", Keyword::Tag),
    ("User", Keyword::User),
    ("UserKnownHostsFile", Keyword::UserKnownHostsFile),
    ("UserKnownHostsFile2", Keyword::UserKnownHostsFile),
];

/// Keywords that change nothing here: there is one connection anyway, which asks nothing, forwards nothing and has no terminal; what
/// would only loosen a check, or speed up a slow line, is left out as well. The last ones are those that OpenSSH has forgotten itself.
const IGNORED: &[&str] = &[
    "AddKeysToAgent",
    "BatchMode",
    "CanonicalDomains",
    "CanonicalizeFallbackLocal",
    "CanonicalizeMaxDots",
    "CanonicalizePermittedCNAMEs",
    "ChallengeResponseAuthentication",
    "ChannelTimeout",
    "CheckHostIP",
    "ClearAllForwardings",
    "Compression",
    "ConnectionAttempts",
    "ControlMaster",
    "ControlPath",
    "ControlPersist",
    "DynamicForward",
    "EnableEscapeCommandline",
    "EnableSSHKeysign",
    "EscapeChar",
    "ExitOnForwardFailure",
    "FingerprintHash",
    "ForkAfterAuthentication",
    "ForwardAgent",
    "ForwardX11",
    "ForwardX11Timeout",
    "ForwardX11Trusted",
    "GatewayPorts",
    "GSSAPIAuthentication",
    "GSSAPIClientIdentity",
    "GSSAPIDelegateCredentials",
    "GSSAPIKeyExchange",
    "GSSAPIKexAlgorithms",
    "GSSAPIRenewalForcesRekey",
    "GSSAPIServerIdentity",
    "GSSAPITrustDNS",
    "HostbasedAcceptedAlgorithms",
    "HostbasedAuthentication",
    "HostbasedKeyTypes",
    "IPQoS",
    "KbdInteractiveAuthentication",
    "KbdInteractiveDevices",
    "LocalCommand",
    "LocalForward",
    "LogLevel",
    "LogVerbose",
    "NoHostAuthenticationForLocalhost",
    "NumberOfPasswordPrompts",
    "ObscureKeystrokeTiming",
    "PasswordAuthentication",
    "PermitRemoteOpen",
    "RekeyLimit",
    "RemoteForward",
    "RequestTTY",
    "SecurityKeyProvider",
    "SendEnv",
    "SessionType",
    "SetEnv",
    "StdinNull",
    "StreamLocalBindMask",
    "StreamLocalBindUnlink",
    "SyslogFacility",
    "TCPKeepAlive",
    "KeepAlive",
    "Tunnel",
    "TunnelDevice",
    "UpdateHostKeys",
    "VerifyHostKeyDNS",
    "VersionAddendum",
    "VisualHostKey",
    "WarnWeakCrypto",
    "XAuthLocation",
    "AFSTokenPassing",
    "Cipher",
    "CompressionLevel",
    "DSAAuthentication",
    "FallBackToRsh",
    "GlobalKnownHostsFile2",
    "KerberosAuthentication",
    "KerberosTGTPassing",
    "Protocol",
    "RhostsAuthentication",
    "RhostsRSAAuthentication",
    "RSAAuthentication",
    "SKeyAuthentication",
    "TISAuthentication",
    "UsePrivilegedPort",
    "UseRoaming",
    "UseRsh",
];

const OWN_CHOICE: &str = "hadeploy has a choice of its own, the strongest of what Debian's sshd offers; take the line away for this host";

/// Keywords that would matter, and are refused so that nobody believes they hold.
const REFUSED: &[Refusal] = &[
    Refusal {
        name: "BindInterface",
        harmless: &[],
        instead: "name an address of this machine with `BindAddress`",
    },
    Refusal {
        name: "CanonicalizeHostname",
        harmless: &["no", "false"],
        instead: "write whole names into the inventory, or `HostName %h.example.com` for short ones",
    },
    Refusal {
        name: "CASignatureAlgorithms",
        harmless: &[],
        instead: OWN_CHOICE,
    },
    Refusal {
        name: "KnownHostsCommand",
        harmless: &["none"],
        instead: "write what it prints into a file, and name that with `UserKnownHostsFile`",
    },
    Refusal {
        name: "PermitLocalCommand",
        harmless: &["no", "false"],
        instead: "hadeploy starts no program behind a login; start it before the run",
    },
    Refusal {
        name: "PKCS11Provider",
        harmless: &["none"],
        instead: "load the card's keys into an agent: `ssh-add -s LIBRARY`",
    },
    Refusal {
        name: "PreferredAuthentications",
        harmless: &[],
        instead: "hadeploy logs in with keys; the list must name `publickey`",
    },
    Refusal {
        name: "ProxyUseFdpass",
        harmless: &["no", "false"],
        instead: "name a program that carries the bytes itself, such as `ssh -W '[%h]:%p' HOST`, or use `ProxyJump`",
    },
    Refusal {
        name: "PubkeyAcceptedAlgorithms",
        harmless: &[],
        instead: OWN_CHOICE,
    },
    Refusal {
        name: "PubkeyAcceptedKeyTypes",
        harmless: &[],
        instead: OWN_CHOICE,
    },
    Refusal {
        name: "PubkeyAuthentication",
        harmless: &["yes", "true", "unbound", "host-bound"],
        instead: "hadeploy logs in with keys only",
    },
    Refusal {
        name: "RemoteCommand",
        harmless: &["none"],
        instead: "hadeploy runs commands of its own; set `RemoteCommand none` for this host in front",
    },
    Refusal {
        name: "RequiredRSASize",
        harmless: &["1024"],
        instead: OWN_CHOICE,
    },
    Refusal {
        name: "RevokedHostKeys",
        harmless: &["none"],
        instead: "write the keys into known_hosts, each line with `@revoked *` in front",
    },
    Refusal {
        name: "SmartcardDevice",
        harmless: &["none"],
        instead: "load the card's keys into an agent: `ssh-add -s LIBRARY`",
    },
];

/// Looks a keyword up, in whatever letter case.
pub(super) fn treatment(word: &str) -> Treatment {
    let is = |name: &str| name.eq_ignore_ascii_case(word);
    if let Some((_, keyword)) = FOLLOWED.iter().find(|(name, _)| is(name)) {
        return Treatment::Followed(*keyword);
    }
    if IGNORED.iter().any(|name| is(name)) {
        return Treatment::Ignored;
    }
    match REFUSED.iter().find(|refusal| is(refusal.name)) {
        Some(refusal) => Treatment::Refused(refusal),
        None => Treatment::Unknown,
    }
}

impl Refusal {
    /// Whether a value asks for nothing that would be missed.
    pub(super) fn is_harmless(&self, words: &[String]) -> bool {
        if self.name == "PreferredAuthentications" {
            let methods = words.first().map_or("", String::as_str).split(',');
            return words.len() == 1 && methods.into_iter().any(|method| method == "publickey");
        }
        // A list that only adds methods, or says which come first, takes away nothing.
        let adds = self.name.contains("Accepted") || self.name.starts_with("CASignature");
        words.len() == 1
            && (self
                .harmless
                .contains(&words[0].to_ascii_lowercase().as_str())
                || adds && words[0].starts_with(['+', '^']))
    }
}

/// The keyword most like `word`, when one is.
pub(super) fn nearest(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase();
    let followed = FOLLOWED.iter().map(|(name, _)| *name);
    let refused = REFUSED.iter().map(|refusal| refusal.name);
    let (likeness, name) = followed
        .chain(IGNORED.iter().copied())
        .chain(refused)
        .map(|name| (strsim::jaro_winkler(&word, &name.to_lowercase()), name))
        .max_by(|a, b| a.0.total_cmp(&b.0))?;
    (likeness > 0.8).then_some(name)
}
