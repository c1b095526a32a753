//! Facts to stories.

mod findings;

pub use findings::*;
