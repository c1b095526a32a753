//! tidescope finds out why a TiDB log backup broke.
//!
//! Data flows one way; a lower stage never imports a higher one (`scripts/check-layers`):
//!
//! ```text
//! input     bytes, and where they come from: files, archives, compressed streams
//!   record    bytes to records: headers, messages, fields, status screens, damaged text
//!     rules     what to look for: the catalogue, as data
//!       matching  which rule a record matches
//!         event     what a matched record says: ids, codes, times, facts
//!           scan      all sources, in parallel: events, in the same order every time
//!             correlate facts to stories: episodes, regions, stores, tasks, incidents
//!               report    stories to bytes: tables, Markdown, HTML, terminal
//!                 nightly   only what is new since the last run, with state kept between runs
//!                   commands  one file for each subcommand
//! ```
//!
//! `units` holds the field's own quantities, `safe` makes text fit for output, `search` finds bytes and texts quickly; all may use them.
//! `rows` writes events between a scan and a report that run apart.

pub mod cli;
pub mod commands;
pub mod correlate;
pub mod error;
pub mod event;
pub mod input;
pub mod matching;
#[cfg(feature = "sqlite")]
pub mod nightly;
mod outcome;
mod progress;
pub mod record;
pub mod report;
pub mod rows;
pub mod rules;
pub mod safe;
pub mod scan;
mod search;
pub mod settings;
pub mod units;

pub use outcome::Outcome;
