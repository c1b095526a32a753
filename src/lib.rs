//! x
pub mod units;
pub mod event;
pub mod correlate;
