//! Disks that are full, cannot be written, or fail at any moment.

use super::cluster::{DAY, Disk, HOUR, Script, start};
use super::night::{Place, copy, long, with_fault};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[test]
fn what_cannot_be_written_leaves_everything_as_it_was() {
    let place = Place::new("");
    let mut disk = Disk::new(&place.logs(), Script::fortnight());
    disk.advance(start() + DAY);
    place.night(start() + DAY);
    disk.advance(start() + 2 * DAY);
    // A file where the folder for new reports would be.
    fs::write(place.path("out/.staging"), "").unwrap();
    let output = place.command(start() + 2 * DAY).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains(".staging"));
    fs::remove_file(place.path("out/.staging")).unwrap();
    place.night(start() + 2 * DAY);
    assert_eq!(place.reports().len(), 2);
    assert!(place.told().values().all(|count| *count == 1));
}

/// The program, with files that may not grow beyond some blocks of 512 bytes: a write past that fails as on a full disk.
fn short_of_room(place: &Place, now: i64, blocks: u32) -> bool {
    let command = place.command(now);
    let words = command.get_args().map(|word| word.to_str().unwrap().to_owned());
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &script]).arg(command.get_program()).args(words);
    shell.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
}

#[test]
fn a_full_disk_loses_nothing() {
    let (calm, full) = (Place::new(""), Place::new(""));
    let mut disks = [&calm, &full].map(|place| Disk::new(&place.logs(), Script::fortnight()));
    for day in 1..=4 {
        let now = start() + day * DAY;
        for disk in &mut disks {
            disk.advance(now);
        }
        calm.night(now);
        // The same night again and again, failing later and later.
        let done = [0, 4, 16, 48, 64, 80, 96, 128, 192, 256, 400, 600].map(|blocks| short_of_room(&full, now, blocks));
        assert!(!done[0], "nothing can be written, and nothing is said");
        full.night(now);
    }
    assert_eq!(full.told(), calm.told());
    assert_eq!(full.incidents(), calm.incidents());
}

/// A small file system of its own, as long as it is needed.
struct Mount(PathBuf);

impl Mount {
    /// `None`: this machine does not permit it.
    fn new(path: PathBuf, size: &str) -> Option<Self> {
        fs::create_dir_all(&path).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(&path).stderr(Stdio::null());
        let mounted = mount.status().is_ok_and(|status| status.success());
        if !mounted {
            println!("skipped: no file system can be mounted here");
        }
        mounted.then_some(Self(path))
    }

    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        assert!(Command::new("mount").args(["-o", &options]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_disk_that_fills_up_loses_nothing() {
    let (calm, full) = (Place::new(""), Place::new(""));
    let Some(_mount) = Mount::new(full.path("out"), "4m") else { return };
    let mut disks = [&calm, &full].map(|place| Disk::new(&place.logs(), Script::fortnight()));
    let ballast = full.path("out/ballast");
    let mut failed = 0;
    for day in 1..=5 {
        let now = start() + day * DAY;
        for disk in &mut disks {
            disk.advance(now);
        }
        calm.night(now);
        for left in [0, 8, 32, 64, 96, 128, 192, 256, 384] {
            fill(&ballast, left << 10);
            let output = full.command(now).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            match output.status.code() {
                Some(0) => {}
                Some(2) => {
                    failed += 1;
                    assert!(said.contains("No space left on device") || said.contains("disk is full"), "{said}");
                }
                other => panic!("{other:?}: {said}"),
            }
            fs::remove_file(&ballast).unwrap();
        }
        full.night(now);
    }
    assert!(failed >= 5, "the disk was full in {failed} runs only");
    assert_eq!(full.told(), calm.told());
    assert_eq!(full.incidents(), calm.incidents());
}

/// Fills the file system up to some bytes.
fn fill(ballast: &Path, left: usize) {
    let mut file = fs::File::create(ballast).unwrap();
    while std::io::Write::write_all(&mut file, &[7; 4 << 10]).is_ok() {}
    let len = file.metadata().unwrap().len();
    file.set_len(len.saturating_sub(left as u64)).unwrap();
}

#[test]
fn a_folder_that_cannot_be_written_is_left_alone() {
    let place = Place::new("");
    let Some(mount) = Mount::new(place.path("out"), "16m") else { return };
    let mut disk = Disk::new(&place.logs(), Script::fortnight());
    disk.advance(start() + DAY);
    place.night(start() + DAY);
    disk.advance(start() + 2 * DAY);
    mount.remount("ro");
    let output = place.command(start() + 2 * DAY).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("Read-only"), "{said}");
    // Who only looks needs not write.
    let check = place.command(start() + 2 * DAY).arg("--check").output().unwrap();
    assert!(String::from_utf8_lossy(&check.stdout).contains("last run 2024-03-02"), "{check:?}");
    let history = Command::new(env!("CARGO_BIN_EXE_tidescope")).arg("history").arg(place.path("out")).output().unwrap();
    assert!(String::from_utf8_lossy(&history.stdout).contains("2024-03-02"), "{history:?}");
    mount.remount("rw");
    place.night(start() + 2 * DAY);
    assert_eq!(place.reports().len(), 2);
    assert!(place.told().values().all(|count| *count == 1));
}

/// System calls that change what is on the disk.
const CHANGES: [&str; 9] =
    ["write", "pwrite64", "fsync", "ftruncate", "mkdir", "rename", "renameat", "unlink", "unlinkat"];

/// A place in which the night of day 4 is at hand, and how everything is told after it.
fn before_day_4() -> (Place, PathBuf, i64) {
    let place = Place::new("[limits]\nthreads = 1\n");
    let mut disk = Disk::new(&place.logs(), Script::fortnight());
    disk.advance(start() + 3 * DAY + 23 * HOUR);
    place.night(start() + 3 * DAY);
    disk.advance(start() + 4 * DAY);
    let before = place.path("before");
    copy(&place.path("out"), &before);
    (place, before, start() + 4 * DAY)
}

#[test]
fn whatever_fails_and_whenever_it_ends_the_next_run_puts_it_right() {
    let (place, before, now) = before_day_4();
    place.night(now);
    let (told, incidents) = (place.told(), place.incidents());
    // Killed right before a call; failing once; failing from there on.
    let faults = ["signal=KILL:when=#", "error=EIO:when=#", "error=ENOSPC:when=#+"];
    let mut tried = 0;
    for call in CHANGES {
        for (nth, fault) in faults.into_iter().enumerate() {
            let mut at = if long() { 1 } else { 1 + nth };
            loop {
                copy(&before, &place.path("out"));
                let fault = fault.replace('#', &at.to_string());
                let Some((output, happened)) = with_fault(&place, now, call, &fault) else {
                    println!("skipped: no strace here");
                    return;
                };
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(!said.contains("panicked"), "{call} {fault}: {said}");
                match (output.status.code(), output.status.signal()) {
                    // Not that many calls, or what failed is not needed.
                    (Some(0), None) => assert_eq!(place.told(), told, "{call} {fault}: {said}"),
                    (Some(2), None) | (None, Some(libc::SIGKILL)) => {}
                    other => panic!("{call} {fault}: {other:?} {said}"),
                }
                if !happened {
                    break;
                }
                tried += 1;
                place.night(now);
                assert_eq!(place.told(), told, "{call} {fault}");
                assert_eq!(place.incidents(), incidents, "{call} {fault}");
                at += if long() { 1 } else { 9 };
            }
        }
    }
    println!("{tried} runs, each with one fault");
}
