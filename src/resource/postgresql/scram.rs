//! Passwords as a user gives them to PostgreSQL; what is stored are verifiers.

use crate::scram::{self, Verifier};
use crate::secret::Secret;

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
            (Password::Plain(password), Some(stored)) => {
                Verifier::read(stored).is_some_and(|stored| stored.is_of(password.reveal()))
            }
            (_, None) => false,
        }
    }

    /// What is to be stored for an account; the salt is made of `random`, which the server chose.
    pub(super) fn stored(&self, random: &str, account: &str) -> Option<Secret> {
        match self {
            Password::None => None,
            Password::Verifier(verifier) => Some(verifier.clone()),
            Password::Plain(password) => {
                let salt = scram::salt(random, account);
                let verifier = Verifier::new(password.reveal(), &salt, scram::ROUNDS);
                Some(Secret::new(verifier.text()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_compared_with_its_own_salt() {
        let Ok(password) = Password::read("it's \\ secret") else {
            panic!("a password");
        };
        let stored = password.stored("6f1e", "a").expect("a verifier");
        assert_ne!(password.stored("6f1f", "a"), Some(stored.clone()));
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
