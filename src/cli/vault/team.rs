//! For whom age encrypts: the public keys of the command line, else those of hadeploy.yml.

use super::args::RecipientArgs;
use crate::cli::defaults::Defaults;
use crate::cli::environment::Environment;
use crate::diagnostic::Diagnostic;
use crate::vault::Recipients;

/// Those of the command line; none without any.
///
/// # Errors
/// What is no public key.
pub fn given(
    args: &RecipientArgs,
    env: &Environment,
) -> Result<Option<Recipients>, Vec<Diagnostic>> {
    if args.recipient.is_empty() && args.recipients_file.is_empty() {
        return Ok(None);
    }
    let files = args.recipients_file.iter().map(|path| env.expand(path));
    let files: Vec<_> = files.collect();
    Recipients::read(&args.recipient, &files).map(Some)
}

/// Those of hadeploy.yml; none without any.
///
/// # Errors
/// What is no public key.
pub fn usual(defaults: &Defaults) -> Result<Option<Recipients>, Vec<Diagnostic>> {
    let Some(file) = &defaults.age_recipients else {
        return Ok(None);
    };
    Recipients::read(&[], std::slice::from_ref(file)).map(Some)
}

/// Those that a file is to be sealed for that age encrypted: it does not tell for whom it was.
///
/// # Errors
/// There are none, or what is no public key.
pub fn again(defaults: &Defaults) -> Result<Recipients, Vec<Diagnostic>> {
    usual(defaults)?.ok_or_else(|| {
        vec![
            Diagnostic::error("nobody says for which keys age is to encrypt")
                .help("give `--recipients-file FILE`, or `age_recipients_file` in hadeploy.yml"),
        ]
    })
}
