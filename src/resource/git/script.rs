//! The script that brings a repository to a version, and tells what became of it.

use super::super::command::words::tilde;
use super::Git;
use super::ask::environment;
use crate::command::quote;

/// What the script is to come to; none is found out by itself.
#[derive(Debug, Default, Clone)]
pub struct Goal {
    /// The commit.
    pub commit: Option<String>,
    /// The branch that is to be checked out.
    pub branch: Option<String>,
    /// Whether it is known that something changes.
    pub foreseen: bool,
}

/// What git says of an address with a password in it shows neither.
const MAIN: &str = r#"e=$(mktemp) || exit 1
trap 'rm -f -- "$e"' EXIT; trap 'exit 143' HUP INT TERM
( main ) 3>&1 >&2 2>"$e"; rc=$?
sed 's#://[^/@ ]*@#://#g' "$e" >&2
exit "$rc"
"#;

/// Names what a version is behind a fetch, where that was not known before.
const FIND: &str = r#"find_it() { [ -z "$want" ] || return 0
if [ "$v" = HEAD ]; then g remote set-head "$r" --auto >/dev/null || return; b=$(g symbolic-ref -q --short "refs/remotes/$r/HEAD") || return; b=${b#"$r"/}
elif g show-ref -q --verify "refs/remotes/$r/$v"; then b=$v; fi
if [ -n "$b" ]; then want=$(g rev-parse -q --verify "refs/remotes/$r/$b^{commit}")
else want=$(g rev-parse -q --verify "refs/tags/$v^{commit}" || g rev-parse -q --verify "$v^{commit}"); fi
[ -n "$want" ] || { echo "the repository has no branch, tag or commit $v"; return 1; }; }
"#;

/// The whole script.
pub fn sync(git: &Git, goal: &Goal) -> String {
    let mut text = environment(git, false);
    if let Some(umask) = &git.umask {
        text.push_str(&format!("umask {umask}\n"));
    }
    text.push_str(&format!(
        "d={}\nrepo={}\nr={}\nv={}\nwant={}\nb={}\nchanged={}\n\
         g() {{ git -C \"$d\" \"$@\"; }}\nhead() {{ g rev-parse -q --verify 'HEAD^{{commit}}'; }}\n{FIND}",
        tilde(&git.dest),
        quote(&git.repo),
        quote(&git.remote),
        quote(&git.version),
        quote(goal.commit.as_deref().unwrap_or_default()),
        quote(goal.branch.as_deref().unwrap_or_default()),
        u8::from(goal.foreseen),
    ));
    let there = match git.bare {
        true => "[ -f \"$d/HEAD\" ] && [ -d \"$d/objects\" ]",
        false => "[ -e \"$d/.git\" ]",
    };
    text.push_str(&format!(
        "main() {{ before= moved=0\nif {there}; then before=$(head)\n{}else\n{}fi\n{}after=$(head)\n\
         [ \"$before\" = \"$after\" ] || changed=1\n\
         printf 'before %s\\nafter %s\\nmoved %s\\nchanged %s\\n' \"$before\" \"$after\" \"$moved\" \"$changed\" >&3\n}}\n{MAIN}",
        update(git),
        clone(git),
        match git.bare {
            true => String::new(),
            false => checkout(git),
        }
    ));
    text
}

/// Depth counts for branches and tags; a commit can be anywhere.
fn depth(git: &Git) -> String {
    match git.depth.filter(|_| !git.is_pinned()) {
        Some(depth) => format!(" --depth {depth}"),
        None => String::new(),
    }
}

fn clone(git: &Git) -> String {
    let mut command = format!("git clone -q{}", depth(git));
    match git.bare {
        true => command.push_str(" --bare"),
        false => command.push_str(&format!(" --no-checkout --origin {}", quote(&git.remote))),
    }
    if git.single_branch {
        command.push_str(" --single-branch");
    }
    let named = git.version != "HEAD" && !git.version.starts_with("refs/");
    let branch = match named && !git.is_pinned() && !git.bare {
        // What is neither branch nor tag cannot be named to a clone.
        true => "${want:+--branch \"$v\"} ",
        false => "",
    };
    let extra = match &git.refspec {
        Some(refspec) => format!("g fetch -q --force \"$r\" {} || return\n", quote(refspec)),
        None => String::new(),
    };
    let remote = match git.bare {
        true => "g config remote.\"$r\".url \"$repo\" || return\n",
        false => "",
    };
    format!("{command} {branch}-- \"$repo\" \"$d\" || return\n{remote}{extra}")
}

fn update(git: &Git) -> String {
    let mut text = "url=$(g config --get remote.\"$r\".url)\n\
        [ \"$url\" = \"$repo\" ] || { g config remote.\"$r\".url \"$repo\" || return; [ -z \"$url\" ] || moved=1; changed=1; }\n"
        .to_owned();
    if git.force && !git.bare {
        text.push_str("g reset -q --hard HEAD || return\n");
    }
    let extra = git.refspec.as_deref().map(quote).unwrap_or_default();
    if git.bare {
        text.push_str(&format!(
            "g fetch -q --force \"$r\" '+refs/heads/*:refs/heads/*' '+refs/tags/*:refs/tags/*' {extra} || return\n"
        ));
        return text;
    }
    let deep = depth(git);
    if deep.is_empty() {
        text.push_str("u=; [ ! -f \"$(cd \"$d\" && git rev-parse --absolute-git-dir)/shallow\" ] || u=--unshallow\n");
    }
    let all = format!(
        "g fetch -q --force --tags $u \"$r\" \"+refs/heads/*:refs/remotes/$r/*\" {extra} || return\n"
    );
    let one = format!(
        "if [ -n \"$b\" ]; then g fetch -q --force{deep} $u \"$r\" \"+refs/heads/$b:refs/remotes/$r/$b\" {extra} || return\n\
         elif g ls-remote -q --exit-code \"$r\" \"refs/tags/$v\" >/dev/null; then g fetch -q --force{deep} $u \"$r\" \"+refs/tags/$v:refs/tags/$v\" {extra} || return\n\
         else {all}fi\n"
    );
    text.push_str(match git.single_branch || !deep.is_empty() {
        true => &one,
        false => &all,
    });
    text
}

fn checkout(git: &Git) -> String {
    let force = if git.force { " -f" } else { "" };
    let mut text = format!(
        "find_it || return\n\
         g cat-file -e \"$want^{{commit}}\" 2>/dev/null || g fetch -q{} \"$r\" \"$want\" || {{ echo 'the remote does not give this commit: it has moved since it was looked at, or a `refspec` has to name where it is'; return 1; }}\n\
         if [ -n \"$b\" ]; then g checkout -q{force} -B \"$b\" \"$want\" || return\ng branch -q --set-upstream-to=\"$r/$b\" \"$b\" 2>/dev/null || :\n\
         else g checkout -q{force} --detach \"$want\" || return; fi\n",
        depth(git)
    );
    if git.recursive {
        text.push_str(&format!(
            "if [ -f \"$d/.gitmodules\" ]; then\n! g submodule status --recursive 2>/dev/null | grep -q '^[-+U]' || changed=1\n\
             g submodule -q sync --recursive || return\ng submodule -q update --init --recursive{} || return\nfi\n",
            if git.force { " --force" } else { "" }
        ));
    }
    text
}
