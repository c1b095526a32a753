//! How texts begin: that is what a log is known by, whatever it is called, compressed or not.

use super::state::Head;
use crate::input::{Body, Input, Problem, Status};
use std::hash::Hasher;
use std::io::{self, Read};
use std::sync::Arc;
use twox_hash::XxHash64;

/// Bytes of a text that tell it from every other; a shorter one is known by all it has, and may grow.
pub(super) const HEAD: usize = 8 << 10;

/// A text that was looked into.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// Which of the inputs it is in.
    pub(super) input: usize,
    /// Name, as reports have it.
    pub(super) name: Arc<str>,
    /// How it begins, without the zeros that a file has whose writer did not notice that it was truncated.
    pub(super) head: Vec<u8>,
    /// Its length, where that is known without decoding it.
    pub(super) len: Option<u64>,
}

impl Seen {
    /// Whether all that tells it apart is there.
    pub(super) fn is_full(&self) -> bool {
        self.head.len() == HEAD
    }

    /// What it is known by from now on.
    pub(super) fn known_by(&self) -> Head {
        let mut hasher = XxHash64::with_seed(0);
        hasher.write(&self.head);
        Head { len: self.head.len() as u64, hash: hasher.finish() }
    }

    /// How the text begins, in several lengths (rising), as far as it is that long.
    pub(super) fn heads<'l>(&'l self, lengths: impl Iterator<Item = u64> + 'l) -> impl Iterator<Item = Head> + 'l {
        let mut hasher = XxHash64::with_seed(0);
        let mut at = 0;
        lengths.take_while(|len| *len <= self.head.len() as u64).map(move |len| {
            hasher.write(&self.head[at..len as usize]);
            at = len as usize;
            Head { len, hash: hasher.finish() }
        })
    }
}

/// Looks into an input.
pub(super) fn look(at: usize, input: &Input) -> (Vec<Seen>, Vec<Problem>) {
    let mut seen: Vec<Seen> = Vec::new();
    let mut unread = Vec::new();
    let mut problems = input.tail(0).read(&mut |name, body| {
        let len = match body {
            Body::Mapped(_) | Body::Tail(..) => Some(input.size()),
            Body::Stream(_) => None,
        };
        let head = match body {
            Body::Mapped(mut text) => head(&mut text),
            Body::Tail(_, stream) | Body::Stream(stream) => head(stream),
        };
        match head {
            Ok(head) if head.is_empty() => {}
            // Two members of one name are one source, as everywhere.
            Ok(_) if seen.iter().any(|other| *other.name == *name) => {}
            Ok(head) => seen.push(Seen { input: at, name: Arc::from(name), head, len }),
            Err(error) => unread.push((name.to_owned(), crate::error::without_number(&error))),
        }
    });
    problems.extend(unread.into_iter().map(|(file, reason)| Problem { file, status: Status::Failed, reason }));
    (seen, problems)
}

/// The first bytes that are no zeros; of a damaged text what comes before the damage.
fn head(mut text: impl Read) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; HEAD];
    let mut head = Vec::new();
    while head.len() < HEAD {
        let count = match text.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if head.is_empty() => return Err(error),
            Err(_) => break,
        };
        let zeros = if head.is_empty() { buffer[..count].iter().take_while(|byte| **byte == 0).count() } else { 0 };
        let wanted = (count - zeros).min(HEAD - head.len());
        head.extend_from_slice(&buffer[zeros..zeros + wanted]);
    }
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_begins_behind_zeros_and_may_grow() {
        let text = [vec![0; 20_000], b"[2022/07/25 first line]\n".repeat(1_000)].concat();
        let head = head(&text[..]).unwrap();
        assert_eq!((head.len(), &head[..5]), (HEAD, &b"[2022"[..]));
        assert!(super::head(&[0; 100][..]).unwrap().is_empty());
        let short = Seen { input: 0, name: "a".into(), head: head[..100].to_vec(), len: None };
        let long = Seen { head, ..short.clone() };
        let lengths = [50, 100, 9_000];
        assert!(long.heads(lengths.into_iter()).any(|known| known == short.known_by()));
        assert_eq!(short.heads(lengths.into_iter()).count(), 2);
    }
}
