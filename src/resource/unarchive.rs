//! `unarchive`: an archive of the controller, the node or the web, unpacked on the node.
//!
//! What was unpacked is noted on the node: the archive's sum, and kind, owner, mode and content's sum of each file. A note that still holds
//! means that nothing is to be done; a file that was altered or removed since is seen.

mod diff;
mod script;

use std::io::Read;
use std::sync::Arc;

use super::attributes::{self, Attributes};
use super::body::{Body, Source as From, sha256};
use super::copy::REFUSED_OF_FILES;
use super::http::{self, Request};
use super::place::trimmed;
use super::{Args, Bound, Controller, Kind, Param, ParamType};
use crate::change::Content;
use crate::diagnostic::Diagnostic;
use crate::template::Stop;

/// Unpacks an archive of the controller, the node or the web. What was unpacked is noted on the node, so that a file that was altered or
/// removed since is seen.
///
/// # Differs from Ansible
/// - what is there is compared by its content, not by times and sizes
/// - an archive at an address is fetched in each run
///
/// # Needs
/// - the package `unzip` for zip, `zstd` or `xz-utils` for such tars
/// - the package `curl` for addresses
///
/// # Returns
/// - `src`, `dest`: from where to where
/// - `handler`: what unpacks it, in Ansible's words
/// - `files`: the names, with `list_files`
///
/// # Examples
/// ```yaml
/// - name: the manual
///   unarchive:
///     src: manual.tar.gz
///     dest: /srv/manual
///     owner: www-data
/// ```
pub static UNARCHIVE: Kind = Kind {
    name: "unarchive",
    aliases: &["ansible.builtin.unarchive", "ansible.legacy.unarchive"],
    summary: "unpacks a tar or zip archive into a folder of the node",
    params: &[
        Param::new("src", ParamType::Str, "The archive: tar, plain or compressed by gzip, bzip2, xz or zstd, or zip. A file of the controller, searched in `files` beside the playbook; with `remote_src`, a path of the node or an address.").required(),
        Param::new("dest", ParamType::Path, "The folder to unpack into. It must be there.").required(),
        Param::new("remote_src", ParamType::Bool, "Whether `src` is a path of the node or an address. What is at an address is fetched each time.").default("false"),
        Param::new("creates", ParamType::Path, "Nothing is done where this path is there."),
        Param::new("exclude", ParamType::List, "Names or patterns of the archive that are not unpacked."),
        Param::new("include", ParamType::List, "Names of the archive; only they are unpacked."),
        Param::new("list_files", ParamType::Bool, "Whether `register` gets the names in `files`.").default("false"),
        Param::new("keep_newer", ParamType::Bool, "Whether a file that is newer than that of the archive stays.").default("false"),
        Param::new("extra_opts", ParamType::List, "More options for `tar` or `unzip`."),
        attributes::OWNER,
        attributes::GROUP,
        attributes::MODE,
        http::VALIDATE_CERTS,
    ],
    free_form: None,
    refused: REFUSED,
    check: |args| args.at_most_one_of(&["include", "exclude"]),
    bind,
};

const REFUSED: &[(&str, &str)] = &[
    ("copy", "use `remote_src: true` for `copy: false`"),
    ("io_buffer_size", "it is not needed; leave it out"),
    REFUSED_OF_FILES[0],
    REFUSED_OF_FILES[1],
    REFUSED_OF_FILES[2],
    REFUSED_OF_FILES[3],
    REFUSED_OF_FILES[4],
    REFUSED_OF_FILES[5],
    REFUSED_OF_FILES[6],
    (
        "decrypt",
        "encrypted files are always decrypted; leave it out",
    ),
];

/// Options that would lead elsewhere than below `dest`, or that are given already.
const KEPT: &[&str] = &[
    "-P",
    "-C",
    "-f",
    "-d",
    "-:",
    "--absolute-names",
    "--directory",
    "--file",
    "--to-command",
    "--one-top-level=/",
];

/// How an archive is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Tar,
    Gzip,
    Bzip2,
    Xz,
    Zstd,
    Zip,
}

impl Format {
    /// By its first bytes. What is none of the others is tar, or `tar` says what is wrong with it.
    fn of(head: &[u8]) -> Format {
        match head {
            [0x1f, 0x8b, ..] => Format::Gzip,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Format::Xz,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Format::Zstd,
            [b'B', b'Z', b'h', ..] => Format::Bzip2,
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Format::Zip,
            _ => Format::Tar,
        }
    }

    /// As the node's script says it.
    fn named(word: &str) -> Option<Format> {
        Some(match word {
            "tar" => Format::Tar,
            "gz" => Format::Gzip,
            "bz2" => Format::Bzip2,
            "xz" => Format::Xz,
            "zst" => Format::Zstd,
            "zip" => Format::Zip,
            _ => return None,
        })
    }

    /// Ansible's name for what handles it.
    fn handler(self) -> &'static str {
        match self {
            Format::Tar => "TarArchive",
            Format::Gzip => "TgzArchive",
            Format::Bzip2 => "TarBzipArchive",
            Format::Xz => "TarXzArchive",
            Format::Zstd => "TarZstdArchive",
            Format::Zip => "ZipArchive",
        }
    }

    /// The program it needs beside `tar` and gzip, and its package.
    fn tool(self) -> Option<(&'static str, &'static str)> {
        match self {
            Format::Tar | Format::Gzip => None,
            Format::Bzip2 => Some(("bzip2", "bzip2")),
            Format::Xz => Some(("xz", "xz-utils")),
            Format::Zstd => Some(("zstd", "zstd")),
            Format::Zip => Some(("unzip", "unzip")),
        }
    }
}

/// Where an archive comes from.
enum Source {
    /// It is sent.
    Sent {
        content: Content,
        sha256: Arc<str>,
        format: Format,
    },
    /// A file of the node.
    Node(Arc<str>),
    /// An address.
    Web(Box<Request>),
}

/// An archive and where it goes.
struct Unarchive {
    src: Arc<str>,
    source: Source,
    dest: Arc<str>,
    creates: Option<Arc<str>>,
    exclude: Vec<String>,
    include: Vec<String>,
    extra: Vec<String>,
    list: bool,
    newer: bool,
    attributes: Attributes,
    /// The acting account.
    user: Arc<str>,
    /// `OWNER:GROUP`, as given.
    principals: String,
    /// Words for `chmod`.
    mode: Option<String>,
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    let needs = |name| Diagnostic::at(&args.span, format!("`unarchive` needs `{name}`"));
    let src = args.get("src").ok_or_else(|| needs("src"))?;
    let dest = args.str("dest").ok_or_else(|| needs("dest"))?;
    let list =
        |name: &str| -> Vec<String> { args.list(name).into_iter().map(str::to_owned).collect() };
    let extra = list("extra_opts");
    if let Some(word) = extra.iter().find(|word| is_kept(word)) {
        return Err(Diagnostic::at(
            args.value_place("extra_opts"),
            format!("`{word}` cannot be among `extra_opts`"),
        )
        .help("an archive is only unpacked below `dest`")
        .into());
    }
    let include = list("include");
    if let Some(name) = include.iter().find(|name| name.starts_with('-')) {
        return Err(Diagnostic::at(
            args.value_place("include"),
            format!("`{name}` looks like an option"),
        )
        .help("write `./` before it")
        .into());
    }
    let mut principals = args.str("owner").unwrap_or_default().to_owned();
    if let Some(group) = args.str("group") {
        principals.push(':');
        principals.push_str(group);
    }
    Ok(Box::new(Unarchive {
        src: src.as_str().unwrap_or_default().into(),
        source: source(args, controller)?,
        dest: trimmed(dest).into(),
        creates: args.str("creates").map(Arc::from),
        exclude: list("exclude"),
        include,
        extra,
        list: args.bool("list_files", false),
        newer: args.bool("keep_newer", false),
        attributes: Attributes::bind(args, controller)?,
        user: controller.user().into(),
        principals,
        mode: args.str("mode").map(str::to_owned),
    }))
}

fn is_kept(word: &str) -> bool {
    KEPT.iter().any(|kept| match kept.starts_with("--") {
        true => word.starts_with(kept),
        false => word.starts_with(kept) && !word.starts_with("--"),
    })
}

fn source(args: &Args, controller: &dyn Controller) -> Result<Source, Stop> {
    let src = args
        .get("src")
        .ok_or_else(|| Diagnostic::at(&args.span, "`unarchive` needs `src`"))?;
    let text = src.as_str().unwrap_or_default();
    if text.contains("://") {
        if !args.bool("remote_src", false) {
            return Err(Diagnostic::at(&src.span, "only the node fetches archives")
                .help("write `remote_src: true` beside it")
                .into());
        }
        let url = http::Url::parse(text).map_err(|message| Diagnostic::at(&src.span, message))?;
        let request = Request::of(url, !args.bool("validate_certs", true));
        return Ok(Source::Web(Box::new(request)));
    }
    if args.bool("remote_src", false) {
        if !text.starts_with(['/', '~']) {
            let message = format!("the path `{text}` is relative");
            return Err(Diagnostic::at(&src.span, message)
                .help("with `remote_src`, `src` is an absolute path of the node")
                .into());
        }
        return Ok(Source::Node(trimmed(text).into()));
    }
    let path = controller.find(src, "files")?;
    if path.is_dir() {
        return Err(Diagnostic::at(&src.span, "it is a folder, not an archive")
            .help("use `copy` for folders")
            .into());
    }
    let body = Body::of(controller.content(&path, src)?);
    let mut head = Vec::new();
    match body.bytes() {
        Some(bytes) => head.extend(bytes.iter().take(8)),
        None => {
            std::fs::File::open(&path)
                .and_then(|file| file.take(8).read_to_end(&mut head))
                .map_err(|error| {
                    Diagnostic::at(&src.span, format!("{}: {error}", path.display()))
                })?;
        }
    }
    match body.source {
        From::Sent(content) => Ok(Source::Sent {
            content,
            sha256: body.sha256,
            format: Format::of(&head),
        }),
        From::Node(path) => Ok(Source::Node(path)),
    }
}

impl Unarchive {
    /// The name of the note, by where it goes and where it comes from.
    fn key(&self, dest: &str) -> String {
        sha256(format!("{dest}\0{}", self.src).as_bytes())[..32].to_owned()
    }

    /// What of the task, beside the archive, decides what is unpacked.
    fn options(&self) -> String {
        let text = format!(
            "{}\0{:?}\0{}\0{:?}\0{:?}\0{:?}",
            self.principals, self.mode, self.newer, self.exclude, self.include, self.extra
        );
        sha256(text.as_bytes())[..16].to_owned()
    }
}
