//! Every night by itself: only what is new since the last run, with state kept between runs.
//!
//! ```text
//! tonight    which files there are, which text each goes on with, and from where
//!   read       the new signals, the context of those and of what is remembered
//!     correlate  remembered and new events together, as if they had come in one run
//!       news       what of that is new; narrow leaves nothing else in the report
//!         remember   which events the next night needs again
//!           publish    report and state appear together
//! ```
//!
//! A run that is killed at any moment has either not happened, or is finished by the next one (`publish`).

mod check;
mod config;
mod counts;
mod folder;
mod heads;
mod history;
mod identity;
mod index;
mod inputs;
mod lock;
mod log;
mod metrics;
mod narrow;
mod news;
mod night;
mod notice;
mod novelty;
mod outputs;
mod publish;
mod read;
mod remember;
mod run;
mod settle;
pub mod state;
mod tonight;
mod verdict;
mod watch;
mod webhook;

pub use check::check;
pub use config::{Config, Limits, Metrics, Webhook};
pub use history::{Question, history};
pub use log::Log;
pub use run::{Done, run};
