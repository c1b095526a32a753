//! `tidescope timeline`: every record that speaks of something, merged by time over all sources.

use super::logs::{Logs, outcome_of};
use super::write_to;
use crate::cli::Timeline;
use crate::correlate;
use crate::event::{Event, EventStream};
use crate::outcome::Outcome;
use crate::scan::{About, Context};
use crate::units::{Level, RegionId, StoreId};
use anyhow::anyhow;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn run(args: &Timeline) -> anyhow::Result<Outcome> {
    let level = args
        .level
        .as_deref()
        .map(|word| {
            Level::parse(word.as_bytes())
                .ok_or_else(|| anyhow!("--level {word}: use FATAL, ERROR, WARN, INFO or DEBUG"))
        })
        .transpose()?;
    let key = args.key.as_deref().map(key).transpose()?;
    let mut logs = Logs::open(&args.paths, &args.common)?;
    // Who wrote what, and which regions held the key, the signals and their context say.
    let (events, sources, unmatched) = logs.scan(Context::Auto, None)?.sorted();
    let options = correlate::Options { stores: logs.settings.stores.clone(), ..correlate::Options::default() };
    let findings = correlate::correlate(&events, &sources, &unmatched, &logs.catalog, &options)?.findings;
    let stores: BTreeMap<Arc<str>, StoreId> =
        findings.sources.iter().filter_map(|source| Some((Arc::clone(&source.file), source.store?))).collect();
    let instances: BTreeMap<Arc<str>, String> = findings
        .sources
        .iter()
        .filter_map(|source| Some((Arc::clone(&source.file), source.instance.clone()?)))
        .collect();
    let mut regions: std::collections::BTreeSet<RegionId> = args.region.iter().copied().map(RegionId).collect();
    if let Some(key) = &key {
        events.for_each(&mut |event| {
            let holders =
                event.descriptions.iter().filter(|one| one.range.as_ref().is_some_and(|range| range.contains(key)));
            regions.extend(holders.map(|one| one.id));
        })?;
    }
    let only = logs.settings.only_stores.clone();
    let about = About {
        regions,
        written: stores.iter().filter(|(_, store)| only.contains(store)).map(|(file, _)| Arc::clone(file)).collect(),
        stores: only.into_iter().collect(),
        task: logs.settings.task.clone(),
        key,
        level,
    };
    let (records, _, _) = logs.scan(Context::About(Arc::new(about)), None)?.sorted();
    let redact = logs.settings.redact;
    write_to(None, |out| {
        let mut failure = None;
        records.for_each(&mut |event| {
            if failure.is_none() {
                failure =
                    writeln!(out, "{}", line(event, stores.get(&event.file), instances.get(&event.file), redact)).err();
            }
        })?;
        failure.map_or(Ok(()), |error| Err(error.into()))
    })?;
    outcome_of(&sources, &args.common)
}

/// Time, who wrote it, level, what it says, where it stands.
fn line(event: &Event, store: Option<&StoreId>, instance: Option<&String>, redact: bool) -> String {
    let time = event.time.map_or_else(|| " ".repeat(24), |time| time.to_string());
    let who = match (store, instance, event.component) {
        (Some(store), _, _) => format!("store {store}"),
        (None, Some(instance), _) => instance.clone(),
        (None, None, Some(component)) => component.to_string(),
        (None, None, None) => "-".to_owned(),
    };
    let level = event.level.map_or("-", Level::as_str);
    let safe = crate::safe::Safe::new(redact);
    format!(
        "{time}  {who:<12}  {level:<5}  {}  ({}:{})",
        &*safe.line(&event.message),
        &*safe.line(&event.file),
        event.line
    )
}

fn key(text: &str) -> anyhow::Result<String> {
    let digits = text.trim().trim_start_matches("0x").to_ascii_uppercase();
    let fits =
        !digits.is_empty() && digits.len().is_multiple_of(2) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    fits.then_some(digits)
        .ok_or_else(|| anyhow!("--key {text}: give the key in hex, two digits a byte, as logs have it"))
}
