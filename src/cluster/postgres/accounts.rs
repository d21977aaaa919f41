//! Whether the accounts and databases of a server are as wanted.

use sha2::{Digest, Sha256};

use super::observation::{Online, RoleSeen};
use super::spec::{REPMGR, Role, RoleKind, Spec};
use crate::scram::{MOST_ROUNDS, Verifier, read_head};

/// Whether they are. A witness has only repmgr's.
pub fn right(spec: &Spec, online: &Online, witness: bool) -> bool {
    let roles = spec
        .roles
        .iter()
        .filter(|role| !witness || role.kind == RoleKind::Repmgr)
        .all(|role| {
            let seen = online.roles.iter().find(|seen| seen.name == role.name);
            seen.is_some_and(|seen| may(role.kind, seen) && knows(role, seen))
        });
    let has = |name: &str, owner: &str| {
        online
            .databases
            .get(name)
            .is_some_and(|found| found == owner)
    };
    let databases = witness
        || spec
            .databases
            .iter()
            .all(|database| has(&database.name, &database.owner));
    roles && databases && has(REPMGR, REPMGR)
}

fn may(kind: RoleKind, seen: &RoleSeen) -> bool {
    let strong = kind == RoleKind::Repmgr;
    seen.login && seen.superuser == strong && seen.replication == strong
}

/// Whether the account's verifier was made of the wanted password: made anew with the same salt, it is the same.
fn knows(role: &Role, seen: &RoleSeen) -> bool {
    read_head(&seen.salt)
        .filter(|(rounds, _)| *rounds <= MOST_ROUNDS)
        .is_some_and(|(rounds, salt)| {
            let verifier = Verifier::new(&role.password, &salt, rounds).text();
            hex(&Sha256::digest(verifier)) == seen.digest
        })
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scram::ROUNDS;

    #[test]
    fn a_password_is_known_by_its_verifier() {
        let role = Role {
            name: "app".into(),
            password: "secret".into(),
            kind: RoleKind::Login,
        };
        let verifier = Verifier::new("secret", b"0123456789abcdef", ROUNDS).text();
        let seen = RoleSeen {
            name: "app".into(),
            login: true,
            salt: "4096:MDEyMzQ1Njc4OWFiY2RlZg==".into(),
            digest: hex(&Sha256::digest(verifier)),
            ..RoleSeen::default()
        };
        assert!(may(RoleKind::Login, &seen) && knows(&role, &seen));
        assert!(!may(RoleKind::Repmgr, &seen));
        let other = Role {
            password: "Secret".into(),
            ..role
        };
        assert!(!knows(&other, &seen));
    }
}
