//! What is fuzzed: each function takes any bytes, and must neither panic nor hang nor need much memory.
//! The targets of `fuzz_targets` and a test that replays a few thousand mutations (`tests/it/mutations.rs`) call the same ones.

use std::path::PathBuf;
use std::sync::Arc;
use tidescope::event::{Facts, Place};
use tidescope::input::{Body, Limits, Options, discover};
use tidescope::matching::Matcher;
use tidescope::record::{Kind, RawRecord, Record, Sink, Tally, split};
use tidescope::rows::{self, Names};
use tidescope::rules::Catalog;
use tidescope::safe::Safe;

/// A file of this thread's own.
fn file(bytes: &[u8]) -> Option<PathBuf> {
    let name = format!("tidescope-fuzz-{}-{:?}", std::process::id(), std::thread::current().id());
    let place = std::env::temp_dir().join(name);
    std::fs::write(&place, bytes).ok().map(|()| place)
}

/// Anything that may be a container: archives, compressed streams, exports, and what is neither.
pub fn archive(bytes: &[u8]) {
    let Some(place) = file(bytes) else { return };
    let limits = Limits { source_bytes: 1 << 20, ratio: 100, ratio_floor: 1 << 20, ..Limits::default() };
    let found = discover(&[place.to_string_lossy().into_owned()], &Options { limits, ..Options::default() });
    let mut buffer = vec![0; 64 << 10];
    for input in &found.inputs {
        let mut given = 0;
        input.read(&mut |name, body| {
            assert!(!name.contains(|char: char| char.is_control()));
            match body {
                Body::Mapped(text) => given += text.len(),
                Body::Stream(stream) | Body::Tail(_, stream) => {
                    while let Ok(count @ 1..) = stream.read(&mut buffer) {
                        given += count;
                    }
                }
            }
        });
        assert!(given <= 64 << 20, "{given} bytes out of {}", bytes.len());
    }
    let _ = std::fs::remove_file(place);
}

/// Message and fields of a clean record; what an event takes out of it; what is printed of that.
pub fn body(bytes: &[u8]) {
    let text = [&b"[2022/07/25 14:54:44.467 +00:00] [WARN] [endpoint.rs:209] "[..], bytes].concat();
    shown(&Record::clean(&text));
}

/// Any text read as any kind of record: headers, prefixes, and what a copy did to them.
pub fn damaged(bytes: &[u8]) {
    for kind in [Kind::Header, Kind::Json, Kind::Foreign, Kind::Fragment, Kind::Console, Kind::Panic, Kind::Os] {
        shown(&Record::read(bytes, kind));
    }
}

fn shown(record: &Record<'_>) {
    let event = Facts::of(record).event_of(record, None, Place { file: Arc::from("-"), line: 1, offset: 0 });
    assert!(event.message.len() <= 1024 && !event.message.contains('\n'));
    let safe = Safe::new(true);
    let shown = safe.line(&event.message).to_string();
    assert!(!shown.contains(|char: char| char.is_control()));
    assert_eq!(&*safe.line(&shown), shown);
}

#[derive(Default)]
struct Records(Vec<(usize, usize, Kind)>);

impl Sink for Records {
    fn record(&mut self, raw: RawRecord<'_>) {
        shown(&Record::read(raw.bytes, raw.kind));
        self.0.push((raw.start, raw.bytes.len(), raw.kind));
    }
}

/// Any text splits into records as its parts do, and every record can be read. The last two bytes say where the cut is.
pub fn records(bytes: &[u8]) {
    let Some((text, at)) = bytes.split_last_chunk::<2>() else { return };
    let cut = usize::from(u16::from_le_bytes(*at)) % (text.len() + 1);
    let counts = |tally: Tally| [tally.records, tally.newlines, tally.continuation_lines, tally.unparsed_lines];
    let (mut whole, mut parts) = (Records::default(), Records::default());
    let all = counts(split(text, 0..text.len(), &mut whole));
    let head = counts(split(text, 0..cut, &mut parts));
    let tail = counts(split(text, cut..text.len(), &mut parts));
    assert_eq!(parts.0, whole.0);
    assert_eq!(std::array::from_fn(|at| head[at] + tail[at]), all);
}

/// Records that are JSON objects, whole or cut.
pub fn json(bytes: &[u8]) {
    shown(&Record::read(bytes, Kind::Json));
    shown(&Record::read(bytes, Kind::StatusJson));
    for frame in
        ["{\"time\":\"2022/07/25 14:54:44.467 +00:00\",\"level\":\"WARN\",", "[{\"name\":\"task1\",", "{\"log\":\""]
    {
        let framed = [frame.as_bytes(), bytes].concat();
        split(&framed, 0..framed.len(), &mut Records::default());
    }
}

/// Screens of `br log status`, however they were copied.
pub fn status(bytes: &[u8]) {
    let screen = ["● Total 1 Tasks.\n> #1 <\n".as_bytes(), bytes].concat();
    split(&screen, 0..screen.len(), &mut Records::default());
}

/// Files of rules that a user wrote: right, or refused with a reason.
pub fn rules(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Catalog::load(&[("mine.toml", text)]) {
        Err(problems) => assert!(problems.iter().all(|problem| !problem.to_string().is_empty())),
        Ok(catalog) => {
            let ids = Catalog::ids_in(text);
            let matcher = Matcher::new(Arc::new(catalog));
            for id in ids {
                if let Some(rule) = matcher.catalog().get(&id) {
                    let _ = tidescope::event::check(&matcher, rule);
                }
            }
        }
    }
}

/// Rows that `scan` wrote, perhaps, as `report` reads them.
pub fn rows(bytes: &[u8]) {
    let Some(place) = file(bytes) else { return };
    let _ = rows::read(&place, &mut Names::default(), &mut |_| Ok(()));
    let _ = std::fs::remove_file(place);
}
