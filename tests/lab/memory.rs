//! A node has its own memory: who wants more is killed there, and nobody else.

use hadeploy::lab::{Lab, Memory};

use super::{pid, ssh};

const MIB: u64 = 1 << 20;

fn memory(lab: &Lab, node: usize) -> Memory {
    lab.status().unwrap()[node].memory.unwrap()
}

pub fn is_limited(lab: &Lab) {
    assert_eq!(
        [0, 1, 2].map(|node| memory(lab, node).limit / MIB),
        [1024, 1024, 512],
        "the last is the balancer"
    );
    let sshd = || ssh(lab, "n1", "systemctl show --property MainPID ssh").stdout;
    let (first, others) = (sshd(), [pid(lab, 0), pid(lab, 1)]);

    let fits = "perl -e '$x = q(a) x (300 << 20); $| = 1; print qq(has it\\n); <STDIN>'";
    let mut holder = super::Command::new(env!("CARGO_BIN_EXE_hadeploy"))
        .args(["lab", "--name", super::NAME, "exec", "n1", "--"])
        .args(["sh", "-c", fits])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = [0; 6];
    std::io::Read::read_exact(&mut holder.stdout.take().unwrap(), &mut said).unwrap();
    let used = memory(lab, 0).used / MIB;
    assert!((300..1024).contains(&used), "{used} MiB");
    drop(holder.stdin.take());
    assert!(holder.wait().unwrap().success());
    assert!(memory(lab, 0).used / MIB < 300);

    // Twice: by SSH it is below the node's init, by the console below this machine's shell.
    let too_much = "perl -e '$x = q(a) x (1536 << 20); print q(has it)'";
    let limited = ssh(lab, "n1", &format!("{too_much}; echo $?"));
    assert_eq!(limited.stdout, b"137\n", "{limited:?}");
    let limited = lab.exec("n1", &["sh", "-c", too_much]).unwrap();
    assert_ne!(limited.status, 0, "{limited:?}");
    assert!(limited.stdout.is_empty(), "{limited:?}");

    assert_eq!(sshd(), first);
    assert_eq!([pid(lab, 0), pid(lab, 1)], others);
}
