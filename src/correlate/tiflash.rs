//! TiFlash replicas of tables, as statements in the logs set them.

use super::commands::set_tiflash_replica;
use super::episodes::EpisodeId;
use super::findings::Place;
use super::learned::{Learned, Told};
use crate::units::{FactKind, Timestamp};
use std::collections::BTreeMap;

/// Where a statement names a table.
#[derive(Debug, Clone)]
pub(super) struct Named {
    /// By the clock of the others.
    pub(super) time: Option<Timestamp>,
    pub(super) place: Place,
    pub(super) episode: EpisodeId,
    replicas: u64,
}

/// The statements on TiFlash replicas, table by table, in the order in which they were seen.
#[derive(Debug, Default)]
pub(super) struct Replicas {
    tables: BTreeMap<Table, Vec<Named>>,
}

impl Replicas {
    /// Most tables that are kept.
    const MOST: usize = 10_000;
    /// Most statements of one table.
    const MOST_STATEMENTS: usize = 16;

    /// Takes the statements of an event.
    pub(super) fn take(&mut self, told: &Told<'_>, learned: &Learned, episode: EpisodeId) {
        let event = told.event;
        for fact in event.facts.iter().filter(|fact| fact.kind == FactKind::Sql) {
            for (table, replicas) in statements(&fact.value) {
                if !self.tables.contains_key(&table) && self.tables.len() >= Self::MOST {
                    continue;
                }
                let named = self.tables.entry(table).or_default();
                let time = event.time.map(|time| learned.real_time(told.instance, time));
                // TiDB writes several records of one statement.
                let same = named.last().is_some_and(|last| {
                    last.replicas == replicas
                        && last.time.zip(time).is_none_or(|(last, time)| time.since(last) < 60_000)
                });
                if same || named.len() >= Self::MOST_STATEMENTS {
                    continue;
                }
                named.push(Named {
                    time,
                    place: Place { file: event.file.clone(), line: event.line },
                    episode,
                    replicas,
                });
            }
        }
    }

    /// The statements that set the replicas again that tables had at a time.
    pub(super) fn commands(&self, at: Option<Timestamp>) -> Vec<String> {
        let had = self.tables.iter().filter_map(|(table, named)| {
            let before = named.iter().rev().find(|one| at.is_none() || one.time.is_none() || one.time <= at);
            before.or_else(|| named.first()).filter(|one| one.replicas > 0).map(|one| (table, one.replicas))
        });
        had.map(|((schema, table), replicas)| set_tiflash_replica(schema.as_deref(), table, replicas)).collect()
    }

    /// Whether no table is named.
    pub(super) fn is_empty(&self) -> bool {
        self.tables.values().flatten().all(|one| one.replicas == 0)
    }

    /// Where tables are named.
    pub(super) fn named(&self) -> impl Iterator<Item = &Named> {
        self.tables.values().flatten()
    }

    /// When the last of the tables got its replicas again after a restore, if all did.
    pub(super) fn set_again(&self, restored: Option<Timestamp>) -> Option<Timestamp> {
        let restored = restored?;
        let had: Vec<&Vec<Named>> =
            self.tables.values().filter(|named| named.iter().any(|one| one.replicas > 0)).collect();
        let again: Option<Vec<Timestamp>> = had
            .iter()
            .map(|named| {
                named.iter().filter(|one| one.replicas > 0).filter_map(|one| one.time).find(|time| *time > restored)
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
