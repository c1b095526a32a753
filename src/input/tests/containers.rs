//! Every container and compression, by the tools that people use.

use super::{Folder, Status, log};

/// Tool, and what its file is called.
const COMPRESSORS: [(&str, &str); 6] = [
    ("gzip -c", "gz"),
    ("zstd -qc", "zst"),
    ("xz -c", "xz"),
    ("bzip2 -c", "bz2"),
    ("lz4 -qc", "lz4"),
    ("zstd -qc --long=27 --ultra -22", "long.zst"),
];

#[test]
fn compressed_files_whatever_their_name() {
    let folder = Folder::new();
    let (a, b) = (log(10_000, 1), log(300, 2));
    folder.write("a", &a);
    folder.write("b", &b);
    let both = [&a[..], &b].concat();
    for (tool, suffix) in COMPRESSORS {
        folder.sh(&format!("{tool} < a > one.{suffix}; {tool} < b > two; cat one.{suffix} two > both.log"));
        folder.read(&[&format!("one.{suffix}")]).whole(&format!("one.{suffix}"), &a);
        folder.read(&["both.log"]).whole("both.log", &both);
    }
}

/// The end of a stream lies at another bit for every length.
#[test]
fn compressed_files_of_any_length() {
    let folder = Folder::new();
    let text = log(300, 6);
    for (tool, suffix) in COMPRESSORS.iter().take(5) {
        for length in 1..40 {
            folder.write("a", &text[..length * 7]);
            folder.sh(&format!("{tool} < a > a.log.{suffix}"));
            folder.read(&[&format!("a.log.{suffix}")]).whole(&format!("a.log.{suffix}"), &text[..length * 7]);
        }
    }
}

#[test]
fn options_of_the_compressors() {
    let folder = Folder::new();
    let text = log(12_000, 3);
    folder.write("a", &text);
    for tool in [
        "gzip -1nc",
        "zstd -qc -T2 --check",
        "zstd -qc --no-check -1",
        "xz -c -9",
        "xz -c -0 --check=sha256",
        "xz -c --block-size=100000",
        "bzip2 -c -1",
        "lz4 -qc -9 -BD -BX",
        "lz4 -qc -B4 --no-frame-crc",
        "lz4 -qc --content-size",
    ] {
        folder.sh(&format!("{tool} < a > packed"));
        let reading = folder.read(&["packed"]);
        assert_eq!(reading.problems, [], "{tool}");
        assert!(reading.sources[0].bytes == text, "{tool}: {reading:?}");
        assert_eq!(reading.sources[0].error, None, "{tool}");
    }
}

#[test]
fn layers_of_compression() {
    let folder = Folder::new();
    let text = log(1_000, 4);
    folder.write("a", &text);
    folder.sh("gzip -c a | zstd -qc | xz -c > three; bzip2 -c three > four");
    folder.read(&["three"]).whole("three", &text);
    let reading = folder.read(&["four"]);
    assert!(reading.sources.is_empty());
    reading.problems_are(&[("four", Status::Skipped, "compressed more than 3 times over")]);
}

#[test]
fn skippable_frames_and_padding() {
    let folder = Folder::new();
    let text = log(1_000, 5);
    folder.write("a", &text);
    folder.write("skip", b"\x52\x2a\x4d\x18\x05\0\0\0hello");
    for (tool, padding) in [("zstd -qc", ""), ("lz4 -qc", ""), ("gzip -c", "zeros"), ("xz -c", "zeros")] {
        folder.write("zeros", [0; 512]);
        let skip = if padding.is_empty() { "skip" } else { "" };
        folder.sh(&format!("{tool} a > p; cat {skip} p {skip} {padding} p {skip} {padding} > packed"));
        folder.read(&["packed"]).whole("packed", &[&text[..], &text].concat());
    }
}

#[test]
fn tar_in_every_format() {
    let folder = Folder::new();
    let (a, b) = (log(900, 6), log(1, 7));
    let long = format!("{}/{}.log", "d".repeat(90), "n".repeat(120));
    folder.write("in/deploy/tikv.log", &a);
    folder.write(&format!("in/{long}"), &b);
    folder.write("in/empty.log", b"");
    folder.sh("mkdir in/nothing; ln -s deploy/tikv.log in/link; ln in/deploy/tikv.log in/hard; mkfifo in/fifo");
    for format in ["gnu", "pax", "oldgnu", "posix"] {
        folder.sh(&format!(
            "tar --sort=name --format={format} -C in -cf x.tar deploy empty.log hard link nothing fifo {}",
            "d".repeat(90)
        ));
        let label = format!("x.tar!/{long}");
        folder.read(&["x.tar"]).are(&[("x.tar!/deploy/tikv.log", &a), ("x.tar!/empty.log", b""), (&label, &b)]);
    }
    for format in ["v7", "ustar"] {
        folder.sh(&format!("tar --format={format} -C in -cf x.tar deploy empty.log hard"));
        folder.read(&["x.tar"]).are(&[("x.tar!/deploy/tikv.log", &a), ("x.tar!/empty.log", b"")]);
    }
    folder.sh("tar -C in -cf 1 deploy; tar -C in -cf 2 empty.log; cat 1 2 > x.tar");
    folder.read(&["x.tar"]).are(&[("x.tar!/deploy/tikv.log", &a), ("x.tar!/empty.log", b"")]);
    for (tool, suffix) in COMPRESSORS {
        folder.sh(&format!("tar -C in -cf - deploy empty.log | {tool} > x.tar.{suffix}"));
        let (first, second) = (format!("x.tar.{suffix}!/deploy/tikv.log"), format!("x.tar.{suffix}!/empty.log"));
        folder.read(&[&format!("x.tar.{suffix}")]).are(&[(&first, &a), (&second, b"")]);
    }
}

#[test]
fn sparse_members_of_tar() {
    let folder = Folder::new();
    let text = log(500, 8);
    folder.write("in/x", b"");
    // More pieces than fit into one header, and a hole at the end.
    let mut expected = Vec::new();
    for piece in 0..30 {
        folder.write("piece", &text);
        folder.sh(&format!("dd if=piece of=in/x bs=4096 seek={} conv=notrunc 2>/dev/null", piece * 40));
        expected.resize(piece * 40 * 4_096, 0);
        expected.extend_from_slice(&text);
    }
    folder.sh("truncate -s 100M in/x");
    for format in ["gnu", "pax --sparse-version=0.0", "pax --sparse-version=0.1", "pax --sparse-version=1.0"] {
        folder.sh(&format!("tar --format={format} -S -C in -cf x.tar x"));
        assert!(folder.bytes("x.tar").len() < 4_000_000, "{format} is sparse");
        let reading = folder.read(&["x.tar"]);
        assert_eq!(reading.problems, []);
        let [source] = &reading.sources[..] else { panic!("{reading:?}") };
        assert_eq!((&*source.name, &source.error), ("x.tar!/x", &None), "{format}");
        // The tool may have stored the zeros up to the end of a page.
        assert!(source.bytes.starts_with(&expected), "{format}");
        assert!(
            source.bytes[expected.len()..].iter().all(|byte| *byte == 0) && source.bytes.len() < expected.len() + 4_096
        );
    }
}

#[test]
fn zip_in_every_form() {
    let folder = Folder::new();
    let (a, b) = (log(5_000, 9), log(10, 10));
    folder.write("in/tikv.log", &a);
    folder.write("in/dir/b.log", &b);
    folder.write("in/empty", b"");
    folder.sh("ln -s tikv.log in/link");
    let expected: [(&str, &[u8]); 3] = [("x.zip!/dir/b.log", &b), ("x.zip!/empty", b""), ("x.zip!/tikv.log", &a)];
    for options in ["", "-0", "-9", "-Z bzip2", "-fz", "-c < /dev/null", "-y"] {
        let members = if options == "-y" { "dir empty link tikv.log" } else { "dir empty tikv.log" };
        folder.sh(&format!("rm -f x.zip; cd in; zip -qr {options} ../x.zip {members} > /dev/null"));
        folder.read(&["x.zip"]).are(&expected);
    }
    folder.sh("rm x.zip; cd in; zip -qr - dir empty tikv.log | cat > ../x.zip");
    folder.read(&["x.zip"]).are(&expected);
    folder.sh("printf 'something before' | cat - x.zip > y; mv y x.zip; zip -qA x.zip; cat x.zip > y; printf 'PK\\003\\004' >> y");
    assert_eq!(folder.bytes("x.zip")[..9], *b"something");
}

#[test]
fn zip_as_a_stream_gives_the_same() {
    let folder = Folder::new();
    let (a, b) = (log(5_000, 11), log(10, 12));
    folder.write("in/a.log", &a);
    folder.write("in/b.log", &b);
    for make in [
        "zip -q x.zip a.log b.log",
        "zip -q - a.log b.log | cat > x.zip",
        "zip -q0 x.zip a.log b.log",
        "zip -q -fz x.zip a.log b.log",
    ] {
        folder.sh(&format!("cd in; rm -f x.zip; {make}; tar -cf ../x.tar x.zip; gzip -c x.zip > ../z.gz"));
        folder.read(&["x.tar"]).are(&[("x.tar!/x.zip!/a.log", &a), ("x.tar!/x.zip!/b.log", &b)]);
        folder.read(&["z.gz"]).are(&[("z.gz!/a.log", &a), ("z.gz!/b.log", &b)]);
    }
    // Stored, with the size behind it, as zip does with what is compressed already.
    folder.sh("cd in; gzip -k a.log b.log; zip -q - a.log.gz b.log.gz | cat > x.zip; tar -cf ../x.tar x.zip");
    folder.read(&["x.tar"]).are(&[("x.tar!/x.zip!/a.log.gz", &a), ("x.tar!/x.zip!/b.log.gz", &b)]);
    folder.sh("cd in; zip -q0 - a.log b.log | cat > x.zip; tar -cf ../x.tar x.zip");
    folder.read(&["in/x.zip"]).are(&[("in/x.zip!/a.log", &a), ("in/x.zip!/b.log", &b)]);
    folder.read(&["x.tar"]).are(&[("x.tar!/x.zip!/a.log", &a), ("x.tar!/x.zip!/b.log", &b)]);
}

#[test]
fn encrypted_members_are_skipped_and_the_others_read() {
    let folder = Folder::new();
    let a = log(50, 13);
    folder.write("a.log", &a);
    folder.write("secret.log", &a);
    folder.sh("zip -qP hunter2 x.zip secret.log; zip -q x.zip a.log; cat x.zip | gzip > x.gz");
    for archive in ["x.zip", "x.gz"] {
        let reading = folder.read(&[archive]);
        reading.sources_are(&[(&format!("{archive}!/a.log"), &a)]);
        reading.problems_are(&[(&format!("{archive}!/secret.log"), Status::Skipped, "is encrypted")]);
    }
}

#[test]
fn archives_in_archives_to_three_levels() {
    let folder = Folder::new();
    let a = log(700, 14);
    folder.write("a.log", &a);
    folder.sh(
        "gzip -k a.log; zip -q 1.zip a.log a.log.gz; tar -czf 2.tgz 1.zip; tar -cf 3.tar 2.tgz; zip -q 4.zip 3.tar",
    );
    let inner = "3.tar!/2.tgz!/1.zip!/a.log";
    folder.read(&["3.tar"]).are(&[(inner, &a), (&format!("{inner}.gz"), &a)]);
    let reading = folder.read(&["4.zip"]);
    assert!(reading.sources.is_empty());
    reading.problems_are(&[("4.zip!/3.tar!/2.tgz!/1.zip", Status::Skipped, "an archive within 3 others")]);
}

#[test]
fn what_is_no_log_is_skipped_with_its_reason() {
    let folder = Folder::new();
    let a = log(5, 15);
    folder.write("in/a.log", &a);
    folder.write("in/tikv-server", b"\x7fELF\x02\x01\x01\0\0\0\0\0");
    folder.write("in/x.diag", b"D1ag\x01\0\0\0....");
    folder.write("in/y.7z", b"7z\xbc\xaf\x27\x1c..");
    folder.sh("tar --sort=name -C in -cf in.tar .");
    for (path, prefix) in [("in", "in/"), ("in.tar", "in.tar!/")] {
        let reading = folder.read(&[path]);
        reading.sources_are(&[(&format!("{prefix}a.log"), &a)]);
        reading.problems_are(&[
            (&format!("{prefix}tikv-server"), Status::Skipped, "is a program"),
            (&format!("{prefix}x.diag"), Status::Skipped, "packed diag file"),
            (&format!("{prefix}y.7z"), Status::Skipped, "7z archive"),
        ]);
    }
}

#[test]
fn utf16_is_read_as_utf8_and_marks_of_utf8_stay() {
    let folder = Folder::new();
    let text = "[2023/03/01] [\"日志\"]\r\n".repeat(5_000);
    let wide: Vec<u8> = "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    folder.write("wide.txt", &wide);
    folder.write("marked.txt", format!("\u{feff}{text}"));
    folder.sh("gzip -k wide.txt");
    folder.read(&["wide.txt"]).whole("wide.txt", text.as_bytes());
    folder.read(&["wide.txt.gz"]).whole("wide.txt.gz", text.as_bytes());
    folder.read(&["marked.txt"]).whole("marked.txt", format!("\u{feff}{text}").as_bytes());
}

#[test]
fn names_of_members_do_no_harm() {
    let folder = Folder::new();
    folder.write("a", b"x\n");
    folder
        .sh("tar -P --transform='s,a,../../etc/\\x1b[31mx,' -cf x.tar a; tar -P --transform='s,a,/etc/a,' -cf y.tar a");
    folder.read(&["x.tar"]).whole("x.tar!/../../etc/\\x1b[31mx", b"x\n");
    folder.read(&["y.tar"]).whole("y.tar!/etc/a", b"x\n");
    assert!(!folder.path().join("etc").exists());
}
