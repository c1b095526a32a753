//! Damage costs what it hit, and no more.

use super::{Folder, Status, log};

/// A file of three members, with what each holds and where it begins.
fn three(folder: &Folder, tool: &str, lines: u64) -> (Vec<Vec<u8>>, Vec<usize>, Vec<u8>) {
    let texts: Vec<Vec<u8>> = (0..3).map(|seed| log(lines, 100 + seed)).collect();
    let (mut packed, mut begins) = (Vec::new(), Vec::new());
    for text in &texts {
        folder.write("part", text);
        folder.sh(&format!("{tool} < part > part.packed"));
        begins.push(packed.len());
        packed.extend_from_slice(&folder.bytes("part.packed"));
    }
    (texts, begins, packed)
}

#[test]
fn a_damaged_member_costs_itself() {
    let folder = Folder::new();
    for tool in ["gzip -c", "zstd -qc", "xz -c", "bzip2 -c", "lz4 -qc"] {
        for lines in [200, 5_000] {
            let (texts, begins, packed) = three(&folder, tool, lines);
            for place in 1..8 {
                let mut broken = packed.clone();
                let at = begins[1] + (begins[2] - begins[1]) * place / 8;
                broken[at..at + 4].iter_mut().for_each(|byte| *byte ^= 0x5a);
                folder.write("broken", &broken);
                let reading = folder.read(&["broken"]);
                let [source] = &reading.sources[..] else { panic!("{tool}: {reading:?}") };
                let what = format!("{tool}, {lines} lines, byte {at} of {}: {source:?}", broken.len());
                assert!(source.bytes.starts_with(&texts[0]), "{what}");
                assert!(source.bytes.ends_with(&texts[2]), "{what}");
                assert!(source.bytes.len() <= 3 * texts[0].len() + texts[0].len() / 2, "{what}");
                assert!(source.error.as_ref().is_some_and(|error| error.contains("stream")), "{what}");
                // Nothing of the damaged member runs into the one behind it.
                let before = source.bytes.len() - texts[2].len();
                assert_eq!(source.bytes[before - 1], b'\n', "{what}");
            }
        }
    }
}

#[test]
fn a_damaged_block_costs_itself() {
    let folder = Folder::new();
    let text = log(12_000, 110);
    folder.write("a", &text);
    for (tool, block) in
        [("bzip2 -1c", 100_000), ("lz4 -qc -B4 -BX -BI", 65_536), ("xz -c --block-size=100000", 100_000)]
    {
        folder.sh(&format!("{tool} < a > packed"));
        let packed = folder.bytes("packed");
        for place in 1..6 {
            let mut broken = packed.clone();
            let at = broken.len() * place / 6;
            broken[at] ^= 0x55;
            folder.write("broken", &broken);
            let reading = folder.read(&["broken"]);
            let [source] = &reading.sources[..] else { panic!("{tool}: {reading:?}") };
            let lost = text.len() as i64 - source.bytes.len() as i64;
            assert!(lost <= 2 * block, "{tool}, byte {at}: {lost} bytes lost; {source:?}");
            assert!(source.bytes.starts_with(&text[..(place - 1) * text.len() / 6]), "{tool}, byte {at}");
            assert!(source.bytes.ends_with(&text[(place + 1) * text.len() / 6..]), "{tool}, byte {at}");
            let error = source.error.as_deref().unwrap();
            assert!(error.contains("damaged") && !error.contains("more place"), "{tool}: told once: {error}");
        }
    }
}

#[test]
fn a_cut_off_stream_gives_what_is_left() {
    let folder = Folder::new();
    let text = log(12_000, 120);
    folder.write("a", &text);
    for (tool, name) in
        [("gzip -c", "gzip"), ("zstd -qc", "zstd"), ("xz -c", "xz"), ("bzip2 -1c", "bzip2"), ("lz4 -qc -B4", "lz4")]
    {
        folder.sh(&format!("{tool} < a > packed"));
        let packed = folder.bytes("packed");
        for place in 1..6 {
            folder.write("cut", &packed[..packed.len() * place / 6]);
            let reading = folder.read(&["cut"]);
            assert_eq!(reading.problems, []);
            let [source] = &reading.sources[..] else { panic!("{tool}: {reading:?}") };
            assert!(text.starts_with(&source.bytes), "{tool}");
            let expected = (text.len() * place / 6).saturating_sub(250_000);
            assert!(source.bytes.len() > expected, "{tool} {place}: {source:?}");
            let error = source.error.as_deref().unwrap();
            assert!(error.starts_with(&format!("{name} stream is cut off after ")), "{error}");
        }
        folder.write("cut", &packed[..11]);
        let reading = folder.read(&["cut"]);
        assert!(reading.sources.is_empty(), "{reading:?}");
        reading.problems_are(&[("cut", Status::Failed, "stream is cut off after 0 bytes")]);
    }
}

#[test]
fn something_behind_a_stream_is_told() {
    let folder = Folder::new();
    let text = log(100, 121);
    folder.write("a", &text);
    for tool in ["gzip -c", "zstd -qc", "xz -c", "bzip2 -c", "lz4 -qc"] {
        folder.sh(&format!("{tool} a > packed; echo 'what is this doing here, tell me' >> packed"));
        let reading = folder.read(&["packed"]);
        assert_eq!(reading.sources[0].bytes, text, "{tool}");
        let error = reading.sources[0].error.as_deref();
        assert!(error.is_some_and(|error| error.contains("is followed by something else after 1")), "{tool} {error:?}");
    }
}

#[test]
fn frames_that_need_too_much_are_not_read() {
    let folder = Folder::new();
    let text = log(100, 122);
    folder.write("a", &text);
    folder.sh("zstd -q --long=28 --zstd=wlog=28 -c < a > big.zst; xz -c --lzma2=dict=256MiB < a > big.xz; zstd -qc a > ok; cat big.zst ok > mixed");
    folder.read(&["big.zst"]).problems_are(&[("big.zst", Status::Failed, "needs a window of more than 128 MiB")]);
    folder.read(&["big.xz"]).problems_are(&[("big.xz", Status::Failed, "needs more than 128 MiB")]);
    let reading = folder.read(&["mixed"]);
    assert_eq!(reading.sources[0].bytes, text);
    assert!(reading.sources[0].error.as_ref().is_some_and(|error| error.contains("window")));
}

#[test]
fn a_damaged_header_in_a_tar_costs_its_member() {
    let folder = Folder::new();
    let texts: Vec<Vec<u8>> = (0..4).map(|seed| log(100 + seed, 130 + seed)).collect();
    for (number, text) in texts.iter().enumerate() {
        folder.write(&format!("in/{number}.log"), text);
    }
    folder.sh("tar --sort=name -C in -cf x.tar 0.log 1.log 2.log 3.log");
    let whole = folder.bytes("x.tar");
    let begin = |number: usize| memchr::memmem::find(&whole, format!("{number}.log").as_bytes()).unwrap();
    for (number, expected) in [(0, [1, 2, 3]), (1, [0, 2, 3]), (3, [0, 1, 2])] {
        let mut broken = whole.clone();
        broken[begin(number) + 124] = b'9';
        folder.write("broken.tar", &broken);
        let reading = folder.read(&["broken.tar"]);
        let labels = expected.map(|number| format!("broken.tar!/{number}.log"));
        reading.sources_are(&[0, 1, 2].map(|at| (&*labels[at], &*texts[expected[at]])));
        let why = format!("the tar header at byte {} is damaged", begin(number));
        reading.problems_are(&[("broken.tar", Status::Partial, &why)]);
    }
    folder.write("cut.tar", &whole[..begin(2) + 512 + 5_000]);
    let reading = folder.read(&["cut.tar"]);
    assert_eq!(reading.sources.len(), 3);
    assert_eq!(reading.sources[2].bytes, texts[2][..5_000]);
    assert_eq!(reading.sources[2].error.as_deref(), Some("the archive is cut off in this member"));
    reading.problems_are(&[("cut.tar", Status::Partial, "cut off")]);
    folder.write("short.tar", &whole[..begin(2)]);
    folder.read(&["short.tar"]).problems_are(&[("short.tar", Status::Partial, "no end mark")]);
}

#[test]
fn a_hole_in_a_compressed_tar_costs_the_members_it_hit() {
    let folder = Folder::new();
    let texts: Vec<Vec<u8>> = (0..6).map(|seed| log(3_000, 140 + seed)).collect();
    for (number, text) in texts.iter().enumerate() {
        folder.write(&format!("in/{number}.log"), text);
    }
    // One frame for every 400 kB of the archive.
    folder.sh("tar --sort=name -C in -cf x.tar .; split -b 400000 x.tar part.; for p in part.*; do zstd -qc $p; done > x.tar.zst");
    let mut broken = folder.bytes("x.tar.zst");
    let middle = broken.len() / 2;
    broken[middle] ^= 0xff;
    folder.write("broken.tar.zst", &broken);
    let reading = folder.read(&["broken.tar.zst"]);
    let whole = reading.sources.iter().filter(|source| source.error.is_none()).count();
    assert!((3..6).contains(&whole), "{reading:?}");
    for source in &reading.sources {
        let number: usize = source.name["broken.tar.zst!/".len()..][..1].parse().unwrap();
        match &source.error {
            None => assert!(source.bytes == texts[number]),
            Some(error) => {
                assert!(error.starts_with("zstd stream is damaged after "), "{error}");
                assert!(source.bytes.len() <= texts[number].len());
            }
        }
    }
    assert!(reading.sources.iter().any(|source| source.name.ends_with("/5.log") && source.error.is_none()));
    reading.problems_are(&[("broken.tar.zst", Status::Partial, "zstd stream is damaged")]);
}

#[test]
fn damage_in_a_zip_costs_the_member() {
    let folder = Folder::new();
    let texts: Vec<Vec<u8>> = (0..3).map(|seed| log(1_000, 150 + seed)).collect();
    for (number, text) in texts.iter().enumerate() {
        folder.write(&format!("{number}.log"), text);
    }
    folder.sh("zip -q x.zip 0.log 1.log 2.log; cp x.zip y.zip");
    let whole = folder.bytes("x.zip");
    let second = memchr::memmem::find(&whole, b"1.log").unwrap();
    let mut broken = whole.clone();
    broken[second + 2_000] ^= 0x10;
    folder.write("x.zip", &broken);
    folder.sh("gzip -c x.zip > x.gz");
    for archive in ["x.zip", "x.gz"] {
        let reading = folder.read(&[archive]);
        assert_eq!(reading.sources.len(), 3, "{reading:?}");
        for at in [0, 2] {
            assert!(reading.sources[at].bytes == texts[at] && reading.sources[at].error.is_none(), "{reading:?}");
        }
        assert!(reading.sources[1].error.is_some());
        assert_eq!(reading.problems, []);
    }
    // Without its end there is no directory.
    folder.write("y.zip", &whole[..whole.len() * 2 / 3 + 1_000]);
    let reading = folder.read(&["y.zip"]);
    assert_eq!(reading.sources.len(), 3, "{reading:?}");
    assert!(reading.sources[0].bytes == texts[0] && reading.sources[1].bytes == texts[1]);
    assert!(texts[2].starts_with(&reading.sources[2].bytes));
    assert_eq!(reading.sources[2].error.as_deref(), Some("the archive is cut off in this member"));
    reading.problems_are(&[("y.zip", Status::Partial, "the archive is cut off in this member")]);
}
