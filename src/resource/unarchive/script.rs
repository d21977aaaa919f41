//! The scripts: what is asked of a note, and an archive unpacked aside, then merged into its folder.

use super::super::get_url::script::fetch;
use super::super::place::temporary;
use super::{Format, Source, Unarchive};
use crate::command::quote;

/// Functions around notes.
const NOTES: &str = include_str!("notes.sh");
/// Moves what was unpacked into its folder.
const MERGE: &str = include_str!("merge.pl");

const PRELUDE: &str = r#"fail() { printf 'error %s\n' "$1"; exit 1; }
told() {
printf 'changed %s\nkind %s\n' "$1" "$kind"
[ -z "$listed" ] || sed -z -e 's/^..//' -e 's/\n/?/g' "$note.names" | tr '\0' '\n' | sed 's/^/file /'
}
need() { command -v "$1" >/dev/null || fail "the archive needs \`$1\`: install the package \`$2\`"; }
said() { printf '%s\n' "$1" | sed '/^$/d' | tail -n 1; }
"#;

impl Unarchive {
    /// Prints of the note `key` whether it holds; `src` is the archive on the node.
    pub(super) fn question(&self, dest: &str, src: Option<&str>) -> String {
        let mut text = self.noted(dest) + "\n";
        if let Some(src) = src {
            text.push_str(&format!("printf 'kind %s\\0' \"$(kind {})\"\n", quote(src)));
        }
        text.push_str(
            "for tool in bzip2 xz zstd unzip; do if command -v $tool >/dev/null; then printf 'tool %s\\0' $tool; fi; done\n\
             if [ -f \"$note\" ] && [ -f \"$note.names\" ] && [ -f \"$note.state\" ]; then\nprintf 'note %s\\0' \"$(cat \"$note\")\"\n",
        );
        text.push_str(&format!("differences {}\n", quote(dest)));
        if self.list {
            text.push_str("sed -z 's/^../name /' \"$note.names\"\n");
        }
        text.push_str("fi\n");
        // An archive as it was packed can be compared with what stands there, whoever unpacked it.
        if let Some(src) = src.filter(|_| self.is_plain()) {
            text.push_str(&format!(
                "if [ \"$(kind {src})\" != zip ] && tar -df {src} -C {} >/dev/null 2>&1; then printf 'same\\0'; fi\n",
                quote(dest),
                src = quote(src),
            ));
        }
        text
    }

    /// Names the note, in a folder of the acting account's.
    pub(super) fn noted(&self, dest: &str) -> String {
        let folder = match &*self.user {
            "root" => "/var/lib/hadeploy/unarchive".to_owned(),
            user => format!(
                "$(getent passwd {} | cut -d: -f6)/.local/state/hadeploy/unarchive",
                quote(user)
            ),
        };
        format!("{NOTES}notes={folder}\nnote=$notes/{}", self.key(dest))
    }

    /// Whether all is unpacked as it was packed.
    fn is_plain(&self) -> bool {
        let chosen = [&self.exclude, &self.include, &self.extra];
        self.principals.is_empty()
            && self.mode.is_none()
            && !self.list
            && !self.newer
            && chosen.iter().all(|list| list.is_empty())
    }

    /// Unpacks it. `src` is the archive on the node, `sum` what it must be.
    pub(super) fn script(&self, dest: &str, src: Option<&str>, sum: Option<&str>) -> String {
        let mut text = temporary(&format!("{}/archive", dest.trim_end_matches('/')));
        text.push_str(&self.noted(dest));
        text.push('\n');
        text.push_str(PRELUDE);
        text.push_str(&format!(
            "dest={} listed={}\nmkdir -m 0700 -- \"$t\" || exit\nmkdir -m 0700 -- \"$t/x\" || exit\n",
            quote(dest),
            if self.list { "1" } else { "" }
        ));
        match (&self.source, src) {
            (Source::Web(request), _) => {
                text.push_str("d=$t\n");
                text.push_str(&fetch(request));
                text.push_str("archive=$t/out\n");
            }
            (_, Some(src)) => text.push_str(&format!("archive={}\n", quote(src))),
            (_, None) => text.push_str("archive=$IN1\n"),
        }
        text.push_str("sum=$(sha256sum <\"$archive\") || fail 'the archive cannot be read'\n");
        if let Some(sum) = sum {
            text.push_str(&format!(
                "[ \"${{sum%% *}}\" = {sum} ] || fail 'the archive changed meanwhile'\n"
            ));
        }
        text.push_str(&format!(
            "want=\"${{sum%% *}} {}\"\nkind=$(kind \"$archive\")\n",
            self.options()
        ));
        if matches!(self.source, Source::Web(_)) {
            text.push_str(
                "if [ \"$(cat \"$note\" 2>/dev/null)\" = \"$want\" ] && ! differences \"$dest\" | grep -qz .; then told 0; exit; fi\n",
            );
        }
        text.push_str(&self.unpack());
        text.push_str(&self.attribute());
        text.push_str(&format!(
            "mkdir -p -m 0700 -- \"$notes\" && rm -f -- \"$note\" || fail \"no note can be kept in $notes\"\n\
             sync -f -- \"$t\"\nerr=$(perl - \"$t/x\" \"$dest\" {} \"$t/list\" <<'END-OF-MERGE' 2>&1 >\"$t/.names\"\n{MERGE}END-OF-MERGE\n) || fail \"$(said \"$err\")\"\n",
            if self.newer { "1" } else { "0" }
        ));
        text.push_str(&self.folders());
        text.push_str(
            "state \"$t/.names\" \"$dest\" >\"$t/.state\" && printf '%s\\n' \"$want\" >\"$t/note\" || exit\n\
             for part in .names .state ''; do\n\
             install -m 0600 -T -- \"$t/${part:-note}\" \"$note$part.new\" && mv -fT -- \"$note$part.new\" \"$note$part\" || exit\ndone\ntold 1\n",
        );
        text
    }

    fn unpack(&self) -> String {
        let words = |list: &[String]| -> String {
            list.iter()
                .map(|word| format!(" {}", quote(word)))
                .collect()
        };
        let (extra, include) = (words(&self.extra), words(&self.include));
        let excluded: String = self
            .exclude
            .iter()
            .map(|name| format!(" {}", quote(&format!("--exclude={name}"))))
            .collect();
        let not = match self.exclude.is_empty() {
            true => String::new(),
            false => format!(" -x{}", words(&self.exclude)),
        };
        let mut text = String::from("z=\ncase $kind in\n");
        for (word, option) in [
            ("gz", "-z"),
            ("bz2", "-j"),
            ("xz", "-J"),
            ("zst", "--zstd"),
            ("zip", ""),
        ] {
            let need = match Format::named(word).and_then(Format::tool) {
                Some((tool, package)) => format!("need {tool} {package}; "),
                None => String::new(),
            };
            text.push_str(&format!("{word}) {need}z={option} ;;\n"));
        }
        text.push_str(&format!(
            "esac\n\
             if [ $kind = zip ]; then unzip -Z1 \"$archive\" >\"$t/list\" 2>/dev/null\n\
             else tar $z -tPf \"$archive\" --quoting-style=literal >\"$t/list\" 2>\"$t/error\" || fail \"$(tail -n 1 \"$t/error\")\"; fi\n\
             bad=$(grep -E -m 1 '^/|(^|/)\\.\\.(/|$)' \"$t/list\") && fail \"the archive holds \\`$bad\\`, which does not lie below \\`dest\\`\"\n\
             if [ $kind = zip ]; then err=$(unzip -qq -o{extra} \"$archive\"{include}{not} -d \"$t/x\" 2>&1)\n\
             case $? in 0 | 1) ;; *) fail \"$(said \"$err\")\" ;; esac\n\
             else err=$(tar $z -xvpf \"$archive\" -C \"$t/x\" --show-transformed-names --quoting-style=literal{excluded}{extra} --{include} 2>&1 >\"$t/list\") || \
             fail \"$(printf '%s\\n' \"$err\" | grep -m 1 -v 'Removing leading')\"; fi\n"
        ));
        text
    }

    /// Owner and group of all that was unpacked, and the mode of its files. Folders follow: a mode could close them.
    fn attribute(&self) -> String {
        let mut text = String::new();
        if !self.principals.is_empty() {
            text.push_str(&format!(
                "find \"$t/x\" -mindepth 1 -exec chown -h {} -- {{}} + || exit\n",
                quote(&self.principals)
            ));
        }
        if let Some(mode) = &self.mode {
            text.push_str(&format!(
                "find \"$t/x\" -mindepth 1 ! -type l ! -type d -exec chmod -- {} {{}} + || exit\n",
                quote(mode)
            ));
        }
        text
    }

    /// Owner, group and mode of folders, deepest first; some were there already.
    fn folders(&self) -> String {
        let mut text = String::new();
        let all = "(cd -- \"$dest\" && sort -zr \"$t/.names\" | find -files0-from - -maxdepth 0 -type d -exec";
        if !self.principals.is_empty() {
            text.push_str(&format!(
                "{all} chown -h {} -- {{}} +) || exit\n",
                quote(&self.principals)
            ));
        }
        if let Some(mode) = &self.mode {
            // Five digits: with fewer, a setgid bit would stay.
            let mode = match mode.parse::<u32>() {
                Ok(_) => format!("{mode:0>5}"),
                Err(_) => mode.clone(),
            };
            text.push_str(&format!(
                "{all} chmod -- {} {{}} +) || exit\n",
                quote(&mode)
            ));
        }
        text
    }
}
