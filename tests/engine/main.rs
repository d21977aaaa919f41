//! The engine on played hosts: real scripts in a real shell, behind connections that break where a seed says.

mod attempts;
mod audit;
mod batches;
mod bench;
mod blocks;
mod cuts;
mod delegates;
mod handlers;
mod includes;
mod interrupts;
mod language;
mod leases;
mod live;
mod machines;
mod order;
mod patience;
mod played;
mod promises;
mod questions;
mod roles;
mod specs;
mod tables;
mod throttle;
mod unreachable;
mod ways_back;
mod wire;
