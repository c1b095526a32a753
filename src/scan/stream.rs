//! Sources that come as a stream: the next batch is decoded while the last one is read.

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
    error: Option<String>,
}

/// Hands the stream to `each` in windows with all the text around that their records may need; `each` runs while the next
/// window is decoded, and says whether it wants more. Gives the error that ended the stream, if one did.
pub(super) fn read(
    stream: &mut (dyn Read + Send),
    each: &(dyn Fn(Window<'_>, Range<usize>, bool) -> bool + Sync),
) -> Option<String> {
    let mut batch = fill(stream, Vec::new(), 0, 0);
    loop {
        if batch.is_last {
            each(Window { text: &batch.text, base: batch.base }, batch.own.clone(), true);
            return batch.error;
        }
        let keep = batch.own.end.saturating_sub(BEFORE);
        let carried = batch.text[keep..].to_vec();
        let (base, own_start) = (batch.base + keep as u64, batch.own.end - keep);
        let (wants_more, next) = rayon::join(
            || each(Window { text: &batch.text, base: batch.base }, batch.own.clone(), false),
            || fill(stream, carried, base, own_start),
        );
        if !wants_more {
            return None;
        }
        batch = next;
    }
}

fn fill(stream: &mut (dyn Read + Send), mut text: Vec<u8>, base: u64, own_start: usize) -> Batch {
    let want = own_start + BATCH + BEHIND;
    let mut filled = text.len();
    let (mut is_last, mut error) = (false, None);
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
            Err(failure) => (is_last, error) = (true, Some(failure.to_string())),
        }
        break;
    }
    text.truncate(filled);
    let own_end = if is_last { filled } else { filled - BEHIND };
    Batch { text, base, own: own_start..own_end, is_last, error }
}
