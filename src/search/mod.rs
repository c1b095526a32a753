//! Searches that every byte of every log passes: signs and digits by vectors, a few texts at once, hashes as bits.

mod any_of;
mod bits;
pub(crate) mod masks;

pub(crate) use any_of::AnyOf;
pub(crate) use bits::{Bits, hash};
