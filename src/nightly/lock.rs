//! One run at a time: a lock of the operating system, which ends with the process that holds it, however that ends.

use crate::units::Timestamp;
use anyhow::Context;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

/// Held while a run is at work.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    /// Who held it before and did not let go of it in order.
    pub(super) died: Option<String>,
}

/// Somebody else holds the lock.
#[derive(Debug, thiserror::Error)]
#[error("another run is at work in {folder}{holder}; this one has done nothing")]
pub(super) struct AtWork {
    folder: String,
    holder: String,
}

impl Lock {
    const FILE: &str = "state.lock";

    /// Takes the lock of a folder.
    pub(super) fn take(folder: &Path, now: Timestamp) -> anyhow::Result<Self> {
        let path = folder.join(Self::FILE);
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .open(&path)
            .with_context(|| format!("{} cannot be written; runs keep their state there", path.display()))?;
        let taken = file.try_lock();
        let mut holder = String::new();
        let _ = Read::by_ref(&mut file).take(200).read_to_string(&mut holder);
        let holder = crate::safe::visible(holder.lines().next().unwrap_or_default()).into_owned();
        match taken {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(AtWork { folder: folder.display().to_string(), holder }.into());
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{} cannot be locked", path.display()));
            }
        }
        // For people; the lock holds without it.
        let own = format!(" (process {}, since {}Z)\n", std::process::id(), now.human());
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(own.as_bytes()));
        Ok(Self { file, died: Some(holder).filter(|holder| !holder.is_empty()) })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_leaves_with_a_word_about_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path(), Timestamp(0)).unwrap();
        let error = Lock::take(folder.path(), Timestamp(0)).unwrap_err().to_string();
        assert!(error.contains("another run is at work") && error.contains("process"), "{error}");
        drop(first);
        let next = Lock::take(folder.path(), Timestamp(0)).unwrap();
        assert_eq!(next.died, None);
    }

    #[test]
    fn a_holder_that_died_is_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(Lock::FILE), " (process 7, since then)\n").unwrap();
        let lock = Lock::take(folder.path(), Timestamp(0)).unwrap();
        assert_eq!(lock.died.as_deref(), Some(" (process 7, since then)"));
    }
}
