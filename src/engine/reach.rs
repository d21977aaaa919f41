//! How hosts are reached: by SSH or on this machine.

use std::sync::Arc;

use async_trait::async_trait;

use super::state::Settings;
use crate::diagnostic::Diagnostic;
use crate::inventory::{Connection, ConnectionVars, Method};
use crate::node::Connector;
use crate::source::{Source, Span};
use crate::transport::local::LocalTransport;
use crate::transport::ssh::arguments::SshArguments;
use crate::transport::ssh::config::{ConfigError, Place, Wanted};
use crate::transport::ssh::trail::Trail;
use crate::transport::ssh::{SshClient, SshOptions, SshTransport};
use crate::transport::{Transport, TransportError};

/// Finds the way to each host of a run. [`Network`] leads to nodes; a test leads to hosts it plays.
#[async_trait]
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

    /// Connects once, and tells what happened on the way, leg by leg; one without SSH has no legs.
    ///
    /// # Errors
    /// What is wrong with how the host is to be reached, in one line; nothing was connected then.
    async fn told(
        &self,
        target: &Target<'_>,
        settings: &Settings,
    ) -> Result<(Trail, Connected), String> {
        let connector = self.connector(target, settings)?;
        Ok((Trail::default(), connector.connect().await))
    }
}

/// A connection, or why there is none.
pub type Connected = Result<Arc<dyn Transport>, TransportError>;

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
}

#[async_trait]
impl Reach for Network {
    fn connector(
        &self,
        target: &Target<'_>,
        settings: &Settings,
    ) -> Result<Box<dyn Connector>, String> {
        let options = match target.connection.method {
            Method::Ssh => Some(options(target, settings)?),
            Method::Local => None,
        };
        Ok(Box::new(HostConnector {
            options,
            client: self.ssh.clone(),
        }))
    }

    async fn told(
        &self,
        target: &Target<'_>,
        settings: &Settings,
    ) -> Result<(Trail, Connected), String> {
        if target.connection.method == Method::Local {
            return Ok((Trail::default(), Ok(Arc::new(LocalTransport))));
        }
        let options = options(target, settings)?;
        let (trail, connected) = SshTransport::connect_told(options, &self.ssh).await;
        let connected = connected.map(|transport| Arc::new(transport) as Arc<dyn Transport>);
        Ok((trail, connected))
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

fn options(target: &Target<'_>, settings: &Settings) -> Result<SshOptions, String> {
    ssh_options(target.name, target.connection, settings).map_err(|fault| fault.line())
}

/// How a host is reached by SSH: variables before arguments before configuration files.
///
/// # Errors
/// What is wrong with the arguments or a file.
pub fn ssh_options(
    name: &str,
    connection: &Connection,
    settings: &Settings,
) -> Result<SshOptions, WayFault> {
    let mut arguments = SshArguments::default();
    for (field, text) in [
        ("common_args", &connection.common_args),
        ("extra_args", &connection.extra_args),
    ] {
        let Some(text) = text else { continue };
        let more = SshArguments::parse(text).map_err(|error| WayFault { field, error })?;
        arguments = arguments.or(more);
    }
    let arguments = arguments.or(settings.ssh.usual().clone());
    let named = connection.identity_file.as_ref();
    let identity_file = named
        .map(|file| settings.ssh.home_path(file))
        .or_else(|| settings.private_key.clone());
    let wanted = Wanted {
        name,
        address: &connection.address,
        user: connection.user.as_deref(),
        port: connection.port,
        identity_file,
        arguments,
        host_keys: settings.host_keys,
        agent: settings.agent.clone(),
    };
    let field = match connection.common_args {
        Some(_) => "common_args",
        None => "extra_args",
    };
    let options = settings.ssh.options(&wanted);
    options.map_err(|error| WayFault { field, error })
}

/// What is wrong with how a host is reached by SSH.
pub struct WayFault {
    /// The connection variable that holds the arguments, where it is they.
    field: &'static str,
    error: ConfigError,
}

impl WayFault {
    /// In one line, with the place.
    fn line(&self) -> String {
        match self.error.at() {
            Some(at) => format!("{at}: {}", self.error),
            None => self.error.to_string(),
        }
    }

    /// For people: the line of the file, or the variable among `vars`.
    pub fn diagnostic(&self, vars: &ConnectionVars) -> Diagnostic {
        let span = match &self.error.place {
            Place::Argument => vars.get(self.field).map(|value| value.span.clone()),
            Place::Line { file, line } => {
                // It was read a moment ago; without its text the place is told all the same.
                let text = std::fs::read_to_string(&**file).unwrap_or_default();
                let source = Source::new(&**file, text);
                let start = source.line_start(*line);
                let rest = source.text().get(start as usize..).unwrap_or_default();
                let words = rest.lines().next().unwrap_or_default();
                let indent = words.len() - words.trim_start().len();
                let end = start + words.trim_end().len() as u32;
                Some(Span::new(&source, start + indent as u32, end))
            }
        };
        let mut fault = Diagnostic::error(self.error.to_string());
        if let Some(span) = span {
            fault = fault.place(&span);
        }
        match &self.error.help {
            Some(help) => fault.help(help),
            None => fault,
        }
    }
}
