//! The script that fetches a file: into a folder of its own, checked, then beside the target and renamed.

use super::super::http::{Request, Url};
use super::super::place::{parent, temporary};
use super::{GetUrl, Sum};
use crate::command::quote;

/// `fail` ends the script with words for `msg`, `told` says how it went.
const PRELUDE: &str = r#"fail() { printf 'error %s\n' "$1"; exit 1; }
told() {
sum=$(sha1sum <"$2") || return
printf 'changed %s\nmsg OK\nchecksum_src %s\nchecksum_dest %s\n' "$1" "${sum%% *}" "${sum%% *}"
printf 'size %s\nstatus_code %s\nelapsed %s\n' "$(stat -Lc %s -- "$2")" "${status:-200}" $(($(date +%s) - begun))
}
"#;

impl GetUrl {
    /// `path` is the target, `options` are `install`'s for the new file; `same` sets owner and mode of a file that has the content already.
    pub(super) fn script(&self, path: &str, exists: bool, options: &str, same: &str) -> String {
        let folder = self.tmp.as_deref().or(parent(path)).unwrap_or("/");
        let dest = quote(path);
        let mut text = format!(
            "{PRELUDE}begun=$(date +%s)\nd=$(mktemp -d -- {}/.hadeploy-XXXXXXXX) || exit\n",
            super::super::command::words::tilde(folder.trim_end_matches('/'))
        );
        text.push_str(&temporary(path));
        text.push_str("trap 'rm -rf -- \"$d\" \"$t\"' EXIT\numask 077\nwanted=\n");
        if let (Some(Sum::At), Some(sums)) = (&self.sum, &self.sums) {
            text.push_str(&fetch(sums));
            let name = self.request.url.name().unwrap_or_default();
            text.push_str(&format!(
                "wanted=$(awk -v name={} '{{ n = $2; sub(/^[*]/, \"\", n); sub(/^.*\\//, \"\", n); if (n == name) {{ print $1; exit }} \
                 if (NF == 1) only = $1; lines++ }} END {{ if (lines == 1 && only) print only }}' \"$d/out\" | tr A-F a-f)\n\
                 case $wanted in *[!0-9a-f]* | '') wanted=;; esac\n[ ${{#wanted}} = 64 ] || fail {}\n",
                quote(&name.replace('\\', "\\\\")),
                quote(&format!("the file of sums has no SHA-256 of `{name}`"))
            ));
            if exists {
                text.push_str(&format!(
                    "have=$(sha256sum <{dest}) && [ \"${{have%% *}}\" = $wanted ] && {{ {}; }}\n",
                    unchanged(same, &dest)
                ));
            }
        } else if let Some(Sum::Known(sum)) = &self.sum {
            text.push_str(&format!("wanted={sum}\n"));
        }
        text.push_str(&fetch(&self.request));
        text.push_str(
            "have=$(sha256sum <\"$d/out\"); have=${have%% *}\n\
             [ -z \"$wanted\" ] || [ \"$have\" = \"$wanted\" ] || fail \"the SHA-256 of what came is $have, not $wanted\"\n",
        );
        if exists {
            text.push_str(&format!(
                "if cmp -s -- \"$d/out\" {dest}; then {}; fi\n",
                unchanged(same, &dest)
            ));
        }
        text.push_str(&format!(
            "install {options} -T -- \"$d/out\" \"$t\" && sync -- \"$t\" || exit\n"
        ));
        if self.backup && exists {
            text.push_str(&format!(
                "old=$(sha256sum <{dest}); backup={dest}.$(printf %.12s \"$old\")~\n\
                 cp -pT -- {dest} \"$backup\" || exit\nprintf 'backup_file %s\\n' \"$backup\"\n"
            ));
        }
        text.push_str(&format!("mv -fT -- \"$t\" {dest} && told 1 {dest}\n"));
        text
    }
}

/// The file is as wanted; owner and mode are set where they differ.
fn unchanged(same: &str, dest: &str) -> String {
    match same {
        "" => format!("told 0 {dest}; exit"),
        same => format!("{{ {same}; }} && told 1 {dest}; exit"),
    }
}

/// Brings the file to `$d/out`. Without curl, apt's helper takes what the plain client does not. `fail` must end the script.
pub fn fetch(request: &Request) -> String {
    let Url { text: url, tls, .. } = &request.url;
    let mut text = if *tls {
        let made = request.script();
        // The helper stands where the request says that it needs curl.
        made.replace(
            "echo 'https needs curl: install the package `curl`' >\"$d/error\"\nrc=1\n",
            "rc=0; helper=1\n",
        )
    } else {
        request.script()
    };
    text.insert_str(0, "helper=\n");
    if request.is_plain() {
        text.push_str(
            "case $rc:$(cat \"$d/error\" 2>/dev/null) in *' redirects to '*) helper=1;; esac\n",
        );
    }
    text.push_str(&format!(
        "if [ -n \"$helper\" ]; then\nstatus=\nrm -f \"$d/out\"\n\
         /usr/lib/apt/apt-helper -q -o Acquire::Retries=0 -o Acquire::http::Timeout={time} -o Acquire::https::Timeout={time} \
         download-file {} \"$d/out\" >/dev/null 2>\"$d/error\" || \
         fail \"Request failed: $(grep -m 1 ^E: \"$d/error\" | cut -c 4-)\"\n\
         [ -s \"$d/out\" ] || fail 'apt brought an empty file, which may be its fault; install the package `curl`'\n\
         else\n[ $rc = 0 ] || fail \"Request failed: $(tail -n 1 \"$d/error\")\"\n\
         read -r status redirects url <\"$d/told\"\n\
         [ \"$status\" = 200 ] || {{ printf 'status_code %s\\n' \"$status\"; fail \"Request failed: HTTP Error $status\"; }}\nfi\n",
        quote(url),
        time = request.timeout(),
    ));
    text
}
