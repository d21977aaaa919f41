//! Resources: the wanted state of one thing on one node, as a pure function of what is known of it. And the table of kinds.
//!
//! # How a kind is documented
//!
//! `hadeploy doc KIND` and `hadeploy schema` have no text of their own: they show the row of the kind (its summary and parameters) and the
//! doc comment that stands right above the row. So each kind has the shape
//!
//! ````text
//! /// Clones a repository, and brings it to the wanted revision. One to three sentences of what a user should know.
//! ///
//! /// # Differs from Ansible
//! /// - `depth` is refused: ...                        (left out where nothing differs, and for kinds that Ansible has not)
//! ///
//! /// # Needs
//! /// - the package `git` on the node                  (left out where a bare Debian is enough)
//! ///
//! /// # Returns
//! /// - `after`: the commit behind the task            (left out where nothing is told beside `changed` and `diff`)
//! ///
//! /// # Examples
//! /// ```yaml
//! /// - name: the sources of the shop
//! ///   git: { repo: "https://git.example/shop.git", dest: /srv/shop }
//! /// ```
//! pub static GIT: Kind = Kind {
//!     name: "git",
//! ````
//!
//! Headings are these four, in this order. What stands below the first three is a list; an item may go on in lines that are indented. Examples are
//! lists of tasks, one block or more, and required. Each parameter has a `doc` of its own that ends with a full stop, and an alias for each of
//! Ansible's other names, and the kind stands in one of `doc::GROUPS`. Unit tests hold a kind to this: its comment is there and has this shape, each key that its file gives to
//! `Change::result` stands in its list of returns, and its examples are read without a fault.

mod alternatives;
mod apt;
mod apt_repository;
mod archive;
mod args;
pub mod argument_spec;
mod assemble;
mod assert;
mod attributes;
mod authorized_key;
mod blockinfile;
mod body;
mod brings;
mod capabilities;
mod command;
mod config_tree;
mod copy;
mod cron;
mod deb822_repository;
mod debconf;
mod debug;
pub mod doc;
mod dpkg_selections;
mod edit;
mod fail;
mod fetch;
mod file;
mod find;
mod folders;
mod get_url;
mod getent;
mod git;
mod gone;
mod group;
mod hostname;
mod htpasswd;
mod http;
mod ini_file;
mod iptables_rules;
mod known_hosts;
mod lineinfile;
mod locale_gen;
mod members;
mod mode;
mod modprobe;
mod mount;
mod package_facts;
mod pam_limits;
mod param;
mod pattern;
mod pause;
mod ping;
mod pip;
mod place;
mod postgres_cluster;
mod postgresql;
mod raw;
mod reboot;
mod redis_cluster;
pub mod release;
mod replace;
mod script;
mod service_facts;
mod set_fact;
mod setup;
mod slurp;
mod stat;
mod sudoers;
mod synchronize;
mod sysctl;
mod systemd;
mod tempfile;
mod template;
mod timezone;
mod unarchive;
mod uri;
mod user;
mod validate;
mod validate_argument_spec;
mod wait_for;
mod wait_for_connection;
mod write;
mod x509;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::change::{Change, Content};
use crate::cluster::Cluster;
use crate::diagnostic::Diagnostic;
use crate::event::Mode;
use crate::fact::{Known, Missing};
use crate::source::Span;
use crate::template::Stop;
use crate::value::Value;

pub use args::Args;
pub use brings::{brings, may_bring};
pub use param::{Param, ParamType};

/// The wanted state of one thing on one node.
pub trait Resource: Send + Sync {
    /// Says what must change on the node, or what is not known of it yet. Asks all independent questions in one
    /// [`Known::need`] before it uses an answer; two waves at most. Pure: no clock, no files, no network.
    fn diff(&self, known: &Known) -> Result<Change, Missing>;

    /// The cluster whose members it brings to the wanted state together; such a resource has no diff of its own.
    fn cluster(&self) -> Option<&dyn Cluster> {
        None
    }
}

/// A bound task, or why it cannot be bound yet or at all.
pub type Bound = Result<Box<dyn Resource>, Stop>;

/// A kind of task: one file, one row in [`KINDS`].
pub struct Kind {
    /// The short name.
    pub name: &'static str,
    /// Other names it is accepted under: Ansible's full names, aliases.
    pub aliases: &'static [&'static str],
    /// What it does, one line.
    pub summary: &'static str,
    /// Its parameters.
    pub params: &'static [Param],
    /// The parameter that text written directly behind the kind's name goes to (`command: ls`), if it takes any.
    /// Kinds without one read such text as `key=value` words.
    pub free_form: Option<&'static str>,
    /// Parameters Ansible has and this does not, each with what to use instead.
    pub refused: &'static [(&'static str, &'static str)],
    /// Rules across parameters that can be checked before anything is bound. A parameter whose value is still a template
    /// counts as given; its value is not to be read.
    pub check: fn(&Args) -> Vec<Diagnostic>,
    /// Makes the resource from bound parameters.
    pub bind: fn(&Args, &dyn Controller) -> Bound,
}

impl Kind {
    /// Whether it brings the members of a cluster to the wanted state together: one host decides for all.
    pub fn is_cluster(&self) -> bool {
        self.name.ends_with("_cluster")
    }
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// What binding may ask of the controller: its files, and templates in the task's scope.
pub trait Controller {
    /// A file of the controller: an absolute path, or a relative one searched in the playbook's `folder` (`files` or `templates`), the
    /// playbook's own folder, then the project's. The fault names the places looked at; in a plan a file may be known only after a
    /// task that writes on the controller.
    fn find(&self, src: &Value, folder: &str) -> Result<PathBuf, Stop>;
    /// Content of a file: held in memory up to 1 MiB, else streamed; hashed once per run. A vault is opened.
    fn content(&self, path: &Path, at: &Value) -> Result<Content, Diagnostic>;
    /// The same of a file that stays encrypted if it is.
    fn content_as_it_is(&self, path: &Path, at: &Value) -> Result<Content, Diagnostic> {
        self.content(path, at)
    }
    /// Whether a file is encrypted at rest.
    fn is_vault(&self, _path: &Path) -> bool {
        false
    }
    /// Length and SHA-256 of a file as it is, hashed once per run and never held: for folders of many files.
    fn digest(&self, path: &Path, at: &Value) -> Result<(u64, Arc<str>), Diagnostic> {
        let body = body::Body::of(self.content(path, at)?);
        Ok((body.len, body.sha256))
    }
    /// Renders a template file in the scope of the task.
    fn render_file(&self, path: &Path, at: &Value, options: &RenderOptions)
    -> Result<String, Stop>;
    /// The same with one more name in the scope.
    fn render_file_with(
        &self,
        path: &Path,
        at: &Value,
        options: &RenderOptions,
        name: &str,
        value: &str,
    ) -> Result<String, Stop>;
    /// Evaluates an expression as `when` does; the result must be a boolean.
    fn test(&self, expression: &Value) -> Result<bool, Stop>;
    /// Evaluates an expression to a value.
    fn eval(&self, expression: &Value) -> Result<Value, Stop>;
    /// What a variable of the task holds; none where nothing defines it. `at` is where it is asked for.
    fn variable(&self, _name: &str, _at: &Span) -> Result<Option<Value>, Stop> {
        Ok(None)
    }
    /// A path of the controller that is written: a relative one lies in the playbook's folder.
    fn destination(&self, path: &str) -> PathBuf;
    /// The host's name in the inventory.
    fn host(&self) -> &str;
    /// Plan or apply.
    fn mode(&self) -> Mode;
    /// The account the task acts as on the node: `root`, the login user, or `become_user`.
    fn user(&self) -> &str;
    /// The folder of the node that commands begin in: the home of who logs in as `~NAME`, on this machine the playbook's folder.
    fn folder(&self) -> &str;
    /// The verbosity asked for with `-v`.
    fn verbosity(&self) -> u8;
}

/// How a template file is read.
#[derive(Debug, Clone)]
pub struct RenderOptions {
    /// Drop the newline behind a block. Ansible's default: true.
    pub trim_blocks: bool,
    /// Drop white space before a block. Ansible's default: false.
    pub lstrip_blocks: bool,
    /// `\n`, `\r\n` or `\r` in the output.
    pub newline: &'static str,
    /// Begin and end of `{{ }}`, `{% %}` and `{# #}` when they were changed.
    pub markers: Option<Arc<[String; 6]>>,
}

impl Default for RenderOptions {
    fn default() -> RenderOptions {
        RenderOptions {
            trim_blocks: true,
            lstrip_blocks: false,
            newline: "\n",
            markers: None,
        }
    }
}

/// The table of kinds.
pub static KINDS: &[&Kind] = &[
    &alternatives::ALTERNATIVES,
    &apt::APT,
    &apt::PACKAGE,
    &apt_repository::APT_REPOSITORY,
    &archive::ARCHIVE,
    &assemble::ASSEMBLE,
    &assert::ASSERT,
    &authorized_key::AUTHORIZED_KEY,
    &blockinfile::BLOCKINFILE,
    &capabilities::CAPABILITIES,
    &command::COMMAND,
    &command::SHELL,
    &config_tree::CONFIG_TREE,
    &copy::COPY,
    &cron::CRON,
    &cron::CRONVAR,
    &deb822_repository::DEB822_REPOSITORY,
    &debconf::DEBCONF,
    &debug::DEBUG,
    &dpkg_selections::DPKG_SELECTIONS,
    &fail::FAIL,
    &fetch::FETCH,
    &file::FILE,
    &find::FIND,
    &get_url::GET_URL,
    &getent::GETENT,
    &git::GIT,
    &group::GROUP,
    &hostname::HOSTNAME,
    &htpasswd::HTPASSWD,
    &ini_file::INI_FILE,
    &iptables_rules::IPTABLES_RULES,
    &known_hosts::KNOWN_HOSTS,
    &lineinfile::LINEINFILE,
    &locale_gen::LOCALE_GEN,
    &modprobe::MODPROBE,
    &mount::MOUNT,
    &package_facts::PACKAGE_FACTS,
    &pam_limits::PAM_LIMITS,
    &x509::csr::CSR,
    &x509::key::PRIVATEKEY,
    &pause::PAUSE,
    &ping::PING,
    &pip::PIP,
    &postgres_cluster::POSTGRES_CLUSTER,
    &postgresql::db::POSTGRESQL_DB,
    &postgresql::ext::POSTGRESQL_EXT,
    &postgresql::privs::POSTGRESQL_PRIVS,
    &postgresql::user::POSTGRESQL_USER,
    &raw::RAW,
    &reboot::REBOOT,
    &redis_cluster::REDIS_CLUSTER,
    &release::RELEASE,
    &replace::REPLACE,
    &script::SCRIPT,
    &service_facts::SERVICE_FACTS,
    &set_fact::SET_FACT,
    &setup::SETUP,
    &slurp::SLURP,
    &stat::STAT,
    &sudoers::SUDOERS,
    &synchronize::SYNCHRONIZE,
    &sysctl::SYSCTL,
    &systemd::SERVICE,
    &systemd::SYSTEMD,
    &tempfile::TEMPFILE,
    &template::TEMPLATE,
    &timezone::TIMEZONE,
    &unarchive::UNARCHIVE,
    &uri::URI,
    &user::USER,
    &validate_argument_spec::VALIDATE_ARGUMENT_SPEC,
    &wait_for::WAIT_FOR,
    &wait_for_connection::WAIT_FOR_CONNECTION,
    &x509::certificate::CERTIFICATE,
];

/// The kind of that name, short or full.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS
        .iter()
        .find(|kind| kind.name == name || kind.aliases.contains(&name))
        .copied()
}
