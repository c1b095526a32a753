//! tar archives as a stream: ustar, GNU, pax, old V7, sparse members, archives put one behind the other.
//!
//! A header that is damaged costs its member: the next one is looked for by its magic and checksum.

mod header;
mod sparse;

use self::header::{BLOCK, Extensions, Header, Kind, MOST_PIECES, PaxSparse};
use self::sparse::Sparse;
use super::damage::{self, Damages};
use super::feed::{CUT_OFF, Feed, Slice};
use super::walk::{Depth, Walk};
use super::{Status, name};
use memchr::memmem;
use std::io::{self, Read};

/// Longest extension header (long name, pax fields) that is read.
const LONGEST_EXTENSION: u64 = 1 << 20;

/// Whether an archive begins with these bytes, be its first header damaged or not.
pub(super) fn begins(head: &[u8]) -> bool {
    head.first_chunk::<BLOCK>().is_some_and(|block| header::has_magic(block) || Header::parse(block).is_some())
}

/// Hands on the members of the archive in a feed.
pub(super) fn walk(walk: &mut Walk<'_>, archive: &str, feed: &mut Feed<'_>, depth: Depth) {
    let mut tar =
        Tar { feed, damages: Damages::default(), extensions: Extensions::default(), end_marks: 0, lost: false };
    loop {
        let step = match tar.next_header() {
            Ok(None) => break,
            Ok(Some(_)) if !walk.begin_member(archive) => break,
            Ok(Some(header)) => tar.member(walk, archive, &header, depth),
            Err(error) => Err(error),
        };
        if let Err(error) = step {
            tar.damages.add(crate::error::without_number(&error));
            if !damage::goes_on(&error) {
                break;
            }
            tar.lost = true;
        }
    }
    if let Some(text) = tar.damages.take() {
        walk.problem(archive, Status::Partial, text);
    }
}

struct Tar<'f, 'a> {
    feed: &'f mut Feed<'a>,
    damages: Damages,
    /// What extension headers said of the next member.
    extensions: Extensions,
    /// Blocks of zeros since the last member: two of them end the archive.
    end_marks: u64,
    /// The next header is somewhere further on, not here.
    lost: bool,
}

impl Tar<'_, '_> {
    /// The next header of a member; none at the end.
    fn next_header(&mut self) -> io::Result<Option<Header>> {
        loop {
            if self.lost {
                self.extensions = Extensions::default();
                self.find_header()?;
                self.lost = false;
            }
            let position = self.feed.position();
            let Some(block) = self.feed.peek(BLOCK)?.first_chunk::<BLOCK>() else { return self.end() };
            if block.iter().all(|byte| *byte == 0) {
                self.end_marks += 1;
                self.feed.consume(BLOCK);
                continue;
            }
            match Header::parse(block) {
                Some(header) => {
                    self.end_marks = 0;
                    self.feed.consume(BLOCK);
                    match header.kind {
                        Kind::Extension => self.extension(&header)?,
                        _ => return Ok(Some(header)),
                    }
                }
                // What stands behind the end is nobody's.
                None if self.end_marks >= 2 => return Ok(None),
                None => {
                    self.damages.add(format!("the tar header at byte {position} is damaged: its member is lost"));
                    self.feed.consume(1);
                    self.lost = true;
                }
            }
        }
    }

    /// The end of the stream.
    fn end(&mut self) -> io::Result<Option<Header>> {
        let rest = self.feed.buffered().len();
        self.feed.consume(rest);
        // A gap or a failure may be what cut the block short.
        self.feed.peek(1)?;
        if rest > 0 && self.end_marks < 2 {
            self.damages.add("the archive is cut off in a header");
        } else if self.end_marks == 0 {
            self.damages.add("the archive has no end mark: it may be cut off");
        }
        Ok(None)
    }

    /// Goes on to the next place where a header stands, or to the end.
    fn find_header(&mut self) -> io::Result<()> {
        let found = self.feed.find(BLOCK, |_, bytes| {
            memmem::find_iter(bytes, b"ustar")
                .filter_map(|magic| magic.checked_sub(header::MAGIC_AT))
                .find(|at| bytes[*at..].first_chunk().is_some_and(|block| Header::parse(block).is_some()))
        })?;
        if !found {
            // The loss of the end has been told with the damage.
            self.end_marks = 2;
        }
        Ok(())
    }

    /// Reads a long name or pax fields.
    fn extension(&mut self, header: &Header) -> io::Result<()> {
        let size = header.size;
        if size > LONGEST_EXTENSION {
            self.damages.add(format!("an extension header of {} is not read", damage::size(size)));
            return self.pass(size + padding(size));
        }
        let mut bytes = Vec::new();
        let mut slice = Slice::new(self.feed, size);
        let read = slice.read_to_end(&mut bytes);
        slice.finish()?;
        read?;
        self.extensions.add(header.code, &bytes);
        self.pass(padding(size))
    }

    fn pass(&mut self, count: u64) -> io::Result<()> {
        if self.feed.skip(count)? < count { Err(damage::end(CUT_OFF)) } else { Ok(()) }
    }

    /// Hands one member on, and goes to its end. An error is one of the archive's stream.
    fn member(&mut self, walk: &mut Walk<'_>, archive: &str, header: &Header, depth: Depth) -> io::Result<()> {
        let mut extensions = std::mem::take(&mut self.extensions);
        let label = name::of_member(archive, extensions.name(header));
        let size = if header.kind == Kind::Link { 0 } else { extensions.size.unwrap_or(header.size) };
        let sparse = extensions.sparse.take().filter(|_| header.kind == Kind::File);
        let sparse = if header.kind == Kind::OldSparse { self.old_sparse(header)? } else { sparse };
        let mut slice = Slice::new(self.feed, size);
        match (header.kind, sparse) {
            (Kind::OldSparse, None) => walk.problem(&label, Status::Failed, "has a damaged list of pieces"),
            (_, Some(sparse)) => sparse_member(walk, &label, &mut slice, sparse, depth),
            (Kind::File, None) => walk.member(&label, &mut slice, depth),
            (Kind::Link | Kind::Other | Kind::Extension, None) => {}
        }
        slice.finish()?;
        self.pass(padding(size))
    }

    /// The pieces of an old GNU sparse member: four in its header, the others in blocks behind it.
    fn old_sparse(&mut self, header: &Header) -> io::Result<Option<PaxSparse>> {
        let Some((mut pieces, mut more, size)) = header.old_sparse() else { return Ok(None) };
        while more {
            let Some(block) = self.feed.peek(BLOCK)?.first_chunk::<BLOCK>() else {
                return Err(damage::end(CUT_OFF));
            };
            let Some((further, even_more)) = header::more_pieces(block) else { return Ok(None) };
            self.feed.consume(BLOCK);
            if pieces.len() < MOST_PIECES {
                pieces.extend(further);
            }
            more = even_more;
        }
        Ok((pieces.len() < MOST_PIECES).then_some(PaxSparse { pieces, size, ..PaxSparse::default() }))
    }
}

/// Hands on a member with its holes.
fn sparse_member(walk: &mut Walk<'_>, label: &str, slice: &mut Slice<'_, '_>, sparse: PaxSparse, depth: Depth) {
    // Where reading the list fails, finishing the slice tells why.
    let pieces = if sparse.pieces_in_content {
        sparse::pieces_in_content(slice).unwrap_or_default()
    } else {
        Some(sparse.pieces)
    };
    let budget = walk.budget();
    match pieces.and_then(|pieces| Sparse::new(slice, pieces, sparse.size, &budget)) {
        Some(mut content) => walk.member(label, &mut content, depth),
        None => walk.problem(label, Status::Failed, "has a damaged list of pieces"),
    }
}

/// Bytes from the end of a member to the next block.
fn padding(size: u64) -> u64 {
    size.next_multiple_of(BLOCK as u64) - size
}
