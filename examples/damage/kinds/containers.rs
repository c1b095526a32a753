//! What container runtimes and collectors put around a record.

use super::Random;
use super::head::Head;
use super::losses::floor;
use super::quotes::json_escaped;
use super::text::{Document, TimeLeft};

type Stamp = (String, String, String);

/// `2022-07-25T14:54:44.467123456Z`.
pub(super) fn rfc3339((date, clock, zone): &Stamp, fraction: &str) -> String {
    let zone = if zone == "+00:00" { "Z" } else { zone };
    format!("{}T{clock}{fraction}{zone}", date.replace('/', "-"))
}

/// `2022-07-25T14:54:44.467123456Z stderr F `.
pub(super) fn cri(document: &mut Document, _: &mut Random) {
    document.stamped(TimeLeft::Whole, |stamp| {
        let prefix = format!("{} stderr F ", rfc3339(stamp, "123456"));
        (prefix.clone(), prefix)
    });
}

/// The same, with a long line cut in partial ones.
pub(super) fn cri_partial(document: &mut Document, random: &mut Random) {
    for piece in &mut document.pieces {
        let [record] = &mut piece.records[..] else { continue };
        let Some(stamp) = &record.stamp else { continue };
        if piece.text.contains('\n') {
            continue;
        }
        let time = rfc3339(stamp, "123456");
        let mut lines = Vec::new();
        let mut rest = &piece.text[..];
        let width = 60 + random.below(100) as usize;
        while rest.len() > width {
            let at = floor(rest, width);
            lines.push(format!("{time} stdout P {}", &rest[..at]));
            rest = &rest[at..];
        }
        lines.push(format!("{time} stdout F {rest}"));
        piece.text = lines.join("\n");
        record.time = TimeLeft::Whole;
    }
}

/// `{"log":"...\n","stream":"stderr","time":"2022-07-25T14:54:44.467123456Z"}`.
pub(super) fn docker(document: &mut Document, _: &mut Random) {
    in_json(document, |text, stamp| {
        let line = |line: &str| {
            format!(r#"{{"log":"{}\n","stream":"stderr","time":"{}"}}"#, json_escaped(line), rfc3339(stamp, "123456"))
        };
        (text.split('\n').count() == 1).then(|| line(text))
    });
}

/// `{"log":"[endpoint.rs:209] [\"...\"]","pod":"tikv-0","level":"INFO"}`: the collector took time and level out.
pub(super) fn json_without_header(document: &mut Document, _: &mut Random) {
    document.lose(|text| {
        let Some(head) = Head::find(text).filter(|_| !text.contains('\n')) else { return text.to_owned() };
        let level = text[head.level + 1..].split(']').next().unwrap_or_default();
        format!(r#"{{"log":"{}","pod":"tikv-0","level":"{level}"}}"#, json_escaped(&text[head.caller..]))
    });
}

/// `2022-07-25T14:54:44.467123456Z `.
pub(super) fn kubectl(document: &mut Document, _: &mut Random) {
    document.stamped(TimeLeft::Whole, |stamp| {
        let prefix = format!("{} ", rfc3339(stamp, "123456"));
        (prefix.clone(), prefix)
    });
}

/// `[pod/tc-tikv-0/tikv] `.
pub(super) fn pod(document: &mut Document, random: &mut Random) {
    let number = random.below(5);
    document.lines(|line| format!("[pod/tc-tikv-{number}/tikv] {line}"));
}

/// `tc-tikv-0 tikv `.
pub(super) fn stern(document: &mut Document, random: &mut Random) {
    let number = random.below(5);
    document.lines(|line| format!("tc-tikv-{number} tikv {line}"));
}

/// `tikv-0  | `.
pub(super) fn compose(document: &mut Document, random: &mut Random) {
    let number = random.below(5);
    document.lines(|line| format!("tikv-{number}  | {line}"));
}

/// `W0725 14:54:44.467123       1 log.go:12] `.
pub(super) fn klog(document: &mut Document, _: &mut Random) {
    document.stamped(TimeLeft::None, |(date, clock, _)| {
        let prefix = format!("W{}{} {clock}123       1 log.go:12] ", &date[5..7], &date[8..10]);
        (prefix.clone(), prefix)
    });
}

/// `Jul 25 14:54:44 host tikv-server[4242]: `.
pub(super) fn syslog(document: &mut Document, _: &mut Random) {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    document.stamped(TimeLeft::None, |(date, clock, _)| {
        let month = date[5..7].parse::<usize>().ok().and_then(|month| MONTHS.get(month - 1)).unwrap_or(&"Jan");
        let prefix =
            format!("{month} {:>2} {} host-7 tikv-server[4242]: ", date[8..10].trim_start_matches('0'), &clock[..8]);
        (prefix.clone(), prefix)
    });
}

/// `2022-07-25T14:54:44+0000 host tikv-server[4242]: `.
pub(super) fn journald(document: &mut Document, _: &mut Random) {
    document.stamped(TimeLeft::Second, |(date, clock, zone)| {
        let zone = zone.replace(':', "");
        let prefix = format!("{}T{}{zone} host-7 tikv-server[4242]: ", date.replace('/', "-"), &clock[..8]);
        (prefix.clone(), prefix)
    });
}

/// Wraps every record with a time in JSON that repeats the time.
pub(super) fn in_json(document: &mut Document, wrap: impl Fn(&str, &Stamp) -> Option<String>) {
    for piece in &mut document.pieces {
        let [record] = &mut piece.records[..] else { continue };
        let Some(text) = record.stamp.as_ref().and_then(|stamp| wrap(&piece.text, stamp)) else { continue };
        piece.text = text;
        record.time = TimeLeft::Whole;
    }
}
