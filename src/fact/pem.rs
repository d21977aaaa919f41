//! Questions about keys, signing requests and certificates, as the `openssl` of the node reads them.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Answer, FactError, Question};
use crate::command::quote;

/// What `openssl` says of a file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pem {
    /// Whether the node has the program.
    pub openssl: bool,
    /// `key`, `csr`, `cert`; `other` for what is none; empty when no file is there.
    pub kind: Arc<str>,
    /// What `-text` printed, and the public key.
    pub text: Arc<str>,
    /// The node's clock, in seconds since 1970.
    pub now: i64,
}

/// Prints a line for each file: `!` without `openssl`, else base64 of clock, kind and text; empty when it is not there.
pub(super) fn pems_script(keys: &[&str]) -> String {
    let mut text = FUNCTION.to_owned();
    for key in keys {
        text.push_str(&format!("pem {}\n", quote(key)));
    }
    format!("(\n{text}) 2>/dev/null </dev/null\n")
}

const FUNCTION: &str = r#"pem() {
  command -v openssl >/dev/null || { echo '!'; return; }
  [ -f "$1" ] || { echo; return; }
  names=RFC2253,-esc_msb,utf8
  { date +%s
    case $(grep -e '^-----BEGIN' -- "$1") in
      *'PRIVATE KEY'*) echo key; openssl pkey -in "$1" -passin pass: -text_pub -pubout ;;
      *'CERTIFICATE REQUEST'*) echo csr; openssl req -in "$1" -noout -text -nameopt $names -pubkey ;;
      *CERTIFICATE*) echo cert; openssl x509 -in "$1" -noout -text -nameopt $names -pubkey ;;
      *) echo other ;;
    esac; } | base64 -w0
  echo
}
"#;

pub(super) fn parse_pems(keys: &[&str], body: &[u8]) -> Result<Vec<(Question, Answer)>, FactError> {
    let error = |reason: &str| FactError {
        subject: "keys and certificates",
        reason: reason.to_owned(),
    };
    let mut lines = body.split(|byte| *byte == b'\n');
    keys.iter()
        .map(|key| {
            let line = lines.next().ok_or_else(|| error("a line is missing"))?;
            let mut pem = Pem {
                openssl: line != b"!",
                ..Pem::default()
            };
            if pem.openssl && !line.is_empty() {
                let raw = STANDARD
                    .decode(line)
                    .map_err(|_| error("it is no base64"))?;
                let text = String::from_utf8_lossy(&raw);
                let mut parts = text.splitn(3, '\n');
                let now = parts.next().and_then(|now| now.parse().ok());
                pem.now = now.ok_or_else(|| error("the clock is missing"))?;
                pem.kind = parts.next().unwrap_or_default().trim().into();
                pem.text = parts.next().unwrap_or_default().into();
            }
            Ok((Question::Pem((*key).into()), Answer::Pem(pem)))
        })
        .collect()
}

impl Pem {
    /// The public key in base64, whatever it belongs to.
    pub fn public_key(&self) -> Option<&str> {
        let (_, rest) = self.text.split_once("-----BEGIN PUBLIC KEY-----\n")?;
        Some(rest.split_once("-----END")?.0)
    }

    /// `RSA 2048`, `ECC prime256v1`, `Ed25519`.
    pub fn key_type(&self) -> Option<String> {
        let line = |words: &str| {
            self.text
                .lines()
                .find_map(|line| line.trim().strip_prefix(words))
        };
        for name in ["Ed25519", "Ed448", "X25519", "X448"] {
            if line(&format!("{} Public-Key:", name.to_uppercase())).is_some() {
                return Some(name.to_owned());
            }
        }
        if let Some(curve) = line("ASN1 OID: ") {
            return Some(format!("ECC {curve}"));
        }
        let bits = line("Public-Key: (").or_else(|| line("RSA Public-Key: ("))?;
        Some(format!("RSA {}", bits.split(' ').next()?))
    }

    fn field(&self, name: &str) -> Option<&str> {
        let found = self
            .text
            .lines()
            .find_map(|line| line.trim().strip_prefix(name));
        found.map(str::trim)
    }

    /// The names of whom it is for, `CN=a`, sorted.
    pub fn subject(&self) -> Vec<String> {
        names(self.field("Subject:").unwrap_or_default())
    }

    /// The names of who signed it, sorted.
    pub fn issuer(&self) -> Vec<String> {
        names(self.field("Issuer:").unwrap_or_default())
    }

    /// When it begins and ends to hold, in seconds since 1970.
    pub fn validity(&self) -> Option<(i64, i64)> {
        let time = |name| self.field(name).and_then(seconds);
        Some((time("Not Before:")?, time("Not After :")?))
    }

    /// The values of an extension, sorted; `critical` among them when it is.
    pub fn extension(&self, name: &str) -> Vec<String> {
        let mut lines = self.text.lines();
        let Some(head) = lines.find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'))
        else {
            return Vec::new();
        };
        let body = lines.next().unwrap_or_default();
        let mut values: Vec<String> = body
            .split(',')
            .map(|value| value.trim().to_owned())
            .collect();
        values.extend((head.trim() == "critical").then(|| "critical".to_owned()));
        values.sort();
        values
    }
}

/// Splits at commas that are not escaped.
fn names(text: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let last = names.len() - 1;
        match c {
            '\\' => names[last].extend(chars.next()),
            ',' | '+' => names.push(String::new()),
            c => names[last].push(c),
        }
    }
    names.retain(|name| !name.is_empty());
    names.sort();
    names
}

/// Reads `Nov 21 12:00:00 2026 GMT`.
fn seconds(text: &str) -> Option<i64> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let words: Vec<&str> = text.split_whitespace().collect();
    let [month, day, time, year, ..] = words.as_slice() else {
        return None;
    };
    let month = MONTHS.find(month)? as i64 / 3 + 1;
    let (day, year): (i64, i64) = (day.parse().ok()?, year.parse().ok()?);
    let mut clock = 0;
    for part in time.split(':') {
        let part: i64 = part.parse().ok().filter(|part| (0..=60).contains(part))?;
        clock = clock * 60 + part;
    }
    // What is not a date of any certificate.
    if !(0..=9999).contains(&year) || !(1..=31).contains(&day) || clock > 366 * 86_400 {
        return None;
    }
    // Days from the civil date, with years that begin in March.
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days =
        365 * y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (153 * m + 2) / 5 + day
            - 1
            - 719_468;
    Some(days * 86_400 + clock)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem(text: &str) -> Pem {
        Pem {
            openssl: true,
            kind: "cert".into(),
            text: text.into(),
            now: 0,
        }
    }

    /// OpenSSL 3.0 of Debian 12; 3.5 of Debian 13 prints the same but for `E-mail`.
    #[test]
    fn a_request_is_read() {
        let csr = pem(
            "Certificate Request:\n    Data:\n        Subject: CN=a\\,b,O=x\n            Public Key Algorithm: id-ecPublicKey\n                Public-Key: (256 bit)\n                ASN1 OID: prime256v1\n            Requested Extensions:\n                X509v3 Subject Alternative Name: critical\n                    DNS:a, IP Address:10.0.0.1\n-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n",
        );
        assert_eq!(csr.subject(), ["CN=a,b", "O=x"]);
        assert_eq!(csr.key_type().as_deref(), Some("ECC prime256v1"));
        assert_eq!(csr.public_key(), Some("MFkw\n"));
        assert_eq!(
            csr.extension("X509v3 Subject Alternative Name"),
            ["DNS:a", "IP Address:10.0.0.1", "critical"]
        );
        assert!(csr.extension("X509v3 Key Usage").is_empty());
    }

    #[test]
    fn keys_and_times_are_read() {
        let kind = |text| pem(text).key_type();
        assert_eq!(
            kind("ED25519 Public-Key:\npub:\n").as_deref(),
            Some("Ed25519")
        );
        assert_eq!(
            kind("Public-Key: (2048 bit)\nModulus:\n").as_deref(),
            Some("RSA 2048")
        );
        assert_eq!(kind(""), None);
        assert_eq!(seconds("Jan  1 00:00:00 1970 GMT"), Some(0));
        assert_eq!(seconds("Nov 21 12:24:33 2026 GMT"), Some(1_795_263_873));
        assert_eq!(seconds("Feb 29 23:59:59 2028 GMT"), Some(1_835_481_599));
        for wrong in [
            "Nov 21 12:24:33 9223372036854775807 GMT",
            "Nov 9223372036854775807 12:24:33 2026 GMT",
            "Nov 21 9223372036854775807:24:33 2026 GMT",
        ] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
