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
mod damage;
mod formats;
mod harness;
mod hostile;
mod kills;
mod main_job;
#[cfg(feature = "sqlite")]
mod nightly;
mod parts;
mod samples;
mod timeline;
