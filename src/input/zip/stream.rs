//! A zip as a stream, by the record before each member.
//!
//! The directory at the end is not seen, so links look like files (their content is a path, in which there is no record). A member
//! whose size follows it is read to where its own coding ends, a stored one to where size and checksum fit.

use super::record::{DESCRIPTOR_MAGIC, LOCAL, LOCAL_MAGIC, Member, Tail, long};
use super::stored::Stored;
use super::{Checked, Method, method};
use crate::input::damage::{self, Damages};
use crate::input::decode::Decompressor;
use crate::input::feed::{Feed, Slice};
use crate::input::walk::{Depth, Walk};
use crate::input::{Status, name};
use memchr::memmem;
use std::io;

/// Hands on the members of a zip in a feed.
pub(in crate::input) fn walk_stream(walk: &mut Walk<'_>, archive: &str, feed: &mut Feed<'_>, depth: Depth) {
    let mut damages = Damages::default();
    let mut lost = false;
    loop {
        match step(walk, archive, feed, depth, &mut lost, &mut damages) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                damages.add(crate::error::without_number(&error));
                if !damage::goes_on(&error) {
                    break;
                }
                lost = true;
            }
        }
    }
    if let Some(text) = damages.take() {
        walk.problem(archive, Status::Partial, text);
    }
}

/// Goes over one member. False: there is no further one.
fn step(
    walk: &mut Walk<'_>,
    archive: &str,
    feed: &mut Feed<'_>,
    depth: Depth,
    lost: &mut bool,
    damages: &mut Damages,
) -> io::Result<bool> {
    if *lost {
        let next = |bytes: &[u8]| memmem::find_iter(bytes, b"PK").find(|at| is_record(&bytes[*at..]));
        if !feed.find(4, |_, bytes| next(bytes))? {
            damages.add("the archive is cut off: it has no directory");
            return Ok(false);
        }
        *lost = false;
    }
    let position = feed.position();
    let head = feed.peek(LOCAL)?;
    if head.starts_with(b"PK00") || (position == 0 && head.starts_with(DESCRIPTOR_MAGIC)) {
        // The mark of an archive that might have had several parts.
        feed.consume(4);
        return Ok(true);
    }
    if !head.starts_with(LOCAL_MAGIC) {
        let at_end = is_record(head);
        if head.is_empty() {
            damages.add("the archive is cut off: it has no directory");
        } else if !at_end {
            damages.add(format!("the archive is damaged at byte {position}"));
            feed.consume(1);
            *lost = true;
        }
        return Ok(*lost);
    }
    let cut_off = || damage::end("the archive is cut off in a record");
    let fixed = *feed.peek(LOCAL)?.first_chunk::<LOCAL>().ok_or_else(cut_off)?;
    let tail = Tail::of_local(&fixed).len();
    let bytes = feed.peek(LOCAL + tail)?;
    if bytes.len() < LOCAL + tail {
        return Err(cut_off());
    }
    let member = Member::local(&fixed, &bytes[LOCAL..LOCAL + tail]);
    feed.consume(LOCAL + tail);
    if !member.is_folder() && !walk.begin_member(archive) {
        return Ok(false);
    }
    *lost = if member.descriptor {
        open_ended(walk, archive, feed, &member, depth)?
    } else {
        sized(walk, archive, feed, &member, depth)?;
        false
    };
    Ok(true)
}

/// A member whose size stands before it.
fn sized(walk: &mut Walk<'_>, archive: &str, feed: &mut Feed<'_>, member: &Member, depth: Depth) -> io::Result<()> {
    let mut slice = Slice::new(feed, member.compressed);
    if !member.is_folder() {
        let label = name::of_member(archive, &member.name);
        match method(member) {
            Err(why) => walk.problem(&label, Status::Skipped, why),
            Ok(Method::Stored) => walk.member(&label, &mut Checked::new(&mut slice, Some(member.crc)), depth),
            Ok(Method::Compressed(format)) => {
                let budget = walk.budget();
                let mut inner = Feed::new(&mut slice);
                let mut decompressor = Decompressor::single(format, &mut inner, &budget);
                walk.member(&label, &mut Checked::new(&mut decompressor, Some(member.crc)), depth);
            }
        }
    }
    slice.finish()
}

/// A member whose size follows it. True: the next record is to be looked for.
fn open_ended(
    walk: &mut Walk<'_>,
    archive: &str,
    feed: &mut Feed<'_>,
    member: &Member,
    depth: Depth,
) -> io::Result<bool> {
    let label = name::of_member(archive, &member.name);
    let format = match method(member) {
        Ok(Method::Compressed(format)) => format,
        Ok(Method::Stored) if member.is_folder() => return Ok(true),
        Ok(Method::Stored) => {
            let mut stored = Stored::new(feed, member.zip64);
            walk.member(&label, &mut stored, depth);
            return Ok(io::copy(&mut stored, &mut io::sink()).is_err());
        }
        Err(why) => {
            walk.problem(&label, Status::Skipped, why);
            return Ok(true);
        }
    };
    let budget = walk.budget();
    let mut decompressor = Decompressor::single(format, feed, &budget);
    let mut checked = Checked::new(&mut decompressor, None);
    walk.member(&label, &mut checked, depth);
    // The next member begins where this one ends. What is wrong with it, its reader has been told.
    let rest = io::copy(&mut checked, &mut io::sink());
    let crc = checked.crc.sum();
    if rest.is_err() || decompressor.has_failed() {
        return Ok(true);
    }
    let descriptor = feed.peek(24)?;
    let marked = descriptor.starts_with(DESCRIPTOR_MAGIC);
    if long(descriptor, if marked { 4 } else { 0 }) != crc {
        walk.problem(&label, Status::Partial, "does not fit its checksum: something in it is damaged");
    }
    Ok(true)
}

/// Whether a record of a zip begins here.
fn is_record(bytes: &[u8]) -> bool {
    matches!(bytes, [b'P', b'K', 1, 2, ..] | [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5 | 6, 6, ..])
}
