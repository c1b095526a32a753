//! The program as its users see it: run in a fresh folder, judged by its exit status, its output and the files it wrote.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::cmp_owned,
    clippy::unnecessary_debug_formatting,
    unreachable_pub,
    reason = "tests"
)]

mod cli;
#[path = "../../examples/common/cluster/mod.rs"]
mod cluster;
mod damage;
mod ends;
mod failures;
mod formats;
mod harness;
mod hostile;
mod kills;
mod large;
mod layouts;
mod limits;
mod main_job;
mod mutations;
#[cfg(feature = "sqlite")]
mod nightly;
mod parts;
mod pastes;
mod promises;
#[path = "../../examples/common/random.rs"]
mod random;
mod samples;
mod scenarios;
mod screens;
mod timeline;
