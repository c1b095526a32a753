//! Regions: ids, keys, epochs, peers and leaders, and their protobuf text.

use std::fmt::Write;

/// A region as the cluster knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Region {
    /// Region id.
    pub(crate) id: u64,
    /// Start key, encoded, upper hex.
    pub(crate) start: String,
    /// End key.
    pub(crate) end: String,
    /// Epoch.
    pub(crate) conf_ver: u64,
    /// Epoch.
    pub(crate) version: u64,
    /// Store and peer ids.
    pub(crate) peers: Vec<(u64, u64)>,
    /// The store of the leader.
    pub(crate) leader: u64,
    /// Raft term.
    pub(crate) term: u64,
    /// Last log index.
    pub(crate) index: u64,
}

impl Region {
    /// The peer on a store; 0 if there is none.
    pub(crate) fn peer(&self, store: u64) -> u64 {
        self.peers.iter().find(|(s, _)| *s == store).map_or(0, |(_, p)| *p)
    }

    /// `id: 94813 store_id: 1`
    pub(crate) fn peer_text(&self, store: u64) -> String {
        format!("id: {} store_id: {store}", self.peer(store))
    }

    /// The stores, leader first.
    pub(crate) fn stores(&self) -> Vec<u64> {
        let mut stores: Vec<u64> = self.peers.iter().map(|(s, _)| *s).collect();
        stores.sort_by_key(|s| (*s != self.leader, *s));
        stores
    }

    /// Another store than `store`, one of the followers.
    pub(crate) fn follower(&self, store: u64, pick: u64) -> u64 {
        let others: Vec<u64> = self.peers.iter().map(|(s, _)| *s).filter(|s| *s != store).collect();
        others[(pick % others.len() as u64) as usize]
    }

    /// `conf_ver: 5 version: 20`
    pub(crate) fn epoch(&self) -> String {
        format!("conf_ver: {} version: {}", self.conf_ver, self.version)
    }

    /// Protobuf text as Rust prints it.
    pub(crate) fn text(&self) -> String {
        let peers: Vec<String> = self.peers.iter().map(|(s, p)| format!("peers {{ id: {p} store_id: {s} }}")).collect();
        format!(
            "id: {} start_key: {} end_key: {} region_epoch {{ {} }} {}",
            self.id,
            self.start,
            self.end,
            self.epoch(),
            peers.join(" ")
        )
    }

    /// Protobuf text as Go prints it, keys as hex.
    pub(crate) fn go_text(&self) -> String {
        let peers: Vec<String> = self.peers.iter().map(|(s, p)| format!("peers:<id:{p} store_id:{s} >")).collect();
        format!(
            "id:{} start_key:\"{}\" end_key:\"{}\" region_epoch:<conf_ver:{} version:{} > {}",
            self.id,
            self.start,
            self.end,
            self.conf_ver,
            self.version,
            peers.join(" ")
        )
    }

    fn store_list(&self) -> String {
        self.peers.iter().map(|(s, _)| s.to_string()).collect::<Vec<_>>().join(",")
    }

    /// The short form that log backup prints from v6.5.1 on.
    pub(crate) fn short(&self) -> String {
        format!(
            "Region {{ id: {}, ver: {}, conf_ver: {}, range: [{},{}), peers: {} }}",
            self.id,
            self.version,
            self.conf_ver,
            self.start,
            self.end,
            self.store_list()
        )
    }

    /// The same spread over fields, in the order in which they are printed.
    pub(crate) fn short_fields(&self) -> crate::cluster::record::Fields {
        crate::cluster::record::fields![
            "r.id" => self.id,
            "r.ver" => self.version,
            "r.conf_ver" => self.conf_ver,
            "r.range" => format!("[{},{})", self.start, self.end),
            "r.peers" => self.store_list(),
        ]
    }
}

/// The key of a row, or of the first row of a table: encoded so that bytes compare, in groups of 8 with a marker each.
pub(crate) fn row_key(table: u64, row: Option<u64>) -> String {
    let mut raw = vec![b't'];
    raw.extend_from_slice(&(table | 1 << 63).to_be_bytes());
    raw.extend_from_slice(b"_r");
    if let Some(row) = row {
        raw.extend_from_slice(&(row | 1 << 63).to_be_bytes());
    }
    encode(&raw)
}

fn encode(raw: &[u8]) -> String {
    let mut out = String::new();
    let mut groups = raw.chunks(8).chain(raw.len().is_multiple_of(8).then_some(&[][..]));
    for group in &mut groups {
        for at in 0..8 {
            let _ = write!(out, "{:02X}", group.get(at).copied().unwrap_or(0));
        }
        let _ = write!(out, "{:02X}", 0xff - (8 - group.len()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_memory_comparable() {
        assert_eq!(row_key(69, Some(1)), "7480000000000000FF455F728000000000FF0000010000000000FA");
        assert_eq!(row_key(71, None), "7480000000000000FF475F720000000000FA");
        assert!(row_key(71, None) < row_key(71, Some(0)));
    }
}
