//! The transports: SSH against a real OpenSSH server, this machine, and the played host.
#![allow(clippy::print_stderr)]

mod host_keys;
mod jump;
mod keys;
mod near;
mod speed;
mod sshd;
mod streams;
mod trail;
