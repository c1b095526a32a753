//! Errors and warnings by rule: where no incident is found, a report must not say that all is well while somebody logged them.

use super::findings::{Place, Trouble};
use super::learned::{Learned, Told};
use super::names::RuleId;
use crate::rules::Catalog;
use crate::units::Severity;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// The events of severity warning and worse.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    all: BTreeMap<RuleId, Seen>,
}

#[derive(Debug)]
struct Seen {
    severity: Severity,
    count: u64,
    first: Place,
}

impl Troubles {
    /// Takes an event.
    pub(super) fn take(&mut self, told: &Told<'_>) {
        let event = told.event;
        if event.severity < Severity::Warning {
            return;
        }
        let first = || Place::of(event);
        let seen =
            self.all.entry(told.rule).or_insert_with(|| Seen { severity: event.severity, count: 0, first: first() });
        seen.count += 1;
        seen.severity = seen.severity.max(event.severity);
    }

    /// One row for each rule, the worst first, then the most frequent.
    pub(super) fn rows(self, learned: &Learned, catalog: &Catalog) -> Vec<Trouble> {
        let row = |(rule, seen): (RuleId, Seen)| {
            let rule = learned.rule(rule).to_string();
            let meaning = catalog.get(&rule).map(|rule| rule.meaning.to_string()).unwrap_or_default();
            Trouble { severity: seen.severity, count: seen.count, meaning, place: seen.first, rule }
        };
        let mut rows: Vec<Trouble> = self.all.into_iter().map(row).collect();
        rows.sort_by(|a, b| order(a).cmp(&order(b)));
        rows
    }
}

/// Where a row stands among others.
pub(super) fn order(row: &Trouble) -> (Reverse<Severity>, Reverse<u64>, &str) {
    (Reverse(row.severity), Reverse(row.count), &row.rule)
}
