//! What log viewers write when asked for a file.

use super::Random;
use super::containers::{in_json, rfc3339};
use super::head::{Head, millis};
use super::quotes::json_escaped;
use super::text::{Document, TimeLeft};

/// `2022-07-25 14:54:44 | ...`.
pub(super) fn grafana(document: &mut Document, _: &mut Random) {
    document.stamped(TimeLeft::None, |(date, clock, _)| {
        let prefix = format!("{} {} | ", date.replace('/', "-"), &clock[..8]);
        (prefix.clone(), prefix)
    });
}

/// `2022-07-25T14:54:44Z {app="tikv", pod="tc-tikv-0"} ...`.
pub(super) fn logcli(document: &mut Document, _: &mut Random) {
    document.stamped(TimeLeft::Second, |stamp| {
        let (date, clock, zone) = stamp.clone();
        let time = rfc3339(&(date, clock[..8].to_owned(), zone), "");
        let prefix = format!(r#"{time} {{app="tikv", pod="tc-tikv-0"}} "#);
        (prefix.clone(), prefix)
    });
}

/// `{"line":"...","timestamp":"2022-07-25T14:54:44.467Z"}`.
pub(super) fn loki_json(document: &mut Document, _: &mut Random) {
    in_json(document, |text, stamp| {
        let line = json_escaped(text);
        let time = rfc3339(stamp, "");
        Some(format!(r#"{{"labels":{{"app":"tikv"}},"line":"{line}","timestamp":"{time}"}}"#))
    });
}

/// `["1658760884467000000","..."],`: how Loki's interface answers.
pub(super) fn loki_values(document: &mut Document, _: &mut Random) {
    in_json(document, |text, stamp| Some(format!(r#"      ["{}000000","{}"],"#, millis(stamp)?, json_escaped(text))));
}

/// `"2022-07-25 14:54:44","tikv","..."`, with the quotes inside doubled.
pub(super) fn csv(document: &mut Document, random: &mut Random) {
    let last = if random.below(2) == 0 { "" } else { ",\"1658760884467\"" };
    cells(document, |text| format!("\"{}\"{last}", text.replace('"', "\"\"")));
}

/// The same from a tool that doubles no quotes.
pub(super) fn csv_sloppy(document: &mut Document, _: &mut Random) {
    cells(document, |text| format!("\"{text}\""));
}

fn cells(document: &mut Document, cell: impl Fn(&str) -> String) {
    for piece in &mut document.pieces {
        let [record] = &piece.records[..] else { continue };
        let Some((date, clock, _)) = &record.stamp else { continue };
        piece.text = format!("\"{} {}\",\"tikv\",{}", date.replace('/', "-"), &clock[..8], cell(&piece.text));
    }
}

/// Time, level and instance in columns, then the rest of the record.
pub(super) fn dashboard(document: &mut Document, _: &mut Random) {
    columns(document, |(date, clock, _), level, rest| {
        format!("{} {clock}\t{level}\tTiKV 10.0.1.11:20160\t{rest}", date.replace('/', "-"))
    });
}

/// A row of `information_schema.cluster_log`.
pub(super) fn cluster_log(document: &mut Document, _: &mut Random) {
    columns(document, |(date, clock, _), level, rest| {
        format!("| {date} {clock} | tikv | 10.0.1.11:20160 | {level} | {rest} |")
    });
}

fn columns(document: &mut Document, row: impl Fn(&(String, String, String), &str, &str) -> String) {
    for piece in &mut document.pieces {
        let [record] = &mut piece.records[..] else { continue };
        let (Some(stamp), Some(head)) = (&record.stamp, Head::find(&piece.text)) else { continue };
        let level = piece.text[head.level + 1..].split(']').next().unwrap_or_default();
        piece.text = row(stamp, level, &piece.text[head.caller..]);
        record.time = TimeLeft::None;
    }
}
