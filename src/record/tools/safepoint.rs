//! GC safe points as people ask for them: what `pd-ctl service-gc-safepoint` answers, and the row of `mysql.tidb`.

use crate::record::body::Field;
use crate::record::prefix::trim_marks;
use crate::record::{Kind, Record, json};
use crate::units::{Timestamp, Tso, parse_naive, parse_offset};
use std::borrow::Cow;
use std::ops::Range;

/// The member that has the safe points of all services.
const ANSWER: &[u8] = b"\"service_gc_safe_points\"";
/// The one that has that of GC.
const POINT: &[u8] = b"\"gc_safe_point\"";
/// Members of a service.
const SERVICE: &[u8] = b"\"service_id\"";
const SERVICE_POINT: &[u8] = b"\"safe_point\"";
/// The row's name.
const ROW: &[u8] = b"tikv_gc_safe_point";

/// Whether an object is such an answer, or one service of it.
pub(in crate::record) fn is_answer(object: &[u8]) -> bool {
    let has = |words: &[u8]| memchr::memmem::find(&object[..object.len().min(256)], words).is_some();
    has(ANSWER) || (has(SERVICE) && has(SERVICE_POINT))
}

/// The records of an answer: each service, and the safe point of GC.
pub(in crate::record) fn parts(answer: &[u8]) -> Vec<Range<usize>> {
    let list = memchr::memmem::find(answer, ANSWER).map_or(0, |at| at + ANSWER.len());
    let start = list + memchr::memchr(b'[', &answer[list..]).unwrap_or(0);
    let mut found: Vec<Range<usize>> = json::top_level_objects(&answer[start..])
        .into_iter()
        .map(|object| start + object.start..start + object.end)
        .filter(|object| memchr::memmem::find(&answer[object.clone()], SERVICE).is_some())
        .collect();
    if let Some(at) = memchr::memmem::rfind(answer, POINT) {
        let behind = at + POINT.len();
        let value = answer[behind..].iter().take(64).take_while(|byte| b": \t0123456789".contains(byte)).count();
        found.push(at..behind + value);
    }
    found.sort_unstable_by_key(|part| part.start);
    found
}

/// Whether a line is the row of `mysql.tidb`: `| tikv_gc_safe_point | 20220725-14:46:50.118 +0000 |`.
pub(in crate::record) fn is_row(text: &[u8]) -> bool {
    row(text).is_some()
}

fn row(text: &[u8]) -> Option<Timestamp> {
    let rest = trim_marks(text).strip_prefix(ROW)?;
    let value = rest.trim_ascii_start();
    let value = value.strip_prefix(b"|").unwrap_or(value).trim_ascii_start();
    // Year, month and day stand without anything between.
    let (date, clock) = value.get(..value.len().min(40))?.split_at_checked(8)?;
    let clock = clock.strip_prefix(b"-").filter(|_| value.len() < rest.len())?;
    let stamp = [&date[..4], b"-", &date[4..6], b"-", &date[6..], b" ", clock].concat();
    let (naive, rest) = parse_naive(&stamp)?;
    Some(Timestamp(naive - parse_offset(rest)? * 60_000))
}

/// Reads such a record.
pub(in crate::record) fn read(raw: &[u8]) -> Record<'static> {
    let mut fields = Vec::new();
    let mut add = |key: &'static str, value: Vec<u8>| {
        fields.push(Field { key: Cow::Borrowed(key.as_bytes()), value: Cow::Owned(value) });
    };
    let text = |key: &[u8]| value(raw, key).unwrap_or_default().to_vec();
    let message = if let Some(time) = row(raw) {
        add("gc-safepoint", Tso::from_time(time).0.to_string().into_bytes());
        format!("tikv_gc_safe_point of mysql.tidb is {time}").into_bytes()
    } else if raw.starts_with(POINT) {
        add("gc-safepoint", text(POINT));
        [b"GC safe point of PD is ", &*text(POINT)].concat()
    } else {
        let [service, point, until] = [SERVICE, SERVICE_POINT, b"\"expired_at\""].map(text);
        let message =
            [b"service safe point of ", &*service, b" is ", &*point, b", until ", &*until, b" (Unix seconds)"].concat();
        add("service-id", service);
        add("safepoint", point);
        add("expire-at", until);
        message
    };
    Record {
        message: Cow::Owned(message),
        fields,
        text: Cow::Owned(raw.to_vec()),
        kind: Kind::SafePoint,
        ..Record::default()
    }
}

/// The string or number of a member.
pub(in crate::record) fn value<'t>(object: &'t [u8], key: &[u8]) -> Option<&'t [u8]> {
    let rest = &object[memchr::memmem::find(object, key)? + key.len()..];
    let rest = rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    match rest.strip_prefix(b"\"") {
        Some(text) => Some(&text[..memchr::memchr(b'"', text)?]),
        None => Some(&rest[..rest.iter().take_while(|byte| byte.is_ascii_digit()).count()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_record_for_each_service_and_one_for_gc() {
        let answer = "{\n  \"service_gc_safe_points\": [\n    {\n      \"service_id\": \"gc_worker\",\n      \"expired_at\": 9223372036854775807,\n      \
                      \"safe_point\": 434834088949972991\n    },\n    {\"service_id\":\"t-1-pause-guard\",\"expired_at\":1658847284,\"safe_point\":7}\n  ],\n  \
                      \"min_service_gc_safe_point\": 1,\n  \"gc_safe_point\": 434834088949972990\n}";
        assert!(is_answer(answer.as_bytes()));
        let found: Vec<_> = parts(answer.as_bytes()).into_iter().map(|part| read(&answer.as_bytes()[part])).collect();
        let field = |at: usize, key: &str| {
            found[at].field(key).map(|field| String::from_utf8_lossy(&field.value).into_owned()).unwrap_or_default()
        };
        assert_eq!(found.len(), 3);
        assert_eq!((field(0, "service-id"), field(0, "safepoint")), ("gc_worker".into(), "434834088949972991".into()));
        assert_eq!((field(1, "service-id"), field(1, "expire-at")), ("t-1-pause-guard".into(), "1658847284".into()));
        assert_eq!(field(2, "gc-safepoint"), "434834088949972990");
        assert!(parts(b"\"service_gc_safe_points\": [").is_empty());
    }

    #[test]
    fn the_row_of_a_variable() {
        for text in [
            "| tikv_gc_safe_point       | 20220725-22:46:50.118 +0800  |",
            "tikv_gc_safe_point\t20220725-14:46:50.118 +0000",
        ] {
            let point = read(text.as_bytes()).field("gc-safepoint").map(|field| field.value.to_vec());
            assert_eq!(point.as_deref(), Some(&b"434834088949972992"[..]), "{text}");
        }
        for text in [
            "tikv_gc_safe_point",
            "tikv_gc_safe_point | soon",
            "| tikv_gc_safe_point | 2022",
            "tikv_gc_safe_point20220725-14:46:50 +0000",
        ] {
            assert!(!is_row(text.as_bytes()), "{text}");
        }
    }
}
