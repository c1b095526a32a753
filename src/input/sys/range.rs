//! Which ranges of a file hold data, and how it will be read.

use std::fs::File;
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;

/// What `st_blocks` counts in, whatever the file system's own blocks are.
const BLOCK: u64 = 512;

/// Tells the system that a file will be read from its beginning to its end.
pub(in crate::input) fn will_read_in_order(file: &File) {
    // SAFETY: the descriptor is open as long as `file` is borrowed; the call is a hint and touches no memory.
    #[cfg(target_os = "linux")]
    unsafe {
        libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_SEQUENTIAL);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = file;
}

/// Whether a part of the first `len` bytes is not on disk.
pub(in crate::input) fn has_holes(file: &File, len: u64) -> bool {
    // The search for a hole goes through a whole file in memory; one with blocks for all its bytes needs none.
    let is_whole = file.metadata().is_ok_and(|meta| meta.blocks().saturating_mul(BLOCK) >= len);
    !is_whole && seek(file, 0, libc::SEEK_HOLE).is_some_and(|hole| hole < len)
}

/// The first piece of data that ends behind `from`. None: there is nothing but a hole.
pub(in crate::input) fn next_data(file: &File, from: u64) -> Option<Range<u64>> {
    let start = seek(file, from, libc::SEEK_DATA)?;
    let end = seek(file, start, libc::SEEK_HOLE)?;
    (start < end).then_some(start..end)
}

fn seek(file: &File, from: u64, whence: libc::c_int) -> Option<u64> {
    let from = libc::off_t::try_from(from).ok()?;
    // SAFETY: the descriptor is open as long as `file` is borrowed. The call moves its position, which nobody uses: all reads say
    // where they read.
    let found = unsafe { libc::lseek(file.as_raw_fd(), from, whence) };
    u64::try_from(found).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::FileExt;

    #[test]
    fn holes_are_found() {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&vec![1; 65_536], 0).unwrap();
        assert!(!has_holes(&file, 65_536));
        file.write_all_at(&vec![1; 65_536], 1 << 24).unwrap();
        file.set_len(1 << 30).unwrap();
        assert!(has_holes(&file, 1 << 30));
        assert_eq!(next_data(&file, 100), Some(100..65_536));
        assert_eq!(next_data(&file, 65_536), Some(1 << 24..(1 << 24) + 65_536));
        assert_eq!(next_data(&file, (1 << 24) + 65_536), None);
    }
}
