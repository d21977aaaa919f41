//! Small scripts on the run's hosts, for balancers, the health gate and clusters.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::balancer::{Hands, Reply};
use crate::engine::state::{HostState, Run};
use crate::node::nonce;

/// A host that has not answered a small script by then is lost.
const DEADLINE: Duration = Duration::from_secs(60);

/// Reaches every host of the run.
pub(super) struct RunHands(pub(super) Arc<Run>);

#[async_trait]
impl Hands for RunHands {
    async fn sh(&self, host: &str, script: &str) -> Result<Reply, String> {
        let Some(host) = self.0.hosts.get(host) else {
            return Err(format!("`{host}` is not a host of this run"));
        };
        let (host, script) = (host.clone(), script.to_owned());
        // In a task of its own: who gives up waiting leaves no answer behind that the next one would take for theirs.
        let asked = tokio::spawn(async move { ask(&host, &script).await });
        asked.await.map_err(|error| error.to_string())?
    }
}

async fn ask(host: &HostState, script: &str) -> Result<Reply, String> {
    let mut place = host.node.lock().await;
    let Some(node) = place.as_mut() else {
        return Err(format!("{} is not connected", host.name));
    };
    let mark = nonce();
    let text = wrap(script, &mark);
    let before = node.round_trips;
    let answer = tokio::time::timeout(DEADLINE, node.read(&text)).await;
    host.tally().round_trips += node.round_trips - before;
    match answer {
        Err(_) => {
            // Its answer may still come.
            *place = None;
            Err(format!("no answer within {} s", DEADLINE.as_secs()))
        }
        Ok(Err(error)) => Err(error.to_string()),
        Ok(Ok(output)) => unwrap(&output, &mark),
    }
}

/// The script in a shell of its own; output, errors and status come back one behind the other. Its text stands in no argument, since it
/// may hold a password.
fn wrap(script: &str, mark: &str) -> String {
    format!(
        "E=$(mktemp /tmp/hadeploy.XXXXXX)\nsh /dev/fd/3 3<<'@{mark}' 2>\"$E\" </dev/null\n{script}\n@{mark}\nprintf '\\n@{mark} %s\\n' $?\ncat \"$E\"; rm -f \"$E\"\n"
    )
}

fn unwrap(output: &[u8], mark: &str) -> Result<Reply, String> {
    let head = format!("\n@{mark} ");
    let at = memchr::memmem::rfind(output, head.as_bytes()).ok_or("the script came to no end")?;
    let rest = &output[at + head.len()..];
    let line = rest
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(rest.len());
    let status = std::str::from_utf8(&rest[..line])
        .ok()
        .and_then(|status| status.parse().ok())
        .ok_or("the script's status is not readable")?;
    Ok(Reply {
        status,
        stdout: output[..at].to_vec(),
        stderr: rest.get(line + 1..).unwrap_or_default().to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_errors_and_status_come_back_apart() {
        let text = wrap("echo \"it's\"; echo no >&2; exit 3", "M1");
        let output = std::process::Command::new("/bin/sh")
            .arg("-c")
            .arg(&text)
            .output()
            .expect("sh");
        let reply = unwrap(&output.stdout, "M1").expect("whole");
        assert_eq!(reply.status, 3);
        assert_eq!(String::from_utf8_lossy(&reply.stdout), "it's\n");
        assert_eq!(String::from_utf8_lossy(&reply.stderr), "no\n");
        assert!(unwrap(b"half an answer", "M1").is_err());
    }
}
