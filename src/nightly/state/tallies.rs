//! How often each rule, code, store, region and template was seen in each run, and each rule at each store in all runs together.

use super::State;
use super::sources::bits;
use crate::units::StoreId;
use rusqlite::{Transaction, params};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Events of a rule.
    Rule,
    /// Events with an error code.
    Code,
    /// Events of a store.
    Store,
    /// Events of a region.
    Region,
    /// Records of a template that no rule knows.
    Template,
}

impl Kind {
    /// The kinds that people are shown.
    pub const SHOWN: [Self; 5] = [Self::Rule, Self::Code, Self::Store, Self::Region, Self::Template];

    /// The word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Code => "code",
            Self::Store => "store",
            Self::Region => "region",
            Self::Template => "template",
        }
    }
}

/// A count of one run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tally {
    /// What.
    pub kind: Kind,
    /// Which.
    pub name: String,
    /// The run; 0 until it is stored.
    pub run: i64,
    /// How often.
    pub count: u64,
}

/// Events of a rule at a store.
pub type Totals = BTreeMap<(Arc<str>, Option<StoreId>), u64>;

impl State {
    /// Events of each rule at each store, over all runs.
    ///
    /// # Errors
    /// Where the state cannot be read.
    pub fn totals(&self) -> anyhow::Result<Vec<(String, String, u64)>> {
        let mut query = self.db.prepare("SELECT rule, store, count FROM total ORDER BY rule, store")?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, bits(row.get(2)?))))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The counts of one kind, by name, then run; of all runs from `since` on.
    ///
    /// # Errors
    /// Where the state cannot be read.
    pub fn tallies(&self, kind: Kind, since: i64) -> anyhow::Result<Vec<Tally>> {
        let query = "SELECT name, run, count FROM tally WHERE kind = ?1 AND run >= ?2 ORDER BY name, run";
        let mut query = self.db.prepare(query)?;
        let rows = query.query_map(params![kind.as_str(), since], |row| {
            Ok(Tally { kind, name: row.get(0)?, run: row.get(1)?, count: bits(row.get(2)?) })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

pub(super) fn insert(change: &Transaction<'_>, run: i64, tallies: &[Tally]) -> anyhow::Result<()> {
    let mut insert = change.prepare("INSERT OR REPLACE INTO tally VALUES (?1, ?2, ?3, ?4)")?;
    for tally in tallies {
        insert.execute(params![tally.kind.as_str(), tally.name, run, tally.count.cast_signed()])?;
    }
    Ok(())
}

/// Adds what a run has counted.
pub(super) fn add(change: &Transaction<'_>, totals: &Totals) -> anyhow::Result<()> {
    let add = "INSERT INTO total VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET count = count + excluded.count";
    let mut add = change.prepare(add)?;
    for ((rule, store), count) in totals {
        let store = store.map(|store| store.to_string()).unwrap_or_default();
        add.execute(params![rule, store, count.cast_signed()])?;
    }
    Ok(())
}
