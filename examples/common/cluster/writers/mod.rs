//! What each component prints for what happens: one function for each happening, all records of all components that it causes.

pub(crate) mod advancer;
pub(crate) mod br;
pub(crate) mod lifecycle;
pub(crate) mod merge;
pub(crate) mod observe;
pub(crate) mod pd;
pub(crate) mod raft;
pub(crate) mod refusal;
pub(crate) mod status;
pub(crate) mod storage;
pub(crate) mod task;
