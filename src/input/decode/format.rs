//! The formats, and how a member of each begins.

use super::{Decode, Feed, Resume, bzip2, deflate, lz4, xz, zstd};
use memchr::memmem;
use std::io;

/// A format that can be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::input) enum Format {
    /// The bare stream inside a zip. Nothing announces it.
    Deflate,
    Gzip,
    Zstd,
    Xz,
    Bzip2,
    Lz4,
}

impl Format {
    /// Every format that announces itself.
    pub(in crate::input) const KNOWN: [Self; 5] = [Self::Gzip, Self::Zstd, Self::Xz, Self::Bzip2, Self::Lz4];

    /// Bytes that [`Self::begins`] needs.
    pub(in crate::input) const HEAD: usize = 12;

    pub(in crate::input) const fn name(self) -> &'static str {
        match self {
            Self::Deflate => "deflate",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
            Self::Lz4 => "lz4",
        }
    }

    pub(super) fn decoder(self) -> Box<dyn Decode> {
        match self {
            Self::Deflate | Self::Gzip => Box::new(deflate::Deflate::new(self)),
            Self::Zstd => Box::new(zstd::Zstd::default()),
            Self::Xz => Box::new(xz::Xz::default()),
            Self::Bzip2 => Box::new(bzip2::Bzip2::default()),
            Self::Lz4 => Box::new(lz4::Lz4::default()),
        }
    }

    /// What a member begins with; the rest of the check is in [`Self::begins`].
    const fn magic(self) -> &'static [u8] {
        match self {
            Self::Deflate => b"",
            Self::Gzip => b"\x1f\x8b\x08",
            Self::Zstd => b"\x28\xb5\x2f\xfd",
            Self::Xz => b"\xfd7zXZ\0",
            Self::Bzip2 => b"BZh",
            Self::Lz4 => b"\x04\x22\x4d\x18",
        }
    }

    /// Whether a member begins with these bytes.
    pub(in crate::input) fn begins(self, head: &[u8]) -> bool {
        head.starts_with(self.magic())
            && match self {
                Self::Deflate => false,
                Self::Gzip => head.get(3).is_some_and(|flags| flags & 0xe0 == 0),
                Self::Bzip2 => {
                    matches!(head.get(3), Some(b'1'..=b'9'))
                        && (head[4..].starts_with(b"1AY&SY") || head[4..].starts_with(b"\x17\x72\x45\x38\x50\x90"))
                }
                Self::Zstd | Self::Xz | Self::Lz4 => true,
            }
    }

    /// Whether a frame without content begins here.
    pub(super) fn begins_skippable(self, head: &[u8]) -> bool {
        matches!(self, Self::Zstd | Self::Lz4) && is_skippable(head)
    }

    /// Goes on to the next place that looks like the beginning of a member.
    pub(super) fn next_member(self, feed: &mut Feed<'_>) -> io::Result<Resume> {
        let found = feed.find(Self::HEAD, |_, bytes| {
            memmem::find_iter(bytes, self.magic()).find(|at| self.begins_for_sure(&bytes[*at..]))
        })?;
        Ok(if found { Resume::Member } else { Resume::Nowhere })
    }

    /// The stricter check amid damaged data, where three bytes of gzip prove little: the compressor and the system exist.
    fn begins_for_sure(self, head: &[u8]) -> bool {
        let exists = || matches!(head[8], 0 | 2 | 4) && (head[9] <= 13 || head[9] == 255);
        head.len() >= Self::HEAD && self.begins(head) && (self != Self::Gzip || exists())
    }
}

/// Whether a frame without content begins here, which zstd and lz4 share.
pub(in crate::input) fn is_skippable(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_begins_with_its_magic_only() {
        let heads: [&[u8]; 5] = [
            b"\x1f\x8b\x08\x00\0\0\0\0\x00\x03..",
            b"\x28\xb5\x2f\xfd........",
            b"\xfd7zXZ\0......",
            b"BZh91AY&SY..",
            b"\x04\x22\x4d\x18........",
        ];
        for (at, head) in heads.into_iter().enumerate() {
            for (format, expected) in Format::KNOWN.into_iter().zip(0..) {
                assert_eq!(format.begins(head), at == expected, "{format:?} {at}");
            }
        }
        assert!(!Format::Bzip2.begins(b"BZhello, world"));
        assert!(!Format::Gzip.begins(b"\x1f\x8b\x08\xff\0\0\0\0\0\0\0\0"));
    }

    #[test]
    fn the_next_member_is_found_amid_noise() {
        let mut bytes = b"\x1f\x8b\x08\x00\0\0\0\0\x77\x77 not one".to_vec();
        let at = bytes.len() as u64;
        bytes.extend_from_slice(b"\x1f\x8b\x08\x00\0\0\0\0\x02\x03 one");
        let mut source = &bytes[..];
        let mut feed = Feed::new(&mut source);
        assert!(matches!(Format::Gzip.next_member(&mut feed), Ok(Resume::Member)));
        assert_eq!(feed.position(), at);
        feed.consume(1);
        assert!(matches!(Format::Gzip.next_member(&mut feed), Ok(Resume::Nowhere)));
    }
}
