//! One path, and the reading of it.

use super::disk::{self, Counted, Disk, Identity, Opened};
use super::feed::Feed;
use super::objects::Object;
use super::sniff::{self, Kind};
use super::sys::{self, Mapping};
use super::walk::{Depth, Walk};
use super::{Body, Io, Options, Problem, Status, zip};
use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Files smaller than this are read: mapping costs more.
const WORTH_MAPPING: u64 = 64 << 10;

/// A file that was changed this recently may be about to be truncated.
const AT_REST: Duration = Duration::from_secs(120);

/// Buffer between the disk and a decoder.
const BUFFER: u64 = 256 << 10;

/// One path that was named or found. It is open only while it is read.
#[derive(Debug, Clone)]
pub struct Input {
    name: String,
    origin: Origin,
    options: Options,
    /// Where plain text begins that is wanted; then nothing but the very file that was found will do.
    begin: Option<u64>,
}

#[derive(Debug, Clone)]
enum Origin {
    Stdin,
    Pipe(PathBuf),
    File { path: PathBuf, identity: Identity, stamp: Stamp },
    Object(Object),
}

/// A file as it was found: where nothing of this has changed, neither has its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Stamp {
    /// Device.
    pub device: u64,
    /// Number on the device.
    pub inode: u64,
    /// Bytes.
    pub size: u64,
    /// Time of the last change, in nanoseconds since the Unix epoch.
    pub modified_ns: i64,
}

impl Stamp {
    fn of(meta: &Metadata) -> Self {
        let modified = meta.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified_ns = modified.and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or_default();
        Self { device: meta.dev(), inode: meta.ino(), size: meta.len(), modified_ns }
    }
}

impl Input {
    pub(super) fn stdin(options: Options) -> Self {
        Self { name: "-".into(), origin: Origin::Stdin, options, begin: None }
    }

    pub(super) fn pipe(name: String, path: PathBuf, options: Options) -> Self {
        Self { name, origin: Origin::Pipe(path), options, begin: None }
    }

    pub(super) fn file(name: String, path: PathBuf, meta: &Metadata, options: Options) -> Self {
        let origin = Origin::File { path, identity: Identity::of(meta), stamp: Stamp::of(meta) };
        Self { name, origin, options, begin: None }
    }

    pub(super) fn object(object: Object, options: Options) -> Self {
        Self { name: object.name().to_owned(), origin: Origin::Object(object), options, begin: None }
    }

    /// The contract's `file`: the path as given, joined with the path below it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes on disk when it was found; 0 where nobody can know.
    pub fn size(&self) -> u64 {
        self.stamp().map_or(0, |stamp| stamp.size)
    }

    /// How the file was found; `None` for what is no file.
    pub fn stamp(&self) -> Option<Stamp> {
        match &self.origin {
            Origin::File { stamp, .. } => Some(*stamp),
            Origin::Object(object) => Some(object.stamp()),
            Origin::Stdin | Origin::Pipe(_) => None,
        }
    }

    /// The same input, to go on reading it: of a plain file the sink gets the text from `begin` on (or all of it, mapped). Where
    /// another file stands in its place meanwhile, or it has become shorter, nothing is read.
    #[must_use]
    pub fn tail(&self, begin: u64) -> Self {
        Self { begin: Some(begin), ..self.clone() }
    }

    /// Whether reading it again gives the same sources.
    pub fn is_rereadable(&self) -> bool {
        matches!(self.origin, Origin::File { .. } | Origin::Object(_))
    }

    /// Whether it is a file of plain text, so that any part of it can be read without what stands before.
    pub fn is_plain(&self) -> bool {
        let mut head = Vec::new();
        let read = match &self.origin {
            Origin::File { path, identity, .. } => disk::open(path, *identity)
                .and_then(|opened| opened.file.take(sniff::HEAD as u64).read_to_end(&mut head)),
            Origin::Object(object) => object.open(0).take(sniff::HEAD as u64).read_to_end(&mut head),
            Origin::Stdin | Origin::Pipe(_) => return false,
        };
        read.is_ok_and(|_| sniff::sniff(&head) == Kind::Text)
    }

    /// Calls `sink` once for every source, in a fixed order: once for a plain or compressed file, once for every member of an
    /// archive, with its name as the contract has it (`archive.tar.gz!/dir/tikv.log`; two members may have the same). The sink
    /// need not read to the end.
    ///
    /// What went wrong comes back: members and containers that the sink did not get, or not to their end. A problem with the
    /// name of a source that the sink did get tells what was noticed after it, and makes it partial.
    pub fn read(&self, sink: &mut dyn FnMut(&str, Body<'_>)) -> Vec<Problem> {
        let mut walk = Walk::new(sink, self.options.limits);
        let result = match &self.origin {
            Origin::Stdin => {
                self.read_stream(&mut walk, io::stdin());
                Ok(())
            }
            Origin::Pipe(path) => File::open(path).map(|pipe| self.read_stream(&mut walk, pipe)),
            Origin::File { path, identity, stamp } => {
                disk::open(path, *identity).and_then(|opened| self.read_file(&mut walk, &opened, stamp.size))
            }
            Origin::Object(object) => {
                self.read_object(&mut walk, object);
                Ok(())
            }
        };
        if let Err(error) = result {
            walk.problem(&self.name, Status::Failed, crate::error::without_number(&error));
        }
        walk.into_problems()
    }

    fn read_stream(&self, walk: &mut Walk<'_>, stream: impl io::Read + Send) {
        let mut counted = Counted { inner: stream, budget: walk.budget() };
        walk.stream(&self.name, &mut Feed::with_buffer(&mut counted, BUFFER as usize), Depth::default());
    }

    fn read_object(&self, walk: &mut Walk<'_>, object: &Object) {
        let begin = self.begin.unwrap_or(0);
        let mut counted = Counted { inner: object.open(begin), budget: walk.budget() };
        let mut feed = Feed::with_buffer(&mut counted, BUFFER as usize);
        match self.begin {
            Some(begin) => walk.tail(&self.name, begin, &mut feed),
            None => walk.stream(&self.name, &mut feed, Depth::default()),
        }
    }

    fn read_file(&self, walk: &mut Walk<'_>, opened: &Opened, size: u64) -> io::Result<()> {
        let Opened { file, meta, same } = opened;
        let len = if *same { size.min(meta.len()) } else { meta.len() };
        if self.begin.is_some() && (!same || len < size) {
            return Err(io::Error::other("was replaced or became shorter since the start"));
        }
        if !same {
            walk.problem(
                &self.name,
                Status::Partial,
                "another file stands in its place since the start: that one was read",
            );
        } else if len < size {
            walk.problem(&self.name, Status::Partial, "the file became shorter since the start");
        }
        let begin = self.begin.unwrap_or(0);
        let cold = self.options.leave_no_trace && !sys::is_resident(file, begin..len);
        let disk = Disk::new(file, len, walk.budget(), cold);
        match sniff::sniff(&disk.bytes(0, len.min(sniff::HEAD as u64))?) {
            Kind::Zip => zip::walk_file(walk, &self.name, &disk, Depth::default()),
            Kind::Text => match self.mapping(file, meta, len) {
                Some(mapping) => {
                    let read = panic::catch_unwind(AssertUnwindSafe(|| walk.mapped(&self.name, &mapping)));
                    let now = file.metadata()?;
                    // Text that changes under its reader breaks what the reader knew of it. Nothing else may.
                    let changed = now.len() != meta.len() || now.modified()? != meta.modified()?;
                    if let Err(panic) = read {
                        if !changed {
                            panic::resume_unwind(panic);
                        }
                        walk.problem(&self.name, Status::Partial, "was written anew while it was read");
                    } else if now.len() < len {
                        walk.problem(&self.name, Status::Partial, disk::SHORTER);
                    } else if mapping.was_hit() {
                        walk.problem(
                            &self.name,
                            Status::Partial,
                            "a part of the file was gone while it was read, or has bad sectors",
                        );
                    }
                }
                None if sys::has_holes(file, len) => {
                    let on_disk = meta.blocks().saturating_mul(512);
                    let limit = on_disk.saturating_mul(self.options.limits.ratio);
                    self.read_text(walk, disk.with_holes(begin, limit), file, len);
                }
                None => self.read_text(walk, disk.part(begin, len), file, len),
            },
            _ => self.read_part(walk, disk.part(0, len), file, len),
        }
        if cold {
            // With what the system has read ahead.
            sys::forget(file, begin..len);
        }
        Ok(())
    }

    fn read_text(&self, walk: &mut Walk<'_>, mut part: impl io::Read + Send, file: &File, len: u64) {
        let Some(begin) = self.begin else { return self.read_part(walk, part, file, len) };
        sys::will_read_in_order(file);
        let buffer = len.saturating_sub(begin).min(BUFFER) as usize + 1;
        walk.tail(&self.name, begin, &mut Feed::with_buffer(&mut part, buffer));
    }

    fn read_part(&self, walk: &mut Walk<'_>, mut part: impl io::Read + Send, file: &File, len: u64) {
        sys::will_read_in_order(file);
        walk.stream(&self.name, &mut Feed::with_buffer(&mut part, len.min(BUFFER) as usize + 1), Depth::default());
    }

    /// The file in memory, where that is the way to read it.
    fn mapping(&self, file: &File, meta: &Metadata, len: u64) -> Option<Mapping> {
        if len > self.options.limits.source_bytes {
            return None;
        }
        match self.options.io {
            Io::Read => None,
            Io::Mmap => Mapping::new(file, len),
            Io::Auto => {
                // A time in the future may be a clock that was set back: no proof of rest.
                let at_rest = SystemTime::now().duration_since(meta.modified().ok()?).is_ok_and(|age| age > AT_REST);
                if len < WORTH_MAPPING || !at_rest || sys::has_holes(file, len) {
                    return None;
                }
                Mapping::new(file, len).filter(Mapping::is_resident)
            }
        }
    }
}
