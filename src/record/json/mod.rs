//! Records that are a JSON object: TiKV's and Go's JSON logs, containers and log viewers with a record inside,
//! and `br log status --json`.

mod nesting;
mod repair;

pub(super) use nesting::{
    Nesting, begins_object, has_members, holds_several, is_broken, is_member, top_level_objects, wrapped_objects,
};

use super::body::Field;
use super::{Kind, Record, RowWriter, header, prefix, recover};
use crate::units::{Level, Timestamp, parse_naive, parse_offset};
use serde::de::{MapAccess, Visitor};
use serde_json::Value;
use std::borrow::Cow;

/// Keys in order; they may repeat, as they do in the text format.
struct Object(Vec<(String, Value)>);

impl<'de> serde::Deserialize<'de> for Object {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Object;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Object(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

/// The first object of a text.
fn parse(text: &[u8]) -> Option<Object> {
    serde_json::Deserializer::from_slice(text).into_iter().next()?.ok()
}

/// The same of a text that a copy broke.
fn parse_broken(text: &[u8]) -> Option<Object> {
    let joined = |dotted| parse(&repair::joined(text, dotted));
    let is_wrapped = text.contains(&b'\n');
    let dotted = if is_wrapped && !repair::is_even(text) { joined(true) } else { None };
    let plain = || if is_wrapped { joined(false) } else { None };
    dotted.or_else(plain).or_else(|| parse(&repair::repaired(text)))
}

/// Whether a broken object is worth a repair: a record of the text format in it is found without.
fn is_object(text: &[u8]) -> bool {
    let inner = text.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    // The first member may be lost.
    let inner = inner.map(|inner| inner.strip_prefix(b",").map_or(inner, <[u8]>::trim_ascii_start));
    inner.is_some_and(is_member) && header::whole(text, true).is_none()
}

/// Reads a record that is a JSON object; `None` where it is broken. `layers` bounds objects within objects.
pub(super) fn read(text: &[u8], layers: usize) -> Option<Record<'static>> {
    let Object(pairs) = parse(text).or_else(|| parse_broken(text).filter(|_| is_object(text)))?;
    let string = |keys: &[&str]| {
        pairs.iter().filter(|(key, _)| keys.contains(&key.as_str())).find_map(|(_, value)| value.as_str())
    };
    let stamp = string(&["time", "timestamp", "ts", "@timestamp", "Time", "tsNs"]).and_then(stamp);
    let level = string(&["level", "Level", "severity", "lvl"]).and_then(|word| Level::parse(word.as_bytes()));
    // PD calls what it says of a stage of its work `info`.
    let named = string(&MESSAGES);
    let message = named.or_else(|| string(&["info"])).unwrap_or_default();
    let is_record = |text: &&str| text.starts_with(['[', '{']) && super::look(text.as_bytes()) != super::Look::Other;
    let container = string(&["log", "line", "Line", "MESSAGE", "_msg", "textPayload"]);
    let caller = string(&["caller", "Caller"]).unwrap_or_default();
    // What names its own source file may quote a record; what does not wraps one, wherever it has it.
    let wrapped = || pairs.iter().find_map(|(_, value)| inner_record(value, MOST_NESTED));
    let wrapped = if caller.is_empty() { wrapped() } else { None };
    let outer = |mut record: Record<'static>| {
        if record.time.is_none()
            && let Some((time, Some(_))) = stamp
        {
            record.time = Some(time);
        }
        record.level = record.level.or(level);
        record.kind = Kind::Json;
        record.writer = record.writer.or_else(|| pairs.iter().find_map(|(key, value)| pod(key, value, MOST_NESTED)));
        record
    };
    if let Some(inner) = wrapped.or(container).or(Some(message).filter(is_record)) {
        return Some(outer(recover::nested(inner.trim_end().as_bytes(), layers)));
    }
    // An envelope, with the record's own members inside.
    let envelope =
        pairs.iter().find(|(key, value)| ["_source", "jsonPayload"].contains(&key.as_str()) && value.is_object());
    if let Some((_, inner)) = envelope.filter(|_| message.is_empty() && layers > 0)
        && let Some(record) = read(inner.to_string().as_bytes(), layers - 1)
    {
        return Some(outer(record));
    }
    let caller = caller.rsplit('/').next().unwrap_or_default().split(':').next().unwrap_or_default();
    // What a program answers has no message of its own, but may hold an error that has.
    let inner = || pairs.iter().map(|(_, value)| value).find_map(|value| inner_error(value, MOST_NESTED));
    let inner = if message.is_empty() { inner().unwrap_or_default() } else { String::new() };
    let known = ["time", "timestamp", "ts", "level", "caller", "message", "msg"];
    let fields = pairs
        .iter()
        .filter(|(key, _)| !known.contains(&key.as_str()) && (named.is_some() || key != "info"))
        .map(|(key, value)| Field { key: Cow::Owned(key.clone().into_bytes()), value: Cow::Owned(plain(value)) })
        .collect();
    Some(Record {
        time: stamp.map(|(time, _)| time),
        time_is_local: stamp.is_some_and(|(_, zone)| zone.is_none()),
        zone_minutes: stamp.and_then(|(_, zone)| zone),
        level,
        caller: Cow::Owned(caller.as_bytes().to_vec()),
        has_message: !message.is_empty(),
        message: Cow::Owned(if message.is_empty() { inner.into_bytes() } else { message.as_bytes().to_vec() }),
        fields,
        text: Cow::Owned(super::unescape(text).into_owned()),
        kind: Kind::Json,
        writer: None,
    })
}

/// Members that hold a message.
const MESSAGES: [&str; 3] = ["message", "msg", "Message"];

/// Errors stand no deeper in what a program answers.
const MOST_NESTED: usize = 8;

/// The first string inside a value that begins with a record's header.
fn inner_record(value: &Value, depth: usize) -> Option<&str> {
    let deeper = |value| if depth > 0 { inner_record(value, depth - 1) } else { None };
    match value {
        Value::String(text) => {
            let is_record = || header::whole(text.as_bytes(), true).is_some_and(|header| header.start == 0);
            (text.starts_with("[20") && is_record()).then_some(text)
        }
        Value::Array(values) => values.iter().find_map(deeper),
        Value::Object(members) => members.values().find_map(deeper),
        _ => None,
    }
}

/// The pod that a collector names beside a record: `"kubernetes":{"pod_name":"tc-tikv-0"}`.
fn pod(key: &str, value: &Value, depth: usize) -> Option<RowWriter> {
    match value {
        Value::String(name) if ["pod", "pod_name", "podName"].contains(&key.rsplit('.').next().unwrap_or(key)) => {
            prefix::named(name.as_bytes()).map(RowWriter::from)
        }
        Value::Object(members) if depth > 0 => members.iter().find_map(|(key, value)| pod(key, value, depth - 1)),
        _ => None,
    }
}

/// The message of an error inside a value, and its cause.
fn inner_error(value: &Value, depth: usize) -> Option<String> {
    let text = |keys: &[&str]| {
        let found = keys.iter().find_map(|key| value.get(key)?.as_str());
        found.filter(|text| !text.is_empty())
    };
    if let Some(message) = text(&MESSAGES) {
        return Some(text(&["RawCause"]).map_or_else(|| message.to_owned(), |cause| format!("{message}: {cause}")));
    }
    let deeper = |value| if depth > 0 { inner_error(value, depth - 1) } else { None };
    match value {
        Value::Array(values) => values.iter().find_map(deeper),
        Value::Object(members) => members.values().find_map(deeper),
        _ => None,
    }
}

/// Reads the end of a record that is an object, from within its message on.
pub(super) fn read_tail(text: &[u8], layers: usize) -> Option<Record<'static>> {
    let single = if memchr::memmem::find(text, b"\"\":\"\"").is_some() {
        Cow::Owned(recover::halved(text))
    } else {
        Cow::Borrowed(text)
    };
    if !has_members(&single) || single.first().is_some_and(|byte| b"{[".contains(byte)) {
        return None;
    }
    let start: &[u8] = if is_member(&single) { b"{" } else { b"{\"message\":\"" };
    read(&[start, &single].concat(), layers)
}

fn plain(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.clone().into_bytes(),
        other => other.to_string().into_bytes(),
    }
}

/// A time of the text format or RFC 3339; without an offset as if it were UTC.
fn stamp(text: &str) -> Option<(Timestamp, Option<i32>)> {
    if let Some(time) = super::prefix::epoch(text.as_bytes()) {
        return Some((time, Some(0)));
    }
    let (naive, rest) = parse_naive(text.as_bytes())?;
    match parse_offset(rest) {
        Some(zone) => Some((Timestamp(naive - zone * 60_000), Some(zone as i32))),
        None => Some((Timestamp(naive), None)),
    }
}

/// Reads a task of `br log status --json` with the keys that the screen has.
pub(super) fn read_status(text: &[u8]) -> Record<'static> {
    let pairs = parse(text).or_else(|| parse_broken(text)).map(|object| object.0).unwrap_or_default();
    let get = |key: &str| pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value);
    let mut fields: Vec<Field<'static>> = Vec::new();
    let mut add = |key: String, value: String| {
        fields.push(Field { key: Cow::Owned(key.into_bytes()), value: Cow::Owned(value.into_bytes()) });
    };
    for (from, to) in [("name", "name"), ("status", "status"), ("storage", "storage")] {
        if let Some(value) = get(from).and_then(Value::as_str) {
            add(to.to_owned(), value.to_owned());
        }
    }
    for (from, to) in [("start_ts", "start-ts"), ("checkpoint", "checkpoint-ts")] {
        if let Some(value) = get(from).and_then(Value::as_u64) {
            add(to.to_owned(), value.to_string());
        }
    }
    let mut earliest = None;
    for entry in get("last_errors").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default() {
        let error = entry.get("last_error").unwrap_or(entry);
        let Some(store) = entry.get("store_id").or_else(|| error.get("store_id")).and_then(Value::as_u64) else {
            continue;
        };
        if let Some(code) = error.get("error_code").and_then(Value::as_str) {
            add(format!("error[store={store}]"), code.to_owned());
        }
        if let Some(millis) = error.get("happen_at").and_then(Value::as_i64) {
            let time = Timestamp(millis);
            add(format!("error-happen-at[store={store}]"), time.to_string());
            earliest = Some(earliest.map_or(time, |known: Timestamp| known.min(time)));
        }
        if let Some(message) = error.get("error_message").and_then(Value::as_str) {
            add(format!("error-message[store={store}]"), message.to_owned());
        }
    }
    Record {
        time: earliest,
        fields,
        text: Cow::Owned(super::unescape(text).into_owned()),
        kind: Kind::StatusJson,
        ..Record::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tikv_json_has_the_parts_of_the_text_format() {
        let line = br#"{"time":"2022/07/25 14:54:44.467 +00:00","level":"WARN","caller":"endpoint.rs:209","message":"fatal error reporting","err":"x \"y\"","thread_id":115}"#;
        let record = read(line, 1).unwrap();
        assert_eq!(record.time.map(|t| t.to_string()).as_deref(), Some("2022-07-25T14:54:44.467Z"));
        assert_eq!((&*record.caller, &*record.message), (&b"endpoint.rs"[..], &b"fatal error reporting"[..]));
        assert_eq!(record.field("err").map(|f| f.value.to_vec()), Some(br#"x "y""#.to_vec()));
        assert_eq!(record.field("thread_id").map(|f| f.value.to_vec()), Some(b"115".to_vec()));
    }

    #[test]
    fn numbers_side_by_side_that_lines_part_are_not_one() {
        let lines = "{\"log\":\"[region.rs:1] [\\\"x\\\"] [min=1]\n[region=94812]\n[peers=\\\"[10245\n10246]\\\"]\",\"level\":\"WARN\"}";
        let record = read(lines.as_bytes(), 1).unwrap();
        let peers = record.field("peers").map(|field| field.value.to_vec()).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&peers).contains("1024510246"), "{record:?}");
        assert_eq!(record.field("region").map(|field| field.value.to_vec()), Some(b"94812".to_vec()));
    }

    #[test]
    fn a_record_in_any_string_of_an_object() {
        const HEAD: &str = r#"[2022/07/25 14:54:44.467 +00:00] [WARN] [endpoint.rs:209] [\"it failed\"] [region_id=7]"#;
        for (before, after) in [
            (r#"{"insertId":"x","textPayload":""#, r#"","severity":"ERROR"}"#),
            (
                r#"{"_index":"logs","_source":{"@timestamp":"2022-07-25T16:00:00Z","log":""#,
                r#"","host":{"name":"a"}}}"#,
            ),
            (r#"{"a":[{"b":{"message":[""#, r#""]}}]}"#),
            (r#"{"log":"/deploy/tikv.log","event.original":""#, r#""}"#),
        ] {
            let record = read(format!("{before}{HEAD}{after}").as_bytes(), 1).unwrap();
            assert_eq!(record.time.map(|t| t.to_string()).as_deref(), Some("2022-07-25T14:54:44.467Z"), "{before}");
            assert_eq!((&*record.message, record.level), (&b"it failed"[..], Some(Level::Warn)), "{before}");
        }
        let own = format!(r#"{{"level":"INFO","caller":"a.go:1","message":"x","err":"{HEAD}"}}"#);
        assert_eq!(&*read(own.as_bytes(), 1).unwrap().message, b"x");
        let lost = br#"{"_source":{"@timestamp":"2022-07-25T14:54:44.467Z","message":"it failed","level":"error"}}"#;
        let record = read(lost, 1).unwrap();
        assert_eq!((&*record.message, record.level), (&b"it failed"[..], Some(Level::Error)));
        assert_eq!(record.time.map(|t| t.to_string()).as_deref(), Some("2022-07-25T14:54:44.467Z"));
    }

    #[test]
    fn the_end_of_an_object() {
        for text in [
            r#"wait for it","category":"advancer","error":"it is locked"}"#,
            r#"wait for it"",""category"":""advancer"",""error"":""it is locked""}"#,
        ] {
            let record = read_tail(text.as_bytes(), 1).unwrap();
            assert_eq!(&*record.message, b"wait for it");
            assert_eq!(record.field("error").map(|f| f.value.to_vec()), Some(b"it is locked".to_vec()));
        }
        assert!(read_tail(b"it says \"a\": b", 1).is_none());
    }

    #[test]
    fn the_error_inside_an_answer_is_its_message() {
        let text = br#"{"result":true,"msg":"","sources":[{"msg":"","sub":[{"errors":[{"ErrCode":1,"Message":"x failed","RawCause":"y"}]}]}]}"#;
        let record = read(text, 1).unwrap();
        assert_eq!((String::from_utf8_lossy(&record.message).as_ref(), record.has_message), ("x failed: y", false));
        let broken = br#"{"level":"WARN","message":"region error","region_id":[REDACTED_LONG_ID],"store_id":4}"#;
        assert_eq!(&*read(broken, 1).unwrap().message, b"region error");
    }

    #[test]
    fn the_record_inside_a_container_wins() {
        let line = br#"{"log":"[2019/11/19 17:28:00.699 +08:00] [INFO] [a.go:107] [\"operator timeout\"] [region-id=9]\n","stream":"stdout"   ,"time":"2019-11-19T09:28:00.7Z"}"#;
        let record = read(line, 1).unwrap();
        assert_eq!(record.time.map(|t| t.to_string()).as_deref(), Some("2019-11-19T09:28:00.699Z"));
        assert_eq!(&*record.message, b"operator timeout");
    }
}
