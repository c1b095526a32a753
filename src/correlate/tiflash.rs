//! TiFlash replicas of tables, as statements in the logs set them.

use super::commands::set_tiflash_replica;
use super::learned::Told;
use crate::units::FactKind;
use std::collections::BTreeMap;

/// The last replica count of each table that a statement names.
#[derive(Debug, Default)]
pub(super) struct Replicas {
    tables: BTreeMap<(Option<String>, String), u64>,
}

impl Replicas {
    /// Most tables that are kept.
    const MOST: usize = 10_000;

    /// Takes the statements of an event.
    pub(super) fn take(&mut self, told: &Told<'_>) {
        for fact in told.event.facts.iter().filter(|fact| fact.kind == FactKind::Sql) {
            for (name, replicas) in statements(&fact.value) {
                if self.tables.contains_key(&name) || self.tables.len() < Self::MOST {
                    self.tables.insert(name, replicas);
                }
            }
        }
    }

    /// The statements that set them again.
    pub(super) fn commands(&self) -> Vec<String> {
        let set = self.tables.iter().filter(|(_, replicas)| **replicas > 0);
        set.map(|((schema, table), replicas)| set_tiflash_replica(schema.as_deref(), table, *replicas)).collect()
    }

    /// The tables, for people.
    pub(super) fn count(&self) -> usize {
        self.tables.values().filter(|replicas| **replicas > 0).count()
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
        for text in ["", "ALTER TABLE", "ALTER TABLE `t", "ALTER TABLE t ADD COLUMN c INT", "ALTER TABLE t SET TIFLASH REPLICA x", "ALTER TABLE ä SET TIFLASH REPLICA "] {
            assert_eq!(statements(text), [], "{text}");
        }
    }
}
