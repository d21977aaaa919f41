//! `uri`: a request that the node makes, and what was answered.

mod answer;
mod body;

use std::sync::Arc;

use self::answer::Wanted;
use super::http::{self, Request};
use super::place::trimmed;
use super::{Args, Bound, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change, Reading, Step, Touch};
use crate::command::quote;
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing, Question};

/// Answers up to this many bytes are brought to the controller.
const LIMIT: u32 = 900_000;

/// Makes an HTTP request from the node, and gives what was answered. It acts: a plan shows it and does not ask, unless the task has
/// `check_mode: false`.
///
/// # Differs from Ansible
/// - `src`, `client_cert` and Ansible's rarer options are refused, each with what to use instead
///
/// # Needs
/// - the package `curl` for https, redirects and sockets
///
/// # Returns
/// - `url`: what was asked
/// - `status`: of the answer
/// - `json`: its body, when it is JSON
/// - `content`: its body, with `return_content`
/// - its headers, in small letters with `_` for `-`
///
/// # Examples
/// ```yaml
/// - name: the site is healthy
///   uri:
///     url: http://127.0.0.1/health
///     status_code: [200, 204]
///   register: answer
///   until: answer is succeeded
///   retries: 10
///   delay: 2
/// ```
pub static URI: Kind = Kind {
    name: "uri",
    aliases: &["ansible.builtin.uri", "ansible.legacy.uri"],
    summary: "makes an HTTP request from the node; https and redirects need its package `curl`",
    params: &[
        Param::new("url", ParamType::Str, "Where to.").required(),
        Param::new("method", ParamType::Str, "`GET`, `POST` and so on.").default("GET"),
        http::HEADERS,
        Param::new(
            "body",
            ParamType::Any,
            "What is sent. A mapping or list is written in `body_format`.",
        ),
        Param::new(
            "body_format",
            ParamType::Choice(&["raw", "json", "form-urlencoded"]),
            "How the body is written; it also gives the header `Content-Type`.",
        )
        .default("raw"),
        Param::new(
            "status_code",
            ParamType::List,
            "The statuses that are no failure.",
        )
        .default("200"),
        Param::new(
            "return_content",
            ParamType::Bool,
            "Whether `register` gets the body as `content`. JSON is always there as `json`.",
        )
        .default("false"),
        http::TIMEOUT.default("30"),
        Param::new(
            "follow_redirects",
            ParamType::Str,
            "`safe`: of GET and HEAD; `all`; `none`. Following needs curl.",
        )
        .default("safe"),
        http::VALIDATE_CERTS,
        Param::new(
            "ca_path",
            ParamType::Path,
            "A file of certificates of the node to trust.",
        ),
        Param::new("url_username", ParamType::Str, "The user to log in as.").aliases(&["user"]),
        Param::new("url_password", ParamType::Str, "The user's password.").aliases(&["password"]),
        http::BASIC,
        http::AGENT,
        Param::new(
            "force",
            ParamType::Bool,
            "Whether caches on the way are passed by.",
        )
        .default("false"),
        Param::new(
            "dest",
            ParamType::Path,
            "A file, or a folder that is there, which gets the body of the answer.",
        ),
        Param::new(
            "creates",
            ParamType::Path,
            "When this is there, nothing is asked.",
        ),
        Param::new(
            "removes",
            ParamType::Path,
            "When this is not there, nothing is asked.",
        ),
        Param::new("unix_socket", ParamType::Path, "The socket to go through."),
    ],
    free_form: None,
    refused: &[
        ("client_cert", "use `command` with curl"),
        ("client_key", "use `command` with curl"),
        ("ciphers", "use `command` with curl"),
        (
            "decompress",
            "answers are asked for uncompressed; leave it out",
        ),
        (
            "use_proxy",
            "set or empty `http_proxy` and `https_proxy` in `environment`",
        ),
        ("use_gssapi", "use `command` with curl"),
        ("use_netrc", "give user and password; no netrc is read"),
        ("unredirected_headers", "use `follow_redirects: none`"),
        ("src", "write `body: \"{{ lookup('file', NAME) }}\"`"),
        ("remote_src", "use `command` with curl"),
        ("owner", "set it with a `file` task, or use `get_url`"),
        ("group", "set it with a `file` task, or use `get_url`"),
        ("mode", "set it with a `file` task, or use `get_url`"),
    ],
    check: |_| Vec::new(),
    bind: |args, _| bind(args),
};

/// A request and what is wanted of its answer.
struct Uri {
    request: Request,
    wanted: Wanted,
    dest: Option<Arc<str>>,
    creates: Option<Arc<str>>,
    removes: Option<Arc<str>>,
}

fn bind(args: &Args) -> Bound {
    let fault = |name: &str, message: String| Diagnostic::at(args.value_place(name), message);
    let mut request = Request::bind(args, "url_username", "url_password", 30)?
        .trusting(args.str("ca_path"))
        .through(args.str("unix_socket"));
    request.method = args.str("method").unwrap_or("GET").to_ascii_uppercase();
    if !request.method.bytes().all(|byte| byte.is_ascii_uppercase()) || request.method.is_empty() {
        return Err(fault("method", format!("`{}` is no method", request.method)).into());
    }
    body::bind(args, &mut request)?;
    if args.bool("force", false) {
        request.header("Cache-Control", "no-cache");
    }
    let safe = matches!(request.method.as_str(), "GET" | "HEAD");
    request.follows = match args.str("follow_redirects").unwrap_or("safe") {
        "safe" => safe,
        "all" | "yes" | "True" | "urllib2" => true,
        "none" | "no" | "False" => false,
        other => {
            let fault = fault(
                "follow_redirects",
                format!("`follow_redirects` cannot be `{other}`"),
            );
            return Err(fault.help("it is one of `safe`, `all` and `none`").into());
        }
    };
    let mut statuses = Vec::new();
    for status in args.list("status_code") {
        match status.trim().parse::<u16>() {
            Ok(status) => statuses.push(status),
            Err(_) => return Err(fault("status_code", format!("`{status}` is no status")).into()),
        }
    }
    if statuses.is_empty() {
        statuses.push(200);
    }
    let path = |name| args.str(name).map(|path| trimmed(path).into());
    Ok(Box::new(Uri {
        wanted: Wanted {
            url: request.url.text.clone(),
            statuses,
            content: args.bool("return_content", false),
        },
        request,
        dest: path("dest"),
        creates: path("creates"),
        removes: path("removes"),
    }))
}

impl Resource for Uri {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let curl = "/usr/bin/curl";
        let tls = self.request.url.tls.then_some(curl);
        let paths = [&self.creates, &self.removes].into_iter().flatten();
        let paths = paths.map(|path| Question::Path(path.clone()));
        known.need(paths.chain(tls.map(|path| Question::Path(path.into()))))?;
        let there = |path: &str| Ok(known.path(path)?.stat.is_some());
        if let Some(path) = &self.creates
            && there(path)?
        {
            return Ok(Change::none(format!("skipped, since {path} exists")));
        }
        if let Some(path) = &self.removes
            && !there(path)?
        {
            return Ok(Change::none(format!(
                "skipped, since {path} does not exist"
            )));
        }
        if tls.is_some() && !there(curl)? {
            return Ok(Change::blocked("https needs curl, which the node has not")
                .help("install the package `curl` with an `apt` task before this one"));
        }
        let title = format!(
            "{} {}",
            self.request.method,
            http::shown(&self.request.url.text)
        );
        let mut step = Step::new(title, self.script()).cut();
        step.act = true;
        // Who is asked to do something may do it on this node.
        if !matches!(self.request.method.as_str(), "GET" | "HEAD") {
            step = step.touch(Touch::Everything);
        } else if let Some(dest) = &self.dest {
            step = step.touch(Touch::Path(dest.to_string()));
        }
        let wanted = self.wanted.clone();
        let reading = Reading::new(move |output| wanted.read(output));
        Ok(Change::new(Action::Run)
            .step(step)
            .reading(reading)
            .result("url", self.request.url.text.as_str()))
    }
}

impl Uri {
    fn script(&self) -> String {
        let statuses: Vec<String> = self.wanted.statuses.iter().map(u16::to_string).collect();
        let mut text = String::from(
            "umask 077\nd=$(mktemp -d) || exit\ntrap 'rm -rf -- \"$d\" ${t:+\"$t\"}' EXIT\n\
             trap 'exit 143' HUP INT TERM\nchanged=0 dest= begun=$(date +%s)\n",
        );
        text.push_str(&self.request.script());
        text.push_str(&format!(
            "elapsed=$(($(date +%s) - begun))\nstatus=-1 redirects=0 url=-\n\
             [ $rc != 0 ] || read -r status redirects url <\"$d/told\"\nok=1\n\
             case ' {} ' in *\" $status \"*) ok=0;; esac\n",
            statuses.join(" ")
        ));
        if let Some(dest) = &self.dest {
            let name = self.request.url.name().unwrap_or("index.html".to_owned());
            text.push_str(&format!(
                "if [ $ok = 0 ]; then\nif [ -d {path} ]; then dest={path}/{name}; else dest={path}; fi\n\
                 if ! cmp -s -- \"$d/out\" \"$dest\"; then\numask 022\nt=$dest.hadeploy-$TAG\n\
                 {{ if [ -f \"$dest\" ]; then cp -pT -- \"$dest\" \"$t\"; fi && cat -- \"$d/out\" >\"$t\" && sync -- \"$t\" && \
                 mv -fT -- \"$t\" \"$dest\"; }} 2>\"$d/error\" || rc=1\nchanged=1\nfi\nfi\n",
                path = super::command::words::tilde(dest),
                name = quote(&name),
            ));
        }
        if self.wanted.content {
            text.push_str(&format!(
                "size=$(stat -c %s \"$d/out\")\n[ \"$size\" -le {LIMIT} ] || {{ rc=1; \
                 echo \"it has $size bytes, too many for \\`register\\`; let \\`dest\\` write it to a file\" >\"$d/error\"; }}\n"
            ));
        }
        text.push_str(&format!(
            "size=$(stat -c %s \"$d/out\")\nsent=$size\n[ \"$size\" -le {LIMIT} ] || sent=0\n\
             printf 'rc %s\\nstatus %s\\nredirects %s\\nurl %s\\nelapsed %s\\nchanged %s\\nsize %s\\nerror %s\\n' \
             $rc \"$status\" \"$redirects\" \"$url\" $elapsed $changed $size \"$(tail -n 1 \"$d/error\" 2>/dev/null)\"\n\
             printf 'dest %s\\nhead %s\\n\\n' \"$dest\" $(stat -c %s \"$d/head\")\n\
             cat \"$d/head\"\n[ $sent = 0 ] || cat \"$d/out\"\n[ $ok = 0 ] && [ $rc = 0 ]\n"
        ));
        text
    }
}
