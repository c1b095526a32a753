//! `tidescope timeline`: every record that speaks of something, merged by time over all sources; repeats on one line.

mod fold;

use super::answer::terminal_width;
use super::logs::{Logs, outcome_of};
use super::write_to;
use crate::cli::Timeline;
use crate::correlate;
use crate::event::EventStream;
use crate::outcome::Outcome;
use crate::scan::{About, Context};
use crate::units::{Level, RegionId, StoreId};
use anyhow::anyhow;
use fold::{Fold, Writer};
use std::io::IsTerminal as _;
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
    let known = correlate::correlate(&events, &sources, &unmatched, &logs.catalog, &options)?;
    let mut regions: std::collections::BTreeSet<RegionId> = args.region.iter().copied().map(RegionId).collect();
    if let Some(key) = &key {
        events.for_each(&mut |event| {
            let holders =
                event.descriptions.iter().filter(|one| one.range.as_ref().is_some_and(|range| range.contains(key)));
            regions.extend(holders.map(|one| one.id));
        })?;
    }
    let stores: std::collections::BTreeSet<StoreId> = logs.settings.only_stores.iter().copied().collect();
    let of_them =
        known.findings.sources.iter().filter(|source| source.store.is_some_and(|store| stores.contains(&store)));
    let about = About {
        regions,
        written: of_them.map(|source| Arc::clone(&source.file)).collect(),
        row_names: known.row_names(&stores),
        stores,
        task: logs.settings.task.clone(),
        key,
        level,
    };
    let (records, _, _) = logs.scan(Context::About(Arc::new(about)), None)?.sorted();
    let columns = std::io::stdout().is_terminal().then(terminal_width);
    let mut fold = Fold::new(logs.settings.safe, args.common.verbose > 0, columns);
    write_to(None, |out| {
        let mut failure = None;
        records.for_each(&mut |event| {
            if failure.is_none() {
                let (store, instance) = known.writer(event);
                failure =
                    fold.take(event, Writer { store, instance }).try_for_each(|line| writeln!(out, "{line}")).err();
            }
        })?;
        match failure {
            Some(error) => Err(error.into()),
            None => Ok(fold.finish().try_for_each(|line| writeln!(out, "{line}"))?),
        }
    })?;
    outcome_of(&sources, &args.common)
}

fn key(text: &str) -> anyhow::Result<String> {
    let digits = text.trim().trim_start_matches("0x").to_ascii_uppercase();
    let fits =
        !digits.is_empty() && digits.len().is_multiple_of(2) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    fits.then_some(digits)
        .ok_or_else(|| anyhow!("--key {text}: give the key in hex, two digits a byte, as logs have it"))
}
