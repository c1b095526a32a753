//! What a scan is asked for, and what it gives.

use super::{About, Mark, Start};
use crate::event::{Corrections, EventStore, Implicated, SortedEvents, SourceRow, UnmatchedRow};
use crate::units::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// What a scan is asked for.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Only records from this moment on.
    pub since: Option<Timestamp>,
    /// Only records up to this moment.
    pub until: Option<Timestamp>,
    /// Which context is wanted.
    pub context: Context,
    /// Only records whose first byte lies in this range of a plain file. What is compressed or an archive cannot be entered in
    /// the middle: all of it belongs to the split that begins at 0.
    pub split: Option<Range<u64>>,
    /// Where sources go on; those that are not named begin at their beginning.
    pub starts: BTreeMap<Arc<str>, Start>,
    /// Offset of times without one, where the user gave it.
    pub zone_minutes: Option<i64>,
    /// Whether secrets are replaced.
    pub redact: bool,
    /// About how many bytes of events are held in memory.
    pub memory: usize,
}

/// Which context events are wanted.
#[derive(Debug, Clone)]
pub enum Context {
    /// What the signals implicate.
    Auto,
    /// None.
    None,
    /// That of these regions and keys, and no signals.
    Only(Implicated),
    /// Instead of events, every record about something.
    About(Arc<About>),
}

/// How far a scan is; shown while it runs.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes read (decompressed), over all passes.
    pub bytes: AtomicU64,
    /// Events found.
    pub events: AtomicU64,
}

/// A scan's result before it is put in order.
#[derive(Debug)]
pub struct Outcome {
    /// All events.
    pub events: EventStore,
    /// What is to be corrected when they are read.
    pub corrections: Corrections,
    /// Sources by name.
    pub sources: Vec<SourceRow>,
    /// Templates that no rule knew, by template.
    pub unmatched: Vec<UnmatchedRow>,
    /// Per source, places that a later run may go back to; the first is where the reading began.
    pub marks: BTreeMap<Arc<str>, Vec<Mark>>,
    /// Sources that may still grow and whose last line was left, since it has no end yet.
    pub unfinished: BTreeSet<Arc<str>>,
}

impl Outcome {
    /// The events in order.
    pub fn sorted(self) -> (SortedEvents, Vec<SourceRow>, Vec<UnmatchedRow>) {
        (self.events.finish(self.corrections), self.sources, self.unmatched)
    }

    /// The same, but times without an offset stay as they are written: what other parts of their source say counts, too.
    pub fn as_written(self) -> (SortedEvents, Vec<SourceRow>, Vec<UnmatchedRow>) {
        (self.events.as_written(self.corrections), self.sources, self.unmatched)
    }
}
