//! SCRAM-SHA-256 verifiers as PostgreSQL keeps them, so that no password goes to a server in clear.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// Rounds, as PostgreSQL has them by default.
pub const ITERATIONS: u32 = 4096;

/// The verifier of a password with this salt. Passwords outside of ASCII are taken as they are, as the server does with what SASLprep
/// refuses.
pub fn verifier(password: &str, salt: &[u8], iterations: u32) -> String {
    let salted = pbkdf2(password.as_bytes(), salt, iterations);
    let client = hmac(&salted, &[b"Client Key"]);
    let stored = Sha256::digest(client);
    let server = hmac(&salted, &[b"Server Key"]);
    format!(
        "SCRAM-SHA-256${iterations}:{}${}:{}",
        STANDARD.encode(salt),
        STANDARD.encode(stored),
        STANDARD.encode(server)
    )
}

/// A salt for an account that has none yet: another for each account and password, the same in each run. It costs as much to try a
/// password by it as by the verifier.
pub(super) fn salt(role: &str, password: &str) -> [u8; 16] {
    let derived = pbkdf2(
        password.as_bytes(),
        format!("hadeploy salt of {role}").as_bytes(),
        ITERATIONS,
    );
    let mut salt = [0; 16];
    salt.copy_from_slice(&derived[..16]);
    salt
}

/// One block of PBKDF2 with HMAC-SHA-256.
fn pbkdf2(password: &[u8], salt: &[u8], iterations: u32) -> [u8; 32] {
    let mut round = hmac(password, &[salt, &1_u32.to_be_bytes()]);
    let mut sum = round;
    for _ in 1..iterations {
        round = hmac(password, &[&round]);
        for (sum, byte) in sum.iter_mut().zip(round) {
            *sum ^= byte;
        }
    }
    sum
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return [0; 32];
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
