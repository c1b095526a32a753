//! `tidescope plan`: splits of about one size, for `scan --split` on as many machines as there are.

use super::logs::{options, warn};
use super::print;
use crate::cli::Plan;
use crate::input;
use crate::outcome::Outcome;
use crate::settings::size;
use anyhow::anyhow;
use serde::Serialize;

/// A part of a file that is scanned on its own.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Split<'a> {
    path: &'a str,
    start: u64,
    end: u64,
    bytes: u64,
    /// Whether it is the whole file. What is compressed or an archive is always whole; its `bytes` are those on disk.
    whole: bool,
}

pub(super) fn run(args: &Plan) -> anyhow::Result<Outcome> {
    let target = size("--target-size", &args.target_size).map_err(anyhow::Error::msg)? as u64;
    if target == 0 {
        return Err(anyhow!("--target-size takes 1 byte or more"));
    }
    let found = input::discover(&args.paths, &options(&args.common));
    let mut outcome = Outcome::Done;
    for problem in &found.problems {
        if problem.status != input::Status::Skipped {
            outcome = Outcome::Incomplete;
        }
        warn(&args.common, &format!("{}: {}", problem.file, problem.reason));
    }
    let mut out = Vec::new();
    for file in &found.inputs {
        if !file.is_rereadable() {
            return Err(anyhow!("{}: comes only once and cannot be planned; give files", file.name()));
        }
        for split in splits(file.name(), file.size(), target, || file.is_plain()) {
            serde_json::to_writer(&mut out, &split)?;
            out.push(b'\n');
        }
    }
    if found.inputs.is_empty() {
        return Err(anyhow!("nothing to plan: no file among the paths given"));
    }
    print(&out)?;
    Ok(outcome)
}

/// Splits of equal size (to one byte), none larger than `target`.
fn splits(path: &str, bytes: u64, target: u64, is_plain: impl FnOnce() -> bool) -> Vec<Split<'_>> {
    let count = if bytes > target && is_plain() { bytes.div_ceil(target) } else { 1 };
    let cut = |at: u64| (u128::from(bytes) * u128::from(at) / u128::from(count)) as u64;
    let split = |at: u64| {
        let (start, end) = (cut(at), cut(at + 1));
        Split { path, start, end, bytes: end - start, whole: count == 1 }
    };
    (0..count).map(split).collect()
}

#[cfg(test)]
mod tests {
    use super::splits;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn splits_are_the_file_in_order_and_of_one_size(bytes in 0..1_u64 << 40, target in 1_u64 << 28..1 << 40) {
            let splits = splits("a", bytes, target, || true);
            prop_assert_eq!(splits.first().map(|split| split.start), Some(0));
            prop_assert_eq!(splits.last().map(|split| split.end), Some(bytes));
            prop_assert!(splits.windows(2).all(|pair| pair[0].end == pair[1].start));
            let (least, most) = (splits.iter().map(|split| split.bytes).min(), splits.iter().map(|split| split.bytes).max());
            prop_assert!(most <= Some(target) && least.zip(most).is_some_and(|(least, most)| most - least <= 1));
        }
    }

    #[test]
    fn what_cannot_be_cut_stays_whole() {
        let splits = splits("a.gz", 1 << 30, 1 << 20, || false);
        assert_eq!(splits.len(), 1);
        assert!(splits[0].whole && splits[0].bytes == 1 << 30);
    }
}
