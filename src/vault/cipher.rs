//! A vault's cryptography: the password is stretched by PBKDF2, the content encrypted by AES-256 in counter mode and authenticated by HMAC-SHA256.

use std::num::NonZeroU32;

use aes::Aes256;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use hmac::{Hmac, KeyInit, Mac};
use ring::pbkdf2;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::envelope::{Broken, Envelope};
use crate::secret::Secret;

/// Rounds of PBKDF2: the format knows no other number.
const ROUNDS: NonZeroU32 = NonZeroU32::new(10_000).expect("not zero");
/// Bytes of a salt.
pub const SALT: usize = 32;
/// What the content is padded to a multiple of.
const BLOCK: usize = 16;

/// What a password makes of a vault.
#[derive(Debug, PartialEq, Eq)]
pub enum Unsealed {
    /// The content.
    Content(Zeroizing<Vec<u8>>),
    /// The password is another one, or the vault was changed: the code of authentication cannot tell the two apart.
    Refused,
}

/// The keys that a password and a salt give.
struct Keys {
    bytes: Zeroizing<[u8; 80]>,
}

impl Keys {
    fn new(password: &Secret, salt: &[u8]) -> Keys {
        let mut bytes = Zeroizing::new([0; 80]);
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            ROUNDS,
            salt,
            password.reveal().as_bytes(),
            bytes.as_mut_slice(),
        );
        Keys { bytes }
    }

    /// Encrypts or decrypts in place: in counter mode that is the same.
    fn apply(&self, content: &mut [u8]) {
        let mut key = aes::cipher::Key::<Aes256>::default();
        key.copy_from_slice(&self.bytes[..32]);
        let mut start = aes::cipher::Block::<Aes256>::default();
        start.copy_from_slice(&self.bytes[64..]);
        Ctr128BE::<Aes256>::new(&key, &start).apply_keystream(content);
    }

    fn mac(&self, ciphertext: &[u8]) -> Hmac<Sha256> {
        let mut mac = match Hmac::<Sha256>::new_from_slice(&self.bytes[32..64]) {
            Ok(mac) => mac,
            Err(_) => unreachable!("HMAC takes keys of any length"),
        };
        mac.update(ciphertext);
        mac
    }
}

/// Encrypts a content; the salt must be new and random each time.
pub fn seal(content: &[u8], password: &Secret, label: Option<&str>, salt: &[u8; SALT]) -> Envelope {
    let keys = Keys::new(password, salt);
    let pad = BLOCK - content.len() % BLOCK;
    let mut ciphertext = content.to_vec();
    ciphertext.resize(content.len() + pad, u8::try_from(pad).unwrap_or(0));
    keys.apply(&mut ciphertext);
    Envelope {
        label: label.map(str::to_owned),
        salt: salt.to_vec(),
        mac: keys.mac(&ciphertext).finalize().into_bytes().to_vec(),
        ciphertext,
    }
}

/// Decrypts a vault, when the password is its own.
///
/// # Errors
/// The password is right and the content has no padding, so that nobody can have written it so.
pub fn unseal(vault: &Envelope, password: &Secret) -> Result<Unsealed, Broken> {
    let keys = Keys::new(password, &vault.salt);
    // Compared in constant time.
    if keys
        .mac(&vault.ciphertext)
        .verify_slice(&vault.mac)
        .is_err()
    {
        return Ok(Unsealed::Refused);
    }
    let mut content = Zeroizing::new(vault.ciphertext.clone());
    keys.apply(&mut content);
    let pad = usize::from(content.last().copied().unwrap_or(0));
    let length = content.len().checked_sub(pad);
    let length = length
        .filter(|_| (1..=BLOCK).contains(&pad))
        .filter(|at| content[*at..].iter().all(|byte| usize::from(*byte) == pad));
    match length {
        Some(length) => {
            content.truncate(length);
            Ok(Unsealed::Content(content))
        }
        None => Err(Broken::new(1, "its content has no padding")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Written by ansible-vault 2.19 with the password `correct horse`.
    const BY_ANSIBLE: &str = include_str!("by_ansible.vault");

    fn content(vault: &Envelope, password: &str) -> Option<Vec<u8>> {
        match unseal(vault, &Secret::new(password)).expect("it is padded") {
            Unsealed::Content(content) => Some(content.to_vec()),
            Unsealed::Refused => None,
        }
    }

    #[test]
    fn a_vault_of_ansible_is_read() {
        let vault = Envelope::parse(BY_ANSIBLE).unwrap();
        assert_eq!(vault.label.as_deref(), Some("prod"));
        assert_eq!(
            content(&vault, "correct horse").unwrap(),
            b"db_password: tr0ub4dor&3\n"
        );
    }

    #[test]
    fn any_change_and_any_other_password_are_refused() {
        let vault = Envelope::parse(BY_ANSIBLE).unwrap();
        assert_eq!(content(&vault, "correct horses"), None);
        assert_eq!(content(&vault, ""), None);
        for change in [
            |vault: &mut Envelope| vault.ciphertext[3] ^= 1,
            |vault: &mut Envelope| vault.salt[31] ^= 128,
            |vault: &mut Envelope| vault.mac[0] ^= 1,
            |vault: &mut Envelope| vault.mac.truncate(16),
            |vault: &mut Envelope| vault.ciphertext.truncate(16),
        ] {
            let mut changed = vault.clone();
            change(&mut changed);
            assert_eq!(content(&changed, "correct horse"), None);
        }
    }

    #[test]
    fn the_same_input_is_always_the_same_vault() {
        let vault = Envelope::parse(BY_ANSIBLE).unwrap();
        let salt: [u8; SALT] = vault.salt.as_slice().try_into().unwrap();
        let own = seal(
            b"db_password: tr0ub4dor&3\n",
            &Secret::new("correct horse"),
            Some("prod"),
            &salt,
        );
        assert_eq!(own.text(), BY_ANSIBLE);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn what_is_sealed_is_unsealed(
            plain in proptest::collection::vec(any::<u8>(), 0..70),
            password in ".{1,20}",
            label in proptest::option::of("[a-z0-9_.-]{1,12}"),
            salt in any::<[u8; SALT]>(),
        ) {
            let vault = seal(&plain, &Secret::new(password.as_str()), label.as_deref(), &salt);
            let read = Envelope::parse(&vault.text()).unwrap();
            prop_assert_eq!(&read, &vault);
            prop_assert_eq!(content(&read, &password), Some(plain));
            prop_assert_eq!(content(&read, &format!("{password}x")), None);
        }
    }
}
