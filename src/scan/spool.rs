//! Sources that cannot be read twice: a compressed copy of each is kept for the passes after the first.

use crate::input::Input;
use rustc_hash::FxHashMap;
use std::fs::File;
use std::io::{self, Read, Seek as _, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// The copies, in files without a name: however the run ends, nothing is left of them.
#[derive(Debug, Default)]
pub(super) struct Spools(Mutex<FxHashMap<Arc<str>, File>>);

/// A source once more, from its beginning.
pub(super) type Again = zstd::Decoder<'static, io::BufReader<File>>;

impl Spools {
    /// Hands a stream to `read` and keeps a copy of what that takes.
    ///
    /// # Errors
    /// Where the copy cannot be written; the stream was read all the same, unless no file could be made.
    pub(super) fn keep(
        &self,
        file: &Arc<str>,
        stream: &mut (dyn Read + Send),
        read: impl FnOnce(&mut (dyn Read + Send)),
    ) -> io::Result<()> {
        let copy = tempfile::tempfile()?;
        let mut encoder = zstd::Encoder::new(copy.try_clone()?, 1)?;
        let mut tee = Tee { stream, copy: &mut encoder, failure: None };
        read(&mut tee);
        if let Some(failure) = tee.failure.take() {
            return Err(failure);
        }
        encoder.finish()?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(Arc::clone(file), copy);
        Ok(())
    }

    /// The copies of the sources in an input.
    pub(super) fn of(&self, input: &Input) -> Vec<(Arc<str>, io::Result<Again>)> {
        let name = input.name();
        let is_own = |file: &str| file.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('!'));
        let copies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = copies.iter().filter(|(file, _)| is_own(file));
        own.map(|(file, copy)| (Arc::clone(file), begin(copy))).collect()
    }
}

fn begin(copy: &File) -> io::Result<Again> {
    let mut copy = copy.try_clone()?;
    copy.rewind()?;
    zstd::Decoder::new(copy)
}

/// Copies a stream while it is read.
struct Tee<'s, W> {
    stream: &'s mut (dyn Read + Send),
    copy: W,
    failure: Option<io::Error>,
}

impl<W: Write> Read for Tee<'_, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(buffer)?;
        if self.failure.is_none() {
            self.failure = self.copy.write_all(&buffer[..count]).err();
        }
        Ok(count)
    }
}
