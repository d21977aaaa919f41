//! Whether a change alters what the way in depends on, and what then keeps it open.

use super::super::state::HostState;
use super::parts::{
    ACCOUNTS, HOME, KERNEL, OUTWARD, PACKAGES, PARTS, Part, SSH_UNITS, SSHD, SUDO_PACKAGES, UNITS,
};
use super::port;
use crate::change::{Action, Change, Effect, Field, Guard, Step, Touch};
use crate::command::quote;
use crate::fact::{Known, Missing};
use crate::inventory::Method;
use crate::node::guard::GUARDS;

/// How the run comes in and becomes root.
#[derive(Debug, Clone, Copy)]
pub struct Login<'a> {
    /// The account that it logs in as.
    pub name: &'a str,
    /// Whether its shell is root's; nothing can be guarded without.
    pub root: bool,
    /// Whether it comes by SSH.
    pub ssh: bool,
}

impl<'a> Login<'a> {
    /// That of a host.
    pub fn of(host: &'a HostState) -> Login<'a> {
        Login {
            name: &host.login,
            root: host.root,
            ssh: host.connection.method == Method::Ssh,
        }
    }

    /// Its home folder; none when it is not to be known.
    fn home<'k>(&self, known: &'k Known) -> Result<Option<&'k str>, Missing> {
        if self.name == "root" {
            return Ok(Some("/root"));
        }
        let account = known.account(self.name)?;
        Ok(account
            .map(|account| &*account.home)
            .filter(|home| home.len() > 1))
    }

    /// Whether such a path may be of its home, so that the home is worth a question.
    fn may_be_home(&self, path: &str) -> bool {
        let mut words = path.split('/').filter(|word| !word.is_empty());
        let short = words.clone().count() <= 1;
        short || words.any(|word| word == self.name || word == ".ssh")
    }
}

/// What a guard saves and puts back.
#[derive(Default)]
struct Saved {
    /// What is changed, for people.
    what: Vec<String>,
    /// Files and folders, with all that lies below.
    paths: Vec<String>,
    /// Folders of which only owner and mode are kept.
    shapes: Vec<String>,
    units: Vec<String>,
    kernel: bool,
    parts: Vec<&'static Part>,
    /// Those of them whose files themselves are named, rather than a folder above.
    direct: Vec<&'static Part>,
}

/// The change, guarded when it alters what the way in depends on; refused when there would be no way back.
pub fn guarded(
    mut change: Change,
    known: &Known,
    login: Login,
    kind: &str,
) -> Result<Change, Missing> {
    if change.steps.is_empty() || !login.root {
        return Ok(change);
    }
    if let Some(refused) = refused(&change, login, kind) {
        return Ok(refused);
    }
    if change.steps.iter().any(Step::stands_apart) {
        return Ok(change);
    }
    let saved = saved(&change, known, login)?;
    if saved.what.is_empty() {
        return Ok(change);
    }
    let has_ports =
        |part: &&'static Part| std::ptr::eq(*part, &SSHD) || std::ptr::eq(*part, &SSH_UNITS);
    let port = match saved.parts.iter().any(has_ports) && login.ssh {
        true => port::came_by(known)?,
        false => None,
    };
    let is_sshd = |unit: &String| unit.starts_with("ssh");
    if saved.units.iter().any(is_sshd) {
        let check = "! command -v sshd >/dev/null || { [ -d /run/sshd ] || mkdir -m 0755 /run/sshd; sshd -t; }";
        let check = Step::new("check the configuration of sshd", check);
        change.steps.insert(0, check);
        let stays = "for u in ssh.service ssh.socket; do ! systemctl is-enabled -q $u || exit 0; done; echo 'neither ssh.service nor ssh.socket would start at the next boot: enable one before the other is disabled' >&2; exit 1";
        change.steps.push(
            Step::new("see that sshd starts at the next boot", stays)
                .touch(Touch::Unit("ssh.service".to_owned())),
        );
    }
    let first = change.steps.remove(0).guard(guard_of(&saved));
    change.steps.insert(0, first);
    for part in saved.parts.iter().filter(|part| !part.effect.is_empty()) {
        let script = format!(
            "{}PORT={}\n{}",
            saved.unless_same(part),
            port.map_or(String::new(), |port| port.to_string()),
            part.effect
        );
        let mut step = Step::new(part.title, script);
        step.deadline = Guard::WINDOW / 2;
        step.tells = true;
        for path in part.also {
            step = step.touch(Touch::Path((*path).to_owned()));
        }
        change.steps.push(step.cut());
    }
    Ok(change)
}

/// A change that takes the way in away for good.
fn refused(change: &Change, login: Login, kind: &str) -> Option<Change> {
    let own = |touch: &Touch| matches!(touch, Touch::Account(name) if name == login.name);
    let mut touches = change.steps.iter().flat_map(|step| &step.touches);
    if login.ssh && change.action == Action::Delete && touches.any(own) {
        let words = format!(
            "this run logs in as `{}`, which is to be removed",
            login.name
        );
        return Some(
            Change::failed(words)
                .help("log in with another account (`ansible_user`) to remove this one"),
        );
    }
    if !matches!(kind, "apt" | "package") || !login.ssh {
        return None;
    }
    let is_needed = |name: &&str| {
        let bare = name.split(':').next().unwrap_or(name);
        PACKAGES.contains(&bare) || (login.name != "root" && SUDO_PACKAGES.contains(&bare))
    };
    let gone = change.fields.iter().find_map(|field| match field {
        Field::Value {
            field,
            after,
            before,
        } if after.is_empty() && before != "configuration files" => {
            Some(field.as_str()).filter(is_needed)
        }
        _ => None,
    })?;
    Some(
        Change::failed(format!(
            "the way in of this run needs the package `{gone}`, which would be removed"
        ))
        .help("keep the package; what takes its place must be installed, and come in by, first"),
    )
}

/// What is to be saved before such a change; nothing when the way in does not depend on it.
fn saved(change: &Change, known: &Known, login: Login) -> Result<Saved, Missing> {
    let mut saved = Saved::default();
    let mut touched: Vec<(String, Vec<String>)> = Vec::new();
    for touch in change.steps.iter().flat_map(|step| &step.touches) {
        match touch {
            Touch::Path(path) | Touch::NewFolder(path) => {
                // A file behind a link is looked at too, wherever it lies.
                let mut names = vec![path.trim_end_matches('/').to_owned()];
                if let Ok(info) = known.path(path) {
                    names.extend([info.abs.to_string(), info.real.to_string()]);
                }
                names.retain(|name| name.starts_with('/') || name.is_empty());
                touched.push((path.clone(), names));
            }
            Touch::Account(name) if name == login.name => {
                saved.account(format!("the account {name}"))
            }
            Touch::Group(name) if change.action != Action::Create => {
                saved.account(format!("the group {name}"));
            }
            Touch::Unit(name) if is_unit(name, change) => {
                saved.what.push(name.clone());
                saved.units.push(name.clone());
                // Whichever listens, the other may hang on it.
                if name.starts_with("ssh") {
                    let both = ["ssh.service", "ssh.socket"];
                    saved.units.extend(both.map(str::to_owned));
                }
            }
            _ => {}
        }
    }
    for (path, names) in &touched {
        saved.files(path, names);
    }
    saved.kernel(change, &touched);
    if login.ssh
        && touched
            .iter()
            .flat_map(|(_, names)| names)
            .any(|name| login.may_be_home(name))
        && let Some(home) = login.home(known)?
    {
        for (path, names) in &touched {
            saved.home(home, path, names);
        }
    }
    saved.tidy();
    Ok(saved)
}

/// Whether the change stops, starts, masks, enables or disables a unit of the way in.
fn is_unit(name: &str, change: &Change) -> bool {
    UNITS.contains(&name) && !matches!(change.effect, Effect::Reload(_))
}

impl Saved {
    fn account(&mut self, what: String) {
        self.what.push(what);
        let files = ACCOUNTS.roots.iter().chain(ACCOUNTS.also);
        self.paths.extend(files.map(|root| (*root).to_owned()));
    }

    /// What belongs to the table.
    fn files(&mut self, path: &str, names: &[String]) {
        for part in PARTS {
            let mut own: Vec<String> = names.iter().flat_map(|name| part.saved(name)).collect();
            if own.is_empty() {
                continue;
            }
            // What stands behind a link, wherever it lies.
            let direct = |name: &String| part.saved(name).first() == Some(name);
            if names.iter().any(direct) {
                own.extend(names.iter().cloned());
                self.direct.push(part);
            }
            self.what.push(path.to_owned());
            self.paths.extend(own);
            self.paths
                .extend(part.also.iter().map(|path| (*path).to_owned()));
            if !self.parts.iter().any(|known| std::ptr::eq(*known, *part)) {
                self.parts.push(part);
            }
        }
    }

    /// What belongs to the login user's home.
    fn home(&mut self, home: &str, path: &str, names: &[String]) {
        let within = |name: &str, above: &str| {
            name.strip_prefix(above)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        for name in names {
            if within(home, name) {
                // The home itself, or what it lies in.
                self.what.push(path.to_owned());
                self.shapes.push(home.to_owned());
                self.shapes
                    .push(if name.is_empty() { "/" } else { name }.to_owned());
                self.paths
                    .extend(HOME.iter().map(|own| format!("{home}/{own}")));
            } else if let Some(own) = HOME
                .iter()
                .map(|own| format!("{home}/{own}"))
                .find(|own| within(name, own))
            {
                let inner = name[own.len()..].trim_start_matches('/');
                if OUTWARD.iter().any(|outward| inner.starts_with(outward)) {
                    continue;
                }
                self.what.push(path.to_owned());
                self.paths.extend(names.iter().cloned());
            }
        }
    }

    /// A setting of the kernel that may cut an interface off.
    fn kernel(&mut self, change: &Change, touched: &[(String, Vec<String>)]) {
        let key = change.result.get("name").and_then(|name| name.as_str());
        let Some(key) = key.map(|key| key.replace('.', "/")) else {
            return;
        };
        let sets = touched
            .iter()
            .any(|(path, _)| path.starts_with("/proc/sys"));
        if sets && KERNEL.iter().any(|end| key.ends_with(end)) {
            self.kernel = true;
            self.what.push(key.replace('/', "."));
            let files = touched.iter().flat_map(|(_, names)| names);
            let files = files.filter(|name| !name.starts_with("/proc/sys"));
            self.paths.extend(files.cloned());
        }
    }

    /// Shell text that ends a part's effect where a change of a folder above left its files as they were; nothing where they are changed.
    fn unless_same(&self, part: &Part) -> String {
        if self.direct.iter().any(|direct| std::ptr::eq(*direct, part)) {
            return String::new();
        }
        let mut text = format!("S=$(echo {GUARDS}/*/armed); S=${{S%/armed}}; c=\n");
        for (number, path) in self.paths.iter().enumerate() {
            if part.roots.contains(&path.as_str()) {
                let path = quote(path);
                text.push_str(&format!(
                    "if [ -e \"$S/none{number}\" ]; then [ ! -e {path} ] || c=1; else diff -rq --no-dereference \"$S/old{number}\" {path} >/dev/null 2>&1 || c=1; fi\n"
                ));
            }
        }
        text + "[ -n \"$c\" ] || exit 0\n"
    }

    /// Each once; what lies below another is saved with it.
    fn tidy(&mut self) {
        self.paths
            .retain(|path| path.starts_with('/') && path.len() > 1);
        for list in [&mut self.paths, &mut self.shapes, &mut self.units] {
            list.sort();
            list.dedup();
        }
        let mut seen = Vec::new();
        self.what.retain(|what| {
            let new = !seen.contains(what);
            seen.push(what.clone());
            new
        });
        let all = self.paths.clone();
        self.paths.retain(|path| {
            !all.iter().any(|other| {
                path.strip_prefix(other.as_str())
                    .is_some_and(|rest| rest.starts_with('/'))
            })
        });
    }
}

const BACK: &str = "back() { if [ -e \"$S/none$1\" ]; then rm -rf -- \"$2\"\n\
     else rm -rf -- \"$2.hadeploy\"; [ -d \"${2%/*}/\" ] || mkdir -p -- \"${2%/*}\"; cp -a -- \"$S/old$1\" \"$2.hadeploy\" || return 1\n\
     if [ -d \"$2\" ] && [ ! -L \"$2\" ]; then rm -rf -- \"$2\"; fi; mv -fT -- \"$2.hadeploy\" \"$2\"; fi; }\nr=0\n";

const KERNEL_SAVE: &str = "for f in /proc/sys/net/ipv[46]/conf/*/*; do case $f in */rp_filter|*/disable_ipv6|*/arp_ignore) printf '%s %s\\n' \"$(cat \"$f\")\" \"$f\";; esac; done >\"$S/kernel\"\n";

const KERNEL_BACK: &str = "while read -r v f; do [ \"$(cat \"$f\")\" = \"$v\" ] || echo \"$v\" >\"$f\" || r=1; done <\"$S/kernel\"\n";

fn guard_of(saved: &Saved) -> Guard {
    let mut save = String::new();
    let mut restore = String::from(BACK);
    for (number, path) in saved.shapes.iter().enumerate() {
        let path = quote(path);
        save.push_str(&format!(
            "[ ! -d {path} ] || stat -c '%a %u %g' -- {path} >\"$S/shape{number}\"\n"
        ));
        restore.push_str(&format!(
            "m=; [ ! -e \"$S/shape{number}\" ] || read -r m u g <\"$S/shape{number}\"\n[ -z \"$m\" ] || {{ [ -d {path} ] || mkdir -p -- {path}; chown \"$u:$g\" -- {path} && chmod \"$m\" -- {path} || r=1; }}\n"
        ));
    }
    for (number, path) in saved.paths.iter().enumerate() {
        let path = quote(path);
        save.push_str(&format!(
            "if [ -e {path} ] || [ -L {path} ]; then cp -a -- {path} \"$S/old{number}\"; else : >\"$S/none{number}\"; fi\n"
        ));
        restore.push_str(&format!("back {number} {path} || r=1\n"));
    }
    if saved.kernel {
        save.push_str(KERNEL_SAVE);
        restore.push_str(KERNEL_BACK);
    }
    let mut starts = (String::new(), String::new());
    for (number, unit) in saved.units.iter().enumerate() {
        save.push_str(&format!(
            "a=$(systemctl is-active {unit}) || :; e=$(systemctl is-enabled {unit} 2>/dev/null) || :; printf '%s %s\\n' \"$a\" \"$e\" >\"$S/unit{number}\"\n"
        ));
        restore.push_str(&format!(
            "read -r a e <\"$S/unit{number}\"; o=; [ \"$HOW\" != boot ] || o=--root=/\n\
             case $e in masked*) ;; *) rm -f /etc/systemd/system.control/{unit}; [ ! -L /etc/systemd/system/{unit} ] || [ \"$(readlink /etc/systemd/system/{unit})\" != /dev/null ] || systemctl $o unmask -q {unit} || r=1;; esac\n\
             case $e in enabled) systemctl $o enable -q {unit} || r=1;; disabled) systemctl $o disable -q {unit} || r=1;; esac\n\
             [ \"$HOW\" = boot ] || case $a:$e in *:|*:not-found) ;; inactive:*|failed:*) systemctl stop {unit} || r=1;; esac\n"
        ));
        // Behind all that is stopped, and sockets first: systemd refuses to start one whose service runs. It also refuses what was started
        // too often within seconds, which is no loop here.
        let (starts, way) = match unit.strip_suffix(".socket") {
            Some(name) => (
                &mut starts.0,
                format!(
                    "systemctl is-active -q {unit} || {{ systemctl stop {name}.service; systemctl reset-failed {unit} {name}.service 2>/dev/null; systemctl start {unit}; }}"
                ),
            ),
            None => (
                &mut starts.1,
                format!("{{ systemctl reset-failed {unit} 2>/dev/null; systemctl start {unit}; }}"),
            ),
        };
        starts.push_str(&format!(
            "read -r a e <\"$S/unit{number}\"; [ \"$HOW\" = boot ] || [ \"$a\" != active ] || {way} || r=1\n"
        ));
    }
    restore.push_str(&starts.0);
    restore.push_str(&starts.1);
    for part in saved.parts.iter().filter(|part| !part.save.is_empty()) {
        save.push_str(part.save);
        save.push('\n');
    }
    for part in saved.parts.iter().filter(|part| !part.again.is_empty()) {
        restore.push_str(&format!(
            "[ \"$HOW\" = boot ] || (\n{}\n) || r=1\n",
            part.again
        ));
    }
    restore.push_str("(exit $r)");
    Guard {
        what: saved.what.join(", ").replace('\n', " "),
        save,
        restore,
        persist: String::new(),
        survives_boot: true,
    }
}
