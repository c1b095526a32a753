//! Who wrote a source, by the look of its first 64 KiB.

use crate::event::Writer;
use crate::record::{Kind, RawRecord, Record, Sink, begins_with_region, split};
use crate::units::{Component, PeerId, RegionId};
use std::hash::Hasher;

/// How much of a source's beginning is looked at, and hashed at both ends.
pub(super) const HEAD: usize = 64 << 10;

/// Source files that tell a component. BR has those of TiDB within it, so that its own count first.
const FILES: [(Component, &[&str]); 4] = [
    (
        Component::Pd,
        &[
            "grpc_service.go",
            "operator_controller.go",
            "coordinator.go",
            "cluster.go",
            "heartbeat_streams.go",
            "tso.go",
            "allocator_manager.go",
            "lease.go",
            "raft_cluster.go",
            "store_config.go",
            "etcdutil.go",
            "gc_state_manager.go",
            "hot_region_config.go",
            "peer_status.go",
            "probing_status.go",
        ],
    ),
    (
        Component::Br,
        &["collector.go", "backup.go", "restore.go", "checkpoint.go", "import.go", "split.go", "pipeline_items.go"],
    ),
    (
        Component::Tidb,
        &[
            "gc_worker.go",
            "domain.go",
            "session.go",
            "ddl_worker.go",
            "advancer.go",
            "owner_daemon.go",
            "expensivequery.go",
            "2pc.go",
            "coprocessor.go",
            "adapter.go",
            "update.go",
        ],
    ),
    (
        Component::Cdc,
        &["region_worker.go", "changefeed.go", "processor.go", "capture.go", "kv_client.go", "sink_manager.go"],
    ),
];

/// What the head of a source says of its writer.
pub(super) fn writer(head: &[u8]) -> Writer {
    let mut look = Look::default();
    split(head, 0..head.len(), &mut look);
    look.writer.component = look.component();
    look.writer.peers.sort_unstable();
    look.writer.peers.dedup();
    look.writer.peers.truncate(64);
    look.writer
}

/// A stable hash of a source's first or last bytes.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = rustc_hash::FxHasher::default();
    hasher.write(bytes);
    hasher.write_u64(bytes.len() as u64);
    hasher.finish()
}

#[derive(Default)]
struct Look {
    writer: Writer,
    /// Votes for each entry of `FILES`, then for Rust and C++.
    votes: [u32; 6],
    welcome: Option<Component>,
}

impl Sink for Look {
    fn record(&mut self, raw: RawRecord<'_>) {
        if !matches!(raw.kind, Kind::Clean | Kind::Header | Kind::Json | Kind::Foreign) || raw.bytes.len() > 8 << 10 {
            return;
        }
        let record = Record::read(raw.bytes, raw.kind);
        let caller = String::from_utf8_lossy(&record.caller);
        for (at, (_, files)) in FILES.iter().enumerate() {
            self.votes[at] += u32::from(files.contains(&&*caller));
        }
        // TiKV v2.1 does not know the file of a message of raft.
        self.votes[4] += u32::from(caller.ends_with(".rs") || begins_with_region(&record.message));
        // RocksDB's headers are within TiKV as well, and begin with a small letter.
        let header = caller.ends_with(".h") && caller.starts_with(char::is_uppercase);
        self.votes[5] += u32::from(caller.ends_with(".cpp") || header);
        let welcomes: [(&[u8], Component); 7] = [
            (b"Welcome to TiKV", Component::Tikv),
            // It is built from BR's sources, and imports as BR restores.
            (b"Welcome to TiDB-Lightning", Component::Br),
            (b"Welcome to TiDB.", Component::Tidb),
            (b"Welcome to Placement Driver", Component::Pd),
            (b"Welcome to Backup", Component::Br),
            (b"br failed", Component::Br),
            (b"Welcome to TiFlash", Component::Tiflash),
        ];
        // It ends each of BR's jobs, and nobody else has one.
        if caller == "collector.go" && record.message.ends_with(b" summary") {
            self.welcome = self.welcome.or(Some(Component::Br));
        }
        if let Some((_, component)) = welcomes.iter().find(|(text, _)| record.message.starts_with(text)) {
            self.welcome = self.welcome.or(Some(*component));
        }
        let number = |keys: [&str; 2]| {
            keys.iter().find_map(|key| std::str::from_utf8(&record.field(key)?.value).ok()?.parse::<u64>().ok())
        };
        if let (Some(region), Some(peer)) = (number(["region_id", "r.id"]), number(["peer_id", "raft_id"]))
            && self.writer.peers.len() < 4096
        {
            self.writer.peers.push((RegionId(region), PeerId(peer)));
        }
    }
}

impl Look {
    fn component(&self) -> Option<Component> {
        if self.welcome.is_some() {
            return self.welcome;
        }
        let (at, most) = self.votes.iter().enumerate().max_by_key(|(at, votes)| (**votes, std::cmp::Reverse(*at)))?;
        if *most == 0 {
            return None;
        }
        Some(match at {
            4 => Component::Tikv,
            5 => Component::Tiflash,
            at => FILES[at].0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::writer;
    use crate::units::Component::{Br, Pd, Tidb, Tikv};

    #[test]
    fn br_is_told_from_the_tidb_within_it() {
        let head = |files: &[&str]| {
            files
                .iter()
                .map(|file| format!("[2025/03/14 06:35:06.127 +00:00] [INFO] [{file}:7] [x]\n"))
                .collect::<String>()
        };
        for (files, component) in
            [(&["domain.go", "collector.go"][..], Br), (&["domain.go", "collector.go", "session.go"], Tidb)]
        {
            assert_eq!(writer(head(files).as_bytes()).component, Some(component), "{files:?}");
        }
    }

    #[test]
    fn old_formats_and_etcd_within_pd_tell_as_well() {
        for text in [
            "2019/04/26 08:33:43 util.go:55: [info] Welcome to Placement Driver (PD).\n",
            "2019/04/26 08:33:43.385 tso.go:104: [info] it was saved\n",
            "[2022/07/25 14:54:44.467 +00:00] [INFO] [stream.go:250] [x]\n\
             [2022/07/25 14:54:44.467 +00:00] [INFO] [stream.go:250] [x]\n\
             [2022/07/25 14:54:44.467 +00:00] [INFO] [peer_status.go:51] [\"peer became active\"]\n",
        ] {
            assert_eq!(writer(text.as_bytes()).component, Some(Pd), "{text}");
        }
        let raft = "2019/08/13 03:27:49.382 INFO <unknown>:719: [region 94812] 94815 became follower at term 39\n";
        assert_eq!(writer(raft.as_bytes()).component, Some(Tikv));
        let operator = "I0725 14:54:44.467123       1 version.go:38] Welcome to TiDB Operator.\n";
        assert_eq!(writer(operator.as_bytes()).component, None);
    }
}
