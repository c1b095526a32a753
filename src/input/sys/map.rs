//! Files mapped into memory.

use super::guard::Registration;
use memmap2::Mmap;
use std::fs::File;
use std::ops::Deref;

/// A file up to a length, in memory.
pub(in crate::input) struct Mapping {
    // Fields are dropped in this order: the guard forgets the addresses before they are given back.
    registration: Registration,
    map: Mmap,
}

/// Residency is looked at in this many places of so many pages.
const PLACES: usize = 64;
const PAGES: usize = 16;

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

    /// Whether most of it is in the page cache, by a sample.
    pub(in crate::input) fn is_resident(&self) -> bool {
        let page = super::guard::page_size();
        let pages = self.map.len().div_ceil(page);
        let places = PLACES.min(pages.div_ceil(PAGES));
        let (mut seen, mut resident) = (0, 0);
        for place in 0..places {
            let first = pages * place / places;
            let count = PAGES.min(pages - first);
            let mut flags = [0; PAGES];
            // SAFETY: `first + count <= pages`, so the range lies in the mapping, begins at a page, and has `count <= PAGES`
            // pages, for each of which one flag is written.
            let result = unsafe {
                libc::mincore(
                    self.map.as_ptr().add(first * page) as *mut libc::c_void,
                    count * page,
                    flags.as_mut_ptr(),
                )
            };
            if result != 0 {
                return false;
            }
            seen += count;
            resident += flags[..count].iter().filter(|flag| **flag & 1 == 1).count();
        }
        resident * 4 >= seen * 3
    }

    /// Whether a part of it was gone when it was touched, and read as zeros.
    pub(in crate::input) fn was_hit(&self) -> bool {
        self.registration.was_hit()
    }
}

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.map
    }
}
