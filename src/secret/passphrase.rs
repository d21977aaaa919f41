//! What it costs to try the passphrase of an OpenSSH key: the file itself says it, and a damaged one may say hours.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// About a hundredth of a second each, so these take minutes. `ssh-keygen` makes 16 or 24 where its `-a` says nothing else.
const MOST_ROUNDS: u32 = 10_000;

/// Why nobody could wait for the passphrase of the private key in `text`; none for any other text.
pub fn endless(text: &str) -> Option<String> {
    let rounds = rounds(text).filter(|rounds| *rounds > MOST_ROUNDS)?;
    Some(format!(
        "its passphrase would take {rounds} rounds, which is hours: the file is damaged, or `ssh-keygen -a {rounds}` made it"
    ))
}

/// The rounds of bcrypt that make a passphrase to a key: OpenSSH's `PROTOCOL.key`, section 1.
pub fn rounds(text: &str) -> Option<u32> {
    let (_, begun) = text.split_once("-----BEGIN OPENSSH PRIVATE KEY-----")?;
    let (body, _) = begun.split_once("-----END")?;
    let body: String = body.split_whitespace().collect();
    let bytes = STANDARD.decode(body).ok()?;
    let (_cipher, rest) = string(bytes.strip_prefix(b"openssh-key-v1\0")?)?;
    let (kind, rest) = string(rest)?;
    let (options, _) = string(rest)?;
    let (_salt, rounds) = string(options)?;
    let rounds = u32::from_be_bytes(*rounds.first_chunk()?);
    (kind == b"bcrypt").then_some(rounds)
}

/// Four bytes of length and as many bytes, and what follows.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_say_their_rounds() {
        let text = include_str!("../../tests/fuzz/corpus/age/openssh_key_with_passphrase");
        assert_eq!(rounds(text), Some(1));
        assert_eq!(endless(text), None);
        let plain = include_str!("../../tests/fuzz/corpus/age/openssh_key");
        assert_eq!(rounds(plain), None);
        let many = include_str!("../../tests/fuzz/corpus/age/openssh_key_with_endless_rounds");
        assert!(endless(many).is_some_and(|why| why.contains("4294967295 rounds")));
        for length in 0..many.len() {
            rounds(&many[..length]);
        }
    }
}
