//! What events say of who wrote their source, and which store lives at which address.

use crate::event::Event;
use crate::units::{Component, FactKind, PeerId, RegionId, StoreId};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;

/// Rules outside of the group `lifecycle` whose store is the one that writes.
const NAME_THEIR_OWN_STORE: [&str; 5] = [
    "async-write-slow",
    "merge-pending-at-start",
    "store-heartbeat-slow-score",
    "store-unreachable-broadcast",
    "tikv-store-not-match",
];

/// What one source's events say of their writer. The last record wins: a wiped store comes back under a new id.
#[derive(Debug, Clone, Default)]
pub(super) struct Evidence {
    /// Store id in a start record, or in one that names its own store.
    pub(super) store: Option<StoreId>,
    /// Whether that is the `put store` record, which names address and id together.
    pub(super) put_store: bool,
    /// Own address.
    pub(super) address: Option<Box<str>>,
    /// Version.
    pub(super) version: Option<Box<str>>,
    /// How many events of each component's rules: without what BR and TiUP put on a terminal, and all.
    components: BTreeMap<Component, (u64, u64)>,
}

impl Evidence {
    /// Takes what an event of the source says.
    pub(super) fn take(&mut self, event: &Event) {
        if let Some(component) = event.component {
            let (logged, all) = self.components.entry(component).or_default();
            *logged += u64::from(component != Component::Br || event.level.is_some());
            *all += 1;
        }
        if event.facts.is_empty() {
            return;
        }
        let lifecycle = &*event.group == "lifecycle";
        let writes_store = event.component.is_none_or(Component::is_store);
        if writes_store
            && (lifecycle || NAME_THEIR_OWN_STORE.contains(&&*event.rule))
            && let Some(store) = event.store_as("")
        {
            let put = &*event.rule == "tikv-put-store";
            if put || !self.put_store || self.store != Some(store) {
                self.put_store = put;
            }
            self.store = Some(store);
        }
        if !lifecycle {
            return;
        }
        let about_a_store = event.fact(FactKind::Store, "").is_some();
        if let Some(address) = event.fact(FactKind::Addr, "")
            && (writes_store || !about_a_store)
        {
            self.address = Some(address.into());
        }
        if let Some(version) = event.fact(FactKind::Version, "")
            && (writes_store || !about_a_store)
        {
            self.version = Some(version.into());
        }
    }

    /// The component that most events speak of. A terminal's words, which have no level, count only where no log is.
    pub(super) fn component(&self) -> Option<Component> {
        let most = self.components.values().max()?;
        self.components.iter().find(|(_, count)| *count == most).map(|(component, _)| *component)
    }
}

/// Which store lives where, as any component's records say.
#[derive(Debug, Clone, Default)]
pub(super) struct AddressBook {
    stores: BTreeMap<Box<str>, StoreId>,
    /// Address and version of each store.
    entries: BTreeMap<StoreId, (Box<str>, Option<Box<str>>)>,
}

impl AddressBook {
    /// Takes every pair of a store and its address that an event names.
    pub(super) fn take(&mut self, event: &Event) {
        for fact in event.facts.iter().filter(|fact| fact.kind == FactKind::Addr) {
            let Some(store) = event.store_as(&fact.role) else { continue };
            let version = event.fact(FactKind::Version, "store").or_else(|| event.fact(FactKind::Version, ""));
            let version = version.filter(|_| &*event.group == "lifecycle").map(Into::into);
            self.stores.insert(fact.value.clone(), store);
            let entry = self.entries.entry(store).or_insert_with(|| (fact.value.clone(), None));
            entry.0.clone_from(&fact.value);
            entry.1 = version.or(entry.1.take());
        }
    }

    /// The store at `host:port`, or the only one on a host or of a pod.
    pub(super) fn store_at(&self, address: &str) -> Option<StoreId> {
        if let Some(store) = self.stores.get(address) {
            return Some(*store);
        }
        self.only(|known| {
            let host = host_of(known);
            host == address || host.strip_prefix(address).is_some_and(|rest| rest.starts_with('.') && !is_ip(host))
        })
    }

    /// The only store that listens on a port.
    pub(super) fn store_on_port(&self, port: u16) -> Option<StoreId> {
        let port = port.to_string();
        self.only(|known| known.rsplit_once(':').is_some_and(|(_, number)| number == port))
    }

    fn only(&self, fits: impl Fn(&str) -> bool) -> Option<StoreId> {
        let mut found = self.stores.iter().filter(|(known, _)| fits(known)).map(|(_, store)| *store);
        let store = found.next()?;
        found.all(|other| other == store).then_some(store)
    }

    /// All stores with the address they were last seen at and their version.
    pub(super) fn entries(&self) -> impl Iterator<Item = (StoreId, &str, Option<&str>)> {
        self.entries.iter().map(|(store, (address, version))| (*store, &**address, version.as_deref()))
    }

    /// Where a store was last seen.
    pub(super) fn address_of(&self, store: StoreId) -> Option<&str> {
        self.entries.get(&store).map(|(address, _)| &**address)
    }

    /// Its version.
    pub(super) fn version_of(&self, store: StoreId) -> Option<&str> {
        self.entries.get(&store).and_then(|(_, version)| version.as_deref())
    }
}

/// On which store the peers live that sources name as their own.
#[derive(Debug, Clone, Default)]
pub(super) struct PeerBook {
    wanted: FxHashSet<(RegionId, PeerId)>,
    stores: FxHashMap<(RegionId, PeerId), StoreId>,
}

impl PeerBook {
    /// A book that keeps only these peers: a cluster has millions.
    pub(super) fn of(wanted: impl IntoIterator<Item = (RegionId, PeerId)>) -> Self {
        Self { wanted: wanted.into_iter().collect(), stores: FxHashMap::default() }
    }

    /// Takes the region descriptions of an event.
    pub(super) fn take(&mut self, event: &Event) {
        if self.wanted.is_empty() {
            return;
        }
        for description in &event.descriptions {
            for (peer, store) in &description.peers {
                let key = (description.id, *peer);
                if self.wanted.contains(&key) {
                    self.stores.insert(key, *store);
                }
            }
        }
    }

    /// The store on which all of these peers live, where at least one is known and none says otherwise.
    pub(super) fn store_of(&self, peers: &[(RegionId, PeerId)]) -> Option<StoreId> {
        let mut stores = peers.iter().filter_map(|key| self.stores.get(key).copied());
        let store = stores.next()?;
        stores.all(|other| other == store).then_some(store)
    }
}

/// The host of `host:port`.
pub(in crate::correlate) fn host_of(address: &str) -> &str {
    match address.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => address,
    }
}

fn is_ip(host: &str) -> bool {
    host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}
