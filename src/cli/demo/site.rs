//! The playbooks, templates and the application of the repository, carried in the binary.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::lab::Lab;

/// Files of the repository, each with its path there.
macro_rules! carried {
    ($($path:literal,)*) => {
        &[$(($path, include_str!(concat!("../../../", $path)))),*]
    };
}

/// The files as they stand in the repository, by their paths there.
pub const FILES: &[(&str, &str)] = carried![
    "playbooks/deploy.yml",
    "playbooks/files/app/build.sh",
    "playbooks/files/app/job.js",
    "playbooks/files/app/migrate.js",
    "playbooks/files/app/package.json",
    "playbooks/files/app/ready.js",
    "playbooks/files/app/server.js",
    "playbooks/files/app/services.js",
    "playbooks/files/app/web/assets/app.css",
    "playbooks/files/app/web/assets/app.js",
    "playbooks/files/app/web/index.html",
    "playbooks/files/app/worker.js",
    "playbooks/files/app/yarn.lock",
    "playbooks/files/pgbouncer/pgbouncer-pause",
    "playbooks/files/pgbouncer/pgroute",
    "playbooks/site.yml",
    "playbooks/tasks/app.yml",
    "playbooks/tasks/authority.yml",
    "playbooks/tasks/authority_found.yml",
    "playbooks/tasks/balancer.yml",
    "playbooks/tasks/balancer_handlers.yml",
    "playbooks/tasks/base.yml",
    "playbooks/tasks/base_handlers.yml",
    "playbooks/tasks/certificates.yml",
    "playbooks/tasks/certificates_handlers.yml",
    "playbooks/tasks/node_handlers.yml",
    "playbooks/tasks/pgbouncer.yml",
    "playbooks/tasks/pgbouncer_handlers.yml",
    "playbooks/tasks/postgres.yml",
    "playbooks/tasks/redis.yml",
    "playbooks/tasks/release.yml",
    "playbooks/tasks/running.yml",
    "playbooks/tasks/security.yml",
    "playbooks/tasks/web.yml",
    "playbooks/tasks/web_security.yml",
    "playbooks/vars/certificates.yml",
    "playbooks/vars/data.yml",
    "playbooks/vars/site.yml",
    "templates/app/app.env.j2",
    "templates/authorized_keys.j2",
    "templates/fail2ban/fail2ban.local.j2",
    "templates/fail2ban/jails.local.j2",
    "templates/fail2ban/nginx-banned.conf.j2",
    "templates/fail2ban/web.local.j2",
    "templates/haproxy/haproxy.cfg.j2",
    "templates/index.html.j2",
    "templates/nginx/headers.conf.j2",
    "templates/nginx/health.conf.j2",
    "templates/nginx/nginx.conf.j2",
    "templates/nginx/pages.conf.j2",
    "templates/nginx/parting.conf.j2",
    "templates/nginx/tls.conf.j2",
    "templates/nginx/upstream.conf.j2",
    "templates/pgbouncer/hadeploy-pgroute.service.j2",
    "templates/pgbouncer/pgbouncer.ini.j2",
    "templates/pgbouncer/pgbouncer.service.j2",
    "templates/pgbouncer/pgbouncer_hba.conf.j2",
    "templates/pgbouncer/pgroute.conf.j2",
    "templates/pgbouncer/pgroute.pgpass.j2",
    "templates/pgbouncer/userlist.txt.j2",
    "templates/sshd.conf.j2",
    "templates/sudoers.j2",
    "templates/sysctl.conf.j2",
    "templates/systemd/app-job.service.j2",
    "templates/systemd/app-job.timer.j2",
    "templates/systemd/app-limits.j2",
    "templates/systemd/app-worker.service.j2",
    "templates/systemd/app@.service.j2",
    "templates/systemd/haproxy.conf.j2",
    "templates/systemd/nginx.conf.j2",
    "templates/systemd/node-ready.service.j2",
];

/// A site that was written out, ready to be applied.
#[derive(Debug)]
pub struct Site {
    folder: PathBuf,
    inventory: PathBuf,
}

/// Why a site could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// The lab has no inventory.
    #[error(transparent)]
    Lab(#[from] crate::lab::LabError),
    /// A file of it.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Site {
    /// Writes the site into the lab's folder, so that it goes when the lab goes.
    ///
    /// # Errors
    /// There is no such lab, or a file cannot be written.
    pub fn write(lab: &Lab) -> Result<Site, SiteError> {
        let inventory = lab.inventory()?;
        let folder = inventory.with_file_name("site");
        for (path, text) in FILES {
            put(&folder.join(path), text)?;
        }
        Ok(Site { folder, inventory })
    }

    /// The arguments that apply it.
    pub fn apply(&self) -> Vec<String> {
        self.command("apply")
    }

    /// The arguments that bring another release to node after node, and a setting of nginx that needs a restart.
    pub fn roll(&self) -> Vec<String> {
        let mut words = self.command("rolling-update");
        for variable in ["app_release=2", "nginx_open_files=16384", "canary_hold=10s"] {
            words.extend(["-e".into(), variable.into()]);
        }
        words
    }

    fn command(&self, name: &str) -> Vec<String> {
        let shown = |path: PathBuf| path.display().to_string();
        vec![
            name.into(),
            shown(self.folder.join("playbooks/site.yml")),
            "-i".into(),
            shown(self.inventory.clone()),
            "--yes".into(),
            // Another run may be building the application on this machine.
            "--lock-timeout".into(),
            "10m".into(),
        ]
    }
}

fn put(path: &Path, text: &str) -> Result<(), SiteError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(at(folder))?;
    }
    fs::write(path, text).map_err(at(path))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> SiteError {
    let path = path.to_owned();
    move |source| SiteError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_site_is_carried() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut folders = vec![root.join("playbooks"), root.join("templates")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    // What was built is no source.
                    folders.extend((!path.ends_with("releases")).then_some(path));
                    continue;
                }
                let path = path.strip_prefix(root).unwrap().to_str().unwrap();
                assert!(FILES.iter().any(|(file, _)| *file == path), "{path}");
            }
        }
    }
}
