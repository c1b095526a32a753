//! Recall on real logs, which are no part of the project: only where they stand beside it, or where TIDESCOPE_SAMPLES says.

use crate::harness::{PROGRAM, project};
use std::path::PathBuf;
use std::process::Command;

#[test]
fn recall_on_real_logs() {
    let beside = project().parent().unwrap().join("shared/samples");
    let folder = std::env::var_os("TIDESCOPE_SAMPLES").map_or(beside, PathBuf::from);
    if !folder.is_dir() {
        eprintln!("skipped: no samples at {}", folder.display());
        return;
    }
    let compare = Command::new(project().join("scripts/compare-samples"))
        .arg(&folder)
        .args(["--bin", PROGRAM, "--least", "0.97"])
        .output()
        .unwrap();
    assert!(compare.status.success(), "{}", String::from_utf8_lossy(&compare.stdout));
}
