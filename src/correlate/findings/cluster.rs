//! Of which regions, stores and files the logs tell.

use super::MergeResult;
use crate::event::ReadStatus;
use crate::units::{Component, PeerId, RegionId, StoreId, Timestamp};
use serde::{Deserialize, Serialize};

/// An implicated region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// Region.
    pub id: RegionId,
    /// Events that name it.
    pub events: u64,
    /// Of those, severity error or worse.
    pub errors: u64,
    /// First time.
    pub first: Option<Timestamp>,
    /// Last time.
    pub last: Option<Timestamp>,
    /// Stores with a peer or an event of it.
    pub stores: Vec<StoreId>,
    /// Last known leader store.
    pub leader: Option<StoreId>,
    /// Last known leader peer.
    pub leader_peer: Option<PeerId>,
    /// Rules of its events.
    pub rules: Vec<String>,
    /// The region that it merges into.
    pub merge_source_of: Vec<RegionId>,
    /// The regions that merge into it.
    pub merge_target_of: Vec<RegionId>,
    /// Start of its (last) merge as source.
    pub merge_started: Option<Timestamp>,
    /// End of it.
    pub merge_ended: Option<Timestamp>,
    /// How it ended.
    pub merge_result: Option<MergeResult>,
    /// First key, upper hex.
    pub start_key: Option<String>,
    /// Key after the last, upper hex.
    pub end_key: Option<String>,
    /// Incidents.
    pub incidents: Vec<String>,
}

/// A store, or another instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Store {
    /// Store id, where it is a store and known.
    pub id: Option<StoreId>,
    /// Address or host.
    pub address: Option<String>,
    /// Component.
    pub component: Option<Component>,
    /// Version.
    pub version: Option<String>,
    /// Number of sources.
    pub sources: u64,
    /// Records in them.
    pub records: u64,
    /// First time.
    pub first: Option<Timestamp>,
    /// Last time.
    pub last: Option<Timestamp>,
    /// Events.
    pub events: u64,
    /// Of those, severity error or worse.
    pub errors: u64,
    /// Regions that its events name.
    pub regions: u64,
    /// Restarts seen.
    pub restarts: u64,
    /// Estimated clock skew against the others, positive where its clock is ahead.
    pub clock_skew_ms: Option<i64>,
    /// How it was identified, in words: `put store record`, `folder name`, `inferred from peers`, `--store` ...
    pub identified_by: String,
}

/// A source, with what was found out about its instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Name.
    pub file: std::sync::Arc<str>,
    /// Component.
    pub component: Option<Component>,
    /// Instance: address or host.
    pub instance: Option<String>,
    /// Store id.
    pub store: Option<StoreId>,
    /// Bytes.
    pub bytes: u64,
    /// Records.
    pub records: u64,
    /// Lines that continue a record.
    pub continuation_lines: u64,
    /// Lines that are no record.
    pub unparsed_lines: u64,
    /// First time.
    pub first: Option<Timestamp>,
    /// Last time.
    pub last: Option<Timestamp>,
    /// How reading went.
    pub status: ReadStatus,
    /// What went wrong, or what was assumed (a time zone).
    pub problem: Option<String>,
}
