//! A zip in a file, read by the directory at its end.

use super::record::{CENTRAL, CENTRAL_MAGIC, LOCAL, LOCAL_MAGIC, Member, Tail, long, short, wide};
use super::{Checked, Method, method, walk_stream};
use crate::input::damage::{self, Damages};
use crate::input::decode::Decompressor;
use crate::input::disk::Disk;
use crate::input::feed::Feed;
use crate::input::walk::{Depth, Walk};
use crate::input::{Status, name};
use memchr::memmem;
use std::io;

/// The record that ends an archive, before its comment.
const END: usize = 22;
const END_MAGIC: &[u8; 4] = b"PK\x05\x06";
const LONGEST_COMMENT: u64 = 65_535;

/// Where the directory stands.
#[derive(Debug, PartialEq, Eq)]
struct Directory {
    begin: u64,
    end: u64,
    /// What offsets count from: an archive may have something before it.
    base: u64,
}

/// Hands on the members of a zip file.
pub(in crate::input) fn walk_file(walk: &mut Walk<'_>, archive: &str, disk: &Disk<'_>, depth: Depth) {
    match find_directory(disk) {
        Ok(Some(directory)) => members(walk, archive, disk, &directory, depth),
        Ok(None) => {
            // It is cut off; the walk tells so.
            let mut whole = disk.part(0, disk.len());
            walk_stream(walk, archive, &mut Feed::new(&mut whole), depth);
        }
        Err(error) => walk.problem(archive, Status::Failed, crate::error::without_number(&error)),
    }
}

fn find_directory(disk: &Disk<'_>) -> io::Result<Option<Directory>> {
    let from = disk.len().saturating_sub(END as u64 + LONGEST_COMMENT);
    let tail = disk.bytes(from, disk.len())?;
    // The last record whose comment reaches to the end; failing that (something was appended) the last one.
    let ends = memmem::rfind_iter(&tail, END_MAGIC).filter(|at| tail.len() - at >= END);
    let fits = |at: &usize| at + END + usize::from(short(&tail[*at..], 20)) == tail.len();
    let Some(at) = ends.clone().find(fits).or_else(|| ends.clone().next()) else { return Ok(None) };
    let position = from + at as u64;
    let end = &tail[at..];
    let (mut size, mut offset) = (u64::from(long(end, 12)), u64::from(long(end, 16)));
    let mut directory_end = position;
    if at >= 20 && tail[at - 20..].starts_with(b"PK\x06\x07") {
        let stated = wide(&tail[at - 20..], 8);
        let record = disk.bytes(stated, stated.saturating_add(56)).unwrap_or_default();
        if record.starts_with(b"PK\x06\x06") {
            (size, offset, directory_end) = (wide(&record, 40), wide(&record, 48), stated);
        }
    }
    let Some(begin) = directory_end.checked_sub(size) else { return Ok(None) };
    Ok(begin.checked_sub(offset).map(|base| Directory { begin, end: directory_end, base }))
}

fn members(walk: &mut Walk<'_>, archive: &str, disk: &Disk<'_>, directory: &Directory, depth: Depth) {
    let mut damages = Damages::default();
    let mut part = disk.part(directory.begin, directory.end);
    let mut feed = Feed::new(&mut part);
    let mut compressed = 0_u64;
    loop {
        let member = match next(&mut feed, &mut damages) {
            Ok(Some(member)) => member,
            Ok(None) => break,
            Err(error) => {
                damages.add(crate::error::without_number(&error));
                break;
            }
        };
        if member.is_folder() || member.link {
            continue;
        }
        if !walk.begin_member(archive) {
            break;
        }
        // Members that share their content make a small archive endless.
        compressed = compressed.saturating_add(member.compressed);
        if compressed > disk.len() {
            damages.add("members lie on top of each other: the rest is not read");
            break;
        }
        let label = name::of_member(archive, &member.name);
        match content(disk, &member, directory.base) {
            Ok(mut content) => match method(&member) {
                Err(why) => walk.problem(&label, Status::Skipped, why),
                Ok(Method::Stored) => walk.member(&label, &mut Checked::new(&mut content, Some(member.crc)), depth),
                Ok(Method::Compressed(format)) => {
                    let budget = walk.budget();
                    let mut feed = Feed::new(&mut content);
                    let mut decompressor = Decompressor::single(format, &mut feed, &budget);
                    walk.member(&label, &mut Checked::new(&mut decompressor, Some(member.crc)), depth);
                }
            },
            Err(error) => walk.problem(&label, Status::Failed, crate::error::without_number(&error)),
        }
    }
    if let Some(text) = damages.take() {
        walk.problem(archive, Status::Partial, text);
    }
}

/// The next record of the directory; none at its end.
fn next(feed: &mut Feed<'_>, damages: &mut Damages) -> io::Result<Option<Member>> {
    if feed.peek(CENTRAL)?.is_empty() {
        return Ok(None);
    }
    if !feed.buffered().starts_with(CENTRAL_MAGIC) {
        damages.add("the directory is damaged: members are missing");
        if !feed.find(CENTRAL_MAGIC.len(), |_, bytes| memmem::find(bytes, CENTRAL_MAGIC))? {
            return Ok(None);
        }
    }
    let cut_off = || damage::end("the directory is cut off");
    let fixed = *feed.peek(CENTRAL)?.first_chunk::<CENTRAL>().ok_or_else(cut_off)?;
    let tail = Tail::of_central(&fixed).len();
    let bytes = feed.peek(CENTRAL + tail)?;
    if bytes.len() < CENTRAL + tail {
        return Err(cut_off());
    }
    let member = Member::central(&fixed, &bytes[CENTRAL..CENTRAL + tail]);
    feed.consume(CENTRAL + tail);
    Ok(Some(member))
}

/// The stored bytes of a member: behind its local record, which has a name and extra fields of its own.
fn content<'d>(disk: &Disk<'d>, member: &Member, base: u64) -> io::Result<crate::input::disk::Part<'d>> {
    let misplaced = || damage::end("its content is not where the directory says");
    let begin = base.checked_add(member.offset).ok_or_else(misplaced)?;
    let record = disk.bytes(begin, begin.saturating_add(LOCAL as u64))?;
    let fixed = record.first_chunk::<LOCAL>().filter(|fixed| fixed.starts_with(LOCAL_MAGIC)).ok_or_else(misplaced)?;
    let begin = begin + (LOCAL + Tail::of_local(fixed).len()) as u64;
    let end = begin.checked_add(member.compressed).filter(|end| *end <= disk.len()).ok_or_else(misplaced)?;
    Ok(disk.part(begin, end))
}
