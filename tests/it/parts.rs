//! The same logs give the same bytes, however they are cut, ordered, read or packed.

use crate::cluster::generate;
use crate::cluster::scenarios::{ALL as STORIES, Request};
use crate::harness::{Report, Sandbox, assert_same, assert_same_text, words};
use crate::random::Random;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, LazyLock};
use tidescope::event::{Event, EventStream, SourceRow};
use tidescope::input::{self, Io};
use tidescope::matching::Matcher;
use tidescope::rules::Catalog;
use tidescope::scan::{self, Context};

/// A cut every so many bytes, or anywhere.
const MIB: usize = 1 << 20;

/// Holds a property over so many random inputs, always the same ones unless the environment says otherwise.
#[track_caller]
fn check<S: Strategy>(count: u32, input: &S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let set = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let config = ProptestConfig {
        cases: set("PROPTEST_CASES").map_or(count, |count| count as u32),
        rng_seed: RngSeed::Fixed(set("PROPTEST_RNG_SEED").unwrap_or(20_220_725)),
        failure_persistence: None,
        max_shrink_iters: 400,
        ..ProptestConfig::default()
    };
    if let Err(failure) = TestRunner::new(config).run(input, property) {
        panic!("{failure}");
    }
}

/// A piece of a log, in one of the forms in which logs arrive; `n` makes ids and times differ.
fn piece(kind: usize, n: u64) -> Vec<u8> {
    let region = 90_000 + n % 7;
    let time = format!("2022/07/25 14:5{}:{:02}.{:03} +00:00", n % 10, n % 60, n % 1000);
    let refused = format!(
        "[{time}] [WARN] [errors.rs:155] [\"backup stream meet error\"] [context=\"retry to register region\"] [err=\"failed to get initial snapshot: failed to get the snapshot (region_id = {region}): Error during requesting raftstore: message: \\\"read index not ready, reason can not read index due to merge, region {region}\\\"\"] [err_code=KV:LogBackup:RaftReq]"
    );
    let unknown =
        format!("[{time}] [ERROR] [thing.rs:7] [\"nobody knows thing {n} of the frobnicator\"] [region_id={region}]");
    let text = match kind {
        0 => format!("{refused}\n"),
        1 => format!("[{time}] [INFO] [peer.rs:30] [\"nothing to see\"] [region_id={region}]\n"),
        2 => format!("{refused}\r\n"),
        3 => format!("{unknown}\n"),
        4 => format!(
            "[{time}] [INFO] [apply.rs:1] [\"execute admin command\"] [command=\"cmd_type: PrepareMerge prepare_merge {{ min_index: 6 target {{ id: {} }} }}\"] [index=7] [peer_id=5] [region_id={region}]\n",
            region + 1
        ),
        5 => format!(
            "{{\"time\":\"{time}\",\"level\":\"WARN\",\"caller\":\"errors.rs:155\",\"message\":\"backup stream meet error\",\"err\":\"region {region}\",\"err_code\":\"KV:LogBackup:RaftReq\"}}\n"
        ),
        6 => format!(
            "{}\n",
            serde_json::json!({"log": format!("{refused}\n"), "stream": "stderr", "time": "2022-07-25T14:54:44.467123456Z"})
        ),
        7 => {
            let (head, tail) = refused.split_at(200);
            format!("2022-07-25T14:54:44.467123456Z stderr P {head}\n2022-07-25T14:54:44.467123456Z stderr F {tail}\n")
        }
        8 => format!(
            "● Total 1 Tasks.\n> #1 <\n                    name: task{n}\n                  status: ○ ERROR\n                   start: 2022-07-25 13:49:02.868 +0000\n      checkpoint[global]: 2022-07-25 14:46:50.118 +0000; gap=11h31m29s\n          error[store=1]: KV:LogBackup:RaftReq\nerror-happen-at[store=1]: 2022-07-25 14:54:44.467 +0000; gap=11h23m35s\n  error-message[store=1]: retry time exceeds: failed to get the snapshot (regi\n                          on_id = {region})\n"
        ),
        9 => format!(
            "[{{\"name\":\"task{n}\",\"start_ts\":434833180031188992,\"progress\":[],\"storage\":\"s3://b/p\",\"checkpoint\":434834088949972992,\"last_errors\":[]}}]\n"
        ),
        10 => format!(
            "panic: runtime error: index out of range [{n}]\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:{n} +0x1d\n"
        ),
        11 => {
            format!("Error: backup range failed: [BR:KV:ErrKVStorage]tikv storage occur I/O error, region {region}\n")
        }
        12 => format!("Full Backup <----{}....> {}.00%\r", "-".repeat(n as usize % 20), n % 100),
        // And a panic that has lost its head.
        13 => format!(
            "\n\nsome prose about region {region}, which is no record\n--\ngoroutine {n} [running]:\n\nmain.main()\n\n/src/main.go:{n} +0x1d\n"
        ),
        14 => return [&b"\xff\xfe \x00\x01"[..], refused.as_bytes(), b"\xc3\n"].concat(),
        15 => format!(
            "[{time}] [WARN] [errors.rs:155] [\"backup stream meet error\"] [err=\"a value\nthat goes on over\n  lines about region {region}\"]\n"
        ),
        16 => refused[..40 + n as usize % 200].to_owned(),
        17 => format!("{refused}{unknown}\n"),
        18 => format!("tikv-0 tikv {unknown}\n[pod/tc-tikv-0/tikv] {refused}\n"),
        19 => format!("tikv.log:12:{refused}\ntikv.log-13-{unknown}\n"),
        20 => format!(
            "[{time}] [FATAL] [lib.rs:491] [\"[region {region}] 5 must not happen\"] [backtrace=\"   0: a\\n   1: b\"]\nthread panicked\n   0: std::panic\n             at lib.rs:1\n"
        ),
        21 => format!("$ tiup br log resume --task-name=task{n} \\\n  --pd pd:2379\n"),
        22 => format!(
            "2022-07-25 14:54:{:02},120 [put-{n}] WARN  org.tikv.raw.RawKVClient - Retry for put error\norg.tikv.common.exception.RegionException: Region Exception occurred EpochNotMatch current epoch of region {region} is 7\n        at org.tikv.A.b(A.java:7)\nCaused by: org.tikv.common.exception.LockException: x\n",
            n % 60
        ),
        23 => format!(
            "\u{25cf} tikv-20160.service - tikv service\n   Active: failed (Result: signal) since Mon 2022-07-25 14:54:{:02} UTC; 5min ago\n Main PID: {n} (code=killed, signal=ABRT)\n\n",
            n % 60
        ),
        24 => format!(
            "[{time}] [INFO] [big.rs:1] [\"a long one\"] [value={}] [region_id={region}]\n",
            "x".repeat(MIB + n as usize * 1000)
        ),
        25 => format!("{}\n", "no line ends here ".repeat(MIB / 9)),
        26 => {
            format!("panic: long\n\ngoroutine 1 [running]:\n{}", "\tframe of a stack, region 90001\n".repeat(MIB / 20))
        }
        _ => format!(
            "{}\n",
            serde_json::json!({"time": time, "level": "WARN", "message": "backup stream meet error", "err": "y".repeat(MIB)})
        ),
    };
    text.into_bytes()
}

const SMALL: usize = 24;
const ALL: usize = 28;

fn pieces(kinds: usize, count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<(usize, u64)>> {
    prop::collection::vec((0..kinds, 0u64..1000), count)
}

static MATCHER: LazyLock<Matcher> = LazyLock::new(|| Matcher::new(Arc::new(Catalog::load(&[]).unwrap())));

/// What a scan of a file or of one split of it says.
#[derive(Debug, Default, PartialEq)]
struct Scanned {
    events: Vec<Event>,
    /// Records, line ends, continuation lines, unparsed lines.
    counts: [u64; 4],
    templates: BTreeMap<String, u64>,
}

fn scanned(path: &Path, io: Io, split: Option<std::ops::Range<u64>>) -> Scanned {
    let options = input::Options { io, ..input::Options::default() };
    let found = input::discover(&[path.to_str().unwrap().to_owned()], &options);
    let settings = scan::Settings {
        since: None,
        until: None,
        context: Context::None,
        split,
        starts: BTreeMap::new(),
        zone_minutes: None,
        memory: 1 << 30,
        redact: true,
    };
    let (events, sources, unmatched) =
        scan::scan(&found, &MATCHER, &settings, &scan::Progress::default()).unwrap().sorted();
    let mut all = Vec::new();
    events.for_each(&mut |event| all.push(event.clone())).unwrap();
    all.sort_by_key(|event| event.offset);
    // What cannot be entered in the middle belongs to the split that begins at 0; the others have no source then.
    let nothing = SourceRow::default();
    let row = sources.first().unwrap_or(&nothing);
    Scanned {
        events: all,
        counts: [row.records, row.newlines, row.continuation_lines, row.unparsed_lines],
        templates: unmatched.iter().map(|row| (format!("{:?} {}", row.level, row.template), row.count)).collect(),
    }
}

/// The splits put together as `report` does it.
fn joined(path: &Path, io: Io, cuts: &[u64], len: u64) -> Scanned {
    let mut bounds: Vec<u64> = cuts.iter().map(|cut| cut % (len + 1)).chain([0, len]).collect();
    bounds.sort_unstable();
    let mut whole = Scanned::default();
    for bound in bounds.windows(2) {
        let part = scanned(path, io, Some(bound[0]..bound[1]));
        let newlines = whole.counts[1];
        whole.events.extend(part.events.into_iter().map(|event| Event { line: event.line + newlines, ..event }));
        whole.counts.iter_mut().zip(part.counts).for_each(|(sum, count)| *sum += count);
        part.templates.into_iter().for_each(|(name, count)| *whole.templates.entry(name).or_default() += count);
    }
    whole
}

fn assert_cuts_do_not_show(pieces: &[(usize, u64)], cuts: &[u64], io: Io) -> Result<(), TestCaseError> {
    let text: Vec<u8> = pieces.iter().flat_map(|(kind, n)| piece(*kind, *n)).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tikv.log");
    std::fs::write(&path, &text).unwrap();
    let whole = scanned(&path, Io::Mmap, None);
    prop_assert_eq!(&scanned(&path, Io::Read, None), &whole, "read as a stream");
    let parts = joined(&path, io, cuts, text.len() as u64);
    prop_assert_eq!(parts.events.len(), whole.events.len(), "events");
    for (part, event) in parts.events.iter().zip(&whole.events) {
        prop_assert_eq!(part, event);
    }
    prop_assert_eq!(parts.counts, whole.counts, "records, line ends, continuation lines, unparsed lines");
    prop_assert_eq!(&parts.templates, &whole.templates);
    Ok(())
}

#[test]
fn any_cuts_of_a_file_give_the_same_records() {
    let cuts = prop::collection::vec(any::<u64>(), 1..6);
    let input = (pieces(SMALL, 1..12), cuts, prop_oneof![Just(Io::Mmap), Just(Io::Read)]);
    check(150, &input, |(pieces, cuts, io)| assert_cuts_do_not_show(&pieces, &cuts, io));
}

#[test]
fn any_cuts_of_huge_records_give_the_same_records() {
    let cuts = prop::collection::vec(any::<u64>(), 1..3);
    let input = (pieces(ALL, 3..9), cuts);
    check(8, &input, |(pieces, cuts)| assert_cuts_do_not_show(&pieces, &cuts, Io::Mmap));
}

/// A log with every form of record in it.
fn mixed_log() -> Vec<u8> {
    (0..3 * SMALL as u64).flat_map(|n| piece(n as usize % SMALL, n)).collect()
}

fn cluster() -> Sandbox {
    let sandbox = Sandbox::with_testdata(&["merge-failed-task"]);
    sandbox.write("merge-failed-task/mixed.log", mixed_log());
    sandbox
}

#[test]
fn threads_order_and_way_of_reading_do_not_show() {
    let sandbox = cluster();
    let (_, expected) = sandbox.analyze(["merge-failed-task"], "expected");
    for threads in 1..=8 {
        let (_, report) = sandbox.analyze(["--threads", &threads.to_string(), "merge-failed-task"], "out");
        assert_same(&format!("{threads} threads"), &expected, &report);
    }
    for io in ["mmap", "read"] {
        let (_, report) = sandbox.analyze(["--io", io, "merge-failed-task"], "out");
        assert_same(io, &expected, &report);
    }
    let parts = [
        "merge-failed-task/mixed.log",
        "merge-failed-task/br",
        "merge-failed-task/10.0.2.1",
        "merge-failed-task/10.0.1.1*",
    ];
    let (_, report) = sandbox.analyze(parts, "out");
    assert_same("parts", &expected, &report);
    let (_, report) = sandbox.analyze(parts.iter().rev().chain(&parts[1..2]), "out");
    assert_same("parts the other way round", &expected, &report);
    let (_, report) = sandbox.analyze(["--memory", "16KiB", "merge-failed-task"], "out");
    assert_same("events in temporary files", &expected, &report);
}

#[test]
fn a_stream_says_what_the_file_says() {
    let sandbox = cluster();
    let log = "merge-failed-task/10.0.1.11/tikv-20160/tikv.log";
    let (_, expected) = sandbox.analyze([log], "expected");
    let text = std::fs::read(sandbox.path(log)).unwrap();
    sandbox.run_with_input(["analyze", "-", "-o", "out"], text).with_status(0);
    let report = Report::read(&sandbox.path("out"), &sandbox.run(["--version"]));
    for (file, stream) in expected.rows("events").iter_mut().zip(report.rows("events")) {
        // What the name of a file says of its writer is all that may be missing.
        for column in ["file", "instance"] {
            file.insert(column.to_owned(), stream[column].clone());
        }
        assert_eq!(*file, stream);
    }
    assert_eq!(expected.rows("events").len(), report.rows("events").len());
    assert_eq!(expected.rows("incidents").len(), report.rows("incidents").len());
}

#[test]
fn packed_files_say_what_plain_ones_say() {
    let sandbox = Sandbox::with_testdata(&["merge-failed-task"]);
    let (_, expected) = sandbox.analyze(["merge-failed-task"], "expected");
    let packed = Command::new("gzip").args(["-r", "merge-failed-task"]).current_dir(sandbox.path("")).status().unwrap();
    assert!(packed.success());
    let (_, report) = sandbox.analyze(["merge-failed-task"], "out");
    for table in ["events", "timeline", "incidents", "tasks", "regions", "stores", "errors", "sources", "unmatched"] {
        let name = format!("{table}.csv");
        let plain = report.text(&name).replace(".log.gz", ".log").replace(".txt.gz", ".txt");
        assert_same_text(&name, &plain, expected.text(&name));
    }
}

/// A distributed run, as the contract has it: whole sources as they are, others in splits, which may cut lines and records.
fn report_of_splits(sandbox: &Sandbox, whole: Vec<String>, split: &[(String, Vec<u64>)]) -> Report {
    let mut jobs = vec![whole];
    for (name, cuts) in split {
        let size = std::fs::metadata(sandbox.path(name)).unwrap().len();
        let mut start = 0;
        for end in cuts.iter().copied().chain([size]) {
            jobs.push(vec!["--split".to_owned(), format!("{name}:{start}-{end}")]);
            start = end;
        }
    }
    let mut files = Vec::new();
    let scan = |pass: usize, context: &str, files: &mut Vec<String>| {
        for (number, job) in jobs.iter().enumerate() {
            let mut out = String::new();
            write!(out, "{pass}-{number}.jsonl").unwrap();
            let options = ["scan", "--format", "jsonl", "-q", "--context", context, "-o", &out];
            sandbox.run(words(options).into_iter().chain(words(job))).with_status(0);
            files.push(out);
        }
    };
    scan(0, "none", &mut files);
    let mut known = String::new();
    for pass in 1..=3 {
        sandbox.run(words(["implicated", "-o", "ids.json"]).into_iter().chain(words(&files))).with_status(0);
        let ids = sandbox.read("ids.json");
        if ids == known {
            break;
        }
        known = ids;
        scan(pass, "ids.json", &mut files);
    }
    files.reverse();
    // A part that was scanned twice, as happens where a machine is lost, counts once.
    files.push(files[0].clone());
    files.push("0-1.jsonl".to_owned());
    let run = sandbox.run(words(["report", "-o", "out"]).into_iter().chain(words(&files))).with_status(0);
    Report::read(&sandbox.path("out"), &run)
}

#[test]
fn scans_of_splits_make_the_same_report() {
    let sandbox = cluster();
    let (_, expected) = sandbox.analyze(["merge-failed-task"], "expected");
    let log = |store: u64| format!("merge-failed-task/10.0.1.{store}/tikv-20160/tikv.log");
    let whole = ["merge-failed-task/br", "merge-failed-task/10.0.1.1", "merge-failed-task/10.0.2.1", &log(12)];
    let split = [
        (log(11), vec![20_011, 30_000]),
        (log(13), vec![1]),
        ("merge-failed-task/mixed.log".to_owned(), vec![5_000, 5_001, 12_000]),
    ];
    assert_same("splits", &expected, &report_of_splits(&sandbox, whole.map(str::to_owned).into(), &split));
}

/// Times without an offset are those of the first zone that the whole shows, wherever it is cut.
#[test]
fn a_cut_between_zones_does_not_shift_times() {
    let local = |second: u32| {
        format!(
            "2022-07-25 22:54:{second},120 [put-3] WARN  org.tikv.common.operation.RegionErrorHandler - NotLeader Error with region id 94816 and \
             store id 1, new store id 4\n"
        )
    };
    let zoned = |zone: &str| {
        format!("[2022/07/25 22:54:40.000 {zone}] [WARN] [errors.rs:155] [\"backup stream meet error\"]\n")
    };
    let text = [zoned("+08:00"), local(41), zoned("+00:00"), local(42), local(43)].concat();
    let cut = text.find(&zoned("+00:00")).unwrap() as u64;
    let sandbox = Sandbox::new();
    sandbox.write("paste.log", &text);
    sandbox.write("empty.log", "");
    let (_, expected) = sandbox.analyze(["paste.log", "empty.log"], "expected");
    let events = expected.rows("events");
    assert!(events.iter().any(|row| row["time"] == "2022-07-25T14:54:43.120Z"), "{events:?}");
    let splits = [("paste.log".to_owned(), vec![cut, cut + 200])];
    assert_same("zones", &expected, &report_of_splits(&sandbox, vec!["empty.log".to_owned()], &splits));
}

/// Whole clusters with incidents: cuts, order, threads and memory change nothing that is written about them.
fn assert_reading_does_not_show(scenario: &str, seed: u64, threads: u64, bits: u64) {
    let mut random = Random::new(bits);
    let sandbox = Sandbox::new();
    generate(&Request::parse(scenario, seed).unwrap(), &sandbox.path("in")).unwrap();
    std::fs::remove_file(sandbox.path("in/truth.json")).unwrap();
    let (_, expected) = sandbox.analyze(["in"], "expected");
    assert!(!expected.rows("incidents").is_empty(), "{scenario} --seed {seed}");
    let mut files: Vec<String> = expected.rows("sources").iter().map(|row| row["file"].clone()).collect();
    files.sort_by_cached_key(|_| random.bits());
    let options = ["--threads", &threads.to_string(), "--memory", "64KiB"];
    let (_, report) = sandbox.analyze(words(options).into_iter().chain(words(&files)), "out");
    assert_same(&format!("{scenario} --seed {seed}: {threads} threads, {files:?}"), &expected, &report);

    let size = |file: &String| std::fs::metadata(sandbox.path(file)).unwrap().len();
    files.sort_by_key(|file| {
        std::cmp::Reverse((Path::new(file).extension().is_none_or(|extension| extension != "gz"), size(file)))
    });
    let cuts = |file: &String, random: &mut Random| {
        let mut cuts = [random.below(size(file)), random.below(size(file))];
        cuts.sort_unstable();
        (file.clone(), cuts.to_vec())
    };
    let split = [cuts(&files[0], &mut random), cuts(&files[1], &mut random)];
    let report = report_of_splits(&sandbox, files[2..].to_vec(), &split);
    assert_same(&format!("{scenario} --seed {seed}: splits {split:?}"), &expected, &report);
}

#[test]
fn incidents_do_not_hang_on_how_their_logs_were_read() {
    let broken: Vec<&str> = STORIES.iter().filter(|one| !one.healthy).map(|one| one.name).collect();
    let variants = vec!["", "+skew", "+rotated", "+redacted", "+skew+missing+rotated+redacted"];
    let input = (prop::sample::select(broken), prop::sample::select(variants), 1..100u64, 1..8u64, any::<u64>());
    check(3, &input, |(scenario, variant, seed, threads, bits)| {
        assert_reading_does_not_show(&format!("{scenario}{variant}"), seed, threads, bits);
        Ok(())
    });
}
