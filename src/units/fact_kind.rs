//! What a value taken out of a record is.

use serde::{Deserialize, Serialize};

/// Kinds of values that rules take out of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FactKind {
    /// Region id.
    Region,
    /// Store id.
    Store,
    /// Peer id.
    Peer,
    /// `host:port`.
    Addr,
    /// Log backup task name.
    Task,
    /// TSO.
    Ts,
    /// Seconds since the Unix epoch.
    UnixSeconds,
    /// Milliseconds since the Unix epoch.
    UnixMillis,
    /// Raft term.
    Term,
    /// A count.
    Count,
    /// A duration as written.
    Duration,
    /// Service id of a PD service safe point.
    Service,
    /// Error code.
    Code,
    /// Version of a component.
    Version,
    /// Cluster id.
    Cluster,
    /// Command of `br`.
    Command,
    /// Path or URL.
    Path,
    /// Status of a task, as a status screen prints it.
    Status,
    /// SQL statements.
    Sql,
    /// Any other text.
    Text,
}
