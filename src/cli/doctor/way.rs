//! The way to a node, hop by hop, as far as it leads. What lies behind a broken hop is not looked at.

use super::finding::Finding;
use crate::engine::visit::{Unseen, Visited};
use crate::transport::TransportError;
use crate::transport::ssh::trail::{Answer, Carrier, Leg, Milestone, Trust};

/// What was found on it.
pub(super) fn way(visited: &Visited) -> Vec<Finding> {
    if visited.is_here {
        return vec![Finding::ok("login", "this machine, without a login")];
    }
    let (good, broken) = match &visited.end {
        Ok(_) | Err(Unseen::Script(_)) => (4, None),
        Err(Unseen::Wrong(why)) => (0, Some(("name", why.clone(), None))),
        Err(Unseen::Transport(error)) => {
            let (good, check) = broken_hop(error);
            (good, Some((check, error.to_string(), error.help())))
        }
    };
    let at_hop = matches!(
        visited.end,
        Err(Unseen::Transport(TransportError::AtHop { .. }))
    );
    let (own, hops) = match visited.trail.legs.split_last() {
        Some((own, hops)) if !at_hop => (Some(own), hops),
        _ => (None, visited.trail.legs.as_slice()),
    };
    let mut found: Vec<Finding> = hops
        .iter()
        .filter(|hop| hop.is_whole())
        .map(jump_host)
        .collect();
    found.extend(own_leg(visited, own).into_iter().take(good));
    if let Some((check, said, cure)) = broken {
        let cure = cure.unwrap_or_else(|| format!("ssh -v {}@{}", visited.login, visited.address));
        found.push(Finding::bad(check, said, cure));
    }
    if let Err(Unseen::Script(why)) = &visited.end {
        let login = &visited.login;
        let cure = match why.starts_with("the shell ended") {
            true => format!(
                "as root there: usermod -s /bin/bash {login}, where its login shell is nologin or false"
            ),
            false => format!("ssh {login}@{} /bin/sh -c true", visited.address),
        };
        found.push(Finding::bad("shell", why.clone(), cure));
    }
    found
}

/// A host on the way that let us through.
fn jump_host(leg: &Leg) -> Finding {
    let stages = leg.stages.iter().map(|stage| &stage.what);
    let key = stages.filter_map(host_key).next();
    match key {
        Some(Finding {
            said,
            cure: Some(cure),
            ..
        }) => Finding::warn("jump host", format!("{}: {said}", leg.to), cure),
        _ => Finding::ok("jump host", format!("{} lets us through", leg.to)),
    }
}

/// The four checks of the host itself, as they are when all is well.
fn own_leg(visited: &Visited, leg: Option<&Leg>) -> [Finding; 4] {
    let stages = || leg.into_iter().flat_map(|leg| &leg.stages);
    let milestones = || stages().map(|stage| &stage.what);
    let name = milestones().find_map(|what| match what {
        Milestone::Resolved { name, addresses } if name.parse::<std::net::IpAddr>().is_err() => {
            let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            Some(format!("{name} is {}", addresses.join(", ")))
        }
        _ => None,
    });
    let tcp = match leg.map(|leg| &leg.by) {
        None | Some(Carrier::Tcp) => "it answers".to_owned(),
        Some(Carrier::Jump(_)) => "it answers the jump host".to_owned(),
        Some(Carrier::Command(command)) => format!("it answers through `{command}`"),
    };
    let key = milestones().find_map(host_key);
    let by = milestones().find_map(|what| match what {
        Milestone::Offered {
            key,
            answer: Answer::Accepted,
        } => Some(format!(", by {key}")),
        _ => None,
    });
    [
        Finding::ok("name", name.unwrap_or_else(|| visited.address.clone())),
        Finding::ok("tcp", tcp),
        key.unwrap_or_else(|| Finding::ok("host key", "it is the known one")),
        Finding::ok(
            "login",
            format!("as {}{}", visited.login, by.unwrap_or_default()),
        ),
    ]
}

/// Why a host key was taken.
fn host_key(what: &Milestone) -> Option<Finding> {
    let Milestone::HostKey {
        key_type,
        fingerprint,
        trust,
    } = what
    else {
        return None;
    };
    let check = "host key";
    Some(match trust {
        Trust::Known(_) => Finding::ok(check, "it is the known one"),
        Trust::Certified(name) => Finding::ok(
            check,
            format!("a known authority vouches for it, by the certificate `{name}`"),
        ),
        Trust::New | Trust::Learned => Finding::warn(
            check,
            format!("{key_type} {fingerprint} is unknown; the first run learns it (accept-new)"),
            "compare it with the server's own: `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` there",
        ),
        Trust::Unchecked => Finding::warn(
            check,
            format!(
                "{key_type} {fingerprint} is not looked up, so anybody may answer in its place"
            ),
            "--host-key-checking accept-new",
        ),
    })
}

/// How many hops were good, and which check failed.
fn broken_hop(error: &TransportError) -> (usize, &'static str) {
    match error {
        TransportError::Unresolved { .. } => (0, "name"),
        TransportError::AtHop { .. } => (0, "jump host"),
        TransportError::Refused { .. }
        | TransportError::NoForward { .. }
        | TransportError::NoProgram { .. } => (1, "tcp"),
        TransportError::Timeout { what, .. } if what.contains("name") => (0, "name"),
        TransportError::Timeout { what, .. } if what.contains("key exchange") => (2, "ssh"),
        TransportError::Timeout { what, .. } if what.contains("authentication") => (3, "login"),
        TransportError::Timeout { .. } => (1, "tcp"),
        TransportError::UnknownHostKey { .. }
        | TransportError::ChangedHostKey { .. }
        | TransportError::RevokedHostKey { .. }
        | TransportError::HostCertificate { .. }
        | TransportError::KnownHostsFile { .. } => (2, "host key"),
        TransportError::Authentication { .. }
        | TransportError::KeyFile { .. }
        | TransportError::KeyPassphrase { .. } => (3, "login"),
        TransportError::Lost { .. } | TransportError::Protocol { .. } => (2, "ssh"),
    }
}
