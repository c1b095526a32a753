//! `tidescope nightly` over a simulated fortnight.

mod cluster;
mod crash;
mod disk;
mod fortnight;
mod night;
mod prometheus;
mod quiet;
mod signals;
