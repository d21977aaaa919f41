//! `hadeploy demo`: three real nodes behind a load balancer on this machine, set up by the site's playbook, updated while visitors are there, and
//! proved from outside.

mod crowd;
mod proof;
mod rolling;
pub mod site;

use std::fmt::Display;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;

use self::proof::Proof;
use self::site::Site;
use super::interrupt::Interrupts;
use super::{exit, say};
use crate::lab::{self, Lab, LabError, Load, Manner, Release, Visit, Visitors, Wanted};
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
    status: u8,
}

impl Failed {
    /// Before any node was touched.
    fn early(check: &'static str, why: impl Display) -> Failed {
        Failed {
            check,
            why: why.to_string(),
            status: exit::REFUSED,
        }
    }

    /// At the user's word.
    fn interrupted() -> Failed {
        Failed {
            status: exit::INTERRUPTED,
            ..Failed::early("interrupted", "interrupted; the lab is as it was then")
        }
    }

    /// When nodes were touched already.
    fn late(check: &'static str, why: impl Display) -> Failed {
        Failed {
            status: exit::INCOMPLETE,
            ..Failed::early(check, why)
        }
    }
}

/// Runs `hadeploy demo`; gives the exit status. The last line on standard output is the verdict.
pub async fn run(args: DemoArgs) -> u8 {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = stop.clone();
    let mut work = tokio::task::spawn_blocking(move || demo(&args, &seen));
    let mut interrupts = Interrupts::listen().ok();
    let failed = loop {
        let interrupted = async {
            match &mut interrupts {
                Some(interrupts) => interrupts.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            done = &mut work => match done {
                Ok(Ok(())) => {
                    say::out("demo: ok");
                    return exit::DONE;
                }
                Ok(Err(failed)) => break failed,
                Err(error) => break Failed { status: exit::BUG, ..Failed::early("demo", error) },
            },
            // An apply that runs gets the signal from the terminal itself, and ends in order.
            () = interrupted => {
                if stop.swap(true, Ordering::Relaxed) {
                    break Failed::interrupted();
                }
                say::err("interrupted: waiting for what runs; once more ends at once");
            }
        }
    };
    say::err(&format!("error: {}", failed.why));
    say::out(&format!("demo: FAILED {}", failed.check));
    failed.status
}

fn demo(args: &DemoArgs, stop: &AtomicBool) -> Result<(), Failed> {
    let lab = Lab::open(LAB).map_err(|error| Failed::early("lab", told(&error)))?;
    make_room(&lab, args.replace)?;
    let proved = stages(&lab, args.release, stop).map(|proof| say::out(&proof.told()));
    if args.down {
        let down = lab.down().map(drop);
        return proved.and(down.map_err(|error| Failed::late("lab down", told(&error))));
    }
    if lab.inventory().is_ok() {
        say::out(&left(&lab));
    }
    proved
}

/// How to look around in the lab, and how to be rid of it.
fn left(lab: &Lab) -> String {
    let own = own().map_or_else(|_| "hadeploy".into(), |path| path.display().to_string());
    let way = format!(
        "ssh -i {} -o UserKnownHostsFile={} {}@ADDRESS",
        lab.key().display(),
        lab.known_hosts().display(),
        lab::ADMINISTRATOR
    );
    format!(
        "\nThe lab is left up. Look around:\n  {own} lab --name {LAB} status\n  \
         {own} lab --name {LAB} exec n1 -- systemctl status nginx\n  {way}\nTake it down:\n  \
         {own} lab --name {LAB} down"
    )
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
            say::err(&format!("removing the lab `{LAB}` that is there"));
            lab.down()
                .map(drop)
                .map_err(|error| Failed::early("lab down", told(&error)))
        }
    }
}

/// Lab, apply, look from outside, apply again, update node after node under load.
fn stages(lab: &Lab, release: Release, stop: &AtomicBool) -> Result<Proof, Failed> {
    say::out(&format!(
        "{NODES} Debian {release} nodes and a load balancer on this machine, set up over SSH by playbooks/site.yml.\n\
         This machine gets what the lab needs of Debian's packages, where something is missing.\n\
         Each node gets nginx and a Node.js application; their data lie in PostgreSQL, which fails\n         over by itself, and in redis with sentinels, on all three.\n"
    ));
    let start = Instant::now();
    let wanted = Wanted {
        nodes: NODES,
        balancer: true,
        release: Some(release),
        ..Wanted::default()
    };
    let nodes = lab
        .up(&wanted, &say::err)
        .map_err(|error| Failed::early("lab up", told(&error)))?
        .into_iter()
        .map(|node| (node.name, node.address))
        .collect::<Vec<_>>();
    let up = start.elapsed();
    lab::install_builder(&say::err).map_err(|error| Failed::early("lab up", told(&error)))?;
    let site = Site::write(lab).map_err(|error| Failed::early("site", error))?;

    let first = stage(&site, stop, "", first_apply)?.1;
    for (name, address) in &nodes {
        look(name, *address)?;
    }
    let load = visit(lab, &nodes)?;
    let (recap, second) = stage(&site, stop, " --output json", second_apply)?;
    if stop.load(Ordering::Relaxed) {
        return Err(Failed::interrupted());
    }
    let rolled = rolling::roll(lab, &site)?;
    Ok(Proof {
        nodes,
        up,
        first,
        second,
        recap,
        load,
        rolled,
    })
}

/// One run of this program, shown as a user would type it, and how long it took.
fn stage<T>(
    site: &Site,
    stop: &AtomicBool,
    more: &str,
    run: impl Fn(&Site) -> Result<T, Failed>,
) -> Result<(T, Duration), Failed> {
    if stop.load(Ordering::Relaxed) {
        return Err(Failed::interrupted());
    }
    say::out(&format!("\n$ hadeploy {}{more}", site.apply().join(" ")));
    let start = Instant::now();
    let seen = run(site)?;
    Ok((seen, start.elapsed()))
}

fn first_apply(site: &Site) -> Result<(), Failed> {
    let status = program()?.args(site.apply()).attached();
    let status = status.map_err(|error| Failed::early("first apply", error))?;
    match u8::try_from(status) {
        Ok(exit::DONE) => Ok(()),
        other => Err(Failed {
            status: other.unwrap_or(exit::INCOMPLETE),
            ..Failed::late("first apply", format!("it ended with status {status}"))
        }),
    }
}

/// Another apply must change nothing; gives its recap.
fn second_apply(site: &Site) -> Result<proof::Recap, Failed> {
    let failed = |why: String| Failed::late("second apply", why);
    let again = program()?.args(site.apply()).args(["--output", "json"]);
    let ran = again.run().map_err(|error| failed(error.to_string()))?;
    let events = String::from_utf8_lossy(&ran.stdout);
    if ran.status != 0 {
        let reason = proof::reason(&events).unwrap_or_default();
        let errors = String::from_utf8_lossy(&ran.stderr);
        let why = format!("it ended with status {}: {reason}\n{errors}", ran.status);
        return Err(failed(why.trim_end().into()));
    }
    // The nodes, the balancer, and this machine, which built the application.
    proof::unchanged(&events, usize::from(NODES) + 2).map_err(failed)
}

/// The health check of a machine, as its balancer gets it; a balancer hands it on.
fn look(name: &str, address: Ipv4Addr) -> Result<(), Failed> {
    wait_for(address, "/healthz", |body| body == "ok\n")
        .map_err(|why| Failed::late("healthz", format!("{name}: {why}, not `ok`")))
}

/// Visitors over TLS through the balancer: every node must answer, and nothing may fail.
fn visit(lab: &Lab, nodes: &[(String, Ipv4Addr)]) -> Result<Load, Failed> {
    let failed = |why: String| Failed::late("visitors", why);
    let balancer = lab
        .address(lab::BALANCER)
        .map_err(|error| failed(told(&error)))?;
    let visitors = Visitors {
        address: SocketAddr::from((balancer, 443)),
        manner: Manner::Close,
        connections: 50,
        pause: Duration::from_millis(500),
        time: Duration::from_secs(5),
    };
    let load = visitors
        .start(&say::err)
        .and_then(Visit::wait)
        .map_err(|error| failed(told(&error)))?;
    let asked: Vec<&str> = nodes
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| *name != lab::BALANCER)
        .collect();
    if load.failed() > 0 || load.hosts() != asked {
        return Err(failed(format!(
            "{load}; {} answered",
            load.hosts().join(" ")
        )));
    }
    Ok(load)
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
fn program() -> Result<Program, Failed> {
    let path = own().map_err(|error| Failed::early("program", error))?;
    Ok(Program::new(path.to_string_lossy()))
}

fn own() -> std::io::Result<PathBuf> {
    std::env::current_exe()
}

fn told(error: &LabError) -> String {
    match error.help() {
        Some(help) => format!("{error}\nhelp: {help}"),
        None => error.to_string(),
    }
}
