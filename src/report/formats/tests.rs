//! Every format says what `events.csv` says.

use super::Format;
use crate::correlate::Correlation;
use crate::report::{Options, sample, write_folder};
use crate::rules::Catalog;
use crate::safe::Safe;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use tempfile::TempDir;

const ALL: &[Format] = &[
    Format::Jsonl,
    #[cfg(feature = "arrow")]
    Format::Parquet,
    #[cfg(feature = "sqlite")]
    Format::Sqlite,
    Format::Timesketch,
];

fn written(correlation: &Correlation, redact: bool) -> TempDir {
    let parent = tempfile::tempdir().unwrap();
    let options = Options { safe: Safe::new(redact), formats: ALL.to_vec() };
    let catalog = Catalog::embedded().unwrap();
    let folder = parent.path().join("out");
    write_folder(&folder, correlation, &sample::events(), &catalog, &sample::run(), &options).unwrap();
    parent
}

fn text(parent: &TempDir, name: &str) -> String {
    fs::read_to_string(parent.path().join("out").join(name)).unwrap()
}

/// A row by column, as CSV spells the cells.
type Row = BTreeMap<String, String>;

fn csv_rows(text: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let head: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    reader.records().map(|row| head.iter().cloned().zip(row.unwrap().iter().map(str::to_owned)).collect()).collect()
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(cell).collect::<Vec<_>>().join(";"),
        value => value.to_string(),
    }
}

#[test]
fn events_as_json_lines() {
    let parent = written(&sample::failed(), true);
    let rows: Vec<Row> = text(&parent, "events.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<BTreeMap<String, Value>>(line).unwrap())
        .map(|row| row.iter().map(|(name, value)| (name.clone(), cell(value))).collect())
        .collect();
    assert!(!rows.is_empty());
    let mut expected = csv_rows(&text(&parent, "events.csv"));
    // The quote in front of a formula is for spreadsheets only.
    expected
        .iter_mut()
        .flat_map(|row| row.values_mut())
        .for_each(|cell| *cell = cell.trim_start_matches('\'').to_owned());
    assert_eq!(rows, expected);
}

#[test]
fn events_for_timesketch() {
    let parent = written(&sample::failed(), true);
    let timesketch = text(&parent, "timesketch.csv");
    assert!(timesketch.starts_with("message,datetime,timestamp,timestamp_desc,component,"), "{timesketch}");
    let mut expected = csv_rows(&text(&parent, "events.csv"));
    expected.retain(|row| !row["time"].is_empty());
    let rows = csv_rows(&timesketch);
    assert_eq!(rows.len(), expected.len());
    for (mut row, event) in rows.into_iter().zip(expected) {
        let micros: i64 = row["timestamp"].parse().unwrap();
        let time = crate::units::Timestamp::parse_rfc3339(&row["datetime"]).unwrap();
        assert_eq!((micros, time.to_string()), (time.0 * 1_000, event["time"].clone()));
        assert!(row["datetime"].ends_with("+00:00"));
        for name in ["datetime", "timestamp", "timestamp_desc"] {
            row.remove(name);
        }
        row.insert("time".to_owned(), event["time"].clone());
        assert_eq!(row, event);
    }
}

#[test]
fn nothing_written_holds_a_secret_or_a_control_character() {
    let parent = written(&sample::refused(), true);
    for name in ["events.jsonl", "timesketch.csv"] {
        let text = text(&parent, name);
        assert!(!text.contains("hunter2"), "{name}");
        assert!(!text.contains(|letter: char| letter.is_control() && letter != '\n'), "{name}");
    }
    let open = written(&sample::refused(), false);
    assert!(text(&open, "events.jsonl").contains("hunter2"));
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use super::*;
    use rusqlite::Connection;
    use rusqlite::types::ValueRef;

    fn rows(db: &Connection, sql: &str) -> Vec<Row> {
        let mut statement = db.prepare(sql).unwrap();
        let head: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query([]).unwrap();
        let mut out = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            let cell = |at: usize| match row.get_ref(at).unwrap() {
                ValueRef::Null => String::new(),
                ValueRef::Integer(number) => number.to_string(),
                ValueRef::Real(number) => number.to_string(),
                ValueRef::Text(text) => {
                    let text = String::from_utf8(text.to_vec()).unwrap();
                    match serde_json::from_str(&text) {
                        Ok(list @ Value::Array(_)) => super::cell(&list),
                        _ => text,
                    }
                }
                ValueRef::Blob(_) => panic!("a blob"),
            };
            out.push(head.iter().enumerate().map(|(at, name)| (name.clone(), cell(at))).collect());
        }
        out
    }

    fn open(parent: &TempDir) -> Connection {
        Connection::open(parent.path().join("out/tidescope.sqlite")).unwrap()
    }

    #[test]
    fn every_table_of_the_report() {
        let parent = written(&sample::failed(), true);
        let db = open(&parent);
        for table in ["events", "timeline", "tasks", "regions", "stores", "errors", "unmatched", "sources", "incidents"]
        {
            let mut expected = csv_rows(&text(&parent, &format!("{table}.csv")));
            let mut found = rows(&db, &format!("SELECT * FROM {table}"));
            assert!(!found.is_empty(), "{table}");
            for row in expected.iter_mut().chain(&mut found) {
                // Lists of commands are joined in CSV as a shell wants it, and texts for spreadsheets are quoted.
                row.remove("commands");
                row.values_mut().for_each(|cell| *cell = cell.trim_start_matches('\'').to_owned());
            }
            assert_eq!(found, expected, "{table}");
        }
        let steps: usize = sample::failed().findings.incidents.iter().map(|one| one.chain.len()).sum();
        assert_eq!(rows(&db, "SELECT * FROM chain").len(), steps);
    }

    #[test]
    fn every_view_answers() {
        let parent = written(&sample::failed(), true);
        let db = open(&parent);
        let views = rows(&db, "SELECT name FROM sqlite_schema WHERE type = 'view'");
        assert!(views.len() >= 12);
        for view in views {
            rows(&db, &format!("SELECT * FROM {}", view["name"]));
        }
        let open = rows(&db, "SELECT kind, verdict FROM open_incidents");
        assert_eq!(open[0]["kind"], "task-failed");
        let counted = rows(&db, "SELECT sum(events) AS n FROM rule_counts");
        assert_eq!(counted[0]["n"], rows(&db, "SELECT * FROM events").len().to_string());
        let lag = rows(&db, "SELECT lag_s FROM lag");
        assert!(lag.iter().all(|row| row["lag_s"].parse::<f64>().is_ok_and(|lag| lag >= 0.0)), "{lag:?}");
    }

    #[test]
    fn the_same_findings_give_the_same_bytes() {
        let bytes = || fs::read(written(&sample::failed(), true).path().join("out/tidescope.sqlite")).unwrap();
        assert!(bytes() == bytes());
    }

    #[test]
    fn secrets_are_not_in_the_database() {
        let secret = |redact| {
            let parent = written(&sample::refused(), redact);
            let bytes = fs::read(parent.path().join("out/tidescope.sqlite")).unwrap();
            memchr::memmem::find(&bytes, b"hunter2").is_some()
        };
        assert!(!secret(true) && secret(false));
    }
}

#[cfg(feature = "arrow")]
#[test]
fn events_in_typed_columns() {
    use arrow_array::cast::AsArray;
    use arrow_array::types::{TimestampMillisecondType, UInt64Type};
    use arrow_array::{Array, RecordBatchReader};
    use parquet::arrow::arrow_reader::ParquetRecordBatchReader;

    let parent = written(&sample::failed(), true);
    let expected = csv_rows(&text(&parent, "events.csv"));
    let file = fs::File::open(parent.path().join("out/events.parquet")).unwrap();
    let reader = ParquetRecordBatchReader::try_new(file, 1 << 16).unwrap();
    let names: Vec<String> = reader.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names.join(","), text(&parent, "events.csv").lines().next().unwrap());
    let batches: Vec<_> = reader.map(Result::unwrap).collect();
    assert_eq!(batches.iter().map(arrow_array::RecordBatch::num_rows).sum::<usize>(), expected.len());
    let batch = &batches[0];
    let column = |name: &str| batch.column_by_name(name).unwrap();
    for (at, row) in expected.iter().enumerate() {
        assert_eq!(column("rule").as_string::<i32>().value(at), row["rule"]);
        let times = column("time").as_primitive::<TimestampMillisecondType>();
        let time = times.is_valid(at).then(|| crate::units::Timestamp(times.value(at)).to_string());
        assert_eq!(time.unwrap_or_default(), row["time"]);
        let regions = column("regions").as_list::<i32>().value(at);
        let regions: Vec<_> = regions.as_primitive::<UInt64Type>().values().iter().map(u64::to_string).collect();
        assert_eq!(regions.join(";"), row["regions"]);
        let codes = column("error_code").as_list::<i32>().value(at);
        let codes: Vec<_> = codes.as_string::<i32>().iter().flatten().collect();
        assert_eq!(codes.join(";"), row["error_code"]);
    }
}
