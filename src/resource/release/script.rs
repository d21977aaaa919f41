//! The steps of a release: unpacked aside and renamed, the link swapped by a rename, old ones removed that nothing runs in.

use super::super::attributes::Resolved;
use super::super::place::temporary;
use super::Release;
use super::diff::MARKER;
use super::source::Source;
use crate::change::{Expect, Step};
use crate::command::quote;

/// Unpacks the release beside its place.
pub fn unpack(release: &Release, source: &Source, base: &str, resolved: &Resolved) -> Step {
    let folder = format!("{base}/releases/{}", release.id);
    let mut script = temporary(&folder);
    script.push_str(FUNCTIONS);
    let tarball = match &source.path {
        Some(path) => quote(path),
        None => "\"$IN1\"".to_owned(),
    };
    let sum = match source.path {
        Some(_) => &*source.sum,
        None => "",
    };
    let mut lines = vec![
        "mkdir -m 0755 -- \"$t\"".to_owned(),
        format!("unpack {tarball} {} {sum}", source.strip),
    ];
    let stat = resolved.fresh('d', None);
    let principals = resolved.principals(&stat);
    for shared in &release.shared {
        let target = quote(&format!("{base}/shared/{}", shared.name));
        if shared.folder {
            let options = resolved.install_options(&stat);
            lines.push(format!(
                "{{ [ -d {target} ] || install -d {options} -- {target}; }}"
            ));
        }
        lines.push(format!("share {} {target}", quote(&shared.name)));
    }
    lines.push(format!("printf '%s\\n' {} >\"$t/{MARKER}\"", source.sum));
    if !principals.is_empty() {
        lines.push(format!("chown -hR {} -- \"$t\"", quote(&principals)));
    }
    lines.push("chmod u=rwx,go=rx -- \"$t\"".to_owned());
    lines.push("sync -f -- \"$t\"".to_owned());
    lines.push(format!("mv -T -- \"$t\" {} || exit 1\n", quote(&folder)));
    script.push_str(&lines.join(" &&\n"));
    let marker = Expect::Check {
        field: "release".to_owned(),
        script: format!(
            "found=$(cat {0})\n[ \"$found\" = {1} ] || {{ printf %s \"$found\"; exit 1; }}",
            quote(&format!("{folder}/{MARKER}")),
            source.sum
        ),
    };
    let mut step = Step::new(format!("unpack release {}", release.id), script)
        .before(Expect::absent(folder))
        .verify(marker);
    step.inputs.extend(source.content.clone());
    step
}

/// Makes the release the current one. Which releases were current before, the node keeps in a note; one that is current again because
/// the release behind it was left is not a new one, so where `previous` leads is always further back.
pub fn switch(release: &Release, base: &str, before: Option<&str>) -> Step {
    let link = &*release.link;
    let id = &release.id;
    let old = before.and_then(|link| link.trim_end_matches('/').rsplit('/').next());
    let put = format!("put .{link} releases/{id} {link} || exit 1\n");
    let mut script = format!("{PUT}cd -- {} || exit 1\n", quote(base));
    match old {
        None => script.push_str(&put),
        Some(old) => {
            let old = quote(old);
            script.push_str(&note(link));
            script.push_str(&format!(
                "was=$(earlier {old})\n\
                 if [ \"$(printf '%s\\n' \"$was\" | tail -n 1)\" = {id} ]; then\n\
                 {put}printf '%s\\n' \"$was\" | sed '$d' | remember || exit 1\nelse\n"
            ));
            // First: when the node stops in between, the next run still switches.
            script.push_str(&format!(
                "{{ printf '%s\\n' \"$was\"; [ ! -d releases/{old} ] || printf '%s\\n' {old}; }} | remember || exit 1\n{put}fi\n"
            ));
        }
    }
    let leads = |target: Option<&str>| Expect::Path {
        path: format!("{base}/{link}"),
        kind: Some(if target.is_some() { 'l' } else { '-' }),
        mode: None,
        owner: None,
        group: None,
        sha256: None,
        target: target.map(str::to_owned),
    };
    Step::new(format!("switch {link} to {id}"), script)
        .before(leads(before))
        .verify(leads(Some(&format!("releases/{id}"))))
}

/// The name of the link to the release before the one that `link` leads to.
pub fn previous(link: &str) -> String {
    match link {
        "current" => "previous".to_owned(),
        link => format!("{link}-previous"),
    }
}

/// The name of the note of the releases that were current before, the newest last.
pub fn note_name(link: &str) -> String {
    format!(".{link}.before")
}

/// Brings the note of `current` in the folder `base` in order, as text of a script: a node that stopped in the middle of a switch may call
/// the release that it runs one before it.
pub fn settle(base: &str) -> String {
    let note_name = note_name("current");
    format!(
        "cd -- {} && [ -f {note_name} ] && now=$(readlink current) || exit 0\n{PUT}{}was=$(earlier \"${{now##*/}}\")\n\
         [ \"$was\" = \"$(cat {note_name})\" ] || printf '%s\\n' \"$was\" | remember\n",
        quote(base),
        note("current"),
    )
}

/// Functions that read and write the note, in the folder of the releases. One that is not there yet begins with what `previous` leads to;
/// releases that are gone are left out, and so is what runs now.
fn note(link: &str) -> String {
    let (note, previous) = (note_name(link), previous(link));
    format!(
        r#"earlier() {{
  {{ cat {note} 2>/dev/null || {{ t=$(readlink {previous}) && printf '%s\n' "${{t##*/}}"; }}; }} |
    while read -r r; do [ -z "$r" ] || [ ! -d "releases/$r" ] || printf '%s\n' "$r"; done |
    awk -v now="$1" '{{ l[NR] = $0 }} END {{ n = NR; while (n && l[n] == now) n--; for (i = 1; i <= n; i++) print l[i] }}'
}}
remember() {{
  sed '/^$/d' | tail -n {KEPT} >{note}.new && chmod 0644 {note}.new && mv -f -- {note}.new {note} || return 1
  t=$(tail -n 1 {note})
  if [ -n "$t" ]; then put .{previous} "releases/$t" {previous}; else rm -f -- {previous}; fi
}}
"#
    )
}

/// How many releases the note names.
const KEPT: u32 = 20;

const PUT: &str =
    "put() { rm -f -- \"$1.new\" && ln -s -- \"$2\" \"$1.new\" && mv -T -- \"$1.new\" \"$3\"; }\n";

/// Removes what is too old. Only folders with a marker are releases, and where a link leads to stays.
pub fn prune(release: &Release, base: &str) -> String {
    format!(
        "cd -- {}/releases || exit 1\nreal=$(pwd -P) kept=0\n\
         linked=' '\nfor link in ../* ; do [ -L \"$link\" ] || continue; link=$(readlink -- \"$link\"); linked=\"$linked${{link##*/}} \"; done\n\
         used=$(readlink /proc/[0-9]*/cwd /proc/[0-9]*/exe 2>/dev/null | sort -u)\n\
         for marker in $(ls -1t -- */{MARKER} 2>/dev/null); do\n  name=${{marker%/*}}\n  kept=$((kept + 1))\n  \
         [ \"$name\" != {} ] || continue\n  case $linked in *\" $name \"*) continue ;; esac\n  \
         [ \"$kept\" -gt {} ] || continue\n  \
         printf '%s\\n' \"$used\" | awk -v p=\"$real/$name/\" 'index($0 \"/\", p) == 1 {{ f = 1 }} END {{ exit !f }}' && continue\n  \
         rm -rf -- \"$name\"\ndone\n:\n",
        quote(base),
        release.id,
        release.keep,
    )
}

const FUNCTIONS: &str = r#"unpack() {
  if [ -n "$3" ]; then
    sum=$(sha256sum <"$1") || return
    [ "${sum%% *}" = "$3" ] || { printf 'the tarball %s has another checksum: %s\n' "$1" "${sum%% *}" >&2; return 1; }
  fi
  case $(head -c 4 -- "$1" | od -An -tx1 | tr -d ' ') in
    fd377a58) command -v xz >/dev/null || { echo 'the tarball needs xz; install the package xz-utils first' >&2; return 1; } ;;
    28b52ffd) command -v zstd >/dev/null || { echo 'the tarball needs zstd; install the package zstd first' >&2; return 1; } ;;
    425a68*) command -v bzip2 >/dev/null || { echo 'the tarball needs bzip2; install the package bzip2 first' >&2; return 1; } ;;
  esac
  tar -xpf "$1" --no-same-owner --strip-components="$2" -C "$t"
}
share() {
  if [ -d "$t/$1" ] && [ ! -L "$t/$1" ]; then rmdir -- "$t/$1" 2>/dev/null; fi
  if [ -e "$t/$1" ] || [ -L "$t/$1" ]; then printf 'the release has a `%s` of its own, which is to be shared\n' "$1" >&2; return 1; fi
  mkdir -p -- "$(dirname -- "$t/$1")" && ln -s -- "$2" "$t/$1"
}
"#;
