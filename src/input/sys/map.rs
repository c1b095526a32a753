//! Files mapped into memory.

use super::cache;
use super::guard::Registration;
use memmap2::{Mmap, UncheckedAdvice};
use rayon::prelude::*;
use std::fs::File;
use std::ops::Deref;

/// Bytes that one thread gives back at a time: a multiple of any page.
const RELEASED: usize = 64 << 20;

/// A file up to a length, in memory.
pub(in crate::input) struct Mapping {
    // Fields are dropped in this order: the guard forgets the addresses before they are given back.
    registration: Registration,
    map: Mmap,
}

impl Mapping {
    /// None: it cannot be mapped, and is to be read.
    pub(in crate::input) fn new(file: &File, len: u64) -> Option<Self> {
        let len = usize::try_from(len).ok().filter(|len| *len > 0)?;
        // SAFETY: the map is private and read-only, so nothing in this process changes the bytes behind the `&[u8]`. Another
        // process may: log files only grow, which leaves the first `len` bytes as they are. `Io::Auto` maps no file that was
        // written in the last two minutes; a file truncated nevertheless raises SIGBUS, which the guard answers with zeros (without
        // the guard the process ends there: no memory is read that is not the file's). What remains is a file that is rewritten
        // in place while it is read, hours after its last change, or under `Io::Mmap`: its bytes are then a mixture. Readers take the
        // bytes as hostile anyway and copy out what they keep; ripgrep and others rest on the same ground.
        let map = unsafe { memmap2::MmapOptions::new().len(len).map(file) }.ok()?;
        let registration = Registration::new(map.as_ptr() as usize, len)?;
        Some(Self { registration, map })
    }

    /// Whether most of it is in the page cache.
    pub(in crate::input) fn is_resident(&self) -> bool {
        cache::is_mapped_in_memory(&self.map)
    }

    /// Whether a part of it was gone when it was touched, and read as zeros.
    pub(in crate::input) fn was_hit(&self) -> bool {
        self.registration.was_hit()
    }
}

impl Drop for Mapping {
    /// Gives the pages back, several threads at once: unmapping alone does it with one, for a tenth of a second a GiB.
    fn drop(&mut self) {
        // Of a small one unmapping alone takes no longer.
        let pieces = self.map.len() / RELEASED;
        (0..pieces).into_par_iter().for_each(|at| {
            let start = at * RELEASED;
            // SAFETY: nobody borrows the bytes any more, since `drop` has the mapping to itself; the map is shared with the file and
            // read-only, so nothing is lost either.
            let released = unsafe { self.map.unchecked_advise_range(UncheckedAdvice::DontNeed, start, RELEASED) };
            // What stays is given back by unmapping.
            let _ = released;
        });
    }
}

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.map
    }
}
