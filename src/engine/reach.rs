//! How hosts are reached: by SSH or on this machine.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use super::state::Settings;
use crate::inventory::{Connection, Method};
use crate::node::Connector;
use crate::transport::local::LocalTransport;
use crate::transport::ssh::arguments::SshArguments;
use crate::transport::ssh::trail::Trail;
use crate::transport::ssh::{SshClient, SshOptions, SshTransport};
use crate::transport::{Transport, TransportError};

/// Finds the way to each host of a run. [`Network`] leads to nodes; a test leads to hosts it plays.
pub trait Reach: Send + Sync {
    /// What makes connections to a host.
    ///
    /// # Errors
    /// What is wrong with how it is to be reached, in one line.
    fn connector(
        &self,
        target: &Target<'_>,
        settings: &Settings,
    ) -> Result<Box<dyn Connector>, String>;
}

/// A host to be reached.
pub struct Target<'a> {
    /// Its name in the inventory.
    pub name: &'a str,
    /// How the inventory says it is reached.
    pub connection: &'a Connection,
    /// Who logs in.
    pub login: &'a str,
}

/// By SSH, or on this machine for `connection: local`.
pub struct Network {
    ssh: SshClient,
}

impl Network {
    /// With keys and known hosts that all connections share.
    pub fn new(ssh: SshClient) -> Network {
        Network { ssh }
    }

    /// Connects to a host, and tells what happened on the way, leg by leg. The way to this machine has no legs.
    ///
    /// # Errors
    /// What is wrong with how it is to be reached, in one line; nothing was connected then.
    pub async fn told(
        &self,
        target: &Target<'_>,
        settings: &Settings,
    ) -> Result<(Trail, Result<Arc<dyn Transport>, TransportError>), String> {
        if target.connection.method == Method::Local {
            return Ok((Trail::default(), Ok(Arc::new(LocalTransport))));
        }
        let options = ssh_options(target, settings)?;
        let (trail, connected) = SshTransport::connect_told(options, &self.ssh).await;
        let connected = connected.map(|transport| Arc::new(transport) as Arc<dyn Transport>);
        Ok((trail, connected))
    }
}

impl Reach for Network {
    fn connector(
        &self,
        target: &Target<'_>,
        settings: &Settings,
    ) -> Result<Box<dyn Connector>, String> {
        let options = match target.connection.method {
            Method::Ssh => Some(ssh_options(target, settings)?),
            Method::Local => None,
        };
        Ok(Box::new(HostConnector {
            options,
            client: self.ssh.clone(),
        }))
    }
}

/// Connects to one host by SSH or on this machine.
struct HostConnector {
    options: Option<SshOptions>,
    client: SshClient,
}

#[async_trait]
impl Connector for HostConnector {
    async fn connect(&self) -> Result<Arc<dyn Transport>, TransportError> {
        Ok(match &self.options {
            Some(options) => Arc::new(SshTransport::connect(options.clone(), &self.client).await?),
            None => Arc::new(LocalTransport),
        })
    }
}

fn ssh_options(target: &Target<'_>, settings: &Settings) -> Result<SshOptions, String> {
    let connection = target.connection;
    let mut options = SshOptions::new(target.name, &connection.address, target.login);
    options.host_key_checking = settings.host_key_checking;
    options.agent = settings.agent.clone();
    let home = settings.home.clone().unwrap_or_else(|| PathBuf::from("/"));
    options.known_hosts = vec![
        home.join(".ssh/known_hosts"),
        home.join(".ssh/known_hosts2"),
    ];
    options.global_known_hosts = vec![
        "/etc/ssh/ssh_known_hosts".into(),
        "/etc/ssh/ssh_known_hosts2".into(),
    ];
    options.default_identities = ["id_ed25519", "id_ecdsa", "id_rsa"]
        .iter()
        .map(|name| home.join(".ssh").join(name))
        .collect();
    for text in [&connection.extra_args, &connection.common_args]
        .into_iter()
        .flatten()
    {
        let arguments = SshArguments::parse(text, &home).map_err(|error| error.to_string())?;
        arguments.apply(&mut options);
    }
    if let Some(port) = connection.port {
        options.port = port;
    }
    options.user = target.login.to_owned();
    let file = connection
        .identity_file
        .as_ref()
        .map(|file| match file.strip_prefix("~/") {
            Some(rest) => home.join(rest),
            None => PathBuf::from(file),
        })
        .or_else(|| settings.private_key.clone());
    if let Some(file) = file {
        options.identity_files = vec![file];
    }
    Ok(options)
}
