//! Runs programs and takes their time, their share of the processors and their memory.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How often the kernel's clock of processor time ticks, per second, on every Linux.
const TICKS: u64 = 100;

/// One program to run.
#[derive(Debug, Clone)]
pub struct Job {
    /// The program with its arguments.
    pub command: Vec<String>,
    /// Environment variables to set, besides the own ones.
    pub env: Vec<(String, String)>,
    /// The folder it works in.
    pub folder: PathBuf,
    /// What it reads, nothing if not given.
    pub stdin: Option<PathBuf>,
}

/// What one run of one or more programs took.
#[derive(Debug, Clone)]
pub struct Taken {
    /// From the first start to the last end.
    pub wall: Duration,
    /// Processor time of all of them, in steps of 10 ms.
    pub cpu: Duration,
    /// The first program's peak memory in bytes, where it was watched.
    pub peak: Option<u64>,
    /// What the first program wrote to its standard output.
    pub stdout: String,
}

/// Runs all jobs, `width` at a time.
///
/// # Errors
/// One could not be started or ended with another status than 0; the error holds what it wrote last.
pub fn run(jobs: &[Job], width: usize, watch_memory: bool) -> Result<Taken> {
    let folder = tempfile::tempdir()?;
    let cpu = children_cpu()?;
    let begin = Instant::now();
    let next = AtomicUsize::new(0);
    let outcome = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..width.min(jobs.len()) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(number) else { break };
                    let path = folder.path().join(number.to_string());
                    let peak = one(job, &path, watch_memory);
                    let mut outcome = outcome.lock().expect("no thread panics");
                    outcome.push((number, peak));
                }
            });
        }
    });
    let wall = begin.elapsed();
    let cpu = children_cpu()?.saturating_sub(cpu);
    let mut peak = None;
    for (number, result) in outcome.into_inner().expect("no thread panics") {
        let watched = result?;
        if number == 0 {
            peak = watched;
        }
    }
    Ok(Taken {
        wall,
        cpu,
        peak,
        stdout: fs::read_to_string(folder.path().join("0"))?,
    })
}

fn one(job: &Job, output: &Path, watch_memory: bool) -> Result<Option<u64>> {
    let errors = output.with_extension("err");
    let (program, arguments) = job.command.split_first().context("a job has a program")?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .envs(job.env.iter().cloned())
        .current_dir(&job.folder)
        .stdout(File::create(output)?)
        .stderr(File::create(&errors)?);
    match &job.stdin {
        Some(path) => command.stdin(File::open(path)?),
        None => command.stdin(Stdio::null()),
    };
    let mut child = command
        .spawn()
        .with_context(|| format!("`{program}` does not start"))?;
    let (status, peak) = match watch_memory {
        true => watch(&mut child)?,
        false => (child.wait()?, None),
    };
    if !status.success() {
        let said = tail(output) + &tail(&errors);
        bail!("`{}` ended with {status}\n{said}", job.command.join(" "));
    }
    Ok(peak)
}

/// Waits for the end and reads the peak until then; the last millisecond may be missed.
fn watch(child: &mut Child) -> Result<(ExitStatus, Option<u64>)> {
    let path = format!("/proc/{}/status", child.id());
    let mut peak = None;
    loop {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        peak = peak.max(kib.map(|kib| kib << 10));
        if let Some(status) = child.try_wait()? {
            return Ok((status, peak));
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Processor time of all programs that this one started and waited for.
fn children_cpu() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The program's name, in parentheses, may hold spaces. Behind it, cutime and cstime are words 14 and 15.
    let fields = stat.rsplit_once(')').context("no name in stat")?.1;
    let words = fields.split_whitespace().skip(13).take(2);
    let ticks: u64 = words.map(|word| word.parse::<u64>().unwrap_or(0)).sum();
    Ok(Duration::from_millis(ticks * 1000 / TICKS))
}

fn tail(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(20)..];
    last.iter().map(|line| format!("  {line}\n")).collect()
}

/// The middle one; of an even count the mean of both in the middle.
pub fn median(values: &[Duration]) -> Option<Duration> {
    let mut sorted = values.to_vec();
    sorted.sort();
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        _ if sorted.is_empty() => None,
        0 => Some((sorted[middle - 1] + sorted[middle]) / 2),
        _ => Some(sorted[middle]),
    }
}
