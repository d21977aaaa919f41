//! What a configuration says of one host: lines in order, of which the first one that speaks of a thing counts.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use super::criteria::{Criterion, Kind};
use super::error::{ConfigError, Place};
use super::jump::Proxy;
use super::machine::Machine;
use super::parse::File;
use super::setting::{Line, Setting, refused, unknown};
use super::tokens::{Tokens, Who, host_name};
use crate::transport::ssh::algorithms::Choice;
use crate::transport::ssh::known_hosts::wildcard_match;
use crate::transport::ssh::options::{AddressFamily, HostKeyChecking};

/// Everything that is said, as written. What is not said is `None` or empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) host_name: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) identity_files: Vec<Identity>,
    pub(crate) certificate_files: Vec<String>,
    pub(crate) identities_only: Option<bool>,
    pub(crate) identity_agent: Option<String>,
    pub(crate) user_known_hosts: Option<Vec<String>>,
    pub(crate) global_known_hosts: Option<Vec<String>>,
    pub(crate) host_key_alias: Option<String>,
    pub(crate) host_key_checking: Option<HostKeyChecking>,
    pub(crate) hash_known_hosts: Option<bool>,
    pub(crate) connect_timeout: Option<Option<Duration>>,
    pub(crate) keepalive_interval: Option<Option<Duration>>,
    pub(crate) keepalive_max: Option<usize>,
    pub(crate) address_family: Option<AddressFamily>,
    pub(crate) bind_address: Option<IpAddr>,
    pub(crate) proxy: Option<Proxy>,
    /// Where that stands.
    pub(crate) proxy_place: Option<Place>,
    /// Lists of methods by their keyword, the first of each.
    pub(crate) algorithms: Vec<(&'static str, Option<Choice>)>,
    tag: Option<String>,
    ignore_unknown: Option<String>,
    /// Keywords that are not followed, whose first value asks for nothing.
    settled: Vec<&'static str>,
}

/// A key file as it is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) path: String,
    /// In the arguments of this run, not in a file.
    pub(crate) named: bool,
}

/// Going through lines for one host.
pub(super) struct Walk<'a> {
    pub(super) who: &'a Who,
    pub(super) machine: &'a dyn Machine,
    /// As it was asked for.
    pub(super) original: &'a str,
    /// What `Host` looks at: the same, and in the final pass what it is connected to.
    pub(super) host: String,
    pub(super) last: bool,
    pub(super) said: Said,
    /// A line asked for a final pass.
    pub(super) wants_last: bool,
}

/// Which lines count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counts {
    Yes,
    No,
    /// Nor those behind any `Host` or `Match` of this file: it is included where nothing counts.
    Never,
}

impl Walk<'_> {
    /// Takes what a file says.
    pub(super) fn file(&mut self, file: &File) -> Result<(), ConfigError> {
        self.lines(&file.lines, Counts::Yes)
    }

    /// Takes what arguments say: all of it counts.
    pub(super) fn arguments(&mut self, lines: &[Line]) -> Result<(), ConfigError> {
        self.lines(lines, Counts::Yes)
    }

    fn lines(&mut self, lines: &[Line], from: Counts) -> Result<(), ConfigError> {
        let mut counts = from;
        let now = |yes: bool| match (from, yes) {
            (Counts::Never, _) => Counts::Never,
            (_, true) => Counts::Yes,
            (_, false) => Counts::No,
        };
        for line in lines {
            match &line.setting {
                Setting::Host(patterns) => counts = now(fits_host(patterns, &self.host)),
                Setting::Match(criteria) => {
                    let fits = self.criteria(criteria, from, &line.place)?;
                    counts = now(fits);
                }
                Setting::Include(files) => {
                    let from = match counts {
                        Counts::Yes => Counts::Yes,
                        Counts::No | Counts::Never => Counts::Never,
                    };
                    for file in files {
                        self.lines(&file.lines, from)?;
                    }
                }
                Setting::Unknown(word) if !self.ignores(word) => {
                    return Err(unknown(word, &line.place));
                }
                setting if counts == Counts::Yes => {
                    let named = line.place == Place::Argument;
                    self.said.take(setting, named, &line.place)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn ignores(&self, word: &str) -> bool {
        let word = word.to_lowercase();
        let patterns = self.said.ignore_unknown.as_deref();
        patterns.is_some_and(|patterns| fits_list(&patterns.to_lowercase(), &word))
    }

    /// The name that is connected to, as far as it is known.
    pub(super) fn connects_to(&self) -> String {
        match &self.said.host_name {
            // In the final pass it is what came of the first one.
            Some(name) if self.last => name.clone(),
            Some(name) => host_name(name, self.original),
            None => self.host.clone(),
        }
    }

    fn criteria(
        &mut self,
        criteria: &[Criterion],
        from: Counts,
        place: &Place,
    ) -> Result<bool, ConfigError> {
        let host = self.connects_to();
        let user = self.said.user.as_deref().unwrap_or(&self.who.user);
        let mut all = true;
        for Criterion { negated, kind } in criteria {
            let holds = match kind {
                Kind::All => true,
                Kind::Canonical => self.last,
                Kind::Final => {
                    self.wants_last = true;
                    self.last
                }
                Kind::Host(list) => fits_list(&list.to_lowercase(), &host.to_lowercase()),
                Kind::OriginalHost(list) => {
                    fits_list(&list.to_lowercase(), &self.original.to_lowercase())
                }
                Kind::User(list) => fits_list(list, user),
                Kind::LocalUser(list) => fits_list(list, &self.who.user),
                Kind::Tagged(list) => {
                    let tag = self.said.tag.as_deref();
                    fits_list(list, tag.unwrap_or_default())
                }
                // A program is not run where it decides nothing.
                Kind::Exec(_) if !all || from == Counts::Never => continue,
                Kind::Exec(command) => {
                    let tokens = Tokens {
                        who: self.who,
                        original: self.original,
                        host: &host,
                        port: self.said.port.unwrap_or(22),
                        user,
                        alias: self.said.host_key_alias.as_deref(),
                    };
                    let command = tokens.expand(command);
                    self.machine.run(&command).map_err(|error: io::Error| {
                        place.error(format!("`{command}` could not be run: {error}"))
                    })?
                }
            };
            all &= holds != *negated;
        }
        Ok(all)
    }
}

impl Said {
    /// Takes a setting unless an earlier one spoke of the same; files add up.
    pub(super) fn take(
        &mut self,
        setting: &Setting,
        named: bool,
        place: &Place,
    ) -> Result<(), ConfigError> {
        fn first<T: Clone>(target: &mut Option<T>, value: &T) {
            target.get_or_insert_with(|| value.clone());
        }
        fn first_time(target: &mut Option<Option<Duration>>, value: &Option<Duration>) {
            if target.flatten().is_none() {
                *target = Some(*value);
            }
        }
        match setting {
            Setting::AddressFamily(family) => first(&mut self.address_family, family),
            Setting::Algorithms(keyword, choice) => {
                if !self.algorithms.iter().any(|(known, _)| known == keyword) {
                    self.algorithms.push((keyword, choice.clone()));
                }
            }
            Setting::BindAddress(address) => first(&mut self.bind_address, address),
            Setting::CertificateFile(path) => {
                if !self.certificate_files.contains(path) {
                    self.certificate_files.push(path.clone());
                }
            }
            Setting::ConnectTimeout(time) => first_time(&mut self.connect_timeout, time),
            Setting::GlobalKnownHosts(files) => first(&mut self.global_known_hosts, files),
            Setting::HashKnownHosts(flag) => first(&mut self.hash_known_hosts, flag),
            Setting::HostKeyAlias(name) => first(&mut self.host_key_alias, name),
            Setting::HostKeyChecking(checking) => first(&mut self.host_key_checking, checking),
            Setting::HostName(name) => first(&mut self.host_name, name),
            Setting::IdentitiesOnly(flag) => first(&mut self.identities_only, flag),
            Setting::IdentityAgent(agent) => first(&mut self.identity_agent, agent),
            Setting::IdentityFile(path) => {
                let path = path.clone();
                let identity = Identity { path, named };
                if !self.identity_files.contains(&identity) {
                    self.identity_files.push(identity);
                }
            }
            Setting::IgnoreUnknown(patterns) => first(&mut self.ignore_unknown, patterns),
            Setting::Port(port) => first(&mut self.port, port),
            Setting::Proxy(proxy) => {
                let follows = matches!(proxy, Proxy::Command(_) | Proxy::None);
                if self.proxy.is_none() || self.proxy == Some(Proxy::NoJump) && follows {
                    self.proxy = Some(proxy.clone());
                    self.proxy_place = Some(place.clone());
                }
            }
            Setting::ServerAliveInterval(time) => first_time(&mut self.keepalive_interval, time),
            Setting::ServerAliveCountMax(count) => first(&mut self.keepalive_max, count),
            Setting::Tag(tag) => first(&mut self.tag, tag),
            Setting::User(user) => first(&mut self.user, user),
            Setting::UserKnownHosts(files) => first(&mut self.user_known_hosts, files),
            Setting::Refused(refusal, harmless) => {
                if !self.settled.contains(&refusal.name) {
                    if !harmless {
                        return Err(refused(refusal, place));
                    }
                    self.settled.push(refusal.name);
                }
            }
            // `Host`, `Match` and `Include` are the walk's own.
            Setting::Ignored
            | Setting::Unknown(_)
            | Setting::Host(_)
            | Setting::Match(_)
            | Setting::Include(_) => {}
        }
        Ok(())
    }
}

/// The patterns of `Host`: one that fits and no negated one that does. Letter case counts.
fn fits_host(patterns: &[String], host: &str) -> bool {
    let mut fits = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(negated) if wildcard_match(negated, host) => return false,
            Some(_) => {}
            None => fits |= wildcard_match(pattern, host),
        }
    }
    fits
}

/// A list with commas, by the same rule.
fn fits_list(list: &str, text: &str) -> bool {
    let patterns: Vec<String> = list.split(',').map(str::to_string).collect();
    fits_host(&patterns, text)
}
