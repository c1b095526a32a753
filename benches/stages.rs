//! What each stage costs, on generated logs: `cargo bench`. How the whole program compares with others on the same files is
//! what `scripts/bench-peers` shows.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stderr, reason = "a bench")]

#[path = "../examples/generate-logs/clock.rs"]
#[allow(dead_code, reason = "names of rotated files")]
mod clock;
#[path = "../examples/generate-logs/kinds.rs"]
#[allow(dead_code, reason = "kinds that only files have")]
mod kinds;
#[path = "../examples/generate-logs/messages.rs"]
mod messages;
#[path = "../examples/common/random.rs"]
mod random;
#[path = "../examples/generate-logs/regions.rs"]
#[allow(unused_imports, reason = "its tests")]
mod regions;
#[path = "../examples/generate-logs/template.rs"]
#[allow(unused_imports, reason = "its tests")]
mod template;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kinds::{Kind, Stream};
use std::hint::black_box;
use std::sync::Arc;
use tidescope::event::{self, Facts, Place};
use tidescope::matching::{Chatter, Matcher};
use tidescope::record::{RawRecord, Record, Sink, split};
use tidescope::rules::Catalog;

/// Bytes of each log: enough to leave the caches.
const SIZE: usize = 16 << 20;

const KINDS: [(&str, Kind); 4] =
    [("calm", Kind::Calm), ("storm", Kind::Storm), ("json", Kind::Json), ("long", Kind::Long)];

fn log(kind: Kind) -> Vec<u8> {
    let mut stream = Stream::new(kind, 7, SIZE as u64, 24);
    let mut text = Vec::with_capacity(SIZE + (128 << 10));
    while text.len() < SIZE {
        stream.line(&mut text);
    }
    text
}

/// Hands each record to a function.
struct Each<F>(F);

impl<F: FnMut(RawRecord<'_>)> Sink for Each<F> {
    fn record(&mut self, record: RawRecord<'_>) {
        self.0(record);
    }
}

fn records(text: &[u8], each: impl FnMut(RawRecord<'_>)) {
    split(text, 0..text.len(), &mut Each(each));
}

fn stages(criterion: &mut Criterion) {
    let matcher = Matcher::new(Arc::new(Catalog::embedded().unwrap()));
    for (name, kind) in KINDS {
        let text = log(kind);
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10).throughput(Throughput::Bytes(text.len() as u64));
        // The peer of all others: what finding the lines alone costs.
        group.bench_function("lines", |bench| bench.iter(|| memchr::memchr_iter(b'\n', black_box(&text)).count()));
        group.bench_function("split", |bench| {
            bench.iter(|| {
                let mut bytes = 0;
                records(&text, |record| bytes += record.bytes.len());
                bytes
            });
        });
        group.bench_function("gate", |bench| {
            bench.iter(|| {
                let (mut passed, mut chatter) = (0, Chatter::default());
                records(&text, |record| passed += usize::from(matcher.signals().passes(record.bytes, &mut chatter)));
                passed
            });
        });
        let mut candidates: Vec<Vec<u8>> = Vec::new();
        records(&text, |record| {
            if candidates.len() < 10_000 && matcher.signals().passes(record.bytes, &mut Chatter::default()) {
                candidates.push(record.bytes.to_vec());
            }
        });
        group.throughput(Throughput::Elements(candidates.len() as u64));
        let file: Arc<str> = "tikv.log".into();
        group.bench_function("read", |bench| {
            bench.iter(|| {
                for bytes in &candidates {
                    records(bytes, |raw| {
                        black_box(Record::read(raw.bytes, raw.kind));
                    });
                }
            });
        });
        group.bench_function("event", |bench| {
            bench.iter(|| {
                for bytes in &candidates {
                    records(bytes, |raw| {
                        let record = Record::read(raw.bytes, raw.kind);
                        let facts = Facts::of(&record);
                        if let Some(rule) = matcher.find(&record, facts.codes()) {
                            let place = Place { file: Arc::clone(&file), line: 1, offset: 0 };
                            black_box(facts.event(&record, matcher.catalog().at(rule), place));
                        }
                    });
                }
            });
        });
        group.finish();
    }
}

fn report(criterion: &mut Criterion) {
    let matcher = Matcher::new(Arc::new(Catalog::embedded().unwrap()));
    let text = log(Kind::Storm);
    let mut events = Vec::new();
    records(&text, |raw| {
        for (_, event) in event::read(&matcher, &String::from_utf8_lossy(raw.bytes)) {
            if !event.rule.is_empty() {
                events.push(event::Event { line: 1 + raw.newlines, offset: raw.start as u64, ..event });
            }
        }
    });
    let sorted = || {
        let mut store = event::EventStore::new(usize::MAX, false);
        store.extend(events.clone()).unwrap();
        store.finish(event::Corrections::default())
    };
    let options = tidescope::correlate::Options { episode_gap_ms: 60_000, ..Default::default() };
    let mut group = criterion.benchmark_group("storm");
    group.sample_size(10).throughput(Throughput::Elements(events.len() as u64));
    let in_order = sorted();
    group.bench_function("correlate", |bench| {
        bench.iter(|| tidescope::correlate::correlate(&in_order, &[], &[], matcher.catalog(), &options).unwrap());
    });
    group.bench_function("csv", |bench| {
        bench.iter(|| {
            tidescope::report::write_events(std::io::sink(), &in_order, tidescope::safe::Safe::new(true)).unwrap()
        });
    });
    group.finish();
}

criterion_group!(benches, stages, report);
criterion_main!(benches);
