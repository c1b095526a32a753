//! Bytes, and where they come from: files, folders, archives, compressed streams, standard input, objects of a bucket.
//!
//! [`discover`] turns what the user named into [`Input`]s, one a file; [`Input::read`] hands every source in it (the file itself,
//! or each member of an archive) to a sink, decompressed, in a fixed order. What a container is, its bytes say, never its name.
//! Nothing is extracted to disk, files are open only while they are read, and memory does not grow with the input:
//! some buffers of 64 KiB to 256 KiB a layer, and what the decoder needs (at most 128 MiB: `decode`).
//!
//! Not here: what the text means. Journald, CRI or Docker lines are the record stage's business.

mod budget;
mod damage;
mod decode;
mod discover;
mod disk;
mod export;
mod feed;
mod name;
#[cfg_attr(not(feature = "object-store"), path = "no_objects.rs")]
mod objects;
mod sniff;
mod source;
mod sys;
mod tar;
mod text;
mod utf16;
mod walk;
mod zip;

#[cfg(test)]
mod tests;

pub use discover::{Discovery, discover, is_url};
pub use source::{Input, Stamp};
pub use sys::guard_mapped_reads;

use std::io::Read;

/// How inputs are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Mapped or read.
    pub io: Io,
    /// What hostile or broken input may cost.
    pub limits: Limits,
    /// Whether what was not in the page cache before is not in it afterwards: others work on this machine.
    pub leave_no_trace: bool,
}

/// How a plain file comes into memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Io {
    /// Mapped where that is fastest and safe: a regular file of at least 64 KiB, unchanged for two minutes, mostly in the
    /// page cache. Otherwise read in file order.
    #[default]
    Auto,
    /// Mapped wherever the operating system can; else read.
    Mmap,
    /// Always read.
    Read,
}

/// Where reading an input stops. A real log compresses several hundred to one and is far from all of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes that one source may give.
    pub source_bytes: u64,
    /// Most bytes that may come out of a decoder for each byte read from disk, over all layers, ...
    pub ratio: u64,
    /// ... once this many bytes more than that have come out. An input with several bombs may cost eight times as much.
    pub ratio_floor: u64,
    /// Most members of one input, those of inner archives included.
    pub members: u64,
    /// How deep archives may stand in each other, and how often what stands in one may be compressed.
    pub nesting: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { source_bytes: 1 << 40, ratio: 2_000, ratio_floor: 1 << 30, members: 100_000, nesting: 3 }
    }
}

/// The bytes of one source.
pub enum Body<'a> {
    /// All of them: a file mapped into memory.
    Mapped(&'a [u8]),
    /// To be read with buffers of 64 KiB and more (1 MiB is best), which are then filled without a copy. An error comes after
    /// all bytes that could be read, and says what is missing; nothing comes after it.
    Stream(&'a mut (dyn Read + Send)),
    /// The same, of a plain file from this byte on: for an input that was asked for its tail.
    Tail(u64, &'a mut (dyn Read + Send)),
}

/// Something that could not be read, or not to its end. Several may speak of the same file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// A source (also one that the sink got, when its file turned out to be damaged afterwards), or a container.
    pub file: String,
    /// How bad it is.
    pub status: Status,
    /// Why.
    pub reason: String,
}

/// How bad a [`Problem`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// A part was read.
    Partial,
    /// Nothing was read, on purpose: no log can be in it, or it cannot be read by design (encrypted).
    Skipped,
    /// Nothing could be read.
    Failed,
}
