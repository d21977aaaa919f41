//! `openssl_privatekey`: a private key.

use super::super::attributes::{GROUP, MODE, OWNER};
use super::super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use super::{BACKUP, Made, PATH, check};
use crate::change::{Change, Field};
use crate::command::quote;
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing};

/// Makes a private key on the node, once.
///
/// # Differs from Ansible
/// - keys with a passphrase are refused
/// - `openssl` does the work, and no Python library
///
/// # Needs
/// - the package `openssl`
///
/// # Returns
/// - `filename`, `type`, `size`: the key
/// - `backup_file`: where the old file is kept, with `backup`
///
/// # Examples
/// ```yaml
/// - name: a key
///   openssl_privatekey:
///     path: /etc/ssl/private/node.key
///     type: ECC
///     curve: secp256r1
///     mode: "0600"
/// ```
pub static PRIVATEKEY: Kind = Kind {
    name: "openssl_privatekey",
    aliases: &["community.crypto.openssl_privatekey"],
    summary: "makes a private key on the node, once",
    params: &[
        PATH,
        Param::new("type", ParamType::Choice(&["RSA", "ECC", "Ed25519", "Ed448", "X25519", "X448"]), "The algorithm.").default("RSA"),
        Param::new("size", ParamType::Int, "Bits of an RSA key.").default("4096"),
        Param::new("curve", ParamType::Choice(&["secp256r1", "secp384r1", "secp521r1", "secp256k1"]), "The curve of an ECC key; needed there."),
        Param::new("regenerate", ParamType::Choice(&["never", "fail", "partial_idempotence", "full_idempotence"]), "What becomes of a key that is there and is not as wanted: kept, an error, or replaced.").default("full_idempotence"),
        BACKUP,
        OWNER,
        GROUP,
        Param { doc: "Permissions; 0600 when not given.", ..MODE },
    ],
    free_form: None,
    refused: &[
        ("passphrase", "a daemon could not read the key by itself; protect the file by its owner and mode"),
        ("cipher", "it is for keys with a passphrase; leave it out"),
        ("state", "use `file` with `state: absent` to remove a key"),
        ("force", "remove the file with a `file` task to have a new key"),
        ("select_crypto_backend", "the node's `openssl` is used; leave it out"),
        ("format", "keys are PKCS#8; leave it out"),
        ("return_content", "keys do not leave the node"),
    ],
    check: |args| {
        if args.str("type") == Some("ECC") && !args.has("curve") {
            return vec![Diagnostic::at(args.place("type"), "an ECC key needs `curve`").help("such as `secp256r1`")];
        }
        Vec::new()
    },
    bind,
};

/// A private key as wanted.
struct Key {
    made: Made,
    /// As `Pem::key_type` says it.
    kind: String,
    /// Arguments of `openssl genpkey`.
    options: String,
    regenerate: String,
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    let (kind, options) = match args.str("type").unwrap_or("RSA") {
        "RSA" => {
            let size = args.int("size").unwrap_or(4096);
            if !(1024..=16384).contains(&size) {
                let place = args.value_place("size");
                return Err(Diagnostic::at(place, "`size` is between 1024 and 16384 bits").into());
            }
            (
                format!("RSA {size}"),
                format!("-algorithm RSA -pkeyopt rsa_keygen_bits:{size}"),
            )
        }
        "ECC" => {
            // OpenSSL's own name of the first.
            let curve = match args.str("curve").unwrap_or("secp256r1") {
                "secp256r1" => "prime256v1",
                curve => curve,
            };
            let options = format!(
                "-algorithm EC -pkeyopt ec_paramgen_curve:{curve} -pkeyopt ec_param_enc:named_curve"
            );
            (format!("ECC {curve}"), options)
        }
        other => (other.to_owned(), format!("-algorithm {other}")),
    };
    Ok(Box::new(Key {
        made: Made::bind(args, controller, 0o600)?,
        kind,
        options,
        regenerate: args
            .str("regenerate")
            .unwrap_or("full_idempotence")
            .to_owned(),
    }))
}

impl Resource for Key {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        known.need(self.made.questions(&[]))?;
        let path = &self.made.path;
        let pem = known.pem(path)?;
        let there = known.path(path)?.stat.is_some();
        let found = match (there, pem.key_type()) {
            (false, _) => "absent".to_owned(),
            (true, Some(found)) if &*pem.kind == "key" => found,
            _ => "no private key".to_owned(),
        };
        let mut fields = Vec::new();
        // Without the program nobody can say what a file is that is there.
        if found != self.kind && (pem.openssl || !there) && !(there && self.regenerate == "never") {
            if there && self.regenerate == "fail" {
                let message = format!("`{path}` is {found}, not {}", self.kind);
                return Ok(Change::failed(message)
                    .help("remove it, or give `regenerate: full_idempotence`"));
            }
            fields.push(Field::value("key", found, &*self.kind));
        }
        let make = format!("openssl genpkey {} -out \"$t\"", self.options);
        let mut change = self.made.change(known, fields, &make, None)?;
        if let Some(step) = change
            .steps
            .last_mut()
            .filter(|step| step.script.contains("genpkey"))
        {
            let readable = format!("openssl pkey -in {} -noout 2>&1", quote(path));
            step.verify.push(check("key", readable));
        }
        let (kind, size) = self.kind.split_once(' ').unwrap_or((&self.kind, ""));
        Ok(change
            .result("filename", &**path)
            .result("type", kind)
            .result("size", size.parse::<u64>().ok()))
    }
}
