//! One node: its writable layer, its own identity, its start and its end.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::access::{self, Access};
use super::cgroup::{Cgroups, Memory};
use super::error::{At, LabError};
use super::machine::tool;
use super::mount;
use super::network::{self, Network};
use super::record::Record;

/// A node may be slow on a busy machine, but not for ever.
const BOOT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);
const SUPERVISE: &str = include_str!("supervise.sh");
/// Joins the groups named up to `--`, then runs what follows in the namespaces of the process named first.
const ENTER: &str = r#"init=$1; shift
while [ "$1" != -- ]; do echo 0 >"$1/cgroup.procs"; shift; done; shift
exec /usr/bin/nsenter --target "$init" --mount --uts --ipc --net --pid --cgroup -- /usr/bin/env -i HOME=/root USER=root \
LANG=C.UTF-8 TERM=dumb PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin sh -c 'cd && exec "$@"' sh "$@""#;
/// The balancer's name.
pub const BALANCER: &str = "lb1";
/// The balancer's place in the subnet: before the nodes'.
pub(super) const BALANCER_PLACE: u8 = 9;
/// The kinds of host key that a node has.
const HOST_KEYS: [&str; 2] = ["ed25519", "ecdsa"];

/// A node of a lab, running or not.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Its name in the lab and its own host name: n1 to nN, or lb1.
    pub name: String,
    /// Its address on the lab's bridge.
    pub address: Ipv4Addr,
    folder: PathBuf,
    /// Its name among all machines of the host: short, because a network link is called by it.
    machine: String,
    cgroups: Cgroups,
}

/// The layers below a node's own.
pub(super) struct Layers {
    /// The base tree.
    pub base: PathBuf,
    /// The package cache.
    pub packages: PathBuf,
}

impl Node {
    /// The node with that number, counted from 1.
    pub fn new(lab: &Path, number: u16, network: &Network, cgroups: &Cgroups) -> Self {
        Self::at(lab, format!("n{number}"), place(number), network, cgroups)
    }

    /// The load balancer before the nodes.
    pub fn balancer(lab: &Path, network: &Network, cgroups: &Cgroups) -> Self {
        Self::at(lab, BALANCER.into(), BALANCER_PLACE, network, cgroups)
    }

    /// Whether it is the balancer.
    pub fn is_balancer(&self) -> bool {
        self.name == BALANCER
    }

    fn at(lab: &Path, name: String, place: u8, network: &Network, cgroups: &Cgroups) -> Self {
        Self {
            address: network.address(place),
            folder: lab.join(&name),
            machine: format!("hl{}-{name}", network.subnet()),
            cgroups: cgroups.clone(),
            name,
        }
    }

    /// The process of nspawn, if the node runs.
    pub fn pid(&self) -> Option<u32> {
        self.noted("nspawn")
    }

    /// The process that starts nspawn again after a reboot inside.
    pub fn supervisor(&self) -> Option<u32> {
        self.noted("supervisor")
    }

    /// Its port on the lab's bridge, there while the node runs.
    pub fn port(&self) -> String {
        format!("vb-{}", self.machine)
    }

    /// Its memory, where the machine limits it.
    pub fn memory(&self) -> Option<Memory> {
        self.cgroups.memory(&self.name)
    }

    /// The program and arguments that run a command, given behind them, inside the node.
    ///
    /// It enters the node's namespaces and groups as root, so it works also when SSH does not.
    pub fn enter(&self) -> Result<(String, Vec<String>), LabError> {
        let init = self
            .cgroups
            .init(&self.name)
            .ok_or_else(|| LabError::Down(self.name.clone()))?
            .to_string();
        let groups = self.cgroups.inside(&self.name);
        let mut words: Vec<String> = ["-c", ENTER, "sh", &init].map(String::from).to_vec();
        words.extend(groups.iter().map(|group| group.display().to_string()));
        words.push("--".into());
        Ok(("/bin/sh".into(), words))
    }

    /// The node's writable layer, while it is mounted.
    pub fn upper(&self) -> PathBuf {
        self.folder.join("layer/upper")
    }

    /// Mounts the node's tree, making it first when it was never made whole.
    pub fn prepare(
        &self,
        layers: &Layers,
        record: &Record,
        network: &Network,
        lab: &Access,
    ) -> Result<(), LabError> {
        let (made, layer, root) = (
            self.folder.join("made"),
            self.folder.join("layer"),
            self.folder.join("root"),
        );
        let fresh = !made.exists();
        if fresh {
            mount::clear(&self.folder)?;
            if self.folder.exists() {
                fs::remove_dir_all(&self.folder).at(&self.folder)?;
            }
            fs::create_dir_all(&self.folder).at(&self.folder)?;
        }
        if let Some(size) = record.disk {
            self.mount_disk(size, &layer)?;
        }
        mount::overlay(&[&layers.packages, &layers.base], &layer, &root)?;
        if fresh {
            self.write_identity(&root, network, lab)?;
            fs::write(&made, "").at(&made)?;
        }
        let resolv = root.join("etc/resolv.conf");
        if fs::symlink_metadata(&resolv).is_err() {
            fs::write(&resolv, network.resolv_conf()).at(&resolv)?;
        }
        Ok(())
    }

    /// What it holds is of no use any more: it is made anew when it starts.
    pub fn discard(&self) -> Result<(), LabError> {
        let made = self.folder.join("made");
        match fs::remove_file(&made) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            removed => removed.at(&made),
        }
    }

    /// Starts the node under a supervisor that outlives this process.
    pub fn boot(&self, bridge: &str, memory: u64) -> Result<(), LabError> {
        self.kill()?;
        let groups = self.cgroups.make(&self.name, memory)?;
        let script = self.folder.join("supervise.sh");
        fs::write(&script, SUPERVISE).at(&script)?;
        let console = self.folder.join("console.log");
        // The redirections free the caller's own output, so that whoever reads it sees its end.
        let start = "exec setsid --fork sh \"$@\" </dev/null >\"$CONSOLE\" 2>&1";
        tool("sh")
            .args(["-c", start, "start"])
            .env("CONSOLE", &console)
            .args([&script, &self.folder, &self.cgroups.supervisor(&self.name)])
            .args([&self.machine, &self.name, bridge])
            .args(&groups)
            .check()?;
        Ok(())
    }

    /// Waits until the node lets root in by SSH; of one that this machine does not reach, until it would be asked.
    pub fn wait_for_ssh(&self, lab: &Access, reached: bool) -> Result<(), LabError> {
        let start = Instant::now();
        let mut seen_alive = false;
        let mut why = "nothing listens on port 22".to_string();
        while start.elapsed() < BOOT {
            seen_alive |= self.pid().is_some();
            if seen_alive && self.pid().is_none() && self.supervisor().is_none() {
                why = "it ended while it started".into();
                break;
            }
            // Seen from inside, not by connecting: newer sshds hold hanging up without a login against the caller.
            if self.listens() {
                if !reached {
                    return Ok(());
                }
                let ran = lab.log_in(self)?;
                if ran.status == 0 {
                    return Ok(());
                }
                why = String::from_utf8_lossy(&ran.stderr).trim().to_string();
            }
            thread::sleep(POLL);
        }
        Err(LabError::NoSsh {
            node: self.name.clone(),
            why,
        })
    }

    /// Power off at once: nothing of the node lives afterwards, its disk stays.
    pub fn kill(&self) -> Result<(), LabError> {
        self.cgroups.kill_node(&self.name)?;
        for note in ["nspawn.pid", "supervisor.pid"] {
            let _ = fs::remove_file(self.folder.join(note));
        }
        let link = self.port();
        let start = Instant::now();
        while network::link_exists(&link) {
            if start.elapsed() > Duration::from_secs(1) {
                tool("ip").args(["link", "delete", &link]).run()?;
                break;
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// The public host keys, each `kind base64`.
    pub fn host_keys(&self) -> Result<Vec<String>, LabError> {
        let mut keys = Vec::new();
        for kind in HOST_KEYS {
            let path = self.folder.join(format!("ssh_host_{kind}_key.pub"));
            let text = fs::read_to_string(&path).at(&path)?;
            keys.push(
                text.split_whitespace()
                    .take(2)
                    .collect::<Vec<_>>()
                    .join(" "),
            );
        }
        Ok(keys)
    }

    /// Whether something in the node listens on SSH's port.
    fn listens(&self) -> bool {
        let Some(init) = self.cgroups.init(&self.name) else {
            return false;
        };
        ["tcp", "tcp6"].iter().any(|table| {
            let sockets =
                fs::read_to_string(format!("/proc/{init}/net/{table}")).unwrap_or_default();
            sockets.lines().any(is_ssh_listening)
        })
    }

    /// A noted process, if it is still the same one.
    fn noted(&self, what: &str) -> Option<u32> {
        let note = fs::read_to_string(self.folder.join(format!("{what}.pid"))).ok()?;
        let (pid, start) = note.trim().split_once(' ')?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The program's name stands in parentheses and may hold spaces; state is the first word behind it.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let alive = fields.first() != Some(&"Z") && fields.get(19) == Some(&start);
        alive.then(|| pid.parse().ok())?
    }

    fn mount_disk(&self, size: u64, layer: &Path) -> Result<(), LabError> {
        let disk = self.folder.join("disk.img");
        if !disk.exists() {
            let half = self.folder.join("disk.new");
            fs::File::create(&half).at(&half)?.set_len(size).at(&half)?;
            // Nothing is held back for root: everything in a node is root's.
            tool("mkfs.ext4")
                .args(["-q", "-F", "-m", "0"])
                .arg(&half)
                .check()?;
            fs::rename(&half, &disk).at(&disk)?;
        }
        mount::image(&disk, layer)
    }

    fn write_identity(&self, root: &Path, network: &Network, lab: &Access) -> Result<(), LabError> {
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            fs::write(&path, text).at(&path)
        };
        let name = &self.name;
        write("etc/hostname", &format!("{name}\n"))?;
        write(
            "etc/hosts",
            &format!(
                "127.0.0.1\tlocalhost\n127.0.1.1\t{name}\n\n::1\tlocalhost ip6-localhost ip6-loopback\n"
            ),
        )?;
        let seed = format!(
            "{}{}",
            self.folder.display(),
            fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap_or_default()
        );
        write(
            "etc/machine-id",
            &format!("{}\n", &blake3::hash(seed.as_bytes()).to_hex()[..32]),
        )?;
        write("etc/resolv.conf", &network.resolv_conf())?;
        write(
            "etc/systemd/network/10-lab.network",
            &format!(
                "[Match]\nName=host0\n\n[Network]\nAddress={}/24\nGateway={}\nLinkLocalAddressing=no\nIPv6AcceptRA=no\nLLDP=no\n",
                self.address,
                network.address(1)
            ),
        )?;
        let ssh = root.join("root/.ssh");
        if !ssh.is_dir() {
            fs::DirBuilder::new().mode(0o700).create(&ssh).at(&ssh)?;
        }
        let keys = ssh.join("authorized_keys");
        let public = lab.key().with_extension("pub");
        fs::copy(&public, &keys).at(&keys)?;
        fs::set_permissions(&keys, fs::Permissions::from_mode(0o600)).at(&keys)?;
        for kind in HOST_KEYS {
            let key = root.join(format!("etc/ssh/ssh_host_{kind}_key"));
            access::make_key(&key, kind, &format!("root@{name}"))?;
            // Kept outside too: known_hosts is written also while the node's tree is not mounted.
            let public = root.join(format!("etc/ssh/ssh_host_{kind}_key.pub"));
            let copy = self.folder.join(format!("ssh_host_{kind}_key.pub"));
            fs::copy(&public, &copy).at(&copy)?;
        }
        Ok(())
    }
}

/// The place in the subnet of the node with that number.
pub(super) fn place(number: u16) -> u8 {
    u8::try_from(number + 10).unwrap_or(u8::MAX)
}

/// Reads one line of the kernel's socket table: port 22 in state listening.
fn is_ssh_listening(line: &str) -> bool {
    let mut words = line.split_whitespace().skip(1);
    let local = words.next().unwrap_or_default();
    let state = words.nth(1).unwrap_or_default();
    local.ends_with(":0016") && state == "0A"
}

#[cfg(test)]
mod tests {
    use super::is_ssh_listening;

    #[test]
    fn reads_the_socket_table() {
        let line = "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1";
        assert!(is_ssh_listening(line));
        assert!(!is_ssh_listening(&line.replace(" 0A ", " 01 ")));
        assert!(!is_ssh_listening(&line.replace(":0016", ":0017")));
        assert!(!is_ssh_listening(
            "  sl  local_address rem_address   st tx_queue"
        ));
    }
}
