//! From what is said of a host to the options of its connection, and of those to its jump hosts.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::error::{ConfigError, Place};
use super::jump::{JumpHost, Proxy};
use super::tokens::Tokens;
use super::{Query, Said, Setting, SshConfig};
use crate::transport::ssh::algorithms::Algorithms;
use crate::transport::ssh::arguments::SshArguments;
use crate::transport::ssh::options::{HostKeyRule, SshOptions, Way};

/// As long as a connection may take where a configuration says that there is no limit; TCP itself gives up about then.
const NO_LIMIT: Duration = Duration::from_secs(120);

/// More jump hosts in a row are no way but a mistake.
const LONGEST_CHAIN: usize = 8;

/// The keys that are tried when none is named, in the folder `.ssh`.
const DEFAULT_IDENTITIES: [&str; 3] = ["id_ed25519", "id_ecdsa", "id_rsa"];

/// A host to be connected to, and what is known of it before any configuration is read.
#[derive(Debug, Clone, Default)]
pub struct Wanted<'a> {
    /// Its name in the inventory, for advice.
    pub name: &'a str,
    /// Name or address as the inventory has it: what `Host` and `Match originalhost` look at.
    pub address: &'a str,
    /// The login name, when something else than a configuration says it.
    pub user: Option<&'a str>,
    /// The port, likewise.
    pub port: Option<u16>,
    /// A key that must exist, tried first.
    pub identity_file: Option<PathBuf>,
    /// Arguments of the inventory.
    pub arguments: SshArguments,
    /// What becomes of unknown host keys; jump hosts are held to the same.
    pub host_keys: HostKeyRule,
    /// The socket of the usual agent.
    pub agent: Option<PathBuf>,
}

impl SshConfig {
    /// The options of a connection, resolved: arguments before `~/.ssh/config` before `/etc/ssh/ssh_config`.
    ///
    /// # Errors
    /// The first line that is not understood, or not supported and counts for this host or one of its jump hosts.
    pub fn options(&self, wanted: &Wanted<'_>) -> Result<SshOptions, ConfigError> {
        self.chained(wanted, &[], &Place::Argument)
    }

    /// The same for a jump host of `behind`, which are not to come again; the line at `from` names it.
    fn chained(
        &self,
        wanted: &Wanted<'_>,
        behind: &[String],
        from: &Place,
    ) -> Result<SshOptions, ConfigError> {
        let (said, address) = self.said(&Query {
            host: wanted.address,
            user: wanted.user,
            port: wanted.port,
            arguments: &wanted.arguments,
            host_keys: wanted.host_keys,
        })?;
        let user = said.user.as_deref().unwrap_or(&self.who.user).to_string();
        let tokens = Tokens {
            who: &self.who,
            original: wanted.address,
            host: &address,
            port: said.port.unwrap_or(22),
            user: &user,
            alias: said.host_key_alias.as_deref(),
        };
        let mut options = SshOptions::new(wanted.name, &address, &user);
        options.port = tokens.port;
        let mut chain = behind.to_vec();
        chain.push(options.describe());
        if behind.contains(&options.describe()) || behind.len() > LONGEST_CHAIN {
            return Err(from
                .error(format!(
                    "the jump hosts lead round in a circle: {}",
                    chain.join(" through ")
                ))
                .help("write a `Host` block with `ProxyJump none` for the jump host itself above the line that names it"));
        }
        self.fill(&mut options, &said, &tokens, wanted)
            .map_err(|error| Place::Argument.error(error))?;
        let place = said.proxy_place.clone().unwrap_or(Place::Argument);
        options.way = match &said.proxy {
            None | Some(Proxy::None | Proxy::NoJump) => Way::Direct,
            Some(Proxy::Command(command)) => Way::Command(tokens.expand(command)),
            Some(Proxy::Jump(hosts)) => self.jump(hosts, &tokens, wanted, &chain, &place)?,
        };
        Ok(options)
    }

    /// The last of `hosts` is the jump host of this host, and is itself reached over the ones before it; without such, as the
    /// configuration says. Of the arguments it is told nothing but the file of the configuration, as OpenSSH does.
    fn jump(
        &self,
        hosts: &[JumpHost],
        tokens: &Tokens<'_>,
        wanted: &Wanted<'_>,
        chain: &[String],
        place: &Place,
    ) -> Result<Way, ConfigError> {
        let Some((last, first)) = hosts.split_last() else {
            return Ok(Way::Direct);
        };
        let host = tokens.expand(&last.host);
        let mut arguments = SshArguments {
            config: wanted.arguments.config.clone(),
            ..SshArguments::default()
        };
        if !first.is_empty() {
            arguments.say(Setting::Proxy(Proxy::Jump(first.to_vec())));
        }
        let hop = Wanted {
            name: &host,
            address: &host,
            user: last.user.as_deref(),
            port: last.port,
            identity_file: None,
            arguments,
            host_keys: wanted.host_keys,
            agent: wanted.agent.clone(),
        };
        let options = self.chained(&hop, chain, place)?;
        Ok(Way::Jump(Arc::new(options)))
    }

    fn fill(
        &self,
        options: &mut SshOptions,
        said: &Said,
        tokens: &Tokens<'_>,
        wanted: &Wanted<'_>,
    ) -> Result<(), String> {
        let ssh = |name: &str| {
            let home = self.who.home.as_deref().unwrap_or(Path::new("/"));
            home.join(".ssh").join(name)
        };
        let paths = |list: &[String]| -> Result<Vec<PathBuf>, String> {
            let named = list.iter().filter(|path| !is_none(path));
            named.map(|path| tokens.path(path)).collect()
        };
        options.identity_files.extend(wanted.identity_file.clone());
        for identity in said.identity_files.iter().filter(|key| !is_none(&key.path)) {
            let path = tokens.path(&identity.path)?;
            match identity.named {
                true => options.identity_files.push(path),
                false => options.configured_identities.push(path),
            }
        }
        // `IdentityFile none` is a way to say that no key of a file is to be tried.
        if said.identity_files.is_empty() {
            options.default_identities = DEFAULT_IDENTITIES.map(ssh).to_vec();
        }
        options.certificates = paths(&said.certificate_files)?;
        options.identities_only = said.identities_only.unwrap_or(false);
        options.agent = match said.identity_agent.as_deref() {
            None | Some("SSH_AUTH_SOCK") => wanted.agent.clone(),
            Some(text) if is_none(text) => None,
            Some(text) => match text.strip_prefix('$').filter(|name| !name.starts_with('{')) {
                Some(name) => self.who.variables.get(name).map(PathBuf::from),
                None => Some(tokens.path(text)?),
            },
        };
        options.known_hosts = match &said.user_known_hosts {
            Some(files) => paths(files)?,
            None => vec![ssh("known_hosts"), ssh("known_hosts2")],
        };
        options.global_known_hosts = match &said.global_known_hosts {
            Some(files) => paths(files)?,
            None => ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"]
                .map(PathBuf::from)
                .to_vec(),
        };
        options.hash_known_hosts = said.hash_known_hosts.unwrap_or(false);
        options.host_key_alias.clone_from(&said.host_key_alias);
        options.host_key_checking = said.host_key_checking.unwrap_or_default();
        options.learns_host_keys = !wanted.host_keys.only_look;
        if let Some(time) = said.connect_timeout {
            options.connect_timeout = time.filter(|time| !time.is_zero()).unwrap_or(NO_LIMIT);
        }
        if let Some(time) = said.keepalive_interval {
            options.keepalive_interval = time.unwrap_or(Duration::ZERO);
        }
        if let Some(count) = said.keepalive_max {
            options.keepalive_max = count;
        }
        options.address_family = said.address_family.unwrap_or_default();
        options.bind_address = said.bind_address;
        let choice = |keyword| {
            let mut lists = said.algorithms.iter();
            lists
                .find(|(known, _)| *known == keyword)
                .and_then(|(_, choice)| choice.clone())
        };
        options.algorithms = Algorithms {
            ciphers: choice("Ciphers"),
            kex: choice("KexAlgorithms"),
            macs: choice("MACs"),
            host_keys: choice("HostKeyAlgorithms"),
        };
        Ok(())
    }
}

fn is_none(text: &str) -> bool {
    text.eq_ignore_ascii_case("none")
}
