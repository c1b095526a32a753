//! Files that change while they are read, and how files come into memory.

use super::super::{Io, Options};
use super::{Body, Folder, Source, Status, log};
use std::fs::{File, FileTimes};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::time::{Duration, SystemTime};

fn age(folder: &Folder, name: &str, seconds: u64) {
    let time = SystemTime::now() - Duration::from_secs(seconds);
    let file = File::options().write(true).open(folder.path().join(name)).unwrap();
    file.set_times(FileTimes::new().set_modified(time)).unwrap();
}

#[test]
fn a_file_at_rest_is_mapped_and_others_are_read() {
    let folder = Folder::new();
    let text = log(10_000, 400);
    folder.write("big.log", &text);
    folder.write("small.log", b"x\n");
    let mapped = |name: &str, io: Io| {
        let reading = folder.read_with(&[name], &Options { io, ..Options::default() });
        assert_eq!(reading.problems, []);
        assert!(name != "big.log" || reading.sources[0].bytes == text);
        reading.sources[0].mapped
    };
    assert!(!mapped("big.log", Io::Auto), "just written");
    age(&folder, "big.log", 600);
    age(&folder, "small.log", 600);
    assert!(mapped("big.log", Io::Auto));
    assert!(!mapped("big.log", Io::Read));
    assert!(!mapped("small.log", Io::Auto));
    assert!(mapped("small.log", Io::Mmap));
    folder.write("empty.log", b"");
    assert!(!mapped("empty.log", Io::Mmap));
}

#[test]
fn a_growing_file_is_read_up_to_its_size_at_the_start() {
    let folder = Folder::new();
    let text = log(2_000, 401);
    folder.write("a.log", &text);
    let inputs = folder.discover(&["a.log"], &Options::default()).inputs;
    assert_eq!(inputs[0].size(), text.len() as u64);
    File::options().append(true).open(folder.path().join("a.log")).unwrap().write_all(b"more\n").unwrap();
    for _ in 0..2 {
        let mut sources = Vec::new();
        assert_eq!(inputs[0].read(&mut |name, body| sources.push(Source::new(name, body))), []);
        assert!(sources[0].bytes == text && sources[0].error.is_none());
    }
}

#[test]
fn a_file_that_shrinks_is_partial() {
    let folder = Folder::new();
    let text = log(20_000, 402);
    crate::input::guard_mapped_reads();
    for io in [Io::Read, Io::Mmap] {
        folder.write("a.log", &text);
        let input = &folder.discover(&["a.log"], &Options { io, ..Options::default() }).inputs[0];
        let file = File::options().write(true).open(folder.path().join("a.log")).unwrap();
        let mut told = Vec::new();
        let problems = input.read(&mut |_, body| {
            file.set_len(100_000).unwrap();
            match body {
                Body::Mapped(bytes) => {
                    assert!(bytes[..100_000] == text[..100_000]);
                    assert!(bytes[100_000..].iter().all(|byte| *byte == 0));
                }
                Body::Stream(stream) | Body::Tail(_, stream) => {
                    let mut all = Vec::new();
                    told.push(std::io::Read::read_to_end(stream, &mut all).unwrap_err().to_string());
                    assert!(text.starts_with(&all));
                }
            }
        });
        told.extend(problems.into_iter().map(|problem| problem.reason));
        assert!(
            matches!(&told[..], [text] if text.starts_with("the file became shorter while it was read")),
            "{told:?}"
        );
    }
    folder.write("a.log", &text);
    let input = &folder.discover(&["a.log"], &Options::default()).inputs[0];
    folder.sh("truncate -s 1000 a.log");
    let mut sources = Vec::new();
    let problems = input.read(&mut |name, body| sources.push(Source::new(name, body)));
    assert_eq!(sources[0].bytes, text[..1_000]);
    assert_eq!((problems.len(), problems[0].status), (1, Status::Partial));
    assert_eq!(problems[0].reason, "the file became shorter since the start");
}

#[test]
fn a_reader_may_stumble_only_over_a_file_that_changes() {
    let folder = Folder::new();
    folder.write("a.log", log(20_000, 403));
    age(&folder, "a.log", 600);
    let input = &folder.discover(&["a.log"], &Options { io: Io::Mmap, ..Options::default() }).inputs[0];
    let stumbles = |change: bool| {
        input.read(&mut |_, _| {
            if change {
                folder.write("a.log", log(20_000, 404));
            }
            std::panic::resume_unwind(Box::new("a record that ends before it begins"));
        })
    };
    let bug = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| stumbles(false)));
    assert!(bug.is_err());
    let problems = stumbles(true);
    assert_eq!((problems.len(), problems[0].status), (1, Status::Partial));
    assert_eq!(problems[0].reason, "was written anew while it was read");
}

#[test]
fn a_file_that_is_rotated_away_is_still_the_one_that_is_read() {
    let folder = Folder::new();
    let text = log(2_000, 403);
    folder.write("tikv.log", &text);
    let input = &folder.discover(&["tikv.log"], &Options::default()).inputs[0];
    let read = || {
        let mut sources = Vec::new();
        let problems = input.read(&mut |name, body| sources.push(Source::new(name, body)));
        (sources, problems)
    };
    folder.sh("mv tikv.log tikv-2023-03-01T10-00-00.000.log; echo new > tikv.log");
    let (sources, problems) = read();
    assert_eq!(problems, []);
    assert!(sources[0].bytes == text && sources[0].name.ends_with("/tikv.log"));
    folder.sh("rm tikv-*; touch keep-its-inode-busy");
    let (sources, problems) = read();
    assert_eq!(sources[0].bytes, b"new\n");
    assert!(problems[0].reason.starts_with("another file stands in its place"), "{problems:?}");
    folder.sh("rm tikv.log");
    let (sources, problems) = read();
    assert!(sources.is_empty());
    assert_eq!((problems.len(), problems[0].status), (1, Status::Failed));
}

#[test]
fn a_file_truncated_and_rewritten_all_the_time_does_no_harm() {
    let folder = Folder::new();
    let text = log(5_000, 404);
    crate::input::guard_mapped_reads();
    folder.write("a.log", &text);
    let file = File::options().write(true).open(folder.path().join("a.log")).unwrap();
    let over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(std::sync::atomic::Ordering::Relaxed) {
                file.set_len(0).unwrap();
                file.write_all_at(&text, 0).unwrap();
            }
        });
        for round in 0..400 {
            let io = [Io::Auto, Io::Mmap][round % 2];
            for input in folder.discover(&["a.log"], &Options { io, ..Options::default() }).inputs {
                input.read(&mut |name, body| {
                    let source = Source::new(name, body);
                    assert!(source.bytes.len() <= text.len());
                });
            }
        }
        over.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn a_sparse_file_is_read_without_its_last_hole() {
    let folder = Folder::new();
    let text = log(2_000, 405);
    folder.write("a.log", &text);
    folder.sh("truncate -s 1T a.log; dd if=a.log of=b.log bs=1M count=1 seek=100 conv=notrunc 2>/dev/null; truncate -s 5T none.log");
    let reading = folder.read(&["a.log"]);
    assert_eq!(reading.problems, []);
    assert!(reading.sources[0].bytes.starts_with(&text) && reading.sources[0].bytes.len() < text.len() + 4_096);
    assert_eq!(reading.sources[0].error, None);
    let reading = folder.read(&["b.log"]);
    let bytes = &reading.sources[0].bytes;
    assert!(bytes[..100 << 20].iter().all(|byte| *byte == 0));
    assert!(bytes[100 << 20..].starts_with(&text));
    assert!(folder.read(&["none.log"]).sources[0].bytes.is_empty());
}

#[test]
fn the_page_cache_is_left_as_it_was() {
    let folder = Folder::new();
    folder.write("plain.log", log(60_000, 404));
    folder.sh("gzip -1 -k plain.log");
    for name in ["plain.log", "plain.log.gz"] {
        let file = File::open(folder.path().join(name)).unwrap();
        let len = file.metadata().unwrap().len();
        let is_cached = || crate::input::sys::is_resident(&file, 0..len);
        let read = |leave_no_trace: bool| {
            folder.read_with(&[name], &Options { leave_no_trace, io: Io::Read, ..Options::default() });
        };
        // What is not on the disk yet stays in memory.
        file.sync_all().unwrap();
        crate::input::sys::forget(&file, 0..len);
        if is_cached() {
            return println!("skipped: this file system does not let go of pages");
        }
        read(true);
        assert!(!is_cached(), "{name} was cold");
        read(false);
        assert!(is_cached());
        read(true);
        assert!(is_cached(), "{name} was in memory before");
    }
}
