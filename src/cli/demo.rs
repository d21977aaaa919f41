//! `hadeploy demo`: three real nodes on this machine, set up by the site's playbook, and proved from outside.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the command line talks to the user"
)]

mod proof;
mod site;

use std::fmt::Display;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;

use self::proof::Proof;
use self::site::Site;
use crate::lab::{self, Lab, LabError, Release, Wanted};
use crate::process::Program;

/// The lab's name.
const LAB: &str = "demo";
/// How many nodes it has.
const NODES: u16 = 3;
/// How long a page is waited for: nginx takes a moment to reload.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is asked for meanwhile.
const PAUSE: Duration = Duration::from_millis(100);

/// Set up three real nodes on this machine, and prove that it worked
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The nodes' Debian release
    #[arg(long, value_name = "12|13", default_value = "12")]
    release: Release,
    /// Take the lab down at the end
    #[arg(long)]
    down: bool,
    /// Take down a lab `demo` that is there already, and make a new one
    #[arg(long)]
    replace: bool,
}

/// A check that did not pass.
struct Failed {
    /// Which one.
    check: &'static str,
    /// What was seen, and what can be done.
    why: String,
    /// The exit status.
    status: i32,
}

impl Failed {
    /// Before any node was touched.
    fn early(check: &'static str, why: impl Display) -> Failed {
        Failed {
            check,
            why: why.to_string(),
            status: 1,
        }
    }

    /// When nodes were touched already.
    fn late(check: &'static str, why: impl Display) -> Failed {
        Failed {
            status: 3,
            ..Failed::early(check, why)
        }
    }
}

/// Runs `hadeploy demo`; gives the exit status. The last line on standard output is the verdict.
///
/// # Errors
/// A bug: all that can go wrong is a verdict.
pub async fn run(args: DemoArgs) -> anyhow::Result<i32> {
    let status = tokio::task::spawn_blocking(move || match demo(&args) {
        Ok(()) => {
            println!("demo: ok");
            0
        }
        Err(failed) => {
            eprintln!("error: {}", failed.why);
            println!("demo: FAILED {}", failed.check);
            failed.status
        }
    });
    Ok(status.await?)
}

fn demo(args: &DemoArgs) -> Result<(), Failed> {
    let lab = Lab::open(LAB).map_err(|error| Failed::early("lab", told(&error)))?;
    make_room(&lab, args.replace)?;
    let proved = stages(&lab, args.release);
    if args.down {
        let gone = lab.down();
        let proof = proved?;
        gone.map_err(|error| Failed::late("lab down", told(&error)))?;
        proof.print();
        println!("the lab is down again");
    } else {
        proved?.print();
        println!();
        println!("The lab is left up. Look around:");
        println!("  hadeploy lab status --name {LAB}");
        println!("  hadeploy lab exec n1 --name {LAB} -- systemctl status nginx");
        println!("Take it down:");
        println!("  hadeploy lab down --name {LAB}");
    }
    Ok(())
}

/// Refuses a lab that is there already, or takes it down.
fn make_room(lab: &Lab, replace: bool) -> Result<(), Failed> {
    match lab.status() {
        Err(LabError::NoLab(_)) => Ok(()),
        Err(error) if !replace => Err(Failed::early("lab", told(&error))),
        Ok(_) if !replace => Err(Failed::early(
            "lab",
            format!(
                "there is a lab `{LAB}` already\nhelp: `hadeploy demo --replace` makes it anew, \
                 `hadeploy lab down --name {LAB}` removes it"
            ),
        )),
        Ok(_) | Err(_) => {
            eprintln!("removing the lab `{LAB}` that is there");
            lab.down()
                .map(drop)
                .map_err(|error| Failed::early("lab down", told(&error)))
        }
    }
}

/// Lab, apply, look from outside, apply again.
fn stages(lab: &Lab, release: Release) -> Result<Proof, Failed> {
    println!(
        "Three Debian {release} nodes on this machine, set up over SSH by playbooks/site.yml."
    );
    println!(
        "This machine gets what the lab needs of Debian's packages, where something is missing."
    );
    println!(
        "Each node gets nginx, sudo and procps, an administrator, kernel settings and a page."
    );
    println!();
    let start = Instant::now();
    let wanted = Wanted {
        nodes: NODES,
        release: Some(release),
        ..Wanted::default()
    };
    let say = |line: &str| eprintln!("{line}");
    let nodes = lab
        .up(&wanted, &say)
        .map_err(|error| Failed::early("lab up", told(&error)))?;
    let nodes: Vec<(String, Ipv4Addr)> = nodes
        .into_iter()
        .map(|node| (node.name, node.address))
        .collect();
    let up = start.elapsed();
    let site = Site::write(lab).map_err(|error| Failed::early("site", error))?;

    let start = Instant::now();
    println!("$ hadeploy {}", site.apply().join(" "));
    first_apply(&site)?;
    let first = start.elapsed();
    for (name, address) in &nodes {
        look(name, *address)?;
    }
    let start = Instant::now();
    println!();
    println!("$ hadeploy {} --output json", site.apply().join(" "));
    let recap = second_apply(&site)?;
    Ok(Proof {
        nodes,
        up,
        first,
        second: start.elapsed(),
        recap,
    })
}

fn first_apply(site: &Site) -> Result<(), Failed> {
    let failed = |why: String, status| Failed {
        check: "first apply",
        why,
        status,
    };
    match own()?.args(site.apply()).attached() {
        Ok(0) => Ok(()),
        Ok(status) => Err(failed(format!("it ended with status {status}"), status)),
        Err(error) => Err(failed(error.to_string(), 1)),
    }
}

/// Another apply must change nothing; gives its recap.
fn second_apply(site: &Site) -> Result<proof::Recap, Failed> {
    let failed = |why: String| Failed::late("second apply", why);
    let again = own()?.args(site.apply()).args(["--output", "json"]);
    let ran = again.run().map_err(|error| failed(error.to_string()))?;
    let events = String::from_utf8_lossy(&ran.stdout);
    if ran.status != 0 {
        let errors = String::from_utf8_lossy(&ran.stderr);
        return Err(failed(format!(
            "it ended with status {}\n{errors}",
            ran.status
        )));
    }
    proof::unchanged(&events, usize::from(NODES)).map_err(failed)
}

/// The page and the health check of a node, as others on its network get them.
fn look(name: &str, address: Ipv4Addr) -> Result<(), Failed> {
    let whose = format!("<strong>{name}</strong>");
    wait_for(address, "/", |body| body.contains(&whose))
        .map_err(|why| Failed::late("page", format!("{why}, not the page of `{name}`")))?;
    wait_for(address, "/healthz", |body| body == "ok\n")
        .map_err(|why| Failed::late("healthz", format!("{why}, not `ok`")))
}

fn wait_for(address: Ipv4Addr, path: &str, good: impl Fn(&str) -> bool) -> Result<(), String> {
    let start = Instant::now();
    loop {
        let answer = lab::visit(SocketAddr::from((address, 80)), path);
        match answer {
            Ok(page) if page.status == 200 && good(&page.body) => return Ok(()),
            Ok(page) if start.elapsed() > PATIENCE => {
                return Err(format!(
                    "http://{address}{path} answers with status {} and {} bytes",
                    page.status,
                    page.body.len()
                ));
            }
            Err(error) if start.elapsed() > PATIENCE => {
                return Err(format!("http://{address}{path} gives no answer ({error})"));
            }
            _ => thread::sleep(PAUSE),
        }
    }
}

/// This very program: what the demo does, a user can do.
fn own() -> Result<Program, Failed> {
    let path: PathBuf = std::env::current_exe().map_err(|error| Failed::late("program", error))?;
    Ok(Program::new(path.to_string_lossy()))
}

fn told(error: &LabError) -> String {
    match error.help() {
        Some(help) => format!("{error}\nhelp: {help}"),
        None => error.to_string(),
    }
}
