//! The time that a run may take. A run that is ended leaves nothing behind; the next one reads what this one did not.

use std::process::exit;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Ends the process when the time is over, unless the run counts by then.
#[derive(Debug, Default)]
pub(super) struct Watch(Arc<Mutex<bool>>);

impl Watch {
    /// Starts; `last_words` are said before the process ends, with the status of a run that could do nothing.
    #[allow(clippy::exit, reason = "a run may be killed at any moment: this is one")]
    pub(super) fn start(limit_ms: i64, last_words: impl FnOnce() + Send + 'static) -> Self {
        let watch = Self::default();
        let counts = Arc::clone(&watch.0);
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(limit_ms.unsigned_abs()));
            // Held until the end: the run cannot begin to count in between.
            let counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
            if !*counts {
                last_words();
                exit(i32::from(crate::outcome::Outcome::Unusable.code()));
            }
        });
        watch
    }

    /// From now on the run counts, and is not ended any more.
    pub(super) fn run_counts(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }
}
