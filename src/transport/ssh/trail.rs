//! What happened on the way to a host, step by step, as plain data: for people who ask why it does not answer.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::transport::error::KnownKeyPlace;

/// The whole way: one leg for each host that was logged in to, the host itself last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trail {
    /// In the order in which they were gone.
    pub legs: Vec<Leg>,
}

/// The way to one host of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// Where it leads: `root@10.77.0.11:22`.
    pub to: String,
    /// What carries it.
    pub by: Carrier,
    /// What came about, in order. A leg that ends without [`Milestone::LoggedIn`] is where the way broke off.
    pub stages: Vec<Stage>,
}

/// What carries the bytes of a leg.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carrier {
    /// A TCP connection of this machine.
    Tcp,
    /// A channel of the connection to the jump host before it, which it names: `root@10.77.0.11:22`.
    Jump(String),
    /// A program on this machine, by its command line.
    Command(String),
}

/// Something that came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// What it was.
    pub what: Milestone,
    /// The time since the leg began.
    pub after: Duration,
}

/// A point on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Milestone {
    /// The name has these addresses.
    Resolved {
        /// As looked up.
        name: String,
        /// In the order in which they are tried.
        addresses: Vec<IpAddr>,
    },
    /// Nothing came of an address; the next one is tried.
    NoAnswer {
        /// The address with its port, or the program.
        at: String,
        /// What the system says.
        reason: String,
    },
    /// Bytes go to and fro: TCP is connected, the jump host has opened its channel, or the program was started.
    Connected {
        /// The address with its port, the name with its port as the jump host was told it, or the program.
        at: String,
    },
    /// A connection to this host was open already, for another one behind it.
    Shared,
    /// The server hung up before it said who it is, and is asked once more.
    HungUp,
    /// Both sides agreed on how to talk.
    KeysExchanged {
        /// `mlkem768x25519-sha256`
        kex: String,
        /// `aes256-gcm@openssh.com`
        cipher: String,
    },
    /// The host key was taken.
    HostKey {
        /// `ssh-ed25519`
        key_type: String,
        /// `SHA256:…`
        fingerprint: String,
        /// Why it was taken.
        trust: Trust,
    },
    /// A key was offered, or passed over.
    Offered {
        /// `the agent's key me@laptop`, `/home/me/.ssh/id_ed25519`
        key: String,
        /// What came of it.
        answer: Answer,
    },
    /// The server closed the login, or accepts no keys: `the server accepts only password`.
    NoMore(String),
    /// We are in.
    LoggedIn,
}

/// Why a host key was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// A known_hosts file has it.
    Known(Box<KnownKeyPlace>),
    /// An authority that known_hosts names signed the host's certificate of this name.
    Certified(String),
    /// It was unknown, and is learned.
    Learned,
    /// It is unknown, and would be learned if this were more than a look.
    New,
    /// Nothing vouches for it; checking is off.
    Unchecked,
}

/// What came of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The server let us in.
    Accepted,
    /// The server did not take it.
    Refused,
    /// The server took it and wants more.
    WantsMore,
    /// It was not offered, for this reason.
    PassedOver(String),
}

impl Leg {
    /// Whether it came to its end.
    pub fn is_whole(&self) -> bool {
        self.stages
            .iter()
            .any(|stage| stage.what == Milestone::LoggedIn)
    }
}

impl fmt::Display for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp => f.write_str("directly"),
            Self::Jump(hop) => write!(f, "through `{hop}`"),
            Self::Command(command) => write!(f, "through the program `{command}`"),
        }
    }
}

impl fmt::Display for Milestone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolved { name, addresses } => {
                let addresses: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
                write!(f, "`{name}` has the address {}", addresses.join(", "))
            }
            Self::NoAnswer { at, reason } => write!(f, "no answer from {at}: {reason}"),
            Self::Connected { at } => write!(f, "connected to {at}"),
            Self::Shared => f.write_str("connected and logged in already"),
            Self::HungUp => f.write_str("the server hung up, and is asked once more"),
            Self::KeysExchanged { kex, cipher } => write!(f, "keys exchanged by {kex}, {cipher}"),
            Self::HostKey {
                key_type,
                fingerprint,
                trust,
            } => write!(f, "host key {key_type} {fingerprint}, {trust}"),
            Self::Offered { key, answer } => write!(f, "{key}: {answer}"),
            Self::NoMore(why) => f.write_str(why),
            Self::LoggedIn => f.write_str("logged in"),
        }
    }
}

impl fmt::Display for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(place) => write!(f, "known by {}", place.at()),
            Self::Certified(name) => write!(f, "certified as `{name}`"),
            Self::Learned => f.write_str("learned now"),
            Self::New => f.write_str("unknown, and not learned"),
            Self::Unchecked => f.write_str("not checked"),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted => f.write_str("accepted"),
            Self::Refused => f.write_str("refused"),
            Self::WantsMore => f.write_str("accepted, but the server wants more"),
            Self::PassedOver(why) => write!(f, "not offered: {why}"),
        }
    }
}
