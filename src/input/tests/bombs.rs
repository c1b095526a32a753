//! Input that wants to be too much.

use super::super::{Limits, Options, discover};
use super::{Body, Folder, Status, log};

/// Reads to the end without keeping anything: bytes, and the error.
fn drain(folder: &Folder, name: &str, options: &Options) -> (u64, Vec<String>) {
    let mut total = 0;
    let mut errors = Vec::new();
    let mut buffer = vec![0; 1 << 20];
    for input in folder.discover(&[name], options).inputs {
        let problems = input.read(&mut |_, body| {
            let Body::Stream(stream) = body else { return };
            loop {
                match stream.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(count) => total += count as u64,
                    Err(error) => {
                        errors.push(error.to_string());
                        break;
                    }
                }
            }
        });
        errors.extend(problems.into_iter().map(|problem| problem.reason));
    }
    (total, errors)
}

#[test]
fn nested_gzip_and_zstd_of_zeros_stop_at_the_limit() {
    let folder = Folder::new();
    folder.sh("head -c 256M /dev/zero | gzip -1 | gzip > nested.gz; head -c 256M /dev/zero | zstd -qc > zeros.zst");
    let limits = Limits { ratio_floor: 32 << 20, ..Limits::default() };
    for name in ["nested.gz", "zeros.zst"] {
        let (total, errors) = drain(&folder, name, &Options { limits, ..Options::default() });
        assert!(total > 32 << 20 && total < 128 << 20, "{name}: {total}");
        let [error] = &errors[..] else { panic!("{errors:?}") };
        assert!(error.starts_with("decompresses to more than 2000 times its size"), "{error}");
    }
}

#[test]
fn a_bomb_in_an_archive_costs_only_itself() {
    let folder = Folder::new();
    let limits = Limits { ratio_floor: 10 << 20, ratio: 100, ..Limits::default() };
    let options = Options { limits, ..Options::default() };
    let text = log(1_000, 200);
    folder.write("z.log", &text);
    folder.sh("head -c 100M /dev/zero | gzip -1 | gzip > bomb.gz; tar -cf x.tar bomb.gz z.log; zip -q0 y.zip bomb.gz z.log; tar -czf x.tgz bomb.gz z.log");
    for archive in ["x.tar", "y.zip", "x.tgz"] {
        let reading = folder.read_with(&[archive], &options);
        assert_eq!(reading.sources.len(), 2, "{reading:?}");
        assert!(reading.sources[0].error.as_ref().is_some_and(|error| error.contains("limit reached")), "{reading:?}");
        assert!(reading.sources[1].bytes == text && reading.sources[1].error.is_none(), "{archive}");
        assert_eq!(reading.problems, []);
    }
    // Many of them cost the rest.
    folder.sh("mkdir many; for i in $(seq 30); do cp bomb.gz many/$i; done; tar -cf many.tar many");
    let (total, errors) = drain(&folder, "many.tar", &options);
    assert!(total < 200 << 20, "{total}");
    assert!(errors.iter().any(|error| error.contains("summed over its members")), "{errors:?}");
}

#[test]
fn a_log_that_compresses_well_is_no_bomb() {
    let folder = Folder::new();
    let limits = Limits { ratio_floor: 1 << 20, ..Limits::default() };
    let line = log(1, 201);
    folder.write("a.log", line.repeat(400_000));
    folder.sh("gzip -9 < a.log > a.gz; zstd -qc < a.log > a.zst; tar -cf many.tar a.gz; for i in $(seq 20); do ln -f a.gz $i.gz; done; tar --hard-dereference -cf many.tar ?.gz");
    let len = (line.len() * 400_000) as u64;
    assert_eq!(drain(&folder, "a.gz", &Options { limits, ..Options::default() }), (len, vec![]));
    assert_eq!(drain(&folder, "a.zst", &Options::default()), (len, vec![]));
    assert_eq!(drain(&folder, "many.tar", &Options { limits, ..Options::default() }), (len * 10, vec![]));
}

#[test]
fn members_that_share_their_content_are_not_read_again_and_again() {
    let folder = Folder::new();
    folder.write("a", log(2_000, 202));
    folder.sh("zip -q x.zip a");
    let mut zip = folder.bytes("x.zip");
    let directory = memchr::memmem::rfind(&zip, b"PK\x01\x02").unwrap();
    let end = memchr::memmem::rfind(&zip, b"PK\x05\x06").unwrap();
    let (entry, mut last) = (zip[directory..end].to_vec(), zip[end..].to_vec());
    zip.truncate(directory);
    zip.extend_from_slice(&entry.repeat(100));
    last[12..16].copy_from_slice(&((entry.len() * 100) as u32).to_le_bytes());
    zip.extend_from_slice(&last);
    folder.write("x.zip", &zip);
    let reading = folder.read(&["x.zip"]);
    assert_eq!(reading.sources.len(), 1);
    reading.problems_are(&[("x.zip", Status::Partial, "on top of each other")]);
}

#[test]
fn a_million_members_end_at_the_limit() {
    let folder = Folder::new();
    let mut header = tar::Header::new_gnu();
    header.set_path("x").unwrap();
    header.set_size(0);
    header.set_cksum();
    let mut archive = header.as_bytes().repeat(1_000);
    archive.extend_from_slice(&[0; 1_024]);
    folder.write("x.tar", &archive);
    let options = Options { limits: Limits { members: 700, ..Limits::default() }, ..Options::default() };
    let reading = folder.read_with(&["x.tar"], &options);
    assert_eq!(reading.sources.len(), 700);
    reading.problems_are(&[("x.tar", Status::Partial, "has more than 700 members")]);
}

#[test]
fn a_sink_that_stops_early_gets_the_next_member() {
    let folder = Folder::new();
    let texts: Vec<Vec<u8>> = (0..3).map(|seed| log(5_000, 210 + seed)).collect();
    for (number, text) in texts.iter().enumerate() {
        folder.write(&format!("in/{number}"), text);
    }
    folder.sh("cd in; tar -czf ../x.tgz 0 1 2; zip -q ../x.zip 0 1 2; zip -q - 0 1 2 | gzip > ../x.gz");
    for archive in ["x.tgz", "x.zip", "x.gz"] {
        let paths = [folder.path().join(archive).display().to_string()];
        let mut starts = Vec::new();
        let problems = discover(&paths, &Options::default()).inputs[0].read(&mut |_, body| {
            let Body::Stream(stream) = body else { return };
            let mut start = [0; 100];
            stream.read_exact(&mut start).unwrap();
            starts.push(start.to_vec());
        });
        assert_eq!(problems, []);
        assert_eq!(starts, texts.iter().map(|text| text[..100].to_vec()).collect::<Vec<_>>());
    }
}

#[test]
fn a_source_ends_at_its_size_limit() {
    let folder = Folder::new();
    folder.write("a", log(1_000, 220));
    folder.sh("gzip a");
    let options = Options { limits: Limits { source_bytes: 5_000, ..Limits::default() }, ..Options::default() };
    let reading = folder.read_with(&["a.gz"], &options);
    assert_eq!(reading.sources[0].bytes.len(), 5_000);
    assert_eq!(
        reading.sources[0].error.as_deref(),
        Some("holds more than 5.0 kB: limit reached, the rest is not read")
    );
}
