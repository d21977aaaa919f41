//! How long a connection and a command take. Printed, never judged: `cargo test --release --test transport -- --ignored --nocapture speed`.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hadeploy::transport::Transport as _;
use hadeploy::transport::ssh::{SshOptions, SshTransport};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::sshd::{client, run, sshd_with};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "prints numbers and judges nothing"]
async fn speed() {
    // Root's own shell may read a slow start file for each command; that is not what is measured here.
    let Some(sshd) = sshd_with("SetEnv HOME=DIR") else {
        return;
    };
    let direct = sshd.options();
    let far = relay(sshd.port, Duration::from_millis(25)).await;
    let mut distant = direct.clone();
    distant.port = far;
    let host = std::fs::read_to_string(sshd.path("host.pub")).unwrap();
    std::fs::write(sshd.path("known_hosts"), format!("127.0.0.1 {host}")).unwrap();

    measure("loopback", &direct, 40).await;
    measure("relay with 50 ms", &distant, 10).await;
    let ssh = || {
        Command::new("ssh")
            .args([
                "-F",
                "none",
                "-o",
                "BatchMode=yes",
                "-o",
                "StrictHostKeyChecking=no",
                "-o",
                "UserKnownHostsFile=/dev/null",
                "-q",
            ])
            .arg("-i")
            .arg(sshd.path("id"))
            .args(["-p", &sshd.port.to_string(), "root@127.0.0.1", "true"])
            .status()
            .unwrap()
    };
    let times = (0..10)
        .map(|_| timed(|| assert!(ssh().success())))
        .collect();
    eprintln!(
        "loopback: the ssh program runs true in {:.1} ms",
        median(times)
    );
    many(&direct).await;
    upload("loopback", &direct).await;
    upload("relay with 50 ms", &distant).await;
}

async fn measure(name: &str, options: &SshOptions, rounds: usize) {
    let client = client();
    let (mut connects, mut firsts, mut seconds, mut totals) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let start = Instant::now();
        let transport = SshTransport::connect(options.clone(), &client)
            .await
            .unwrap();
        connects.push(start.elapsed());
        let first = Instant::now();
        assert!(run(&transport, "true").await.exit.unwrap().success());
        firsts.push(first.elapsed());
        totals.push(start.elapsed());
        tokio::time::sleep(Duration::from_millis(200)).await;
        let second = Instant::now();
        assert!(run(&transport, "true").await.exit.unwrap().success());
        seconds.push(second.elapsed());
        transport.close().await;
    }
    eprintln!(
        "{name}: connect and log in {:.1} ms, first command {:.1} ms, both {:.1} ms, a later command {:.1} ms",
        median(connects),
        median(firsts),
        median(totals),
        median(seconds)
    );
}

/// 60 connections, 50 at a time, and what one costs here.
async fn many(options: &SshOptions) {
    let client = client();
    let permits = Arc::new(Semaphore::new(50));
    let (start, cpu, memory) = (Instant::now(), cpu_ms(), resident_kb());
    let tasks: Vec<_> = (0..60)
        .map(|_| {
            let (client, options, permits) = (client.clone(), options.clone(), permits.clone());
            tokio::spawn(async move {
                let _permit = permits.acquire().await.unwrap();
                let transport = SshTransport::connect(options, &client).await.unwrap();
                assert!(run(&transport, "true").await.exit.unwrap().success());
                transport
            })
        })
        .collect();
    let mut open = Vec::new();
    for task in tasks {
        open.push(task.await.unwrap());
    }
    let wall = start.elapsed().as_secs_f64() * 1000.0;
    let (cpu, memory) = (
        (cpu_ms() - cpu) as f64 / 60.0,
        (resident_kb() - memory) as f64 / 60.0,
    );
    eprintln!(
        "loopback: 60 connections, 50 at a time, with a command each: {wall:.0} ms; each took {cpu:.1} ms of CPU and {memory:.0} kB here"
    );
}

async fn upload(name: &str, options: &SshOptions) {
    let transport = SshTransport::connect(options.clone(), &client())
        .await
        .unwrap();
    let chunk = vec![7; 1 << 20];
    let start = Instant::now();
    let mut process = transport.start("cat > /dev/null").await.unwrap();
    for _ in 0..100 {
        process.stdin.write_all(&chunk).await.unwrap();
    }
    process.stdin.shutdown().await.unwrap();
    assert!(process.exit.wait().await.unwrap().success());
    eprintln!(
        "{name}: upload {:.0} MB/s",
        104.9 / start.elapsed().as_secs_f64()
    );
    let start = Instant::now();
    let output = run(&transport, "head -c 104857600 /dev/zero").await;
    assert_eq!(output.stdout.len(), 104_857_600);
    eprintln!(
        "{name}: download {:.0} MB/s",
        104.9 / start.elapsed().as_secs_f64()
    );
}

/// User and system time of this process, in ticks of 10 ms.
fn cpu_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .collect();
    fields[11..13]
        .iter()
        .map(|ticks| ticks.parse::<u64>().unwrap() * 10)
        .sum()
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

/// Passes bytes on after `delay`, both ways; gives its port.
async fn relay(to: u16, delay: Duration) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
            near.set_nodelay(true).unwrap();
            far.set_nodelay(true).unwrap();
            let (near_read, near_write) = near.into_split();
            let (far_read, far_write) = far.into_split();
            tokio::spawn(pass(near_read, far_write, delay));
            tokio::spawn(pass(far_read, near_write, delay));
        }
    });
    port
}

async fn pass(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    delay: Duration,
) {
    let (send, mut receive) = tokio::sync::mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    tokio::spawn(async move {
        while let Some((arrived, bytes)) = receive.recv().await {
            tokio::time::sleep_until((arrived + delay).into()).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    });
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count) = from.read(&mut buffer).await {
        if count == 0
            || send
                .send((Instant::now(), buffer[..count].to_vec()))
                .is_err()
        {
            return;
        }
    }
}

/// Memory of this process.
fn resident_kb() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
