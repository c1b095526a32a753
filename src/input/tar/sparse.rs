//! Sparse members: only the pieces between the holes are stored. Holes read as zeros; a hole at the end, which cannot hold a
//! record, is left out.

use super::header::{BLOCK, MOST_PIECES, Pieces};
use crate::input::budget::{Budget, Meter};
use crate::input::damage;
use std::io::{self, Read};
use std::sync::Arc;

/// The whole of a sparse member.
pub(super) struct Sparse<'m> {
    content: &'m mut (dyn Read + Send + 'm),
    pieces: std::vec::IntoIter<(u64, u64)>,
    position: u64,
    /// The piece that comes next or is being read: its bounds.
    piece: (u64, u64),
    /// Holes come out of nothing: they count like what a decoder gives.
    meter: Meter,
}

impl<'m> Sparse<'m> {
    /// None: the pieces are out of order.
    pub(super) fn new(
        content: &'m mut (dyn Read + Send + 'm),
        pieces: Pieces,
        size: u64,
        budget: &Arc<Budget>,
    ) -> Option<Self> {
        let mut end = 0;
        for (offset, length) in &pieces {
            if *offset < end {
                return None;
            }
            end = offset.checked_add(*length).filter(|end| *end <= size)?;
        }
        Some(Self { content, pieces: pieces.into_iter(), position: 0, piece: (0, 0), meter: Meter::new(budget, 0) })
    }
}

impl Read for Sparse<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.meter.check()?;
        loop {
            let (begin, end) = self.piece;
            let room = out.len();
            let most = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX).min(room);
            if self.position < begin {
                let count = most(begin - self.position);
                out[..count].fill(0);
                self.meter.add(count);
                self.position += count as u64;
                return Ok(count);
            }
            if self.position < end {
                let count = self.content.read(&mut out[..most(end - self.position)])?;
                if count == 0 && !out.is_empty() {
                    return Err(damage::end("its stored pieces are shorter than its header says"));
                }
                self.position += count as u64;
                return Ok(count);
            }
            match self.pieces.find(|(_, length)| *length > 0) {
                Some((offset, length)) => self.piece = (offset, offset + length),
                None => return Ok(0),
            }
        }
    }
}

/// The pieces that pax 1.0 puts before the content, in whole blocks: a count, then offsets and lengths, a line each.
pub(super) fn pieces_in_content(content: &mut dyn Read) -> io::Result<Option<Pieces>> {
    let mut numbers = Vec::new();
    let mut line = Vec::new();
    let mut block = [0; BLOCK];
    loop {
        content.read_exact(&mut block)?;
        for byte in block {
            if byte != b'\n' {
                line.push(byte);
                if line.len() > 20 {
                    return Ok(None);
                }
                continue;
            }
            let Some(number) = std::str::from_utf8(&line).ok().and_then(|line| line.parse::<u64>().ok()) else {
                return Ok(None);
            };
            numbers.push(number);
            line.clear();
            let count = numbers[0];
            if count > MOST_PIECES as u64 {
                return Ok(None);
            }
            if numbers.len() as u64 == 1 + 2 * count {
                let pairs = numbers[1..].as_chunks::<2>().0;
                return Ok(Some(pairs.iter().map(|[offset, length]| (*offset, *length)).collect()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Limits;

    fn read(pieces: Pieces, size: u64, limits: Limits) -> Option<io::Result<Vec<u8>>> {
        let mut content = &b"abcdef"[..];
        let mut all = Vec::new();
        let mut sparse = Sparse::new(&mut content, pieces, size, &Budget::new(limits))?;
        Some(sparse.read_to_end(&mut all).map(|_| all))
    }

    #[test]
    fn holes_are_zeros_and_the_last_one_is_left_out() {
        let all = read(vec![(2, 3), (5, 0), (6, 3), (100, 0)], 100, Limits::default()).unwrap().unwrap();
        assert_eq!(all, b"\0\0abc\0def");
        assert!(read(vec![(2, 3), (4, 3)], 100, Limits::default()).is_none(), "overlap");
        assert!(read(vec![(2, 3)], 4, Limits::default()).is_none(), "beyond the end");
        assert!(read(vec![(u64::MAX, 3)], u64::MAX, Limits::default()).is_none(), "beyond any end");
    }

    #[test]
    fn a_hole_of_a_petabyte_is_a_bomb() {
        let limits = Limits { ratio_floor: 1 << 20, ..Limits::default() };
        let error = read(vec![(1 << 50, 6)], 1 << 51, limits).unwrap().unwrap_err();
        assert!(error.to_string().contains("limit reached"), "{error}");
    }

    #[test]
    fn pieces_stand_before_the_content() {
        let mut block = b"2\n0\n512\n4096\n10\n".to_vec();
        block.resize(BLOCK, 0);
        block.extend_from_slice(b"content");
        let mut content = &block[..];
        assert_eq!(pieces_in_content(&mut content).unwrap(), Some(vec![(0, 512), (4_096, 10)]));
        assert_eq!(content, b"content");
        assert_eq!(pieces_in_content(&mut &[b'x'; BLOCK][..]).unwrap(), None);
        assert!(pieces_in_content(&mut &b"1\n"[..]).is_err());
    }
}
