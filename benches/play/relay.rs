//! A line with a long way: a TCP relay that hands every byte on some time later, however many are under way.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

/// Bytes with the moment at which they arrive at the other end.
type Parcel = (Instant, Vec<u8>);

/// Listens on a free port of this machine and relays to `target` for the rest of the program; gives the port.
/// `round_trip` is what a question and its answer take longer by; connecting takes one too.
///
/// # Errors
/// No port is free.
pub fn start(target: SocketAddr, round_trip: Duration) -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || relay(&client, target, round_trip));
        }
    });
    Ok(port)
}

fn relay(client: &TcpStream, target: SocketAddr, round_trip: Duration) -> Option<()> {
    let accepted = Instant::now();
    let way = round_trip / 2;
    client.set_nodelay(true).ok()?;
    // This machine accepted at once. Over a long line the client could speak only after one round trip, and the
    // server hears of the connection half a round trip after that.
    let up = delayed(client.try_clone().ok()?, way, accepted + round_trip);
    thread::sleep((accepted + round_trip + way).saturating_duration_since(Instant::now()));
    let server = TcpStream::connect(target).ok()?;
    server.set_nodelay(true).ok()?;
    let down = delayed(server.try_clone().ok()?, way, accepted);
    let deliver_up = thread::spawn(move || deliver(&up, server));
    deliver(&down, client.try_clone().ok()?);
    deliver_up.join().ok()
}

/// Reads all that comes; nothing counts as sent before `earliest`.
fn delayed(mut from: TcpStream, way: Duration, earliest: Instant) -> mpsc::Receiver<Parcel> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let arrives = Instant::now().max(earliest) + way;
            if sender.send((arrives, buffer[..count].to_vec())).is_err() {
                break;
            }
        }
    });
    receiver
}

fn deliver(parcels: &mpsc::Receiver<Parcel>, mut to: TcpStream) {
    for (arrives, bytes) in parcels {
        thread::sleep(arrives.saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
