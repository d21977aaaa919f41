//! The words of `hadeploy vault`, spelled as ansible-vault spells them.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::options::VaultArgs;

/// Encrypt, show and change files and values, in Ansible Vault's format or age's
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct VaultCommandArgs {
    #[command(subcommand)]
    pub command: VaultCommand,
}

const EXAMPLES: &str = "Examples:
  hadeploy vault encrypt group_vars/all/secrets.yml
  hadeploy vault encrypt-string --stdin-name db_password <password.txt
  hadeploy vault edit group_vars/all/secrets.yml
  hadeploy vault rekey --new-vault-id prod@prompt group_vars/prod/*.yml
  hadeploy vault encrypt --recipients-file team.txt group_vars/all/secrets.yml

Passwords come from --vault-id, --vault-password-file or --ask-vault-pass; else
from HADEPLOY_VAULT_PASSWORD, the file that ANSIBLE_VAULT_PASSWORD_FILE names, or
`vault_password_file` of hadeploy.yml; else they are asked for.

With --recipient or --recipients-file, or where only `age_recipients_file` of
hadeploy.yml says for whom, files are encrypted by age to the public keys of a
team: each member opens them with his own key (--age-identity).

To see changes of vaults in git:
  echo '*secrets.yml diff=vault' >>.gitattributes
  git config diff.vault.textconv 'hadeploy vault view --or-plain'";

#[derive(Debug, Subcommand)]
pub enum VaultCommand {
    /// Encrypt files in their place, or standard input
    Encrypt(EncryptArgs),
    /// Decrypt files in their place, or standard input
    Decrypt(DecryptArgs),
    /// Print what vaults hold
    View(ViewArgs),
    /// Change a vault with $EDITOR; the plain text is on no disk meanwhile
    Edit(EditArgs),
    /// Write a new vault with $EDITOR
    Create(CreateArgs),
    /// Encrypt a value, to be pasted into YAML
    #[command(alias = "encrypt_string")]
    EncryptString(StringArgs),
    /// Give vaults another password, or other keys
    Rekey(RekeyArgs),
    /// Show how the content of a vault differs from another one's, or from git's
    Diff(DiffArgs),
}

#[derive(Debug, Args)]
pub struct EncryptArgs {
    /// The files; none or `-` for standard input
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write to FILE instead of the file itself; `-` for standard output
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Of several passwords, encrypt with that of LABEL
    #[arg(long, value_name = "LABEL")]
    pub encrypt_vault_id: Option<String>,
    #[command(flatten)]
    pub team: RecipientArgs,
    #[command(flatten)]
    pub vault: VaultArgs,
}

/// For whom age encrypts.
#[derive(Debug, Clone, Default, Args)]
pub struct RecipientArgs {
    /// Encrypt by age for this public key: `age1…`, `ssh-ed25519 …`, `ssh-rsa …`; may
    /// be repeated
    #[cfg(feature = "age")]
    #[arg(short, long, value_name = "KEY")]
    pub recipient: Vec<String>,
    /// Encrypt by age for the public keys in FILE, one a line; may be repeated
    #[cfg(feature = "age")]
    #[arg(short = 'R', long, value_name = "FILE")]
    pub recipients_file: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub struct DecryptArgs {
    /// The vaults; none or `-` for standard input
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write to FILE instead of the file itself; `-` for standard output
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub vault: VaultArgs,
}

#[derive(Debug, Args)]
pub struct ViewArgs {
    /// The vaults; none or `-` for standard input
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Print a file that is no vault as it is: git has older states of files
    #[arg(long)]
    pub or_plain: bool,
    #[command(flatten)]
    pub vault: VaultArgs,
}

#[derive(Debug, Args)]
pub struct EditArgs {
    /// The vaults, one after the other
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub team: RecipientArgs,
    #[command(flatten)]
    pub vault: VaultArgs,
}

#[derive(Debug, Args)]
pub struct CreateArgs {
    /// The file, which must not be there
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Of several passwords, encrypt with that of LABEL
    #[arg(long, value_name = "LABEL")]
    pub encrypt_vault_id: Option<String>,
    #[command(flatten)]
    pub team: RecipientArgs,
    #[command(flatten)]
    pub vault: VaultArgs,
}

#[derive(Debug, Args)]
#[command(after_help = STRING)]
pub struct StringArgs {
    /// The values; none or `-` for standard input
    #[arg(value_name = "VALUE")]
    pub values: Vec<String>,
    /// The variable of a VALUE; may be repeated, in their order
    #[arg(short, long, value_name = "NAME")]
    pub name: Vec<String>,
    /// The variable of what standard input holds
    #[arg(long, value_name = "NAME")]
    pub stdin_name: Option<String>,
    /// Ask for the value
    #[arg(short, long)]
    pub prompt: bool,
    /// Of several passwords, encrypt with that of LABEL
    #[arg(long, value_name = "LABEL")]
    pub encrypt_vault_id: Option<String>,
    /// Write to FILE instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub team: RecipientArgs,
    #[command(flatten)]
    pub vault: VaultArgs,
}

const STRING: &str = "A VALUE on the command line is seen in the list of processes and kept by the
shell's history: better let it be asked for with --prompt, or give it on
standard input: printf %s \"$VALUE\" | hadeploy vault encrypt-string --stdin-name X";

#[derive(Debug, Args)]
pub struct RekeyArgs {
    /// The vaults
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// The new label and password: a file, an executable script, or `prompt`
    #[arg(
        long,
        value_name = "LABEL@SOURCE",
        conflicts_with = "new_vault_password_file"
    )]
    pub new_vault_id: Option<String>,
    /// The new password: the content of FILE, or what it prints
    #[arg(long, value_name = "FILE")]
    pub new_vault_password_file: Option<PathBuf>,
    #[command(flatten)]
    pub team: RecipientArgs,
    #[command(flatten)]
    pub vault: VaultArgs,
}

#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The vault
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The vault to compare with, which is taken for the newer one; without it FILE is
    /// compared with what git has
    #[arg(value_name = "NEWER")]
    pub newer: Option<PathBuf>,
    /// The commit to compare with
    #[arg(
        long,
        value_name = "COMMIT",
        default_value = "HEAD",
        conflicts_with = "newer"
    )]
    pub rev: String,
    /// Exit with 2 when they differ
    #[arg(long)]
    pub detailed_exitcode: bool,
    #[command(flatten)]
    pub vault: VaultArgs,
}
