//! From paths to inputs.

use super::{Folder, Status, log};
use std::os::unix::net::UnixListener;

fn names(folder: &Folder, paths: &[&str]) -> Vec<String> {
    folder.read(paths).sources.into_iter().map(|source| source.name).collect()
}

#[test]
fn a_folder_is_walked_in_the_order_of_names() {
    let folder = Folder::new();
    for name in ["in/b/tikv.log", "in/a.log", "in/b.log", "in/.hidden/x", "in/.gitignore", "in/b-1/y"] {
        folder.write(name, b"x\n");
    }
    folder.write("in/.gitignore", b"*.log\n");
    let expected = ["in/.gitignore", "in/.hidden/x", "in/a.log", "in/b-1/y", "in/b.log", "in/b/tikv.log"];
    assert_eq!(names(&folder, &["in"]), expected);
    assert_eq!(names(&folder, &["in/"]), expected);
    assert_eq!(names(&folder, &["in/b", "in/b.log", "in"]), expected);
}

#[test]
fn links_are_followed_once_and_never_in_a_loop() {
    let folder = Folder::new();
    folder.write("in/real/tikv.log", b"x\n");
    folder.write("elsewhere/pd.log", b"y\n");
    folder.sh("cd in; ln -s .. up; ln -s . here; ln -s ../elsewhere z; ln -s real also; ln -s /proc p; ln -s none dangling; ln real/tikv.log hard.log");
    folder.sh("cd elsewhere; ln -s ../in back; ln -s / root");
    let reading = folder.read(&["in"]);
    reading.sources_are(&[("in/also/tikv.log", b"x\n"), ("in/z/pd.log", b"y\n")]);
    reading.problems_are(&[("in/dangling", Status::Skipped, "link to nothing")]);
}

#[test]
fn a_file_reached_twice_counts_once_under_the_smaller_name() {
    let folder = Folder::new();
    folder.write("b/x.log", b"x\n");
    folder.sh("mkdir a c; ln -s ../b/x.log a/link; ln b/x.log c/hard");
    assert_eq!(names(&folder, &["c", "b/x.log", "a/link", "b"]), ["a/link"]);
    assert_eq!(names(&folder, &["b/x.log", "c"]), ["b/x.log"]);
}

#[test]
fn globs_match_files_and_folders() {
    let folder = Folder::new();
    for name in ["h1/tikv-1/a.log", "h1/tikv-1/b.txt", "h2/tikv-2/log/c.log", "h2/pd/d.log", "e[1].log"] {
        folder.write(name, b"x\n");
    }
    assert_eq!(names(&folder, &["h*/tikv-*/*.log"]), ["h1/tikv-1/a.log"]);
    assert_eq!(names(&folder, &["*/tikv-*"]), ["h1/tikv-1/a.log", "h1/tikv-1/b.txt", "h2/tikv-2/log/c.log"]);
    assert_eq!(names(&folder, &["**/*.log"]), ["e[1].log", "h1/tikv-1/a.log", "h2/pd/d.log", "h2/tikv-2/log/c.log"]);
    assert_eq!(names(&folder, &["h?/{pd,tikv-1}/*"]), ["h1/tikv-1/a.log", "h1/tikv-1/b.txt", "h2/pd/d.log"]);
    assert_eq!(names(&folder, &["e[1].log"]), ["e[1].log"], "a file of that very name");
    folder.read(&["h*/none"]).problems_are(&[("h*/none", Status::Failed, "nothing matches (check the pattern")]);
    folder.read(&["h[/x"]).problems_are(&[("h[/x", Status::Failed, "nothing matches")]);
}

#[test]
fn what_is_not_there_is_told_with_a_hint() {
    let folder = Folder::new();
    folder.write("a.log", b"x\n");
    let reading = folder.read(&["none.log", "a.log"]);
    reading.sources_are(&[("a.log", b"x\n")]);
    reading.problems_are(&[("none.log", Status::Failed, "No such file or directory (check the path")]);
}

#[test]
fn devices_sockets_and_fifos_in_folders_are_skipped() {
    let folder = Folder::new();
    folder.write("in/a.log", b"x\n");
    folder.sh("mkfifo in/fifo; ln -s /dev/null in/null");
    let _socket = UnixListener::bind(folder.path().join("in/socket")).unwrap();
    let reading = folder.read(&["in"]);
    reading.sources_are(&[("in/a.log", b"x\n")]);
    reading.problems_are(&[
        ("in/fifo", Status::Skipped, "is a FIFO"),
        ("in/null", Status::Skipped, "is a device"),
        ("in/socket", Status::Skipped, "is a socket"),
    ]);
    folder.read(&["/dev/null"]).problems_are(&[("/dev/null", Status::Skipped, "is a device")]);
}

#[test]
fn a_fifo_that_is_named_is_read() {
    let folder = Folder::new();
    let text = log(5_000, 300);
    folder.write("a", &text);
    folder.sh("mkfifo fifo; gzip < a > a.gz; (cat a.gz > fifo) > /dev/null 2>&1 &");
    let inputs = folder.discover(&["fifo"], &super::Options::default()).inputs;
    assert!(!inputs[0].is_rereadable());
    assert_eq!(inputs[0].size(), 0);
    folder.read(&["fifo"]).whole("fifo", &text);
}

#[test]
fn ten_thousand_small_files_need_few_descriptors() {
    let folder = Folder::new();
    for number in 0..10_000 {
        folder.write(&format!("in/{}/{number:05}.log", number % 10), format!("{number}\n"));
    }
    let inputs = folder.discover(&["in"], &super::Options::default()).inputs;
    assert_eq!(inputs.len(), 10_000);
    let open = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = open();
    let mut most = 0;
    for input in &inputs {
        let problems = input.read(&mut |_, _| most = most.max(open()));
        assert_eq!(problems, []);
    }
    // Other tests run beside this one.
    assert!(most < before + 200, "{before} {most}");
}
