//! What a decoder may cost: the guard against bombs.
//!
//! Every decoder measures what comes out of it against the bytes that were read from disk meanwhile, whatever the number of layers
//! between them: a bomb of gzip in gzip is caught by its inner decoder. A decoder over its limit ends with an error and the rest
//! of the input goes on; the sum over the whole input stops an archive that is made of many small bombs.

use super::{Limits, damage};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Shared by everything that reads one input.
#[derive(Debug)]
pub(super) struct Budget {
    limits: Limits,
    raw: AtomicU64,
    decoded: AtomicU64,
}

impl Budget {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, raw: AtomicU64::new(0), decoded: AtomicU64::new(0) })
    }

    /// Counts bytes that came from disk.
    pub(super) fn add_raw(&self, bytes: usize) {
        self.raw.fetch_add(bytes as u64, Relaxed);
    }
}

/// One decoder's account.
#[derive(Debug)]
pub(super) struct Meter {
    budget: Arc<Budget>,
    raw_before: u64,
    decoded: u64,
}

impl Meter {
    /// `ahead`: bytes of the decoder's input that have been read from disk already.
    pub(super) fn new(budget: &Arc<Budget>, ahead: usize) -> Self {
        let raw_before = budget.raw.load(Relaxed).saturating_sub(ahead as u64);
        Self { budget: Arc::clone(budget), raw_before, decoded: 0 }
    }

    /// Bytes counted so far.
    pub(super) fn decoded(&self) -> u64 {
        self.decoded
    }

    /// Counts bytes that came out.
    pub(super) fn add(&mut self, bytes: usize) {
        self.decoded += bytes as u64;
        self.budget.decoded.fetch_add(bytes as u64, Relaxed);
    }

    /// An error once too much has come out.
    pub(super) fn check(&self) -> io::Result<()> {
        let Limits { ratio, ratio_floor, .. } = self.budget.limits;
        let raw = self.budget.raw.load(Relaxed);
        let allowed =
            |raw: u64, times: u64| raw.saturating_mul(ratio).saturating_add(ratio_floor.saturating_mul(times));
        let too_much = |what: &str| {
            let text =
                format!("decompresses to more than {ratio} times its size{what}: limit reached, the rest is not read");
            Err(damage::end(text))
        };
        if self.decoded > allowed(raw.saturating_sub(self.raw_before), 1) {
            return too_much(&format!(" ({})", damage::size(self.decoded)));
        }
        if self.budget.decoded.load(Relaxed) > allowed(raw, 8) {
            return too_much(", summed over its members");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoder_may_give_the_floor_and_the_ratio_but_no_more() {
        let budget = Budget::new(Limits { ratio: 10, ratio_floor: 100, ..Limits::default() });
        budget.add_raw(1_000);
        let mut meter = Meter::new(&budget, 2);
        budget.add_raw(3);
        meter.add(150);
        assert!(meter.check().is_ok());
        meter.add(1);
        let text = meter.check().map_err(|error| error.to_string());
        assert_eq!(
            text,
            Err("decompresses to more than 10 times its size (151 bytes): limit reached, the rest is not read".into())
        );
        assert!(Meter::new(&budget, 0).check().is_ok(), "the next member is not to blame");
    }

    #[test]
    fn many_small_bombs_end_the_input() {
        let budget = Budget::new(Limits { ratio: 0, ratio_floor: 100, ..Limits::default() });
        for _ in 0..8 {
            let mut meter = Meter::new(&budget, 0);
            meter.add(100);
            assert!(meter.check().is_ok());
        }
        let mut meter = Meter::new(&budget, 0);
        meter.add(1);
        assert!(meter.check().is_err());
    }
}
