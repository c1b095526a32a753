//! Findings over all that is remembered, narrowed to what a night's report shows: what is new, and every incident that is open.

use super::counts::{Count, Counts};
use crate::correlate::{Correlation, Findings, Totals};
use crate::event::{ReadStatus, SourceRow};
use crate::units::{RegionId, StoreId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Leaves what is new; `listed` says which incidents are shown, `rows` what of each source is new.
pub(super) fn narrow(correlation: &mut Correlation, counts: &Counts, rows: &[SourceRow], listed: &BTreeSet<String>) {
    let spans = Arc::clone(&counts.spans);
    let told = listed.clone();
    // The story of an incident that is shown is shown as a whole.
    correlation
        .show_episodes(move |episode| spans.touch(episode) || episode.incidents.iter().any(|id| told.contains(id)));
    let findings = &mut correlation.findings;
    findings.incidents.retain(|incident| listed.contains(&incident.id));
    let named: BTreeSet<RegionId> =
        findings.incidents.iter().flat_map(|incident| incident.regions.iter().copied()).collect();
    findings.regions.retain(|region| named.contains(&region.id) || counts.by_region.contains_key(&region.id));
    for region in &mut findings.regions {
        if let Some(count) = counts.by_region.get(&region.id) {
            (region.events, region.errors, region.first, region.last) =
                (count.events, count.errors, count.first, count.last);
        }
    }
    findings.errors.retain(|error| counts.by_code.contains_key(error.code.as_str()));
    for error in &mut findings.errors {
        let Some(count) = counts.by_code.get(error.code.as_str()) else { continue };
        (error.count, error.first, error.last) = (count.events, count.first, count.last);
        error.stores = count.stores.iter().copied().collect();
        error.regions = count.regions.iter().copied().collect();
    }
    sources(findings, rows);
    stores(findings, counts);
    findings.totals = totals(findings, counts);
}

/// Sources with new text, and what could not be read.
fn sources(findings: &mut Findings, rows: &[SourceRow]) {
    let rows: BTreeMap<&str, &SourceRow> = rows.iter().map(|row| (&*row.file, row)).collect();
    findings.sources.retain_mut(|source| {
        let Some(row) = rows.get(&*source.file) else { return source.status != ReadStatus::Read };
        (source.bytes, source.records) = (row.bytes, row.records);
        (source.continuation_lines, source.unparsed_lines) = (row.continuation_lines, row.unparsed_lines);
        (source.first, source.last) = (row.first, row.last);
        true
    });
}

/// Counts of the new records; when a store was last heard stays.
fn stores(findings: &mut Findings, counts: &Counts) {
    let nothing = Count::default();
    for store in &mut findings.stores {
        let own = |source: &&crate::correlate::Source| match store.id {
            Some(_) => source.store == store.id,
            None => source.store.is_none() && source.component == store.component && source.instance == store.address,
        };
        let read: Vec<_> = findings.sources.iter().filter(own).filter(|source| source.records > 0).collect();
        store.sources = read.len() as u64;
        store.records = read.iter().map(|source| source.records).sum();
        store.first = read.iter().filter_map(|source| source.first).min();
        let count = match store.id {
            Some(id) => counts.by_store.get(&id),
            None => counts.by_other.get(&(store.component, store.address.clone())),
        };
        let count = count.unwrap_or(&nothing);
        (store.events, store.errors, store.regions) = (count.events, count.errors, count.regions.len() as u64);
    }
}

fn totals(findings: &Findings, counts: &Counts) -> Totals {
    let read = || findings.sources.iter().filter(|source| source.status != ReadStatus::Skipped);
    Totals {
        bytes: read().map(|source| source.bytes).sum(),
        records: read().map(|source| source.records).sum(),
        events: counts.events,
        first: read().filter_map(|source| source.first).min(),
        last: read().filter_map(|source| source.last).max(),
    }
}

/// Who gave records: stores, other servers, by name.
pub(super) fn voices(findings: &Findings, rows: &[SourceRow]) -> BTreeSet<String> {
    let spoke: BTreeSet<&str> = rows.iter().filter(|row| row.records > 0).map(|row| &*row.file).collect();
    let name = |source: &crate::correlate::Source| {
        let component = source.component.filter(|component| *component != crate::units::Component::Br)?;
        match (source.store, &source.instance) {
            (Some(store), address) => Some(voice_of_store(store, address.as_deref())),
            (None, Some(address)) => Some(format!("{component} {address}")),
            (None, None) => None,
        }
    };
    findings.sources.iter().filter(|source| spoke.contains(&*source.file)).filter_map(name).collect()
}

fn voice_of_store(store: StoreId, address: Option<&str>) -> String {
    match address {
        Some(address) => format!("store {store} ({address})"),
        None => format!("store {store}"),
    }
}
