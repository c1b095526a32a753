//! Error codes: how often, where, and what each means.

use super::findings::ErrorCode;
use super::learned::{Learned, Told};
use super::names::RuleId;
use crate::rules::Catalog;
use crate::units::{RegionId, StoreId, Timestamp};
use rustc_hash::FxHashSet;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of each code.
#[derive(Debug, Default)]
pub(super) struct Codes {
    all: BTreeMap<Box<str>, Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    count: u64,
    rules: BTreeSet<RuleId>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    stores: BTreeSet<StoreId>,
    regions: FxHashSet<RegionId>,
}

impl Codes {
    /// Most codes: there are some hundreds, a hostile log has millions.
    const MOST: usize = 16_384;

    /// Takes an event.
    pub(super) fn take(&mut self, told: &Told<'_>) {
        let event = told.event;
        for code in &event.codes {
            let is_full = self.all.len() >= Self::MOST;
            let seen = match self.all.get_mut(code) {
                Some(seen) => seen,
                None if is_full => continue,
                None => self.all.entry(code.clone()).or_default(),
            };
            seen.count += 1;
            seen.rules.insert(told.rule);
            seen.first = match (seen.first, event.time) {
                (Some(known), Some(time)) => Some(known.min(time)),
                (known, time) => known.or(time),
            };
            seen.last = seen.last.max(event.time);
            seen.stores.extend(told.store);
            seen.regions.extend(event.region);
        }
    }

    /// The rows of the table.
    pub(super) fn rows(self, learned: &Learned, catalog: &Catalog) -> Vec<ErrorCode> {
        self.all
            .into_iter()
            .map(|(code, seen)| {
                let mut rules: Vec<String> = seen.rules.iter().map(|rule| learned.rule(*rule).to_string()).collect();
                rules.sort_unstable();
                let mut regions: Vec<RegionId> = seen.regions.into_iter().collect();
                regions.sort_unstable();
                let (meaning, remedy) = explained(&code, &rules, catalog);
                ErrorCode {
                    meaning,
                    remedy,
                    code: code.into(),
                    rules,
                    count: seen.count,
                    first: seen.first,
                    last: seen.last,
                    stores: seen.stores.into_iter().collect(),
                    regions,
                }
            })
            .collect()
    }
}

/// Meaning and remedy of a code that events of these rules carry.
pub(super) fn explained(code: &str, rules: &[String], catalog: &Catalog) -> (String, String) {
    // The rule that is about the code explains it; else the one whose events carry it, if it is the only one.
    let only = if let [only] = rules { catalog.get(only) } else { None };
    let explains = catalog.for_code(code).or(only);
    explains.map(|rule| (rule.meaning.to_string(), rule.remedy.to_string())).unwrap_or_default()
}
