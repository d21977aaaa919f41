//! A restart of the node: the connection goes and comes back, to a machine that was started anew.

use std::time::{Duration, Instant};

use super::lease::{self, LeaseInfo};
use super::shell::Shell;
use super::{Node, NodeError, READ_DEADLINE, lock};
use crate::change::Reboot;

/// Between two tries.
const PAUSE: Duration = Duration::from_secs(1);

/// Says which start of the machine this is: the kernel's name for it, and when its first process began.
pub const BOOT: &str = "read -r b </proc/sys/kernel/random/boot_id; read -r s </proc/1/stat; s=${s##*) }; set -- $s; printf 'BOOT %s-%s\\n' \"$b\" \"${20}\"\n";

/// What [`BOOT`] printed.
fn boot(output: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(output);
    let line = text.lines().find_map(|line| line.strip_prefix("BOOT "))?;
    Some(line.to_owned())
}

impl Node {
    /// Which start of the machine this is.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn boot(&mut self) -> Result<String, NodeError> {
        let said = self.read(BOOT).await?;
        boot(&said).ok_or_else(|| {
            NodeError::Launch("the node does not say when it was started".to_owned())
        })
    }

    /// Waits until the machine is another start than `old` and ready, and takes the lease again, which went with the old one.
    ///
    /// # Errors
    /// It does not come back in time, or another run has taken the lease.
    pub async fn restarted(
        &mut self,
        old: &str,
        reboot: &Reboot,
        lease: &LeaseInfo,
    ) -> Result<(), NodeError> {
        self.shell = None;
        let began = Instant::now();
        let mut pause = PAUSE;
        let mut last = loop {
            tokio::time::sleep(pause).await;
            // Who is not let in while the node starts must not look like an attack on it.
            pause = (pause + PAUSE / 2).min(PAUSE * 5);
            let error = match self.look(old, reboot, lease).await {
                Ok(true) => break None,
                Ok(false) => "it still runs as before".to_owned(),
                Err(error) => error.to_string(),
            };
            if began.elapsed() > reboot.timeout {
                break Some(error);
            }
        };
        if last.is_none() {
            tokio::time::sleep(reboot.pause).await;
            last = self.ready(reboot, began).await?;
        }
        match last {
            None => Ok(()),
            Some(error) => Err(NodeError::ShutOut(format!(
                "the node was not ready within {} s of its restart: {error}",
                reboot.timeout.as_secs()
            ))),
        }
    }

    /// Whether the machine was started anew; then the connection is the new one, with the lease.
    async fn look(
        &mut self,
        old: &str,
        reboot: &Reboot,
        lease: &LeaseInfo,
    ) -> Result<bool, NodeError> {
        let limit = reboot.connect_timeout.unwrap_or(Duration::from_secs(30));
        let (connector, privilege, base) = (&*self.connector, &self.privilege, &*self.base);
        let run = &*self.run;
        let coming = async {
            let transport = connector.connect().await?;
            let mut shell = Shell::start(&*transport, privilege, base).await?;
            let text = format!(
                "{{\n{BOOT}{}}} </dev/null 2>/dev/null",
                lease::claim_text(base, run, lease)
            );
            let reply = shell.run(&text, &[], READ_DEADLINE).await?;
            Ok::<_, NodeError>((transport, shell, reply.stdout))
        };
        let timed = tokio::time::timeout(limit, coming).await;
        let (transport, shell, said) = timed.map_err(|_| NodeError::Timeout {
            what: "a new connection".to_owned(),
            after: limit,
        })??;
        self.round_trips += 1;
        let is_new = boot(&said).is_some_and(|new| new != old);
        let previous = std::mem::replace(&mut *lock(&self.transport), transport);
        self.shell = Some(shell);
        previous.close().await;
        if is_new && !matches!(lease::parse_claim(&said), Some(lease::Claim::Mine)) {
            return Err(NodeError::Launch(
                "another run took the lease of this host while it was started anew".to_owned(),
            ));
        }
        Ok(is_new)
    }

    /// Runs the test until it succeeds; the reason why it did not.
    async fn ready(
        &mut self,
        reboot: &Reboot,
        began: Instant,
    ) -> Result<Option<String>, NodeError> {
        loop {
            let text = format!("(\n{}\n) >/dev/null && printf ready", reboot.test);
            if self.read(&text).await?.ends_with(b"ready") {
                return Ok(None);
            }
            if began.elapsed() > reboot.timeout {
                return Ok(Some("its test command fails".to_owned()));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
