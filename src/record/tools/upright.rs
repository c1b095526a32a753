//! A row of `information_schema.cluster_log` printed upright, as `\G` does: a line for each column.

use crate::record::plain::plain;
use crate::record::prefix::{number, trim_marks};
use crate::units::parse_naive;

/// The columns behind the time, in the order of the table.
const COLUMNS: [&[u8]; 4] = [b"TYPE", b"INSTANCE", b"LEVEL", b"MESSAGE"];

/// Whether a row begins with the line: `    TIME: 2022/07/25 14:54:44.467`, and nothing behind it.
pub(in crate::record) fn begins(text: &[u8]) -> bool {
    value(text, b"TIME").and_then(parse_naive).is_some_and(|(_, rest)| rest.is_empty())
}

/// Whether the line is a later column of a row.
pub(in crate::record) fn is_column(line: &[u8]) -> bool {
    let line = plain(line);
    COLUMNS.iter().any(|name| value(&line, name).is_some())
}

/// Whether the line stands between rows or behind the last: `**** 2. row ****`, `***[ 2. row ]***`, `3 rows in set (0.21 sec)`.
pub(in crate::record) fn is_between(line: &[u8]) -> bool {
    let line = plain(line);
    let text = bare(&line);
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text.starts_with(b"***") || (digits > 0 && text[digits..].starts_with(b" row"))
}

/// The row with its columns side by side, `2022/07/25 14:54:44.467 | tikv | 10.0.1.11:20160 | ERROR | [a.rs:1] ["text"]`.
pub(in crate::record) fn abreast(row: &[u8]) -> Vec<u8> {
    let mut flat = Vec::with_capacity(row.len());
    for line in row.split(|byte| *byte == b'\n') {
        let line = plain(line.strip_suffix(b"\r").unwrap_or(line));
        let named = [&b"TIME"[..]].iter().chain(&COLUMNS).find_map(|name| value(&line, name));
        if !flat.is_empty() {
            flat.extend_from_slice(if named.is_some() { b" | " } else { b"\n" });
        }
        flat.extend_from_slice(named.unwrap_or(&line));
    }
    flat
}

/// A line without marks and an editor's number.
fn bare(line: &[u8]) -> &[u8] {
    let text = trim_marks(line);
    number(text).map_or(text, |at| text[at..].trim_ascii_start())
}

/// The value of a column, where the line has it: `  LEVEL: WARN`, or `LEVEL    | WARN` as mycli has it.
fn value<'t>(line: &'t [u8], name: &[u8]) -> Option<&'t [u8]> {
    let rest = bare(line).strip_prefix(name)?;
    let value = rest.strip_prefix(b": ").or_else(|| rest.trim_ascii_start().strip_prefix(b"| "))?;
    Some(value.trim_ascii())
}

#[cfg(test)]
mod tests {
    use crate::record::{Kind, Look, Record, look};
    use crate::units::Level;

    #[test]
    fn a_row_has_the_time_and_level_of_its_columns() {
        let row = "    TIME: 2022/07/25 14:54:44.467\n    TYPE: tikv\nINSTANCE: 10.0.1.11:20160\n   LEVEL: WARN\n \
                   MESSAGE: [a.rs:17] [\"it is gone\"] [region_id=94812]";
        for text in [
            row.to_owned(),
            row.replace('\n', "\n> ").replace("    TIME", ">     TIME"),
            row.replace('\n', "\r\n"),
            format!("   1\t{}", row.replace('\n', "\n   2\t")),
            "TIME     | 2022/07/25 14:54:44.467\nTYPE     | tikv\nINSTANCE | 10.0.1.11:20160\nLEVEL    | WARN\n\
             MESSAGE  | [a.rs:17] [\"it is gone\"] [region_id=94812]"
                .to_owned(),
        ] {
            let record = Record::read(text.as_bytes(), Kind::Row);
            assert_eq!(record.time.map(|time| time.to_string()).as_deref(), Some("2022-07-25T14:54:44.467Z"), "{text}");
            assert_eq!((record.level, &*record.message), (Some(Level::Warn), &b"it is gone"[..]), "{text}");
            assert_eq!(record.field("region_id").map(|field| field.value.to_vec()), Some(b"94812".to_vec()), "{text}");
            assert!(record.time_is_local, "{text}");
        }
        assert_eq!(look(b"    TIME: 2022/07/25 14:54:44.467"), Look::Start(Kind::Row, 4));
        assert_eq!(look(b"TIME: 2022/07/25 14:54:44.467 it was gone"), Look::Other);
    }
}
