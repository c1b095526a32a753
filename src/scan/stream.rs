//! Sources that come as a stream: the next batch is decoded while the last one is read.

use super::Start;
use super::window::{BEFORE, BEHIND, Window};
use std::io::Read;
use std::ops::Range;

/// New bytes of a batch.
const BATCH: usize = 16 << 20;
/// Bytes asked for at once.
const CHUNK: usize = 1 << 20;

/// Text of a stream: some of what was before, then what is to be read.
struct Batch {
    text: Vec<u8>,
    base: u64,
    own: Range<usize>,
    is_last: bool,
    end: End,
}

/// How a stream ended.
#[derive(Debug, Default)]
pub(super) struct End {
    /// The error that ended it, if one did.
    pub(super) problem: Option<String>,
    /// Whether a last line was left that has no end yet.
    pub(super) unfinished: bool,
}

/// Hands the stream, which begins at byte `begins_at` of the source, from `start` on to `each` in windows with all the text around
/// that their records may need; `each` runs while the next window is decoded, and says whether it wants more. Says how the
/// stream ended.
pub(super) fn read(
    stream: &mut (dyn Read + Send),
    start: Start,
    begins_at: u64,
    each: &(dyn Fn(Window<'_>, Range<usize>, bool) -> bool + Sync),
) -> End {
    let base = first_base(start, begins_at);
    if let Err(error) = std::io::copy(&mut stream.take(base - begins_at), &mut std::io::sink()) {
        each(Window { text: &[], base }, 0..0, true);
        return End { problem: Some(error.to_string()), unfinished: false };
    }
    let own_start = start.offset.saturating_sub(base) as usize;
    let mut batch = fill(stream, Vec::new(), &[], base, own_start, start);
    // The text of the batch before: its memory is used again.
    let mut spare = Vec::new();
    loop {
        if batch.is_last {
            each(Window { text: &batch.text, base: batch.base }, batch.own.clone(), true);
            return batch.end;
        }
        let keep = batch.own.end.saturating_sub(BEFORE);
        let carried = &batch.text[keep..];
        let (base, own_start) = (batch.base + keep as u64, batch.own.end - keep);
        let (wants_more, next) = rayon::join(
            || each(Window { text: &batch.text, base: batch.base }, batch.own.clone(), false),
            || fill(stream, std::mem::take(&mut spare), carried, base, own_start, start),
        );
        if !wants_more {
            return End::default();
        }
        spare = std::mem::replace(&mut batch, next).text;
    }
}

/// Where the text begins that the first record may need, in a stream that begins at byte `begins_at` of the source.
pub(super) fn first_base(start: Start, begins_at: u64) -> u64 {
    start.text_from().max(begins_at)
}

/// Fills `text`, whose bytes are of no use any more, with what is carried over and then from the stream.
fn fill(
    stream: &mut (dyn Read + Send),
    mut text: Vec<u8>,
    carried: &[u8],
    base: u64,
    own_start: usize,
    start: Start,
) -> Batch {
    let want = own_start + BATCH + BEHIND;
    let mut filled = carried.len();
    text.resize(text.len().max(filled), 0);
    text[..filled].copy_from_slice(carried);
    let (mut is_last, mut end) = (false, End::default());
    // The buffer grows as bytes come: a small source takes little memory.
    while filled < want {
        text.resize(want.min((filled + CHUNK).max(text.len())), 0);
        match stream.read(&mut text[filled..]) {
            Ok(0) => is_last = true,
            Ok(count) => {
                filled += count;
                continue;
            }
            Err(failure) if failure.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(failure) => (is_last, end.problem) = (true, Some(failure.to_string())),
        }
        break;
    }
    text.truncate(filled);
    // A source may end before the place where it was to go on.
    let own_start = own_start.min(filled);
    let own_end = if is_last { own_start + start.whole(&text[own_start..]) } else { filled - BEHIND };
    if is_last {
        end.unfinished = own_end < filled;
        text.truncate(own_end);
    }
    Batch { text, base, own: own_start..own_end, is_last, end }
}
