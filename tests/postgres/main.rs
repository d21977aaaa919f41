//! The choice of acts of a PostgreSQL cluster, over played clusters with faults and over arbitrary observations.

mod acts;
mod cases;
mod laws;
mod play;
mod world;
