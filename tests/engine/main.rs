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
mod order;
mod patience;
mod played;
mod promises;
mod roles;
mod specs;
mod tables;
mod wire;
