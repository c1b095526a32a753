//! The records of a zip: what stands before a member, and in the directory at the end.

/// Sizes of the fixed parts.
pub(super) const LOCAL: usize = 30;
pub(super) const CENTRAL: usize = 46;

pub(super) const LOCAL_MAGIC: &[u8; 4] = b"PK\x03\x04";
pub(super) const CENTRAL_MAGIC: &[u8; 4] = b"PK\x01\x02";
pub(super) const DESCRIPTOR_MAGIC: &[u8; 4] = b"PK\x07\x08";

/// One member, as a record describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: Vec<u8>,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) compressed: u64,
    pub(super) size: u64,
    pub(super) encrypted: bool,
    /// Size and checksum follow the content (of a local record; the directory has them).
    pub(super) descriptor: bool,
    /// The record has sizes of 64 bits, and so has its descriptor.
    pub(super) zip64: bool,
    /// A symbolic link: its content is a path.
    pub(super) link: bool,
    /// Where the local record stands (directory only).
    pub(super) offset: u64,
}

/// Bytes of name, extra fields and comment that follow the fixed part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tail {
    pub(super) name: usize,
    pub(super) extra: usize,
    pub(super) comment: usize,
}

impl Tail {
    pub(super) fn len(self) -> usize {
        self.name + self.extra + self.comment
    }

    pub(super) fn of_local(fixed: &[u8; LOCAL]) -> Self {
        Self { name: short(fixed, 26).into(), extra: short(fixed, 28).into(), comment: 0 }
    }

    pub(super) fn of_central(fixed: &[u8; CENTRAL]) -> Self {
        Self { name: short(fixed, 28).into(), extra: short(fixed, 30).into(), comment: short(fixed, 32).into() }
    }
}

impl Member {
    /// From the fixed part of a local record and what follows it, as long as [`Tail`] says.
    pub(super) fn local(fixed: &[u8; LOCAL], tail: &[u8]) -> Self {
        Self::new(&fixed[6..26], tail, Tail::of_local(fixed), 0, 0)
    }

    /// From the fixed part of a record of the directory and what follows it.
    pub(super) fn central(fixed: &[u8; CENTRAL], tail: &[u8]) -> Self {
        let made_by_unix = fixed[5] == 3;
        let mode = if made_by_unix { long(fixed, 38) >> 16 } else { 0 };
        Self::new(&fixed[8..28], tail, Tail::of_central(fixed), long(fixed, 42), mode)
    }

    fn new(common: &[u8], tail: &[u8], lengths: Tail, offset: u32, mode: u32) -> Self {
        let flags = short(common, 0);
        let (name, rest) = tail.split_at(lengths.name.min(tail.len()));
        let extra = &rest[..lengths.extra.min(rest.len())];
        let (compressed, size) = (long(common, 12), long(common, 16));
        let mut member = Self {
            name: name.to_vec(),
            method: short(common, 2),
            crc: long(common, 8),
            compressed: compressed.into(),
            size: size.into(),
            encrypted: flags & 0x41 != 0,
            descriptor: flags & 8 != 0,
            zip64: false,
            link: mode & 0o170_000 == 0o120_000,
            offset: offset.into(),
        };
        if let Some(mut wide) = extra_field(extra, 1) {
            member.zip64 = true;
            // Only what does not fit into 32 bits, in this order.
            for (narrow, value) in
                [(size, &mut member.size), (compressed, &mut member.compressed), (offset, &mut member.offset)]
            {
                if narrow == u32::MAX
                    && let Some((number, rest)) = wide.split_first_chunk::<8>()
                {
                    *value = u64::from_le_bytes(*number);
                    wide = rest;
                }
            }
        }
        // AES keeps the real method in a field of its own.
        member.encrypted |= member.method == 99;
        member
    }

    pub(super) fn is_folder(&self) -> bool {
        self.name.ends_with(b"/") || self.name.ends_with(b"\\")
    }
}

fn extra_field(mut extra: &[u8], wanted: u16) -> Option<&[u8]> {
    while let Some((head, rest)) = extra.split_first_chunk::<4>() {
        let (id, length) = (short(head, 0), usize::from(short(head, 2)));
        let field = rest.get(..length)?;
        if id == wanted {
            return Some(field);
        }
        extra = &rest[length..];
    }
    None
}

/// A number of two bytes; 0 beyond the end.
pub(super) fn short(bytes: &[u8], at: usize) -> u16 {
    number(bytes, at, 2) as u16
}

/// A number of four bytes.
pub(super) fn long(bytes: &[u8], at: usize) -> u32 {
    number(bytes, at, 4) as u32
}

/// A number of eight bytes.
pub(super) fn wide(bytes: &[u8], at: usize) -> u64 {
    number(bytes, at, 8)
}

fn number(bytes: &[u8], at: usize, count: usize) -> u64 {
    bytes.iter().skip(at).take(count).rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn central(flags: u16, sizes: u32, extra: &[u8]) -> Member {
        let mut fixed = [0; CENTRAL];
        fixed[5] = 3;
        fixed[8..10].copy_from_slice(&flags.to_le_bytes());
        fixed[10] = 8;
        fixed[20..24].copy_from_slice(&sizes.to_le_bytes());
        fixed[24..28].copy_from_slice(&sizes.to_le_bytes());
        fixed[28] = 3;
        fixed[30] = extra.len() as u8;
        fixed[38..42].copy_from_slice(&(0o120_777_u32 << 16).to_le_bytes());
        fixed[42..46].copy_from_slice(&7_u32.to_le_bytes());
        Member::central(&fixed, &[b"a/b", extra].concat())
    }

    #[test]
    fn wide_sizes_come_from_the_extra_field() {
        let extra =
            [&[9, 9, 1, 0, 0][..], &[1, 0, 16, 0], &5_000_000_000_u64.to_le_bytes(), &40_u64.to_le_bytes()].concat();
        let member = central(0, u32::MAX, &extra);
        assert_eq!((member.size, member.compressed, member.offset), (5_000_000_000, 40, 7));
        assert!(member.zip64 && member.link && !member.encrypted);
        assert_eq!(member.name, b"a/b");
        let member = central(1, 100, &[]);
        assert_eq!((member.size, member.compressed, member.encrypted), (100, 100, true));
        assert_eq!(central(0, u32::MAX, &[1, 0, 200, 0]).size, u64::from(u32::MAX), "a field that is cut off");
    }
}
