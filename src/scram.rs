//! SCRAM-SHA-256 verifiers as PostgreSQL stores them: from one no password can be read, and it shows whether a password is right.

use std::num::NonZeroU32;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use ring::pbkdf2;
use sha2::{Digest, Sha256};

/// PostgreSQL's own number of rounds.
pub const ROUNDS: NonZeroU32 = NonZeroU32::new(4096).expect("not zero");
/// A stored verifier with more rounds is not compared, but made anew.
pub const MOST_ROUNDS: NonZeroU32 = NonZeroU32::new(1_000_000).expect("not zero");

/// What is stored, taken apart.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    /// How often the password was hashed.
    pub rounds: NonZeroU32,
    salt: Vec<u8>,
    stored: Vec<u8>,
    server: Vec<u8>,
}

impl Verifier {
    /// Reads `SCRAM-SHA-256$ROUNDS:SALT$STORED:SERVER`; none when it is not whole.
    pub fn read(text: &str) -> Option<Verifier> {
        let (head, keys) = text.strip_prefix("SCRAM-SHA-256$")?.split_once('$')?;
        let (rounds, salt) = read_head(head)?;
        let (stored, server) = keys.split_once(':')?;
        let key = |text: &str| STANDARD.decode(text).ok().filter(|key| key.len() == 32);
        Some(Verifier {
            rounds,
            salt,
            stored: key(stored)?,
            server: key(server)?,
        })
    }

    /// The verifier of a password. Passwords outside of ASCII are taken as they are, as the server does with what SASLprep refuses.
    pub fn new(password: &str, salt: &[u8], rounds: NonZeroU32) -> Verifier {
        let mut salted = [0; 32];
        let password = password.as_bytes();
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            rounds,
            salt,
            password,
            &mut salted,
        );
        Verifier {
            rounds,
            salt: salt.to_vec(),
            stored: Sha256::digest(mac(&salted, b"Client Key")).to_vec(),
            server: mac(&salted, b"Server Key"),
        }
    }

    /// The verifier of the same password would be this one.
    pub fn is_of(&self, password: &str) -> bool {
        self.rounds <= MOST_ROUNDS && Verifier::new(password, &self.salt, self.rounds) == *self
    }

    /// As the server stores it.
    pub fn text(&self) -> String {
        let text = |bytes: &[u8]| STANDARD.encode(bytes);
        format!(
            "SCRAM-SHA-256${}:{}${}:{}",
            self.rounds,
            text(&self.salt),
            text(&self.stored),
            text(&self.server)
        )
    }
}

/// Reads the head of a verifier, `ROUNDS:SALT`.
pub fn read_head(text: &str) -> Option<(NonZeroU32, Vec<u8>)> {
    let (rounds, salt) = text.split_once(':')?;
    Some((rounds.parse().ok()?, STANDARD.decode(salt).ok()?))
}

/// A salt for one account, of what a server drew by chance. A server shows it to whoever knocks, so nothing of the password is in it.
pub fn salt(random: &str, account: &str) -> [u8; 16] {
    let digest = Sha256::new()
        .chain_update(random)
        .chain_update([0])
        .chain_update(account)
        .finalize();
    let mut salt = [0; 16];
    salt.copy_from_slice(&digest[..16]);
    salt
}

fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a MAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677: user `user`, password `pencil`.
    #[test]
    fn the_standard_s_example_comes_out() {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").expect("base64");
        let verifier = Verifier::new("pencil", &salt, ROUNDS);
        let text = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
        assert_eq!(verifier.text(), text);
        assert!(Verifier::read(text).is_some_and(|read| read.is_of("pencil")));
        assert!(!verifier.is_of("pencils"));
    }

    #[test]
    fn what_is_not_whole_is_none() {
        for wrong in [
            "",
            "SCRAM-SHA-256$4096:x$y:z",
            "SCRAM-SHA-256$0:eA==$eA==:eA==",
        ] {
            assert!(Verifier::read(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn each_account_and_each_draw_has_a_salt_of_its_own() {
        assert_ne!(salt("x", "a"), salt("x", "b"));
        assert_ne!(salt("x", "a"), salt("y", "a"));
    }
}
