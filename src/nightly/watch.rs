//! The time that a run may take. A run that is ended leaves nothing behind; the next one reads what this one did not.

use super::log::Log;
use std::time::Duration;

/// Ends the process after a time, with the status of a run that could do nothing.
#[allow(clippy::exit, reason = "a run may be killed at any moment: this is one")]
pub(super) fn end_after(limit_ms: i64, log: Log) {
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(limit_ms.unsigned_abs()));
        log.warn(
            "the time limit is reached: the run ends here, and nothing of it counts",
            &[("limit_ms", limit_ms.into())],
        );
        std::process::exit(i32::from(crate::outcome::Outcome::Unusable.code()));
    });
}
