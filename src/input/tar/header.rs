//! One header of a tar archive, and the extension headers before it.

use tar::PaxExtensions;

/// The unit of an archive.
pub(super) const BLOCK: usize = 512;
/// Where the magic of all but the oldest archives stands.
pub(super) const MAGIC_AT: usize = 257;
/// Most pieces of a sparse member.
pub(super) const MOST_PIECES: usize = 1 << 16;

/// What a header announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    OldSparse,
    /// Links, devices, folders: nothing follows.
    Link,
    /// Says something of the member after it.
    Extension,
    /// Something with content that is no file: a folder's listing, a label.
    Other,
}

/// A header whose checksum fits.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) kind: Kind,
    pub(super) code: u8,
    pub(super) name: Vec<u8>,
    /// Bytes that follow, without padding.
    pub(super) size: u64,
    block: [u8; BLOCK],
}

/// Pieces of a sparse member: offset and length.
pub(super) type Pieces = Vec<(u64, u64)>;

impl Header {
    /// None: this is no header, or a damaged one.
    pub(super) fn parse(block: &[u8; BLOCK]) -> Option<Self> {
        let fields = tar::Header::from_byte_slice(block);
        let (before, after) = (&block[..148], &block[156..]);
        let sum = before.iter().chain(after).fold(8 * u32::from(b' '), |sum, byte| sum + u32::from(*byte));
        if fields.cksum().ok()? != sum {
            return None;
        }
        let code = block[156];
        let name = fields.path_bytes().into_owned();
        let kind = match code {
            0 if name.ends_with(b"/") => Kind::Link,
            0 | b'0' | b'7' | b'M' => Kind::File,
            b'S' => Kind::OldSparse,
            b'1'..=b'6' => Kind::Link,
            b'L' | b'K' | b'x' | b'X' | b'g' => Kind::Extension,
            b'A'..=b'Z' => Kind::Other,
            _ => Kind::File,
        };
        let size = if kind == Kind::Link { 0 } else { fields.entry_size().ok()? };
        // The largest that leaves room for padding.
        i64::try_from(size).is_ok().then_some(Self { kind, code, name, size, block: *block })
    }

    /// The pieces of an old GNU sparse member, whether more follow, and its real size.
    pub(super) fn old_sparse(&self) -> Option<(Pieces, bool, u64)> {
        let fields = tar::Header::from_byte_slice(&self.block).as_gnu()?;
        Some((pieces(&fields.sparse)?, fields.is_extended(), fields.real_size().ok()?))
    }
}

/// Whether a block has the magic of a header.
pub(super) fn has_magic(block: &[u8; BLOCK]) -> bool {
    block[MAGIC_AT..].starts_with(b"ustar")
}

/// The pieces in a block that continues an old GNU sparse header, and whether more follow.
pub(super) fn more_pieces(block: &[u8; BLOCK]) -> Option<(Pieces, bool)> {
    let mut fields = tar::GnuExtSparseHeader::new();
    fields.as_mut_bytes().copy_from_slice(block);
    Some((pieces(fields.sparse())?, fields.is_extended()))
}

fn pieces(fields: &[tar::GnuSparseHeader]) -> Option<Pieces> {
    let used = fields.iter().take_while(|piece| !piece.is_empty());
    used.map(|piece| Some((piece.offset().ok()?, piece.length().ok()?))).collect()
}

/// What extension headers say of the next member.
#[derive(Debug, Default)]
pub(super) struct Extensions {
    name: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) sparse: Option<PaxSparse>,
}

/// A sparse member as pax has it, in versions 0.0 and 0.1 (pieces in the header) and 1.0 (pieces before the content).
#[derive(Debug, Default)]
pub(super) struct PaxSparse {
    pub(super) pieces_in_content: bool,
    pub(super) pieces: Pieces,
    pub(super) size: u64,
    pub(super) name: Option<Vec<u8>>,
}

impl Extensions {
    /// Takes in one extension header's content.
    pub(super) fn add(&mut self, code: u8, content: &[u8]) {
        match code {
            b'L' => self.name = content.split(|byte| *byte == 0).next().map(<[u8]>::to_vec),
            b'x' | b'X' => {
                for field in PaxExtensions::new(content).map_while(Result::ok) {
                    self.add_field(field.key_bytes(), field.value_bytes());
                }
            }
            _ => {}
        }
    }

    fn add_field(&mut self, key: &[u8], value: &[u8]) {
        let number = || std::str::from_utf8(value).ok()?.parse::<u64>().ok();
        let sparse_key = key.strip_prefix(b"GNU.sparse.");
        match (key, sparse_key) {
            (b"path", _) => self.name = Some(value.to_vec()),
            (b"size", _) => self.size = number().filter(|size| i64::try_from(*size).is_ok()).or(self.size),
            (_, Some(key)) => {
                let sparse = self.sparse.get_or_insert_default();
                match key {
                    b"major" => sparse.pieces_in_content = value == b"1",
                    b"name" => sparse.name = Some(value.to_vec()),
                    b"size" | b"realsize" => sparse.size = number().unwrap_or(0),
                    b"offset" if sparse.pieces.len() <= MOST_PIECES => sparse.pieces.push((number().unwrap_or(0), 0)),
                    b"numbytes" => {
                        if let Some(last) = sparse.pieces.last_mut() {
                            last.1 = number().unwrap_or(0);
                        }
                    }
                    b"map" => {
                        let numbers: Vec<u64> = std::str::from_utf8(value)
                            .unwrap_or_default()
                            .split(',')
                            .map_while(|number| number.parse().ok())
                            .take(2 * MOST_PIECES + 2)
                            .collect();
                        sparse.pieces =
                            numbers.as_chunks::<2>().0.iter().map(|[offset, length]| (*offset, *length)).collect();
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// The member's name: the header's where nothing else says so.
    pub(super) fn name<'n>(&'n self, header: &'n Header) -> &'n [u8] {
        let sparse = self.sparse.as_ref().and_then(|sparse| sparse.name.as_deref());
        sparse.or(self.name.as_deref()).unwrap_or(&header.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_counts_only_with_its_checksum() {
        let mut header = tar::Header::new_gnu();
        header.set_path("dir/tikv.log").unwrap();
        header.set_size(1_234);
        header.set_cksum();
        let mut block = *header.as_bytes();
        let parsed = Header::parse(&block).unwrap();
        assert_eq!((parsed.kind, &parsed.name[..], parsed.size), (Kind::File, &b"dir/tikv.log"[..], 1_234));
        block[0] ^= 1;
        assert!(Header::parse(&block).is_none());
        assert!(Header::parse(&[0; BLOCK]).is_none());
        assert!(Header::parse(&[b'['; BLOCK]).is_none());
    }

    #[test]
    fn pax_fields_name_and_size_the_member() {
        let mut extensions = Extensions::default();
        extensions.add(b'L', b"from-gnu\0\0");
        extensions.add(b'x', b"17 path=from pax\n14 size=98765\nbroken\n");
        let mut header = tar::Header::new_ustar();
        header.set_size(1);
        header.set_cksum();
        let header = Header::parse(header.as_bytes()).unwrap();
        assert_eq!(extensions.name(&header), b"from pax");
        assert_eq!(extensions.size, Some(98_765));
        extensions.add(b'x', b"26 GNU.sparse.map=0,1,5,2\n23 GNU.sparse.size=100\n");
        let sparse = extensions.sparse.unwrap();
        assert_eq!((sparse.pieces, sparse.size), (vec![(0, 1), (5, 2)], 100));
    }
}
