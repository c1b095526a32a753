//! What a stream is, by its first bytes alone.

use super::decode::{Format, is_skippable};
use super::export;
use super::tar;
use super::utf16::Endian;

/// Bytes that are looked at.
pub(super) const HEAD: usize = 8 << 10;

/// What a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text, or nothing that is known to be something else.
    Text,
    Utf16(Endian),
    /// A document that holds a text.
    Export,
    Compressed(Format),
    Tar,
    Zip,
    /// No log; why not.
    Other(&'static str),
}

/// Names what the head is the beginning of. No more of it is looked at than `HEAD`, however much a reader has at hand.
pub(super) fn sniff(head: &[u8]) -> Kind {
    let head = &head[..head.len().min(HEAD)];
    let behind_skippable = skip_skippable(head);
    if let Some(format) = Format::KNOWN.into_iter().find(|format| format.begins(behind_skippable)) {
        return Kind::Compressed(format);
    }
    match head {
        [0xff, 0xfe, 0, 0, ..] => return Kind::Other("is UTF-32, which is not read"),
        [0xff, 0xfe, ..] => return Kind::Utf16(Endian::Little),
        [0xfe, 0xff, ..] => return Kind::Utf16(Endian::Big),
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] | [b'P', b'K', 7, 8, ..] | [b'P', b'K', b'0', b'0', ..] => {
            return Kind::Zip;
        }
        _ => {}
    }
    if is_skippable(head) {
        return Kind::Compressed(Format::Zstd);
    }
    if tar::begins(head) {
        return Kind::Tar;
    }
    if let Some((_, what)) = SIGNATURES.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Kind::Other(what);
    }
    match head {
        _ if is_binary(head) => Kind::Other("is binary data"),
        _ if export::begins(head) => Kind::Export,
        _ => Kind::Text,
    }
}

/// What stands behind the skippable frames, which several formats share.
fn skip_skippable(mut head: &[u8]) -> &[u8] {
    while is_skippable(head) && head.len() >= 8 {
        let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        head = head.get(8 + size..).unwrap_or_default();
    }
    head
}

/// Formats that hold no log, or none that can be read here.
const SIGNATURES: &[(&[u8], &str)] = &[
    (b"D1ag", "is a packed diag file, usually encrypted: unpack it with diag first"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive: unpack it first"),
    (b"Rar!\x1a\x07", "is a RAR archive: unpack it first"),
    (b"MSCF\0\0\0\0", "is a cabinet archive: unpack it first"),
    (b"070701", "is a cpio archive: unpack it first"),
    (b"070707", "is a cpio archive: unpack it first"),
    (b"!<arch>\n", "is an ar archive"),
    (b"\x1f\x9d", "is compressed with compress (.Z): unpack it first"),
    (b"LZIP", "is compressed with lzip: unpack it first"),
    (b"\x89LZO\0\r\n\x1a\n", "is compressed with lzop: unpack it first"),
    (b"\x02\x21\x4c\x18", "is an old lz4 stream: unpack it first"),
    (b"\x5d\0\0", "is compressed with lzma: unpack it first"),
    (b"\xff\x06\0\0sNaPpY", "is compressed with snappy: unpack it first"),
    (b"LPKSHHRH", "is a binary journal: use journalctl -o short-iso"),
    (b"\x7fELF", "is a program"),
    (b"MZ\x90\0", "is a program"),
    (b"\xcf\xfa\xed\xfe", "is a program"),
    (b"\xca\xfe\xba\xbe", "is a program"),
    (b"\0asm", "is a program"),
    (b"\x89PNG", "is an image"),
    (b"\xff\xd8\xff", "is an image"),
    (b"GIF8", "is an image"),
    (b"%PDF-", "is a PDF document"),
    (b"SQLite format 3\0", "is a database"),
    (b"PAR1", "is a Parquet file"),
    (b"ARROW1", "is an Arrow file"),
];

/// Whether there are too many control characters for text. Logs have some (colours, keys, hostile strings); of random bytes every
/// tenth is one. A run of zeros counts once: a file that was truncated under its writer begins with many, and a crash leaves many
/// where its last lines were.
fn is_binary(head: &[u8]) -> bool {
    let bytes = || head.iter().enumerate().filter(|(at, byte)| **byte != 0 || *at == 0 || head[at - 1] != 0);
    let controls = bytes().filter(|(_, byte)| matches!(byte, 0..=6 | 0xe..=0x1a | 0x1c..=0x1f | 0x7f)).count();
    let share = if head.contains(&0) { 20 } else { 4 };
    controls >= 64 && controls * share > bytes().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_every_kind_is_text() {
        let line = b"[2022/07/25 14:54:44.467 +00:00] [INFO] [lib.rs:1] [ok]\n";
        let hole = [&[0; 5_000][..], &line.repeat(50)].concat();
        let crash = [&line.repeat(3)[..], &[0; 3_000], &line.repeat(3), &[0; 5_000]].concat();
        let colours = b"\x1b[31m\x07[2022/07/25]\x00\x01\x02\x1b[0m\n";
        let gbk = b"[2022/07/25] [ERROR] [\xb4\xed\xce\xf3\xc8\xd5\xd6\xbe]\n".repeat(100);
        for text in
            [&line[..], &hole, &crash, colours, &gbk, b"", b"\xef\xbb\xbf[2022", b"P", &[0; 8_192], b"BZh is no log"]
        {
            assert_eq!(sniff(text), Kind::Text, "{:?}", &text[..text.len().min(20)]);
        }
    }

    #[test]
    fn what_is_no_log_is_named() {
        let random: Vec<u8> = (0..8_192_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let sst: Vec<u8> = (0..2_000_u32).flat_map(|n| [0, 12, 4, b'a', b'b', n as u8, 1, 0]).collect();
        assert_eq!(sniff(&random), Kind::Other("is binary data"));
        assert_eq!(sniff(&sst), Kind::Other("is binary data"));
        assert_eq!(sniff(b"\x7fELF\x02\x01\x01"), Kind::Other("is a program"));
        assert!(matches!(sniff(b"D1ag\x01\0\0\0"), Kind::Other(why) if why.contains("diag")));
    }

    #[test]
    fn containers_are_known_by_content() {
        assert_eq!(sniff(b"\x1f\x8b\x08\0\0\0\0\0\0\x03"), Kind::Compressed(Format::Gzip));
        assert_eq!(sniff(b"PK\x03\x04"), Kind::Zip);
        assert_eq!(sniff(b"\xff\xfe[\0"), Kind::Utf16(Endian::Little));
        let skippable = b"\x50\x2a\x4d\x18\x04\0\0\0....";
        for (magic, format) in [(b"\x28\xb5\x2f\xfd", Format::Zstd), (b"\x04\x22\x4d\x18", Format::Lz4)] {
            assert_eq!(sniff(&[&skippable[..], magic, &[0; 8]].concat()), Kind::Compressed(format));
        }
    }
}
