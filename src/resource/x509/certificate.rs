//! `x509_certificate`: a certificate, signed by its own key or by a CA whose key is on the node.

use std::sync::Arc;

use super::super::attributes::{GROUP, MODE, OWNER};
use super::super::place::trimmed;
use super::super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use super::csr::{EXTENSIONS, compare};
use super::{BACKUP, Made, PATH, check, source};
use crate::change::{Change, Field};
use crate::command::quote;
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing, Pem};
use crate::value::Kind as ValueKind;

/// Signs a request, by its own key or by an authority whose key is on the node, and signs it again before the certificate ends.
///
/// # Differs from Ansible
/// - the providers are `selfsigned` and `ownca`
/// - `openssl` does the work, and no Python library
///
/// # Needs
/// - the package `openssl`
///
/// # Returns
/// - `filename`, `csr`: the files
/// - `backup_file`: where the old file is kept, with `backup`
///
/// # Examples
/// ```yaml
/// - name: a certificate for a year
///   x509_certificate:
///     path: /etc/ssl/node.crt
///     csr_path: /etc/ssl/node.csr
///     provider: ownca
///     ownca_path: /etc/ssl/ca.crt
///     ownca_privatekey_path: /etc/ssl/private/ca.key
///     ownca_not_after: +365d
/// ```
pub static CERTIFICATE: Kind = Kind {
    name: "x509_certificate",
    aliases: &["community.crypto.x509_certificate"],
    summary: "signs a request, and signs it again before the certificate ends",
    params: &[
        PATH,
        Param::new("csr_path", ParamType::Path, "The signing request.").required(),
        Param::new(
            "provider",
            ParamType::Choice(&["selfsigned", "ownca"]),
            "Who signs: the key of the request, or a CA on the node.",
        )
        .required(),
        Param::new(
            "privatekey_path",
            ParamType::Path,
            "The key of the request; needed for `selfsigned`.",
        ),
        Param::new("ownca_path", ParamType::Path, "The certificate of the CA."),
        Param::new(
            "ownca_privatekey_path",
            ParamType::Path,
            "The key of the CA.",
        ),
        Param::new(
            "selfsigned_not_after",
            ParamType::Str,
            "How long it holds: `+3650d`, `+52w`.",
        )
        .default("+3650d"),
        Param::new(
            "ownca_not_after",
            ParamType::Str,
            "How long it holds: `+3650d`, `+52w`.",
        )
        .default("+3650d"),
        Param::new(
            "renew_below",
            ParamType::Float,
            "It is made again when less than this share of its life remains.",
        )
        .default("0.33"),
        BACKUP,
        OWNER,
        GROUP,
        MODE,
    ],
    free_form: None,
    refused: &[
        ("csr_content", "give `csr_path`"),
        (
            "privatekey_content",
            "keys do not leave the node; give `privatekey_path`",
        ),
        (
            "ownca_privatekey_passphrase",
            "keys with a passphrase are not supported",
        ),
        (
            "selfsigned_not_before",
            "it begins when it is made; leave it out",
        ),
        (
            "ownca_not_before",
            "it begins when it is made; leave it out",
        ),
        ("selfsigned_digest", "SHA-256 is used; leave it out"),
        ("ownca_digest", "SHA-256 is used; leave it out"),
        (
            "acme_challenge_path",
            "the provider `acme` is not supported",
        ),
        (
            "state",
            "use `file` with `state: absent` to remove a certificate",
        ),
        (
            "force",
            "remove the file with a `file` task to have a new one",
        ),
        (
            "select_crypto_backend",
            "the node's `openssl` is used; leave it out",
        ),
    ],
    check: |args| {
        let needed: &[&str] = match args.str("provider") {
            Some("ownca") => &["ownca_path", "ownca_privatekey_path"],
            Some("selfsigned") => &["privatekey_path"],
            _ => &[],
        };
        let missing = needed.iter().filter(|name| !args.has(name));
        missing
            .map(|name| {
                Diagnostic::at(
                    args.place("provider"),
                    format!("this provider needs `{name}`"),
                )
            })
            .collect()
    },
    bind,
};

/// A certificate as wanted.
struct Certificate {
    made: Made,
    csr: Arc<str>,
    /// The CA's certificate; none when it signs itself.
    ca: Option<Arc<str>>,
    /// The key that signs.
    key: Arc<str>,
    days: u64,
    renew: f64,
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    let path = |name: &str| {
        let text = args
            .str(name)
            .ok_or_else(|| Diagnostic::at(&args.span, format!("`{name}` is needed")));
        text.map(|path| Arc::<str>::from(trimmed(path)))
    };
    let own = args.str("provider") == Some("ownca");
    let after = if own {
        "ownca_not_after"
    } else {
        "selfsigned_not_after"
    };
    let text = args.str(after).unwrap_or("+3650d");
    let days = text.strip_prefix('+').and_then(|text| {
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let number: u64 = number.parse().ok()?;
        match unit {
            "d" => Some(number),
            "w" => Some(number * 7),
            _ => None,
        }
    });
    let days = days
        .filter(|days| (1..=36500).contains(days))
        .ok_or_else(|| {
            Diagnostic::at(
                args.value_place(after),
                format!("`{text}` is no length of time"),
            )
            .help("write days or weeks: `+365d`, `+52w`")
        })?;
    let renew = match args.get("renew_below").map(|value| &value.kind) {
        Some(ValueKind::Float(share)) => *share,
        _ => 0.33,
    };
    if !(0.0..1.0).contains(&renew) {
        return Err(Diagnostic::at(
            args.value_place("renew_below"),
            "`renew_below` is a share between 0 and 1",
        )
        .into());
    }
    Ok(Box::new(Certificate {
        made: Made::bind(args, controller, 0o644)?,
        csr: path("csr_path")?,
        ca: match own {
            true => Some(path("ownca_path")?),
            false => None,
        },
        key: path(if own {
            "ownca_privatekey_path"
        } else {
            "privatekey_path"
        })?,
        days,
        renew,
    }))
}

impl Resource for Certificate {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let mut sources = vec![&self.csr, &self.key];
        sources.extend(&self.ca);
        known.need(self.made.questions(&sources))?;
        let (csr, key) = match (
            source(known, &self.csr, "csr")?,
            source(known, &self.key, "key")?,
        ) {
            (Ok(csr), Ok(key)) => (csr, key),
            (Err(change), _) | (_, Err(change)) => return Ok(change),
        };
        let ca = match &self.ca {
            None => None,
            Some(path) => match source(known, path, "cert")? {
                Ok(ca) => Some(ca),
                Err(change) => return Ok(change),
            },
        };
        let signer = ca.unwrap_or(csr);
        if signer.public_key() != key.public_key() {
            let whose = self.ca.as_ref().unwrap_or(&self.csr);
            return Ok(Change::blocked(format!(
                "the key `{}` does not belong to `{whose}`",
                self.key
            ))
            .help("name the key that it was made with"));
        }
        let path = &self.made.path;
        let pem = known.pem(path)?;
        let fields = self.fields(pem, csr, ca, known.path(path)?.stat.is_some());
        let remade = !fields.is_empty();
        let extensions = "subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n".to_owned();
        let mut change = self
            .made
            .change(known, fields, &self.make(), Some(extensions))?;
        if let Some(step) = change.steps.last_mut().filter(|_| remade) {
            step.verify.push(check("certificate", self.verified()));
        }
        Ok(change.result("filename", &**path).result("csr", &*self.csr))
    }
}

impl Certificate {
    fn fields(&self, pem: &Pem, csr: &Pem, ca: Option<&Pem>, there: bool) -> Vec<Field> {
        if &*pem.kind != "cert" {
            let found = if there { "no certificate" } else { "absent" };
            return vec![Field::value("certificate", found, "present")];
        }
        let mut fields = Vec::new();
        fields.extend(
            (pem.public_key() != csr.public_key())
                .then(|| Field::value("key", "another", "that of the request")),
        );
        fields.extend(compare("subject", &pem.subject(), &csr.subject()));
        fields.extend(compare(
            "issuer",
            &pem.issuer(),
            &ca.unwrap_or(csr).subject(),
        ));
        for (name, _, field) in EXTENSIONS {
            fields.extend(compare(field, &pem.extension(name), &csr.extension(name)));
        }
        if let Some(ca) = ca {
            let id = |pem: &Pem, name| {
                pem.extension(name)
                    .iter()
                    .map(|id| id.trim_start_matches("keyid:").to_owned())
                    .collect::<Vec<_>>()
            };
            let wanted = id(ca, "X509v3 Subject Key Identifier");
            if !wanted.is_empty() {
                fields.extend(compare(
                    "signed by",
                    &id(pem, "X509v3 Authority Key Identifier"),
                    &wanted,
                ));
            }
        }
        if let Some((begin, end)) = pem.validity() {
            let left = (end - pem.now) as f64 / (end - begin).max(1) as f64;
            if left < self.renew {
                let days = (end - pem.now) / 86_400;
                fields.push(Field::value(
                    "days left",
                    days.to_string(),
                    self.days.to_string(),
                ));
            }
        }
        fields
    }

    fn make(&self) -> String {
        let signer = match &self.ca {
            Some(ca) => format!("-CA {} -CAkey {}", quote(ca), quote(&self.key)),
            None => format!("-signkey {}", quote(&self.key)),
        };
        format!(
            "openssl x509 -req -sha256 -in {} -days {} -set_serial \"0x4$(openssl rand -hex 16 | cut -c 2-)\" -copy_extensions copy -extfile \"$IN1\" {signer} -out \"$t\"",
            quote(&self.csr),
            self.days
        )
    }

    /// That it belongs to the request's key, and that its signer signed it.
    fn verified(&self) -> String {
        let path = quote(&self.made.path);
        let ca = self.ca.as_ref().map_or(path.clone(), |ca| quote(ca));
        format!(
            "[ \"$(openssl x509 -in {path} -noout -pubkey)\" = \"$(openssl req -in {} -noout -pubkey)\" ] || {{ echo 'it does not match the key'; exit 1; }}\n\
             openssl verify -partial_chain -CAfile {ca} {path} 2>&1",
            quote(&self.csr)
        )
    }
}
