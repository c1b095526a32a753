//! Stores as `pd-ctl store` answers: what PD knows of each, and when it last heard of it.

use super::safepoint::value;
use super::told;
use crate::record::status::moment;
use crate::record::{Kind, Record};
use std::ops::Range;

/// The members that begin a store, tell its state and the last heartbeat.
const ID: &[u8] = b"\"id\"";
const STATE: &[u8] = b"\"state_name\"";
const HEARD: &[u8] = b"\"last_heartbeat_ts\"";

/// Whether an object is such an answer, of one store or of all.
pub(in crate::record) fn is_answer(object: &[u8]) -> bool {
    /// Labels, version, addresses and paths of a store stand before its state.
    const HEAD: usize = 4 << 10;
    let head = &object[..object.len().min(HEAD)];
    memchr::memmem::find(head, STATE).is_some() && memchr::memmem::find(head, b"\"store\"").is_some()
}

/// The records of an answer: each store, from its id to the next one's.
pub(in crate::record) fn parts(answer: &[u8]) -> Vec<Range<usize>> {
    let mut last = 0;
    let mut starts: Vec<usize> = memchr::memmem::find_iter(answer, STATE)
        .filter_map(|state| {
            let start = last + memchr::memmem::rfind(&answer[last..state], ID)?;
            last = state;
            Some(start)
        })
        .collect();
    starts.push(answer.len());
    starts.windows(2).map(|pair| pair[0]..pair[1]).collect()
}

/// Reads a store.
pub(in crate::record) fn read(raw: &[u8]) -> Record<'static> {
    let text = |key: &[u8]| String::from_utf8_lossy(value(raw, key).unwrap_or_default()).into_owned();
    let [id, address, state, heard] = [ID, b"\"address\"", STATE, HEARD].map(text);
    let last = if heard.is_empty() { String::new() } else { format!(", last heard of at {heard}") };
    let message = format!("PD says of store {id} ({address}): {state}{last}");
    let fields = [("store-id", id), ("store-address", address), ("state", state)];
    Record { time: moment(&heard), ..told(raw, Kind::Store, message, fields) }
}

#[cfg(test)]
mod tests {
    use super::{is_answer, parts, read};

    #[test]
    fn an_answer_has_a_record_for_each_store() {
        let store = |id: u64, state: &str| {
            format!(
                "{{\n  \"store\": {{\n    \"id\": {id},\n    \"address\": \"10.0.1.{id}:20160\",\n    \"labels\": [\n      {{\"key\": \"zone\", \
                 \"value\": \"a\"}}\n    ],\n    \"state_name\": \"{state}\"\n  }},\n  \"status\": {{\n    \"last_heartbeat_ts\": \
                 \"2022-07-25T22:54:44.467051981+08:00\"\n  }}\n}}"
            )
        };
        let answer = format!("{{\n\"count\": 2,\n\"stores\": [\n{},\n{}\n]\n}}", store(1, "Up"), store(4, "Down"));
        for text in [answer.clone(), answer.replace(['\n', ' '], "")] {
            assert!(is_answer(text.as_bytes()));
            let found: Vec<_> = parts(text.as_bytes()).into_iter().map(|part| read(&text.as_bytes()[part])).collect();
            let said: Vec<_> =
                found.iter().map(|record| String::from_utf8_lossy(&record.message).into_owned()).collect();
            let last = "last heard of at 2022-07-25T22:54:44.467051981+08:00";
            assert_eq!(
                said,
                [
                    format!("PD says of store 1 (10.0.1.1:20160): Up, {last}"),
                    format!("PD says of store 4 (10.0.1.4:20160): Down, {last}")
                ]
            );
            assert_eq!(found[1].time.map(|time| time.to_string()).as_deref(), Some("2022-07-25T14:54:44.467Z"));
        }
        assert!(!is_answer(b"{\"message\":\"\\\"state_name\\\": Down\",\"store\":4}"));
        assert!(parts(b"{\"store\": {\"state_name\": \"Up\"}}").is_empty());
    }
}
