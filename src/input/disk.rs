//! Files on disk: opened where they are now, read up to the size that they had at the start.

use super::budget::Budget;
use super::{damage, sys};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

/// Most bytes of holes that are read for a file, beyond [`super::Limits::ratio`] times its real size.
const HOLES: u64 = 16 << 30;

/// The file, whatever it is called. Systems that tell when it was made keep apart two files that got the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    made: Option<SystemTime>,
}

impl Identity {
    pub(super) fn of(meta: &Metadata) -> Self {
        Self { device: meta.dev(), inode: meta.ino(), made: meta.created().ok() }
    }
}

/// An open file, and whether it is the one that was there at the start.
pub(super) struct Opened {
    pub(super) file: File,
    pub(super) meta: Metadata,
    pub(super) same: bool,
}

/// Opens a regular file. Where it was rotated meanwhile it is looked for under its new name, in the same folder.
pub(super) fn open(path: &Path, wanted: Identity) -> io::Result<Opened> {
    let there = open_regular(path);
    if let Ok((file, meta)) = there
        && Identity::of(&meta) == wanted
    {
        return Ok(Opened { file, meta, same: true });
    }
    let renamed = path.parent().map(|folder| if folder == Path::new("") { Path::new(".") } else { folder });
    for entry in renamed.and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten().flatten() {
        if entry.metadata().is_ok_and(|meta| Identity::of(&meta) == wanted)
            && let Ok((file, meta)) = open_regular(&entry.path())
            && Identity::of(&meta) == wanted
        {
            return Ok(Opened { file, meta, same: true });
        }
    }
    let (file, meta) = open_regular(path)?;
    Ok(Opened { file, meta, same: false })
}

/// Never waits, whatever stands there now.
fn open_regular(path: &Path) -> io::Result<(File, Metadata)> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
    let meta = file.metadata()?;
    if meta.is_file() { Ok((file, meta)) } else { Err(io::Error::other("is no longer a file")) }
}

/// A file up to a length, and the account of what is read from it.
pub(super) struct Disk<'d> {
    file: &'d File,
    len: u64,
    budget: Arc<Budget>,
    cold: bool,
}

impl<'d> Disk<'d> {
    /// `cold`: what is read is taken out of the page cache behind the reader.
    pub(super) fn new(file: &'d File, len: u64, budget: Arc<Budget>, cold: bool) -> Self {
        Self { file, len, budget, cold }
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// The bytes of a small range, as far as the file has them.
    pub(super) fn bytes(&self, begin: u64, end: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.part(begin, end.max(begin)).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// A range as a stream, as far as the file has it.
    pub(super) fn part(&self, begin: u64, end: u64) -> Part<'d> {
        let (end, budget) = (end.min(self.len), Arc::clone(&self.budget));
        Part { file: self.file, position: begin, end, budget, cold: self.cold }
    }

    /// A file with holes from a byte on, without the last one.
    pub(super) fn with_holes(&self, begin: u64, limit: u64) -> Holes<'d> {
        Holes { part: self.part(begin, self.len), left: limit.saturating_add(HOLES), data: 0..0 }
    }
}

/// See [`Disk::part`].
pub(super) struct Part<'d> {
    file: &'d File,
    position: u64,
    end: u64,
    budget: Arc<Budget>,
    cold: bool,
}

impl Read for Part<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let wanted = left.min(out.len());
        if wanted == 0 {
            return Ok(0);
        }
        let count = self.file.read_at(&mut out[..wanted], self.position)?;
        if count == 0 {
            return Err(shorter(self.position, self.end));
        }
        self.budget.add_raw(count);
        let from = self.position;
        self.position += count as u64;
        if self.cold {
            sys::forget(self.file, from..self.position);
        }
        Ok(count)
    }
}

/// What is said of a file that was truncated under its reader.
pub(super) const SHORTER: &str = "the file became shorter while it was read";

fn shorter(at: u64, end: u64) -> io::Error {
    damage::end(format!("{SHORTER}: {} of {}", damage::size(at), damage::size(end)))
}

/// See [`Disk::with_holes`]. What is not on the disk is not read from it.
pub(super) struct Holes<'d> {
    part: Part<'d>,
    /// Bytes of holes that may still be given.
    left: u64,
    /// The piece that comes next or is being read.
    data: std::ops::Range<u64>,
}

impl Read for Holes<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let position = self.part.position;
        if position >= self.data.end {
            match sys::next_data(self.part.file, position) {
                Some(data) if data.start < self.part.end => self.data = data,
                _ => return Ok(0),
            }
        }
        if position < self.data.start {
            let hole = usize::try_from(self.data.start - position).unwrap_or(usize::MAX);
            let count = hole.min(out.len());
            if count as u64 > self.left {
                return Err(damage::end(
                    "is a sparse file with more holes than can be read: limit reached, the rest is not read",
                ));
            }
            out[..count].fill(0);
            self.left -= count as u64;
            self.part.position += count as u64;
            return Ok(count);
        }
        let most = usize::try_from(self.data.end - position).unwrap_or(usize::MAX).min(out.len());
        self.part.read(&mut out[..most])
    }
}

/// Any other stream, with the account of what is read from it.
pub(super) struct Counted<R> {
    pub(super) inner: R,
    pub(super) budget: Arc<Budget>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(out)?;
        self.budget.add_raw(count);
        Ok(count)
    }
}
