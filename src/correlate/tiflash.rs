//! TiFlash replicas of tables, as statements in the logs set them.

use super::commands::set_tiflash_replica;
use super::episodes::EpisodeId;
use super::findings::Place;
use super::learned::{Learned, Told};
use crate::units::{FactKind, Timestamp};
use std::collections::BTreeMap;

/// Where a record names a table.
#[derive(Debug, Clone)]
pub(super) struct Named {
    /// By the clock of the others.
    pub(super) time: Option<Timestamp>,
    /// As written.
    pub(super) written: Option<Timestamp>,
    pub(super) place: Place,
    pub(super) episode: EpisodeId,
    /// How many a statement sets; `None` for a query that missed them.
    pub(super) replicas: Option<u64>,
}

/// Tables with TiFlash replicas: what statements set, and what queries missed.
#[derive(Debug, Default)]
pub(super) struct Replicas {
    tables: BTreeMap<Table, Vec<Named>>,
}

impl Replicas {
    /// Most tables that are kept.
    const MOST: usize = 10_000;
    /// Most records of one table.
    const MOST_RECORDS: usize = 16;
    /// Records of one statement come within this time.
    const SAME_MS: i64 = 60_000;

    /// Takes the statements of an event, and the table that a query missed.
    pub(super) fn take(&mut self, told: &Told<'_>, learned: &Learned, episode: EpisodeId) {
        let event = told.event;
        let mut found: Vec<(Table, Option<u64>)> = Vec::new();
        let current = event.fact(FactKind::Text, "schema").filter(|schema| !schema.is_empty());
        for fact in event.facts.iter().filter(|fact| fact.kind == FactKind::Sql) {
            for ((schema, table), replicas) in statements(&fact.value) {
                found.push(((schema.or_else(|| current.map(str::to_owned)), table), Some(replicas)));
            }
        }
        if let (Some(table), true) =
            (event.fact(FactKind::Text, "table"), event.rule.ends_with("-tiflash-replica-missing"))
        {
            // The error names the table, the statement its schema.
            let from = event.fact(FactKind::Text, "from").and_then(|from| table_name(from, 0)).map(|(table, _)| table);
            let schema = from.filter(|(_, name)| name == table).and_then(|(schema, _)| schema);
            found.push(((schema, table.to_owned()), None));
        }
        for (table, replicas) in found {
            let table = self.known(table);
            if !self.tables.contains_key(&table) && self.tables.len() >= Self::MOST {
                continue;
            }
            let named = self.tables.entry(table).or_default();
            let time = event.time.map(|time| learned.real_time(told.instance, time));
            let same = named.last().is_some_and(|last| {
                last.replicas == replicas
                    && last.time.zip(time).is_none_or(|(last, time)| time.since(last) < Self::SAME_MS)
            });
            if !same && named.len() < Self::MOST_RECORDS {
                let place = Place::of(event);
                named.push(Named { time, written: event.time, place, episode, replicas });
            }
        }
    }

    /// A table without its schema is the only one of that name.
    fn known(&self, table: Table) -> Table {
        if table.0.is_some() {
            return table;
        }
        let mut same = self.tables.keys().filter(|known| known.1 == table.1);
        match (same.next(), same.next()) {
            (Some(only), None) => only.clone(),
            _ => table,
        }
    }

    /// Tables that had replicas when a restore ended, with how many: `None` where only a query names the table.
    fn had(&self, at: Option<Timestamp>) -> impl Iterator<Item = (&Table, Option<u64>)> {
        self.tables.iter().filter_map(move |(table, named)| {
            let statements = || named.iter().filter(|one| one.replicas.is_some());
            let before = statements().rfind(|one| at.is_none() || one.time.is_none() || one.time <= at);
            match before.or_else(|| statements().next()) {
                Some(one) => (one.replicas != Some(0)).then_some((table, one.replicas)),
                None => Some((table, None)),
            }
        })
    }

    /// The statements that set them again.
    pub(super) fn commands(&self, at: Option<Timestamp>) -> Vec<String> {
        self.had(at)
            .map(|((schema, table), replicas)| set_tiflash_replica(schema.as_deref(), table, replicas))
            .collect()
    }

    /// Where the tables that had replicas are named by statements before a restore ended, or missed by queries after it.
    pub(super) fn named(&self, at: Option<Timestamp>) -> Vec<&Named> {
        let tables: Vec<&Table> = self.had(at).map(|(table, _)| table).collect();
        tables
            .into_iter()
            .filter_map(|table| self.tables.get(table))
            .flatten()
            .filter(|one| match one.replicas {
                Some(_) => one.time <= at,
                None => one.time.is_none() || one.time > at,
            })
            .collect()
    }

    /// When the last of the tables got its replicas again after a restore, if all did.
    pub(super) fn set_again(&self, restored: Option<Timestamp>) -> Option<Timestamp> {
        let restored = restored?;
        let again: Option<Vec<Timestamp>> = self
            .had(Some(restored))
            .filter_map(|(table, _)| self.tables.get(table))
            .map(|named| {
                let set = named.iter().filter(|one| one.replicas.is_some_and(|replicas| replicas > 0));
                set.filter_map(|one| one.time).find(|time| *time > restored)
            })
            .collect();
        again?.into_iter().max()
    }
}

type Table = (Option<String>, String);

/// Every `ALTER TABLE x SET TIFLASH REPLICA n` in a text, whatever stands around it.
pub(super) fn statements(text: &str) -> Vec<(Table, u64)> {
    // Same length as the text: ASCII only.
    let upper = text.to_ascii_uppercase();
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = upper[from..].find("ALTER TABLE ").map(|at| from + at) {
        let names = at + "ALTER TABLE ".len();
        from = names;
        let Some((table, end)) = table_name(text, names) else { continue };
        let rest = upper[end..].trim_start();
        let Some(count) = rest.strip_prefix("SET TIFLASH REPLICA ") else { continue };
        let count = count.trim_start();
        let digits = count.find(|c: char| !c.is_ascii_digit()).unwrap_or(count.len());
        if let Ok(replicas) = count[..digits].parse() {
            found.push((table, replicas));
        }
    }
    found
}

/// `` `db`.`t` ``, `db.t` or `t`, and where it ends.
fn table_name(text: &str, at: usize) -> Option<(Table, usize)> {
    let (first, end) = identifier(text, at)?;
    if text[end..].starts_with('.') {
        let (second, end) = identifier(text, end + 1)?;
        return Some(((Some(first), second), end));
    }
    Some(((None, first), end))
}

fn identifier(text: &str, at: usize) -> Option<(String, usize)> {
    let rest = text.get(at..)?;
    let Some(quoted) = rest.strip_prefix('`') else {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
        return (end > 0).then(|| (rest[..end].to_owned(), at + end));
    };
    let mut name = String::new();
    let mut chars = quoted.char_indices().peekable();
    while let Some((offset, c)) = chars.next() {
        if c != '`' {
            name.push(c);
        } else if chars.next_if(|(_, next)| *next == '`').is_some() {
            name.push('`');
        } else {
            return Some((name, at + 1 + offset + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::statements;

    fn table(schema: Option<&str>, name: &str) -> super::Table {
        (schema.map(str::to_owned), name.to_owned())
    }

    #[test]
    fn statements_are_found_in_any_list() {
        let text = "[\"ALTER TABLE `db`.`t` SET TIFLASH REPLICA 1\",\"alter table a.b set tiflash replica 2 LOCATION LABELS 'x'\"]";
        assert_eq!(statements(text), [(table(Some("db"), "t"), 1), (table(Some("a"), "b"), 2)]);
        assert_eq!(statements("ALTER TABLE t SET TIFLASH REPLICA 0;"), [(table(None, "t"), 0)]);
        assert_eq!(statements("ALTER TABLE `a``b`.`c.d` SET TIFLASH REPLICA 3"), [(table(Some("a`b"), "c.d"), 3)]);
    }

    #[test]
    fn other_text_is_no_statement() {
        for text in [
            "",
            "ALTER TABLE",
            "ALTER TABLE `t",
            "ALTER TABLE t ADD COLUMN c INT",
            "ALTER TABLE t SET TIFLASH REPLICA x",
            "ALTER TABLE ä SET TIFLASH REPLICA ",
        ] {
            assert_eq!(statements(text), [], "{text}");
        }
    }
}
