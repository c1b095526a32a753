//! What the operating system is asked for directly: the one place with unsafe code, each use with its proof beside it.

#![allow(unsafe_code, reason = "mapping files, and the signal that a truncated one raises, have no safe interface")]

mod cache;
mod guard;
mod map;
mod range;

pub(super) use cache::{forget, is_resident};
pub use guard::guard_mapped_reads;
pub(super) use map::Mapping;
pub(super) use range::{has_holes, next_data, will_read_in_order};
