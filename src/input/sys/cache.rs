//! The page cache: what of a file is in it, and taking it out again.

use memmap2::{Mmap, MmapOptions};
use std::fs::File;
use std::ops::Range;
use std::os::fd::AsRawFd;

/// The cache is looked at in this many places of so many pages.
const PLACES: usize = 64;
const PAGES: usize = 16;

/// Whether most of a range is in the page cache, by a sample. True also where nobody can tell.
pub(in crate::input) fn is_resident(file: &File, range: Range<u64>) -> bool {
    let len = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
    if len == 0 {
        return true;
    }
    // SAFETY: the bytes of this mapping are never touched; only its pages are asked for.
    let map = unsafe { MmapOptions::new().offset(page_of(range.start)).len(len).map(file) };
    map.is_ok_and(|map| is_mapped_in_memory(&map))
}

/// The same of a mapping.
pub(super) fn is_mapped_in_memory(map: &Mmap) -> bool {
    let page = super::guard::page_size();
    let pages = map.len().div_ceil(page);
    let places = PLACES.min(pages.div_ceil(PAGES));
    let (mut seen, mut resident) = (0, 0);
    for place in 0..places {
        let first = pages * place / places;
        let count = PAGES.min(pages - first);
        let mut flags = [0; PAGES];
        // SAFETY: `first + count <= pages`, so the range lies in the mapping, begins at a page (a mapping without an offset within a
        // page does), and has `count <= PAGES` pages, for each of which one flag is written.
        let result = unsafe {
            libc::mincore(map.as_ptr().add(first * page) as *mut libc::c_void, count * page, flags.as_mut_ptr())
        };
        if result != 0 {
            return false;
        }
        seen += count;
        resident += flags[..count].iter().filter(|flag| **flag & 1 == 1).count();
    }
    resident * 4 >= seen * 3
}

/// Lets the system take a range out of the page cache, from the page that it begins in.
pub(in crate::input) fn forget(file: &File, range: Range<u64>) {
    let begin = page_of(range.start);
    let (Ok(at), Ok(len)) = (libc::off_t::try_from(begin), libc::off_t::try_from(range.end.saturating_sub(begin)))
    else {
        return;
    };
    // Zero would be all up to the end.
    if len == 0 {
        return;
    }
    // SAFETY: the descriptor is open as long as `file` is borrowed; the call is a hint and changes no data.
    #[cfg(target_os = "linux")]
    unsafe {
        libc::posix_fadvise(file.as_raw_fd(), at, len, libc::POSIX_FADV_DONTNEED);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (file, at);
}

fn page_of(at: u64) -> u64 {
    at - at % super::guard::page_size() as u64
}
