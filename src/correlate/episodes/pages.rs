//! Episodes in pages: the newest in memory, older ones in a temporary file.

use super::Run;
use rayon::prelude::*;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};

/// All pages.
#[derive(Debug, Default)]
pub(super) struct Pages {
    /// Pages in memory, oldest first; the last one is being filled.
    held: VecDeque<Vec<Run>>,
    /// Runs in written pages.
    written: u32,
    file: Option<File>,
    /// No temporary file can be written: all stays in memory.
    stuck: bool,
}

impl Pages {
    /// Runs of a page.
    const PAGE: usize = 2_048;
    /// Written pages that are read back at once.
    const AT_ONCE: usize = 16;
    /// Pages in memory.
    #[cfg(not(test))]
    const HELD: usize = 32;
    #[cfg(test)]
    const HELD: usize = 2;

    /// How many runs there are.
    pub(super) fn len(&self) -> u32 {
        self.written + self.held.iter().map(Vec::len).sum::<usize>() as u32
    }

    /// Adds a run.
    pub(super) fn push(&mut self, run: Run) {
        match self.held.back_mut() {
            Some(page) if page.len() < Self::PAGE => page.push(run),
            _ => {
                let mut page = Vec::with_capacity(Self::PAGE);
                page.push(run);
                self.held.push_back(page);
            }
        }
    }

    /// Whether the oldest page should be written.
    pub(super) fn are_full(&self) -> bool {
        self.held.len() > Self::HELD && !self.stuck
    }

    /// Whether a page was written.
    pub(super) const fn are_written(&self) -> bool {
        self.written > 0
    }

    /// Writes the oldest page; gives its runs and the position of the first.
    pub(super) fn write_oldest(&mut self) -> Option<(u32, Vec<Run>)> {
        let page = self.held.pop_front()?;
        if let Err(_error) = self.append(&page) {
            self.stuck = true;
            self.held.push_front(page);
            return None;
        }
        let first = self.written;
        self.written += page.len() as u32;
        Some((first, page))
    }

    fn append(&mut self, page: &[Run]) -> std::io::Result<()> {
        if self.file.is_none() {
            self.file = Some(tempfile::tempfile()?);
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        let bytes = postcard::to_stdvec(page).map_err(std::io::Error::other)?;
        file.write_all(&(bytes.len() as u64).to_le_bytes())?;
        file.write_all(&bytes)
    }

    /// A run in memory.
    pub(super) fn get(&self, at: u32) -> Option<&Run> {
        let at = at.checked_sub(self.written)? as usize;
        self.held.get(at / Self::PAGE)?.get(at % Self::PAGE)
    }

    /// A run in memory.
    pub(super) fn get_mut(&mut self, at: u32) -> Option<&mut Run> {
        let at = at.checked_sub(self.written)? as usize;
        self.held.get_mut(at / Self::PAGE)?.get_mut(at % Self::PAGE)
    }

    /// All runs in memory, with their positions.
    pub(super) fn held(&self) -> impl Iterator<Item = (u32, &Run)> {
        (self.written..).zip(self.held.iter().flatten())
    }

    /// Hands every written run to `each`, in order, as it was when its page was written.
    pub(super) fn for_each_written(
        &self,
        each: &mut dyn FnMut(u32, Run) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        let mut at = 0;
        self.each_written(&|_, page| Ok(page), &mut |page| {
            page.into_iter().try_for_each(|run| {
                at += 1;
                each(at - 1, run)
            })
        })
    }

    /// Makes something of each page and the position of its first run, in parallel, and hands it to `each`, in order.
    pub(super) fn each_made<T: Send>(
        &self,
        make: &(impl Fn(u32, &[Run]) -> std::io::Result<T> + Sync),
        each: &mut impl FnMut(T) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        self.each_written(&|at, page| make(at, &page), each)?;
        let held: Vec<&Vec<Run>> = self.held.iter().collect();
        let first = |at: usize| self.written + (at * Self::PAGE) as u32;
        let made: Vec<_> = held.par_iter().enumerate().map(|(at, page)| make(first(at), page)).collect();
        made.into_iter().try_for_each(|made| each(made?))
    }

    fn each_written<T: Send>(
        &self,
        make: &(impl Fn(u32, Vec<Run>) -> std::io::Result<T> + Sync),
        each: &mut impl FnMut(T) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut file = file.try_clone()?;
        file.seek(SeekFrom::Start(0))?;
        let mut from = BufReader::with_capacity(1 << 20, file);
        let mut at = 0;
        while at < self.written {
            let mut batch: Vec<(u32, Vec<u8>)> = Vec::with_capacity(Self::AT_ONCE);
            while batch.len() < Self::AT_ONCE && at < self.written {
                let mut length = [0; 8];
                from.read_exact(&mut length)?;
                let mut bytes = vec![0; u64::from_le_bytes(length) as usize];
                from.read_exact(&mut bytes)?;
                batch.push((at, bytes));
                // Only whole pages are written.
                at += Self::PAGE as u32;
            }
            let read =
                |(at, bytes): &(u32, Vec<u8>)| make(*at, postcard::from_bytes(bytes).map_err(std::io::Error::other)?);
            let made: Vec<_> = batch.par_iter().map(read).collect();
            made.into_iter().try_for_each(|made| each(made?))?;
        }
        Ok(())
    }
}
