//! Who wrote each source: component, address, store id and version, from its content first, then from its name, then from
//! the user. A guess is called one.

mod evidence;
mod names;
mod rows;

pub(super) use evidence::host_of;
use evidence::{AddressBook, Evidence, PeerBook};
use names::NameHints;
use rows::RowWriters;

use super::Options;
use crate::event::{Event, ReadStatus, SourceRow, WRITER};
use crate::units::{Component, FactKind, StoreId};
use std::collections::BTreeMap;

/// What all files of one rotated log have in common.
pub(super) fn rotated_set(file: &str) -> String {
    names::read(file).set
}

/// Position of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub(super) struct InstanceId(pub(super) u32);

/// The process that wrote one or more sources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Instance {
    /// Component.
    pub(super) component: Option<Component>,
    /// Address, or host, where it is known.
    pub(super) address: Option<String>,
    /// Store id, where it is a store and known.
    pub(super) store: Option<StoreId>,
    /// Version.
    pub(super) version: Option<String>,
    /// How store id, or else address, was found.
    pub(super) identified_by: &'static str,
    /// Its sources, as positions.
    pub(super) sources: Vec<usize>,
    /// The smallest file name: tells instances apart that nothing else does.
    pub(super) file: std::sync::Arc<str>,
    /// The only store on the machine whose kernel or service manager writes.
    pub(super) store_of_host: Option<StoreId>,
    /// The names by which rows of other sources call it.
    pub(super) row_names: Vec<Box<str>>,
}

impl Instance {
    /// The machine it runs on, where it is known.
    pub(super) fn host(&self) -> Option<&str> {
        self.address.as_deref().map(host_of)
    }
}

/// Gathers what events say of writers, source by source.
#[derive(Debug)]
pub(super) struct Identify {
    evidence: Vec<Evidence>,
    rows: RowWriters,
    addresses: AddressBook,
    peers: PeerBook,
}

/// All writers.
#[derive(Debug, Default)]
pub(super) struct Instances {
    /// In the order of component, store, address and file name.
    pub(super) all: Vec<Instance>,
    /// The instance of each source.
    pub(super) of_source: Vec<InstanceId>,
    /// The instance of each component and name that rows say.
    of_row: BTreeMap<Component, BTreeMap<Box<str>, InstanceId>>,
    /// Stores that other records name with their address: id, address, version.
    pub(super) known: Vec<(StoreId, String, Option<String>)>,
}

impl Instances {
    /// The instance of a number.
    pub(super) fn at(&self, id: InstanceId) -> &Instance {
        &self.all[id.0 as usize]
    }

    /// The instance that the row of an event names as its writer.
    pub(super) fn of_row(&self, event: &Event) -> Option<InstanceId> {
        let name = event.fact(FactKind::Addr, WRITER)?;
        self.of_row.get(&event.component?)?.get(name).copied()
    }

    /// The store at an address, as any record says.
    pub(super) fn store_at(&self, address: &str) -> Option<StoreId> {
        let mut stores = self.known.iter().filter(|(_, known, _)| known == address).map(|(store, ..)| *store);
        stores.next()
    }

    /// Where a store is, as far as known.
    pub(super) fn address_of(&self, store: StoreId) -> Option<&str> {
        let written = self.of_store(store).and_then(|id| self.at(id).address.as_deref());
        written
            .or_else(|| self.known.iter().find(|(known, ..)| *known == store).map(|(_, address, _)| address.as_str()))
    }

    /// The instance that is a store.
    pub(super) fn of_store(&self, store: StoreId) -> Option<InstanceId> {
        self.all.iter().position(|instance| instance.store == Some(store)).map(|at| InstanceId(at as u32))
    }
}

impl Identify {
    /// For these sources.
    pub(super) fn new(sources: &[SourceRow]) -> Self {
        Self {
            evidence: vec![Evidence::default(); sources.len()],
            rows: RowWriters::default(),
            addresses: AddressBook::default(),
            peers: PeerBook::of(sources.iter().flat_map(|row| row.writer.peers.iter().copied())),
        }
    }

    /// Takes an event of a source.
    pub(super) fn take(&mut self, source: usize, event: &Event) {
        if !self.rows.take(event) {
            self.evidence[source].take(event);
        }
        if !event.facts.is_empty() {
            self.addresses.take(event);
        }
        if !event.descriptions.is_empty() {
            self.peers.take(event);
        }
    }

    /// Decides.
    pub(super) fn decide(self, sources: &[SourceRow], options: &Options) -> Instances {
        let hints: Vec<NameHints> = sources.iter().map(|row| names::read(&row.file)).collect();
        let mut groups = self.groups(sources, &hints);
        let folders_differ = folders_tell_apart(&groups, &hints);
        let mut found: Vec<Instance> = groups
            .drain(..)
            .map(|(component, members)| self.instance(component, members, sources, &hints, &folders_differ, options))
            .chain(self.rows.instances(&self.addresses, options))
            .collect();
        join_same(&mut found);
        found.sort_by(|a, b| {
            let key = |i: &Instance| {
                (i.component, i.store.is_none(), i.store, i.address.clone(), std::sync::Arc::clone(&i.file))
            };
            key(a).cmp(&key(b))
        });
        let mut of_source = vec![InstanceId(0); sources.len()];
        let mut of_row: BTreeMap<Component, BTreeMap<Box<str>, InstanceId>> = BTreeMap::new();
        for (at, instance) in found.iter().enumerate() {
            if let Some(component) = instance.component {
                let names = instance.row_names.iter().map(|name| (name.clone(), InstanceId(at as u32)));
                of_row.entry(component).or_default().extend(names);
            }
            for source in &instance.sources {
                of_source[*source] = InstanceId(at as u32);
            }
        }
        let known = self
            .addresses
            .entries()
            .map(|(store, address, version)| (store, address.to_owned(), version.map(str::to_owned)))
            .collect();
        Instances { all: found, of_source, of_row, known }
    }

    /// Sources of one folder and stem are one process, unless their own records say otherwise.
    fn groups(&self, sources: &[SourceRow], hints: &[NameHints]) -> Vec<(Option<Component>, Vec<usize>)> {
        let mut sets: BTreeMap<(&str, Option<Component>), Vec<usize>> = BTreeMap::new();
        let mut alone = Vec::new();
        for (at, row) in sources.iter().enumerate() {
            // A kernel log speaks of other components and of nothing else.
            let kernel = hints[at].component.filter(|component| *component == Component::Os);
            let component =
                kernel.or(row.writer.component).or_else(|| self.evidence[at].component()).or(hints[at].component);
            if component.is_none() || matches!(row.status, ReadStatus::Failed) {
                alone.push((component, vec![at]));
            } else {
                sets.entry((&hints[at].set, component)).or_default().push(at);
            }
        }
        for ((_, component), members) in sets {
            let mut stores = members.iter().filter_map(|at| self.evidence[*at].store);
            let first = stores.next();
            if stores.all(|store| Some(store) == first) {
                alone.push((component, members));
            } else {
                alone.extend(members.into_iter().map(|at| (component, vec![at])));
            }
        }
        alone
    }

    fn instance(
        &self,
        component: Option<Component>,
        mut members: Vec<usize>,
        sources: &[SourceRow],
        hints: &[NameHints],
        folders_differ: &[bool],
        options: &Options,
    ) -> Instance {
        members.sort_by(|a, b| (sources[*a].first, &sources[*a].file).cmp(&(sources[*b].first, &sources[*b].file)));
        let last = |pick: fn(&Evidence) -> Option<&str>| {
            members.iter().rev().find_map(|at| pick(&self.evidence[*at])).map(str::to_owned)
        };
        let own_address = last(|evidence| evidence.address.as_deref());
        let name = &hints[members[0]];
        let named = name
            .address()
            .or_else(|| name.folder.clone().filter(|_| folders_differ[members[0]]))
            .filter(|_| component.is_some());
        let mut store = None;
        let mut how = "";
        if component.is_none_or(Component::is_store) {
            let peers: Vec<_> = members.iter().flat_map(|at| sources[*at].writer.peers.iter().copied()).collect();
            let start = members.iter().rev().find(|at| self.evidence[**at].store.is_some());
            let sure = start.and_then(|at| self.evidence[*at].store);
            let put = start.is_some_and(|at| self.evidence[*at].put_store);
            let is_store = component.is_some();
            let book = &self.addresses;
            let tries: [(&'static str, Option<StoreId>); 7] = [
                (if put { "put store record" } else { "start record" }, sure),
                (
                    "own address, and a record that names its store",
                    own_address.as_deref().and_then(|a| book.store_at(a)),
                ),
                ("inferred from peers", self.peers.store_of(&peers)),
                (
                    "folder name, and a record that names the store at this address",
                    named.as_deref().filter(|_| is_store).and_then(|a| book.store_at(a)),
                ),
                (
                    "inferred from the port in the folder name",
                    name.port.filter(|_| is_store).and_then(|p| book.store_on_port(p)),
                ),
                (
                    "--store",
                    options.store_of(&[
                        own_address.as_deref(),
                        named.as_deref(),
                        name.folder.as_deref(),
                        Some(&name.stem),
                    ]),
                ),
                ("inferred from folder name", name.store.filter(|_| is_store)),
            ];
            if let Some((words, found)) = tries.into_iter().find(|(_, found)| found.is_some()) {
                (how, store) = (words, found);
            }
        }
        let from_book = store.and_then(|store| self.addresses.address_of(store)).map(str::to_owned);
        if how.is_empty() {
            how = match (&own_address, &named) {
                (Some(_), _) => "own address",
                (None, Some(_)) => "folder name",
                (None, None) if component.is_some() => "content",
                (None, None) => "",
            };
        }
        let host = named.as_deref().map(host_of).filter(|_| component == Some(Component::Os));
        Instance {
            store_of_host: host.and_then(|host| self.addresses.store_at(host)),
            component,
            version: last(|evidence| evidence.version.as_deref())
                .or_else(|| store.and_then(|store| self.addresses.version_of(store)).map(str::to_owned)),
            address: own_address.or_else(|| name.address().filter(|_| name.port.is_some())).or(from_book).or(named),
            store,
            identified_by: how,
            file: members.iter().map(|at| &sources[*at].file).min().cloned().unwrap_or_default(),
            sources: members,
            row_names: Vec::new(),
        }
    }
}

/// Whether a source's folder is what tells it from another of the same name and component.
fn folders_tell_apart(groups: &[(Option<Component>, Vec<usize>)], hints: &[NameHints]) -> Vec<bool> {
    let mut folders: BTreeMap<(Option<Component>, &str), Vec<&Option<String>>> = BTreeMap::new();
    for (component, members) in groups {
        let hint = &hints[members[0]];
        folders.entry((*component, &hint.stem)).or_default().push(&hint.folder);
    }
    let mut apart = vec![false; hints.len()];
    for (component, members) in groups {
        let same = &folders[&(*component, hints[members[0]].stem.as_str())];
        let several = same.iter().any(|folder| *folder != same[0]);
        for at in members {
            apart[*at] = several;
        }
    }
    apart
}

impl Options {
    /// The store that the user says has one of these names.
    fn store_of(&self, names: &[Option<&str>]) -> Option<StoreId> {
        let fits = |wanted: &str| {
            names.iter().flatten().any(|known| {
                *known == wanted || host_of(known) == wanted || (*known == host_of(wanted) && !known.contains(':'))
            })
        };
        self.stores.iter().find(|(address, _)| fits(address)).map(|(_, store)| *store)
    }
}

/// Groups that turn out to be one store, or to have one address, are one instance.
fn join_same(found: &mut Vec<Instance>) {
    // What has a log of its own comes first: that log says most.
    found.sort_by(|a, b| (a.sources.is_empty(), &a.file).cmp(&(b.sources.is_empty(), &b.file)));
    let mut joined: Vec<Instance> = Vec::new();
    for instance in found.drain(..) {
        let same = joined.iter_mut().find(|other| {
            other.component == instance.component
                && instance.component.is_some()
                && match (other.store, instance.store) {
                    (Some(a), Some(b)) => a == b,
                    (None, None) => {
                        other.address.is_some()
                            && other.address == instance.address
                            && other.address.as_deref().is_some_and(|a| a != host_of(a))
                    }
                    _ => false,
                }
        });
        if let Some(other) = same {
            other.sources.extend(instance.sources);
            other.row_names.extend(instance.row_names);
            other.version = other.version.take().or(instance.version);
            other.address = other.address.take().or(instance.address);
        } else {
            joined.push(instance);
        }
    }
    *found = joined;
}

#[cfg(test)]
mod tests;
