//! Writers that rows name: a log search shows records of many processes in one text, each with its component and address.

use super::evidence::{AddressBook, Evidence};
use super::{Instance, Options};
use crate::event::{Event, WRITER};
use crate::units::{Component, FactKind};
use std::collections::BTreeMap;

/// What events say of the writers that their rows name.
#[derive(Debug, Default)]
pub(super) struct RowWriters(BTreeMap<(Component, Box<str>), Evidence>);

impl RowWriters {
    /// More processes than a cluster has: beyond it somebody has made names up.
    const MOST: usize = 4_096;

    /// Takes an event whose row names its writer; `false` for all others.
    pub(super) fn take(&mut self, event: &Event) -> bool {
        let (Some(component), Some(name)) = (event.component, event.fact(FactKind::Addr, WRITER)) else { return false };
        let key = (component, name.into());
        if self.0.len() < Self::MOST || self.0.contains_key(&key) {
            self.0.entry(key).or_default().take(event);
        }
        true
    }

    /// The instances, without sources of their own.
    pub(super) fn instances(&self, book: &AddressBook, options: &Options) -> impl Iterator<Item = Instance> {
        self.0.iter().map(|((component, name), evidence)| {
            let own = evidence.store.map(|store| ("start record", store));
            let known =
                || book.store_at(name).map(|store| ("row, and a record that names the store at this address", store));
            let said = || options.store_of(&[Some(name)]).map(|store| ("--store", store));
            let found = own.or_else(known).or_else(said).filter(|_| component.is_store());
            Instance {
                component: Some(*component),
                address: Some(evidence.address.as_deref().unwrap_or(name).to_owned()),
                store: found.map(|(_, store)| store),
                version: evidence.version.as_deref().map(str::to_owned),
                identified_by: found.map_or("row", |(how, _)| how),
                row_names: vec![name.clone()],
                ..Instance::default()
            }
        })
    }
}
