//! The shell text that leads a daemon's complaint back to a template and the line it means.

use super::files::Files;
use crate::command::quote;

/// Defines `mapped`, which names templates in place of staged files in what it reads, and `complaint`, which tells of a text the
/// first line that matters, with the file and line it is about.
pub fn functions(files: &Files) -> String {
    let list: Vec<String> = files
        .files
        .iter()
        .map(|file| format!("{} {}", if file.rendered { 't' } else { 'c' }, file.name))
        .collect();
    format!(
        "export HADEPLOY_SRC={} HADEPLOY_LIST={}\n{FUNCTIONS}",
        quote(&files.src),
        quote(&list.join("\n"))
    )
}

/// `$HADEPLOY_LIST` has a line for each file: `t` or `c`, rendered or copied, and its name. Names are looked for as they are,
/// the longest first, so that none of them is read as a pattern.
const FUNCTIONS: &str = r#"read_list='BEGIN { n = split(ENVIRON["HADEPLOY_LIST"], lines, "\n")
for (i = 1; i <= n; i++) kind[substr(lines[i], 3)] = substr(lines[i], 1, 1)
root = ENVIRON["R"] "/"; src = ENVIRON["HADEPLOY_SRC"] "/" }
function known(rest, f, best) { best = ""; for (f in kind) if (index(rest, f) == 1 && length(f) > length(best)) best = f; return best }
function named(f) { return src f (kind[f] == "t" ? ".j2" : "") }
'
# Files below $1 by the names of their sources.
mapped() {
  R=$1 awk "$read_list"'{ out = ""; rest = $0
    while ((at = index(rest, root)) > 0) {
      out = out substr(rest, 1, at - 1); rest = substr(rest, at + length(root)); f = known(rest)
      if (f == "") out = out src; else { out = out named(f); rest = substr(rest, length(f) + 1) } }
    print out rest }'
}
# Prints `FILE:LINE` of a line that names one below $1.
place() {
  R=$1 awk "$read_list"'{ rest = $0
    while ((at = index(rest, root)) > 0) { rest = substr(rest, at + length(root)); f = known(rest)
      if (f != "" && match(substr(rest, length(f) + 1), /^[^0-9A-Za-z._\/-]+[0-9]+/)) {
        number = substr(rest, length(f) + 1, RLENGTH); gsub(/[^0-9]/, "", number); print f ":" number; exit } } }'
}
# Where the tree in $1 names what a complaint speaks of: a quoted path, or the port it could not have.
search() {
  cd -- "$1" || return
  printf '%s\n' "$2" | awk -F '"' '{ for (i = 2; i <= NF; i += 2) print $i }' | while IFS= read -r word; do
    case $word in */*) grep -rnF -e "$word" . && break ;; esac
  done | head -n 1 | located
  port=$(printf '%s\n' "$2" | sed -n 's/.*bind.*:\([0-9][0-9]*\) failed.*/\1/p')
  [ -z "$port" ] || grep -rnE "listen[^;#]*[^0-9]$port([^0-9]|\$)" . | head -n 1 | located
}
located() { sed -n 's/^\.\/\([^:]*:[0-9]*\):.*/\1/p'; }
# The line of $2 that matters and where it leads in the tree $1.
complaint() {
  line=$(printf '%s\n' "$2" | grep -m 1 -F -e "$1/")
  where=$(printf '%s\n' "$line" | place "$1")
  if [ -z "$where" ]; then
    line=$(printf '%s\n' "$2" | grep -m 1 -E 'emerg|alert|crit|[Ee]rror|[Ff]ail|[Ii]nvalid') || line=$(printf '%s\n' "$2" | head -n 1)
    where=$(search "$1" "$line" 2>/dev/null | head -n 1)
  fi
  line=$(printf '%s\n' "$line" | mapped "$1" | sed -E 's/^[0-9]{4}[/-][0-9]{2}[/-][0-9]{2}[ T][0-9:.]+Z? //')
  [ -n "$where" ] || { printf '%s' "$line"; return; }
  file=${where%:*} number=${where##*:}
  R=$1 awk "$read_list"'BEGIN { printf "%s, line %s as rendered", named(ARGV[1]), ARGV[2]; exit }' "$file" "$number"
  printf ' (%s): %s' "$(sed -n "${number}{s/^[[:space:]]*//;s/[[:space:]]*\$//;p;}" "$1/$file" | cut -c 1-160)" "$line"
}
"#;
