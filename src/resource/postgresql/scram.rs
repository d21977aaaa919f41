//! Passwords as PostgreSQL stores them: SCRAM-SHA-256 verifiers, from which no password can be read.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest, Sha256};

use crate::secret::Secret;

/// PostgreSQL's own number of rounds.
const ROUNDS: u32 = 4096;
/// A stored verifier with more rounds is not compared, but made anew.
const MOST_ROUNDS: u32 = 1_000_000;

/// A password as a user writes it.
pub(super) enum Password {
    /// None: nobody comes in by password.
    None,
    /// The password itself.
    Plain(Secret),
    /// A ready verifier.
    Verifier(Secret),
}

impl Password {
    /// Reads a password, or says what is wrong with it and what to do; the password itself is in no word of that.
    pub(super) fn read(text: &str) -> Result<Password, (&'static str, &'static str)> {
        if text.is_empty() {
            return Ok(Password::None);
        }
        if text.starts_with("SCRAM-SHA-256$") {
            return match Verifier::read(text) {
                Some(_) => Ok(Password::Verifier(Secret::new(text))),
                None => Err((
                    "this verifier is not complete",
                    "it reads SCRAM-SHA-256$ROUNDS:SALT$STORED:SERVER",
                )),
            };
        }
        let digits = text.strip_prefix("md5").unwrap_or_default();
        if digits.len() == 32 && digits.chars().all(|c| c.is_ascii_hexdigit()) {
            return Err((
                "passwords are not stored as MD5 any more",
                "give the password itself, or a SCRAM-SHA-256 verifier",
            ));
        }
        // What normalization leaves as it is.
        let same = |c: char| c.is_ascii() || ('\u{c0}'..='\u{ff}').contains(&c);
        if !text.chars().all(same) || text.contains('\0') {
            return Err((
                "a password of letters beyond Latin-1 is not normalized here as PostgreSQL does",
                "choose other letters, or give a SCRAM-SHA-256 verifier",
            ));
        }
        Ok(Password::Plain(Secret::new(text)))
    }

    /// Whether what is stored is this password.
    pub(super) fn is(&self, stored: Option<&str>) -> bool {
        match (self, stored) {
            (Password::None, stored) => stored.is_none(),
            (Password::Verifier(wanted), Some(stored)) => wanted.reveal() == stored,
            (Password::Plain(password), Some(stored)) => Verifier::read(stored)
                .filter(|stored| stored.rounds <= MOST_ROUNDS)
                .is_some_and(|stored| {
                    Verifier::new(password, stored.salt.clone(), stored.rounds) == stored
                }),
            (_, None) => false,
        }
    }

    /// What is to be stored; the salt is made of `random`, which the server chose.
    pub(super) fn stored(&self, random: &str) -> Option<Secret> {
        match self {
            Password::None => None,
            Password::Verifier(verifier) => Some(verifier.clone()),
            Password::Plain(password) => {
                let salt = Sha256::digest(random.as_bytes())[..16].to_vec();
                Some(Verifier::new(password, salt, ROUNDS).text())
            }
        }
    }
}

/// What is stored, taken apart.
#[derive(PartialEq)]
struct Verifier {
    rounds: u32,
    salt: Vec<u8>,
    stored: Vec<u8>,
    server: Vec<u8>,
}

impl Verifier {
    fn read(text: &str) -> Option<Verifier> {
        let (head, keys) = text.strip_prefix("SCRAM-SHA-256$")?.split_once('$')?;
        let (rounds, salt) = head.split_once(':')?;
        let (stored, server) = keys.split_once(':')?;
        let bytes = |text: &str| STANDARD.decode(text).ok();
        let key = |text: &str| bytes(text).filter(|key| key.len() == 32);
        Some(Verifier {
            rounds: rounds.parse().ok().filter(|rounds| *rounds > 0)?,
            salt: bytes(salt)?,
            stored: key(stored)?,
            server: key(server)?,
        })
    }

    fn new(password: &Secret, salt: Vec<u8>, rounds: u32) -> Verifier {
        let mut salted = [0; 32];
        pbkdf2::pbkdf2_hmac::<Sha256>(password.reveal().as_bytes(), &salt, rounds, &mut salted);
        Verifier {
            rounds,
            salt,
            stored: Sha256::digest(mac(&salted, b"Client Key")).to_vec(),
            server: mac(&salted, b"Server Key"),
        }
    }

    fn text(&self) -> Secret {
        let text = |bytes: &[u8]| STANDARD.encode(bytes);
        Secret::new(format!(
            "SCRAM-SHA-256${}:{}${}:{}",
            self.rounds,
            text(&self.salt),
            text(&self.stored),
            text(&self.server)
        ))
    }
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
        let verifier = Verifier::new(&Secret::new("pencil"), salt, 4096);
        assert_eq!(
            verifier.text().reveal(),
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        );
    }

    #[test]
    fn what_is_stored_is_compared_with_its_own_salt() {
        let Ok(password) = Password::read("it's \\ secret") else {
            panic!("a password");
        };
        let stored = password.stored("6f1e").expect("a verifier");
        assert_ne!(password.stored("6f1f"), Some(stored.clone()));
        assert!(password.is(Some(stored.reveal())));
        assert!(!Password::Plain(Secret::new("other")).is(Some(stored.reveal())));
        assert!(!password.is(None));
        assert!(!password.is(Some("md5aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")));
        assert!(Password::None.is(None) && !Password::None.is(Some(stored.reveal())));
        let Ok(ready) = Password::read(stored.reveal()) else {
            panic!("a verifier");
        };
        assert!(ready.is(Some(stored.reveal())));
    }

    #[test]
    fn what_cannot_work_is_refused() {
        for wrong in [
            "SCRAM-SHA-256$4096:x$y:z",
            "md59543f1d82624df2b31672ec0f7050460",
            "пароль",
        ] {
            assert!(Password::read(wrong).is_err(), "{wrong}");
        }
        assert!(Password::read("grüße").is_ok());
    }
}
