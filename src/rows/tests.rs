//! Whatever a row holds comes back from every format.

use super::{Format, Names, read, writer};
use crate::event::{
    Event, Fact, FactKind, KeyRange, ReadStatus, RegionDescription, Row, SourceRow, UnmatchedRow, Writer, test_event,
};
use crate::units::{Component, Level, PeerId, RegionId, Severity, StoreId, Timestamp, Tso};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use std::io;
use std::io::Write as _;
use std::path::Path;

#[cfg(feature = "arrow")]
const FORMATS: &[Format] = &[Format::Jsonl, Format::Arrow, Format::Parquet];
#[cfg(not(feature = "arrow"))]
const FORMATS: &[Format] = &[Format::Jsonl];

/// Texts as hostile logs have them: controls of both kinds, quotes, letters of every length.
fn text() -> impl Strategy<Value = String> {
    "[a-z\"\\\\ \n\u{0}-\u{1f}\u{7f}-\u{9f}\u{e4}\u{4e00}\u{1f980}]{0,12}"
}

fn boxed() -> impl Strategy<Value = Box<str>> {
    text().prop_map(Into::into)
}

fn name() -> impl Strategy<Value = std::sync::Arc<str>> {
    select(vec!["a.log", "b.tar!/\u{9b}x", "", "KV:x"]).prop_map(Into::into)
}

/// Moments within what a record can say, and some that only a sum over clocks could give.
fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![(0..253_402_300_800_000i64), any::<i64>()].prop_map(Timestamp)
}

fn component() -> impl Strategy<Value = Option<Component>> {
    option::of(select(vec![Component::Tikv, Component::Br, Component::Pd, Component::Os]))
}

fn level() -> impl Strategy<Value = Option<Level>> {
    option::of(select(vec![Level::Info, Level::Warn, Level::Fatal]))
}

fn range() -> impl Strategy<Value = KeyRange> {
    ("[0-9A-F]{0,8}", "[0-9A-F]{0,8}").prop_map(|(start, end)| KeyRange { start: start.into(), end: end.into() })
}

fn description() -> impl Strategy<Value = RegionDescription> {
    let peer = (any::<u64>(), any::<u64>()).prop_map(|(peer, store)| (PeerId(peer), StoreId(store)));
    (any::<u64>(), option::of(range()), option::of(any::<(u64, u64)>()), vec(peer, 0..3))
        .prop_map(|(id, range, epoch, peers)| RegionDescription { id: RegionId(id), range, epoch, peers })
}

fn fact() -> impl Strategy<Value = Fact> {
    let kind = select(vec![FactKind::Ts, FactKind::UnixSeconds, FactKind::Sql]);
    (kind, name(), boxed()).prop_map(|(kind, role, value)| Fact { kind, role, value })
}

fn event() -> impl Strategy<Value = Event> {
    let place = (name(), any::<u64>(), any::<u64>(), option::of(time()), any::<bool>());
    let severity = select(vec![Severity::Info, Severity::Critical]);
    let rule = (name(), name(), severity, any::<bool>(), component(), level());
    let ids = (option::of(any::<u64>()), option::of(any::<u64>()), option::of(any::<u64>()), option::of(boxed()));
    let lists = (vec(boxed(), 0..3), vec(any::<u64>(), 0..3), vec(any::<u64>(), 0..3), vec(any::<u64>(), 0..3));
    let nested = (boxed(), vec(fact(), 0..3), vec(description(), 0..3), vec(range(), 0..2));
    (place, rule, ids, lists, nested).prop_map(|(place, rule, ids, lists, nested)| Event {
        file: place.0,
        line: place.1,
        offset: place.2,
        time: place.3,
        time_is_local: place.4,
        rule: rule.0,
        group: rule.1,
        severity: rule.2,
        implicates: rule.3,
        component: rule.4,
        shows_writer: rule.3,
        level: rule.5,
        region: ids.0.map(RegionId),
        store: ids.1.map(StoreId),
        peer: ids.2.map(PeerId),
        task: ids.3,
        codes: lists.0,
        tsos: lists.1.into_iter().map(Tso).collect(),
        regions: lists.2.into_iter().map(RegionId).collect(),
        stores: lists.3.into_iter().map(StoreId).collect(),
        message: nested.0,
        facts: nested.1,
        descriptions: nested.2,
        ranges: nested.3,
    })
}

fn source() -> impl Strategy<Value = SourceRow> {
    let counts = any::<[u64; 7]>();
    let times = (option::of(time()), option::of(time()), option::of((time(), time())), option::of(any::<i32>()));
    let status = select(vec![ReadStatus::Read, ReadStatus::Partial, ReadStatus::Skipped, ReadStatus::Failed]);
    let peers = vec((any::<u64>(), any::<u64>()).prop_map(|(region, peer)| (RegionId(region), PeerId(peer))), 0..3);
    let rest = (any::<u64>(), option::of(any::<u64>()), status, option::of(text()), component(), peers);
    (name(), counts, times, rest).prop_map(|(file, counts, times, rest)| SourceRow {
        file,
        start: counts[0],
        end: counts[1],
        bytes: counts[2],
        records: counts[3],
        newlines: counts[4],
        continuation_lines: counts[5],
        unparsed_lines: counts[6],
        first: times.0,
        last: times.1,
        local: times.2,
        zone_minutes: times.3,
        head_hash: rest.0,
        tail_hash: rest.1,
        status: rest.2,
        problem: rest.3,
        writer: Writer { component: rest.4, peers: rest.5 },
    })
}

fn unmatched() -> impl Strategy<Value = UnmatchedRow> {
    let what = (boxed(), component(), level(), any::<u64>());
    (what, option::of(time()), option::of(time()), boxed(), name(), any::<[u64; 2]>()).prop_map(
        |((template, component, level, count), first, last, example, file, [line, offset])| UnmatchedRow {
            template,
            component,
            level,
            count,
            first,
            last,
            example,
            file,
            line,
            offset,
        },
    )
}

fn row() -> impl Strategy<Value = Row> {
    prop_oneof![event().prop_map(Row::Event), source().prop_map(Row::Source), unmatched().prop_map(Row::Unmatched)]
}

fn bytes(rows: &[Row], format: Format) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = writer(format, &mut out).unwrap();
    rows.iter().for_each(|row| writer.row(row.as_ref()).unwrap());
    writer.finish().unwrap();
    out
}

fn read_all(path: &Path) -> Result<Vec<Row>, super::Error> {
    let mut rows = Vec::new();
    read(path, &mut Names::default(), &mut |row| {
        rows.push(row);
        Ok(())
    })?;
    Ok(rows)
}

fn read_bytes(bytes: &[u8]) -> Result<Vec<Row>, super::Error> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    read_all(file.path())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_row_comes_back(rows in vec(row(), 0..40)) {
        for format in FORMATS {
            let bytes = bytes(&rows, *format);
            prop_assert_eq!(&read_bytes(&bytes).unwrap(), &rows, "{:?}", format);
            if *format == Format::Jsonl {
                let text = String::from_utf8(bytes).unwrap();
                prop_assert!(!text.contains(|letter: char| letter.is_control() && letter != '\n'));
            }
        }
    }

    #[test]
    fn damaged_rows_are_refused_or_read_never_worse(
        rows in vec(row(), 1..8),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        for format in FORMATS {
            let mut bytes = bytes(&rows, *format);
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] = byte }
            let read = read_bytes(&bytes);
            // Of lines nobody can say that one is missing.
            if cut && at > 0 && *format != Format::Jsonl {
                prop_assert!(read.is_err(), "{:?} of {} bytes", format, at);
            }
        }
    }
}

#[test]
fn many_batches_and_row_groups_keep_their_order() {
    let rows: Vec<Row> = (0..10_000u64)
        .map(|at| {
            let mut event = test_event("x", "log-backup");
            (event.offset, event.regions) = (at, vec![RegionId(at)]);
            Row::Event(event)
        })
        .collect();
    for format in FORMATS {
        assert_eq!(read_bytes(&bytes(&rows, *format)).unwrap(), rows, "{format:?}");
    }
}

#[test]
fn streams_may_be_joined() {
    let one = [Row::Event(test_event("x", "gc"))];
    for format in FORMATS.iter().filter(|format| **format != Format::Parquet) {
        let joined = bytes(&one, *format).repeat(3);
        assert_eq!(read_bytes(&joined).unwrap(), vec![one[0].clone(); 3], "{format:?}");
    }
}

#[test]
fn what_is_no_row_is_named() {
    let error = |bytes: &[u8]| read_bytes(bytes).unwrap_err().to_string();
    assert!(error(b"{\"row\":\"source\"}\n").starts_with("line 1: no row that `tidescope scan` wrote: missing field"));
    assert!(error(b"time,component,instance\n").starts_with("is csv, which is for people"));
    assert!(error(b"\x1f\x8b\x08").starts_with("is no file of rows"));
    assert!(read_bytes(b"").unwrap().is_empty());
    let stops = |_: Row| Err(io::Error::from(io::ErrorKind::StorageFull));
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&bytes(&[Row::Event(test_event("x", "gc"))], Format::Jsonl)).unwrap();
    assert!(matches!(read(file.path(), &mut Names::default(), &mut { stops }), Err(super::Error::Io(_))));
}
