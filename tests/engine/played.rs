//! A host that this machine plays: folders of its own in place of hadeploy's, and what goes wrong on the way to it.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use hadeploy::engine::{Reach, Settings, Target};
use hadeploy::node::Connector;
use hadeploy::transport::{Transport, TransportError};

use crate::wire::{self, Fault};

type Hook = dyn Fn(u32) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync;

/// A played host. Its folders go with it.
pub struct Host {
    pub name: String,
    /// Plays `/var/lib/hadeploy`, and is as long: scripts are sent by their length.
    pub folder: String,
    /// Plays hadeploy's run-time folder, and is as long.
    base: String,
    /// Plays the node's log of runs, and is as long.
    log: String,
    /// Plays the name of the system, and is as long.
    machine: String,
    /// Who runs the tests: files belong to the login user.
    pub login: String,
    pub faults: Mutex<VecDeque<Fault>>,
    /// Connections asked for.
    pub tries: AtomicU32,
    launches: AtomicU32,
    hook: Mutex<Option<Arc<Hook>>>,
}

impl Host {
    pub fn new(name: &str) -> Arc<Host> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed) % 1000;
        let digits = format!("{number:03}{:05}", std::process::id() % 100_000);
        let folder = format!("/tmp/hdp-{digits}");
        let login = login();
        let length = run_time_folder(&login).len();
        let host = Host {
            name: name.to_owned(),
            log: format!("/tmp/hdl-{digits}.log"),
            machine: format!("/tmp/mi{digits}"),
            base: format!("{:x<length$}", format!("/tmp/{digits}")),
            login,
            faults: Mutex::default(),
            tries: AtomicU32::new(0),
            launches: AtomicU32::new(0),
            hook: Mutex::default(),
            folder,
        };
        host.clear();
        std::fs::create_dir(&host.folder).expect("a folder");
        std::fs::create_dir(host.path("")).expect("a folder");
        std::fs::write(&host.machine, format!("{digits}\n")).expect("written");
        Arc::new(host)
    }

    fn clear(&self) {
        let _ = std::fs::remove_dir_all(&self.folder);
        let _ = std::fs::remove_dir_all(self.base());
        let _ = std::fs::remove_file(&self.log);
        let _ = std::fs::remove_file(&self.machine);
    }

    /// hadeploy's run-time folder on it.
    pub fn base(&self) -> PathBuf {
        self.base.clone().into()
    }

    /// `text` with the paths of this host in place of those it names.
    pub fn translate(&self, text: &[u8]) -> Vec<u8> {
        let mut text = text.to_vec();
        for (path, own) in self.paths() {
            assert_eq!(path.len(), own.len());
            let places: Vec<usize> = memchr::memmem::find_iter(&text, path.as_bytes()).collect();
            for at in places {
                text[at..at + path.len()].copy_from_slice(own.as_bytes());
            }
        }
        text
    }

    /// How many bytes at the end of `text` may be the beginning of a path that [`Host::translate`] changes.
    pub fn unfinished(&self, text: &[u8]) -> usize {
        let begun = |path: &str| {
            let path = path.as_bytes();
            (1..path.len())
                .rev()
                .find(|cut| text.ends_with(&path[..*cut]))
        };
        let paths = self.paths();
        paths
            .iter()
            .filter_map(|(path, _)| begun(path))
            .max()
            .unwrap_or(0)
    }

    fn paths(&self) -> [(String, &str); 4] {
        [
            ("/var/log/hadeploy.log".to_owned(), &self.log),
            ("/etc/machine-id".to_owned(), &self.machine),
            ("/var/lib/hadeploy".to_owned(), &self.folder),
            (run_time_folder(&self.login), &self.base),
        ]
    }

    /// What the play writes lies here.
    pub fn path(&self, name: &str) -> PathBuf {
        Path::new(&self.folder).join("w").join(name)
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// What the node keeps of the runs that held its lease.
    pub fn kept(&self) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        text.lines()
            .map(|line| serde_json::from_str(line).expect(line))
            .collect()
    }

    /// How many lines of `log` are `line`.
    pub fn count(&self, line: &str) -> usize {
        self.read("log")
            .lines()
            .filter(|found| *found == line)
            .count()
    }

    /// The notes of owed handlers.
    pub fn owed(&self) -> usize {
        std::fs::read_dir(Path::new(&self.folder).join("owed")).map_or(0, Iterator::count)
    }

    pub fn leased(&self) -> bool {
        self.base().join("lease").exists()
    }

    /// Waits until no folders of scripts lie there.
    pub async fn swept(&self) -> bool {
        let steps = || std::fs::read_dir(self.base().join("steps")).map_or(0, Iterator::count);
        self.becomes(|| steps() == 0).await
    }

    /// Waits until the lease is free.
    pub async fn free(&self) -> bool {
        self.becomes(|| !self.leased()).await
    }

    async fn becomes(&self, wanted: impl Fn() -> bool) -> bool {
        for _ in 0..200 {
            if wanted() {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        false
    }

    /// Called with the number of each launch, from 1, before the host gets it.
    pub fn before_launch<F, W>(&self, hook: F)
    where
        F: Fn(u32) -> W + Send + Sync + 'static,
        W: Future<Output = ()> + Send + 'static,
    {
        *self.hook.lock().expect("whole") = Some(Arc::new(move |number| Box::pin(hook(number))));
    }

    pub async fn launching(&self) {
        let number = self.launches.fetch_add(1, Ordering::SeqCst) + 1;
        let hook = self.hook.lock().expect("whole").clone();
        if let Some(hook) = hook {
            hook(number).await;
        }
    }
}

fn login() -> String {
    let output = std::process::Command::new("id").arg("-un").output();
    let name = output.expect("id").stdout;
    String::from_utf8_lossy(&name).trim().to_owned()
}

fn run_time_folder(login: &str) -> String {
    match login {
        "root" => "/run/hadeploy".to_owned(),
        _ => format!("/tmp/hadeploy-{login}"),
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The way to played hosts.
pub struct Stage {
    pub hosts: Vec<Arc<Host>>,
    /// Further names of hosts.
    pub twins: Vec<(String, Arc<Host>)>,
}

impl Reach for Stage {
    fn connector(&self, target: &Target<'_>, _: &Settings) -> Result<Box<dyn Connector>, String> {
        let own = self.hosts.iter().find(|host| host.name == target.name);
        let twin = self.twins.iter().find(|(name, _)| name == target.name);
        let host = own.or(twin.map(|(_, host)| host));
        Ok(Box::new(Way(host.expect("on the stage").clone())))
    }
}

struct Way(Arc<Host>);

#[async_trait]
impl Connector for Way {
    async fn connect(&self) -> Result<Arc<dyn Transport>, TransportError> {
        self.0.tries.fetch_add(1, Ordering::SeqCst);
        let fault = self.0.faults.lock().expect("whole").pop_front();
        if let Some(Fault::Refused) = fault {
            return Err(TransportError::Refused {
                host: self.0.name.clone(),
                port: 22,
                reason: "a fault was injected".to_owned(),
            });
        }
        Ok(wire::connection(self.0.clone(), fault))
    }
}
