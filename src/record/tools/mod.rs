//! What tools print and people paste beside their logs: answers of `pd-ctl`, rows of `kubectl`, TiUP and SQL clients, command lines of `br`.

pub(super) mod command;
pub(super) mod listed;
pub(super) mod safepoint;
pub(super) mod service;
pub(super) mod stores;
pub(super) mod upright;
