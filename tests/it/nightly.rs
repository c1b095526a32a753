//! `tidescope nightly` over a simulated fortnight.

mod cluster;
mod crash;
mod fortnight;
mod night;
mod prometheus;
mod signals;
