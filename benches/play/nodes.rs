//! The benchmark's own lab: three nodes that are there before the first run and gone after the last.

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::say;

/// The program that is measured, built in the profile of the benchmark.
pub const HADEPLOY: &str = env!("CARGO_BIN_EXE_hadeploy");
/// How many nodes there are.
pub const COUNT: usize = 3;

const LAB: &str = "bench";

/// The lab; dropping it takes it down unless it is to be kept.
#[derive(Debug)]
pub struct Nodes {
    /// Names and addresses, in their order.
    pub nodes: Vec<(String, Ipv4Addr)>,
    /// The private key of root.
    pub key: PathBuf,
    /// The host keys, by address.
    pub host_keys: BTreeMap<Ipv4Addr, Vec<String>>,
    /// Whether the nodes were made just now.
    pub fresh: bool,
    keep: bool,
}

impl Nodes {
    /// Makes the lab. With `keep` one that is there is used, without it is replaced.
    ///
    /// # Errors
    /// The lab does not come up.
    pub fn up(release: &str, keep: bool) -> Result<Self> {
        let old = lab(&["status"]).output()?.status.success();
        if old && !keep {
            say("taking down an earlier lab `bench`");
            check(&mut lab(&["down"]))?;
        }
        let mut this = Self {
            nodes: Vec::new(),
            key: PathBuf::new(),
            host_keys: BTreeMap::new(),
            fresh: !(old && keep),
            keep,
        };
        let count = COUNT.to_string();
        check(&mut lab(&["up", "--nodes", &count, "--release", release]))?;
        let status = check(&mut lab(&["status", "--output", "json"]))?;
        let status: Vec<Value> = serde_json::from_str(&status)?;
        for node in &status {
            let field = |name: &str| node[name].as_str().context("a field of the lab's status");
            this.nodes
                .push((field("name")?.into(), field("address")?.parse()?));
        }
        let inventory = check(&mut lab(&["inventory"]))?;
        let folder = Path::new(inventory.trim()).parent();
        let folder = folder.context("the inventory's folder")?;
        this.key = folder.join("id_ed25519");
        let known = fs::read_to_string(folder.join("known_hosts"))?;
        for (name, key) in known.lines().filter_map(|line| line.split_once(' ')) {
            let keys = this.host_keys.entry(name.parse()?).or_default();
            keys.push(key.into());
        }
        Ok(this)
    }

    /// Brings what the measurement needs: the play's packages, Python where peers are measured, and an sshd that takes
    /// the logins of a fleet at once.
    ///
    /// # Errors
    /// A package is not to be had, or sshd does not take its setting.
    pub fn prepare(&self, packages: &[&str], python: bool) -> Result<()> {
        say(
            "installing packages in the nodes, and letting sshd take 500 logins at once (MaxStartups)",
        );
        let mut packages = packages.join(" ");
        if python {
            packages.push_str(" python3 python3-apt");
        }
        let script = format!(
            "set -e\nexport DEBIAN_FRONTEND=noninteractive\n\
             dpkg-query -W {packages} >/dev/null 2>&1 || {{\n\
               apt-get -q update\n  apt-get -q -y install --no-install-recommends {packages}\n}}\n\
             mkdir -p /etc/ssh/sshd_config.d\n\
             echo 'MaxStartups 500' >/etc/ssh/sshd_config.d/bench.conf\n\
             sshd -t\nsystemctl reload ssh\n"
        );
        thread::scope(|scope| {
            let all = self.nodes.iter().map(|(name, _)| {
                let mut command = lab(&["exec", name, "--", "sh", "-c", &script]);
                scope.spawn(move || check(&mut command).map(drop))
            });
            let all: Vec<_> = all.collect();
            all.into_iter()
                .try_for_each(|one| one.join().expect("no thread panics"))
        })
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        if self.keep {
            return say("the lab `bench` stays up: `hadeploy lab down --name bench` removes it");
        }
        say("taking the lab down");
        if let Err(error) = check(&mut lab(&["down"])) {
            say(&format!("the lab `bench` is left: {error:#}"));
        }
    }
}

fn lab(words: &[&str]) -> Command {
    let mut command = Command::new(HADEPLOY);
    let (first, rest) = words.split_first().expect("a lab command has a word");
    command
        .args(["lab", first, "--name", LAB])
        .args(rest)
        .stdin(Stdio::null());
    command
}

/// Runs to the end and gives standard output.
fn check(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    if !output.status.success() {
        bail!(
            "{command:?} ended with {}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}
