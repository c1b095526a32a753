//! Progress on a terminal: bytes, rate, events so far, time left. Silent elsewhere.

use crate::scan::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A bar on standard error.
#[derive(Debug)]
pub(crate) struct Bar {
    bar: ProgressBar,
    done: AtomicBool,
}

/// Stops the bar when it is dropped.
#[derive(Debug)]
pub(crate) struct Following<'b>(&'b Bar);

impl Bar {
    /// A bar for so many bytes.
    pub(crate) fn start(total: u64) -> Self {
        let bar = ProgressBar::new(total);
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {msg} {eta}")
        {
            bar.set_style(style);
        }
        Self { bar, done: AtomicBool::new(false) }
    }

    /// Shows how far a scan is, until the result is dropped.
    pub(crate) fn follow<'scope, 'env>(
        &'env self,
        scope: &'scope std::thread::Scope<'scope, 'env>,
        progress: &'env Progress,
    ) -> Following<'env> {
        scope.spawn(move || {
            while !self.done.load(Ordering::Relaxed) {
                self.bar.set_position(progress.bytes.load(Ordering::Relaxed));
                self.bar.set_message(format!("{} events", progress.events.load(Ordering::Relaxed)));
                std::thread::park_timeout(Duration::from_millis(100));
            }
        });
        Following(self)
    }
}

impl Drop for Following<'_> {
    fn drop(&mut self) {
        self.0.done.store(true, Ordering::Relaxed);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
