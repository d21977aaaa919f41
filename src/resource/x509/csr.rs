//! `openssl_csr`: a signing request.

use std::sync::Arc;

use super::super::attributes::{GROUP, MODE, OWNER};
use super::super::place::trimmed;
use super::super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use super::{BACKUP, Made, PATH, check, source};
use crate::change::{Change, Field};
use crate::command::quote;
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing, Pem};
use crate::value::Kind as ValueKind;

/// Makes a signing request for a private key of the node.
///
/// # Differs from Ansible
/// - the key does not leave the node: `privatekey_content` is refused
/// - `openssl` does the work, and no Python library
///
/// # Needs
/// - the package `openssl`
///
/// # Returns
/// - `filename`, `privatekey`: the files
/// - `backup_file`: where the old file is kept, with `backup`
///
/// # Examples
/// ```yaml
/// - name: a request
///   openssl_csr:
///     path: /etc/ssl/node.csr
///     privatekey_path: /etc/ssl/private/node.key
///     common_name: "{{ inventory_hostname }}"
///     subject_alt_name: ["DNS:{{ inventory_hostname }}"]
/// ```
pub static CSR: Kind = Kind {
    name: "openssl_csr",
    aliases: &["community.crypto.openssl_csr"],
    summary: "makes a signing request for a private key of the node",
    params: &[
        PATH,
        Param::new("privatekey_path", ParamType::Path, "The private key.").required(),
        Param::new("common_name", ParamType::Str, "CN of the subject.")
            .aliases(&["CN", "commonName"]),
        Param::new("country_name", ParamType::Str, "C of the subject.")
            .aliases(&["C", "countryName"]),
        Param::new(
            "state_or_province_name",
            ParamType::Str,
            "ST of the subject.",
        )
        .aliases(&["ST", "stateOrProvinceName"]),
        Param::new("locality_name", ParamType::Str, "L of the subject.")
            .aliases(&["L", "localityName"]),
        Param::new("organization_name", ParamType::Str, "O of the subject.")
            .aliases(&["O", "organizationName"]),
        Param::new(
            "organizational_unit_name",
            ParamType::Str,
            "OU of the subject.",
        )
        .aliases(&["OU", "organizationalUnitName"]),
        Param::new(
            "subject",
            ParamType::Map,
            "The subject as a mapping: `CN`, `C`, `ST`, `L`, `O`, `OU`.",
        ),
        Param::new(
            "subject_alt_name",
            ParamType::List,
            "`DNS:name`, `IP:address`, `email:address`, `URI:address`.",
        )
        .aliases(&["subjectAltName"]),
        Param::new(
            "subject_alt_name_critical",
            ParamType::Bool,
            "Whether it must be understood.",
        )
        .default("false"),
        Param::new(
            "use_common_name_for_san",
            ParamType::Bool,
            "Whether the common name is the alternative name when none is given.",
        )
        .default("true"),
        Param::new(
            "key_usage",
            ParamType::List,
            "`digitalSignature`, `keyCertSign` …",
        )
        .aliases(&["keyUsage"]),
        Param::new(
            "key_usage_critical",
            ParamType::Bool,
            "Whether it must be understood.",
        )
        .default("false"),
        Param::new(
            "extended_key_usage",
            ParamType::List,
            "`serverAuth`, `clientAuth` …",
        )
        .aliases(&["extendedKeyUsage"]),
        Param::new(
            "extended_key_usage_critical",
            ParamType::Bool,
            "Whether it must be understood.",
        )
        .default("false"),
        Param::new(
            "basic_constraints",
            ParamType::List,
            "`CA:TRUE`, `pathlen:0`.",
        )
        .aliases(&["basicConstraints"]),
        Param::new(
            "basic_constraints_critical",
            ParamType::Bool,
            "Whether it must be understood.",
        )
        .default("false"),
        BACKUP,
        OWNER,
        GROUP,
        MODE,
    ],
    free_form: None,
    refused: &[
        (
            "privatekey_content",
            "keys do not leave the node; give `privatekey_path`",
        ),
        (
            "privatekey_passphrase",
            "keys with a passphrase are not supported",
        ),
        (
            "email_address",
            "put it into `subject_alt_name` as `email:…`",
        ),
        ("digest", "SHA-256 is used; leave it out"),
        ("subject_ordered", "use `subject`"),
        (
            "state",
            "use `file` with `state: absent` to remove a request",
        ),
        (
            "force",
            "a request is made again whenever it is not as wanted; leave it out",
        ),
        (
            "select_crypto_backend",
            "the node's `openssl` is used; leave it out",
        ),
    ],
    check: |_| Vec::new(),
    bind,
};

/// The extensions: what OpenSSL prints, its name in a configuration, the parameter.
pub const EXTENSIONS: [(&str, &str, &str); 4] = [
    (
        "X509v3 Subject Alternative Name",
        "subjectAltName",
        "subject_alt_name",
    ),
    ("X509v3 Key Usage", "keyUsage", "key_usage"),
    (
        "X509v3 Extended Key Usage",
        "extendedKeyUsage",
        "extended_key_usage",
    ),
    (
        "X509v3 Basic Constraints",
        "basicConstraints",
        "basic_constraints",
    ),
];

/// What is written, and what OpenSSL prints for it.
const PRINTED: [(&str, &str); 15] = [
    ("digitalSignature", "Digital Signature"),
    ("nonRepudiation", "Non Repudiation"),
    ("keyEncipherment", "Key Encipherment"),
    ("dataEncipherment", "Data Encipherment"),
    ("keyAgreement", "Key Agreement"),
    ("keyCertSign", "Certificate Sign"),
    ("cRLSign", "CRL Sign"),
    ("encipherOnly", "Encipher Only"),
    ("decipherOnly", "Decipher Only"),
    ("serverAuth", "TLS Web Server Authentication"),
    ("clientAuth", "TLS Web Client Authentication"),
    ("codeSigning", "Code Signing"),
    ("emailProtection", "E-mail Protection"),
    ("timeStamping", "Time Stamping"),
    ("OCSPSigning", "OCSP Signing"),
];

/// A request as wanted.
struct Csr {
    made: Made,
    key: Arc<str>,
    /// `CN=a`, in order.
    subject: Vec<(String, String)>,
    /// For each of [`EXTENSIONS`].
    extensions: [(Vec<String>, bool); 4],
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    let mut subject: Vec<(String, String)> = Vec::new();
    for (short, name) in [
        ("C", "country_name"),
        ("ST", "state_or_province_name"),
        ("L", "locality_name"),
        ("O", "organization_name"),
        ("OU", "organizational_unit_name"),
        ("CN", "common_name"),
    ] {
        subject.extend(
            args.str(name)
                .map(|value| (short.to_owned(), value.to_owned())),
        );
    }
    if let Some(map) = args.get("subject").and_then(|value| value.as_map()) {
        for (name, entry) in map {
            let text = match &entry.value.kind {
                ValueKind::Str(text) if ["C", "ST", "L", "O", "OU", "CN"].contains(&&**name) => {
                    text
                }
                _ => {
                    return Err(Diagnostic::at(
                        &entry.key,
                        "a subject has the texts C, ST, L, O, OU and CN",
                    )
                    .into());
                }
            };
            subject.push((name.to_string(), text.to_string()));
        }
    }
    for (_, text) in &subject {
        if text.is_empty() || text.contains(['\n', '\r', '\0']) {
            return Err(Diagnostic::at(
                &args.span,
                "a part of the subject is empty or has several lines",
            )
            .into());
        }
    }
    let mut extensions: [(Vec<String>, bool); 4] = Default::default();
    for (slot, (_, _, name)) in extensions.iter_mut().zip(EXTENSIONS) {
        let critical = format!("{name}_critical");
        slot.1 = args.bool(&critical, false);
        for value in args.list(name) {
            let known = PRINTED.iter().any(|(word, _)| *word == value);
            if value.contains(|c: char| c.is_whitespace() || ",;".contains(c))
                || (name.ends_with("usage") && !known)
            {
                let place = args.value_place(name);
                let words = PRINTED.iter().map(|(word, _)| *word);
                return Err(
                    Diagnostic::at(place, format!("`{value}` cannot be in `{name}`"))
                        .nearest(value, words)
                        .into(),
                );
            }
            slot.0.push(value.to_owned());
        }
    }
    let name = subject.iter().find(|(name, _)| name == "CN");
    if let Some((_, name)) =
        name.filter(|_| extensions[0].0.is_empty() && args.bool("use_common_name_for_san", true))
        && !name.contains(|c: char| c.is_whitespace() || ",;".contains(c))
    {
        extensions[0].0.push(format!("DNS:{name}"));
    }
    let key = args
        .str("privatekey_path")
        .ok_or_else(|| Diagnostic::at(&args.span, "`privatekey_path` is needed"))?;
    Ok(Box::new(Csr {
        made: Made::bind(args, controller, 0o644)?,
        key: trimmed(key).into(),
        subject,
        extensions,
    }))
}

/// The values of an extension as OpenSSL prints them, sorted.
fn printed(values: &[String], critical: bool) -> Vec<String> {
    let mut printed: Vec<String> = values
        .iter()
        .map(
            |value| match PRINTED.iter().find(|(word, _)| word == value) {
                Some((_, printed)) => (*printed).to_owned(),
                None => match value.strip_prefix("IP:") {
                    Some(address) => format!("IP Address:{address}"),
                    None => value.clone(),
                },
            },
        )
        .collect();
    printed.extend((critical && !values.is_empty()).then(|| "critical".to_owned()));
    printed.sort();
    printed
}

/// What differs between two of them, as a field.
pub fn compare(name: &str, found: &[String], wanted: &[String]) -> Option<Field> {
    (found != wanted).then(|| Field::value(name, found.join(", "), wanted.join(", ")))
}

impl Resource for Csr {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        known.need(self.made.questions(&[&self.key]))?;
        let key = match source(known, &self.key, "key")? {
            Ok(key) => key,
            Err(change) => return Ok(change),
        };
        let path = &self.made.path;
        let fields = self.fields(known.pem(path)?, key, known.path(path)?.stat.is_some());
        let make = format!(
            "openssl req -new -sha256 -batch -config \"$IN1\" -key {} -out \"$t\"",
            quote(&self.key)
        );
        let remade = !fields.is_empty();
        let mut change = self
            .made
            .change(known, fields, &make, Some(self.config()))?;
        if let Some(step) = change.steps.last_mut().filter(|_| remade) {
            step.verify.push(check(
                "request",
                format!("openssl req -in {} -noout -verify 2>&1", quote(path)),
            ));
        }
        Ok(change
            .result("filename", &**path)
            .result("privatekey", &*self.key))
    }
}

impl Csr {
    fn fields(&self, pem: &Pem, key: &Pem, there: bool) -> Vec<Field> {
        if &*pem.kind != "csr" {
            let found = if there { "no request" } else { "absent" };
            return vec![Field::value("request", found, "present")];
        }
        let mut wanted: Vec<String> = self
            .subject
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        wanted.sort();
        let mut fields = Vec::new();
        fields.extend(
            (pem.public_key() != key.public_key())
                .then(|| Field::value("key", "another", "this one")),
        );
        fields.extend(compare("subject", &pem.subject(), &wanted));
        for ((name, _, field), (values, critical)) in EXTENSIONS.iter().zip(&self.extensions) {
            fields.extend(compare(
                field,
                &pem.extension(name),
                &printed(values, *critical),
            ));
        }
        fields
    }

    fn config(&self) -> String {
        let mut text =
            "[req]\nprompt = no\nutf8 = yes\nstring_mask = utf8only\ndistinguished_name = dn\n"
                .to_owned();
        let given = || {
            EXTENSIONS
                .iter()
                .zip(&self.extensions)
                .filter(|(_, (values, _))| !values.is_empty())
        };
        if given().count() > 0 {
            text.push_str("req_extensions = ext\n[ext]\n");
        }
        for ((_, name, _), (values, critical)) in given() {
            let critical = if *critical { "critical," } else { "" };
            text.push_str(&format!("{name} = {critical}{}\n", values.join(",")));
        }
        text.push_str("[dn]\n");
        for (number, (name, value)) in self.subject.iter().enumerate() {
            let escaped: String = value
                .chars()
                .flat_map(|c| {
                    ("\\$#'\"".contains(c))
                        .then_some('\\')
                        .into_iter()
                        .chain([c])
                })
                .collect();
            text.push_str(&format!("{number}.{name} = {escaped}\n"));
        }
        text
    }
}
