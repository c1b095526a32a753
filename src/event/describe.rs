//! Region descriptions in text: id, keys, epoch and peers, as Rust and Go print them; and key ranges without a region.

use super::{KeyRange, RegionDescription};
use crate::search::AnyOf;
use crate::units::{PeerId, RegionId, StoreId};
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// A record gives at most this many: storms must stay small.
const MOST: usize = 8;

static MARKS: LazyLock<AnyOf> = LazyLock::new(|| AnyOf::new(&FORMS.map(|(mark, _)| mark)));

/// Whether a record may hold a description.
pub(crate) fn may_describe(record: &[u8]) -> bool {
    MARKS.is_in(record)
}

/// Where in a text, from `from` on, the next one may be.
pub(crate) fn next_description(text: &[u8], from: usize) -> Option<usize> {
    MARKS.find(text, from).map(|found| found.start())
}

/// All descriptions in an unescaped text.
pub(super) fn find(text: &[u8]) -> Vec<RegionDescription> {
    let mut found: Vec<RegionDescription> = Vec::new();
    for mark in MARKS.each(text).take(4 * MOST) {
        let (_, read) = FORMS[mark.pattern().as_usize()];
        if found.len() < MOST
            && let Some(one) = read(text, mark.start())
            && one.id.0 > 0
        {
            found.push(one);
        }
    }
    found.sort();
    found.dedup();
    found
}

static START_KEY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("start_key:"));
static END_KEY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("end_key:"));
static STORE_ID: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(" store_id:"));
static CONF_VER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("conf_ver:"));
static VERSION: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(" version:"));

type Form = fn(&[u8], usize) -> Option<RegionDescription>;
const FORMS: [(&[u8], Form); 5] = [
    (b" start_key:", protobuf),
    (b"Region { id: ", debug),
    (b",startKey=", go_object),
    (b"new_region_id: ", split_child),
    (b",RealRange=[", hint),
];

/// `id: 94812 start_key: 74 end_key: 75 region_epoch { conf_ver: 5 version: 20 } peers { id: 94813 store_id: 1 }`, and Go's spelling of it.
fn protobuf(text: &[u8], at: usize) -> Option<RegionDescription> {
    let digits = text[..at].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let head = &text[..at - digits];
    if !(head.ends_with(b"id: ") || head.ends_with(b"id:")) {
        return None;
    }
    let id = number(&text[at - digits..])?;
    let rest = &text[at..];
    // The description ends where the next one begins.
    let end = memchr::memmem::find(&rest[1..], b" start_key:").map_or(rest.len(), |next| next + 1).min(4096);
    let rest = &rest[..end];
    let start = key_after(rest, &START_KEY);
    let stop = key_after(rest, &END_KEY);
    Some(RegionDescription { id: RegionId(id), range: range(start, stop), epoch: epoch(rest), peers: peers(rest) })
}

/// `Region { id: 94812, ver: 20, conf_ver: 5, range: [74,75), peers: 1,4,5 }`. Its peers are stores, without peer ids.
fn debug(text: &[u8], at: usize) -> Option<RegionDescription> {
    let rest = text.get(at..text.len().min(at + 2048))?;
    let rest = &rest[..memchr::memchr(b'}', rest).unwrap_or(rest.len())];
    let id = number(rest.get(13..)?)?;
    let value = |label: &[u8]| memchr::memmem::find(rest, label).and_then(|at| number(&rest[at + label.len()..]));
    let epoch = Some((value(b"conf_ver: ")?, value(b" ver: ")?));
    let range = memchr::memmem::find(rest, b"range: [").and_then(|at| bracket_range(&rest[at + 8..]));
    Some(RegionDescription { id: RegionId(id), range, epoch, peers: Vec::new() })
}

/// `{ID=94812,startKey=74,endKey=75,epoch="conf_ver:5 version:20 ",peers="id:94813 store_id:1 "}`.
fn go_object(text: &[u8], at: usize) -> Option<RegionDescription> {
    let head = &text[at.saturating_sub(24)..at];
    let id = number(&head[memchr::memmem::rfind(head, b"ID=")? + 3..])?;
    let rest = text.get(at..text.len().min(at + 2048))?;
    let end = memchr::memmem::find(rest, b",endKey=")?;
    let range = range(Some(hex(&rest[10..])?), Some(hex(&rest[end + 8..])?));
    Some(RegionDescription { id: RegionId(id), range, epoch: epoch(rest), peers: peers(rest) })
}

/// `new_region_id: 94820 new_peer_ids: 94821 ...`: a child, before it has keys.
fn split_child(text: &[u8], at: usize) -> Option<RegionDescription> {
    let id = number(&text[at + 15..])?;
    Some(RegionDescription { id: RegionId(id), range: None, epoch: None, peers: Vec::new() })
}

/// `ID=94812,Leader=4,ConfVer=5,Version=20,Peers=[1 4 5],RealRange=[74,75)`.
fn hint(text: &[u8], at: usize) -> Option<RegionDescription> {
    let head = &text[at.saturating_sub(256)..at];
    let id = number(&head[memchr::memmem::rfind(head, b"ID=")? + 3..])?;
    let value = |label: &[u8]| memchr::memmem::rfind(head, label).and_then(|at| number(&head[at + label.len()..]));
    let epoch = value(b"ConfVer=").zip(value(b",Version="));
    Some(RegionDescription { id: RegionId(id), range: bracket_range(&text[at + 12..]), epoch, peers: Vec::new() })
}

/// Key ranges `[74, 75)` that no description holds, as the advancer prints them.
pub(super) fn ranges(text: &[u8], described: &[RegionDescription]) -> Vec<KeyRange> {
    let mut found = Vec::new();
    for at in memchr::memchr_iter(b'[', text) {
        if found.len() == MOST {
            break;
        }
        if let Some(range) = bracket_range(&text[at + 1..])
            && !described.iter().any(|one| one.range.as_ref() == Some(&range))
        {
            found.push(range);
        }
    }
    found.sort();
    found.dedup();
    found
}

/// `74,75)` or `74, 75)`: hex keys of at least one byte; an empty end is the end of all keys.
fn bracket_range(text: &[u8]) -> Option<KeyRange> {
    let start = hex(text)?;
    let rest = text[start.len()..].strip_prefix(b",")?;
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    let end = hex(rest)?;
    (rest.get(end.len()) == Some(&b')') && start.len() + end.len() > 2).then(|| range(Some(start), Some(end)))?
}

fn range(start: Option<Vec<u8>>, end: Option<Vec<u8>>) -> Option<KeyRange> {
    if start.is_none() && end.is_none() {
        return None;
    }
    let text = |key: Option<Vec<u8>>| {
        String::from_utf8(key.unwrap_or_default()).unwrap_or_default().to_ascii_uppercase().into_boxed_str()
    };
    Some(KeyRange { start: text(start), end: text(end) })
}

/// The hex digits at the start, of whole bytes; none is an empty key. Redacted keys (`?`) are no keys.
fn hex(text: &[u8]) -> Option<Vec<u8>> {
    let length = text.iter().take(2048).take_while(|byte| byte.is_ascii_hexdigit()).count();
    let ends = text.get(length).is_none_or(|byte| b",) \"]}".contains(byte));
    (ends && length % 2 == 0).then(|| text[..length].to_vec())
}

/// The key behind a label: bare hex (Rust) or a quoted text with octal escapes (Go), as hex.
fn key_after(text: &[u8], label: &Finder<'_>) -> Option<Vec<u8>> {
    let at = label.find(text)? + label.needle().len();
    let rest = text[at..].strip_prefix(b" ").unwrap_or(&text[at..]);
    let Some(quoted) = rest.strip_prefix(b"\\\"").or_else(|| rest.strip_prefix(b"\"")) else {
        return hex(rest).filter(|key| !key.is_empty());
    };
    let mut out = Vec::new();
    let mut bytes = quoted.iter().copied().take(2048);
    let push = |out: &mut Vec<u8>, byte: u8| out.extend_from_slice(format!("{byte:02X}").as_bytes());
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return Some(out),
            b'\\' => match bytes.next()? {
                digit @ b'0'..=b'3' => {
                    let (middle, last) = (bytes.next()?, bytes.next()?);
                    push(&mut out, (digit - b'0') << 6 | middle.wrapping_sub(b'0') << 3 | last.wrapping_sub(b'0'));
                }
                b'n' => push(&mut out, b'\n'),
                b't' => push(&mut out, b'\t'),
                b'r' => push(&mut out, b'\r'),
                b'"' => return Some(out),
                other => push(&mut out, other),
            },
            other => push(&mut out, other),
        }
    }
    None
}

fn epoch(text: &[u8]) -> Option<(u64, u64)> {
    let value = |label: &Finder<'_>| {
        let at = label.find(text)? + label.needle().len();
        number(text[at..].strip_prefix(b" ").unwrap_or(&text[at..]))
    };
    Some((value(&CONF_VER)?, value(&VERSION)?))
}

/// `id: 94813 store_id: 1` and `id:94813 store_id:1`, any number of them.
pub(super) fn peers(text: &[u8]) -> Vec<(PeerId, StoreId)> {
    let mut found = Vec::new();
    for at in STORE_ID.find_iter(text).take(16) {
        let digits = text[..at].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let rest = &text[at + 10..];
        let store = number(rest.strip_prefix(b" ").unwrap_or(rest));
        if let (Some(peer), Some(store)) = (number(&text[at - digits..]), store) {
            found.push((PeerId(peer), StoreId(store)));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn number(text: &[u8]) -> Option<u64> {
    let digits = text.iter().take(20).take_while(|byte| byte.is_ascii_digit()).count();
    let is_cut = text[digits..].starts_with(b"..") || text[digits..].starts_with("\u{2026}".as_bytes());
    std::str::from_utf8(&text[..digits]).ok().filter(|_| !is_cut)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_of_rust_and_go() {
        let rust = b"region=\"id: 94812 start_key: 7480 end_key: 7481 region_epoch { conf_ver: 5 version: 20 } peers { id: 94813 store_id: 1 } peers { id: 94814 store_id: 4 }\"";
        let one = &find(rust)[0];
        assert_eq!((one.id.0, one.epoch, one.peers.len()), (94812, Some((5, 20)), 2));
        assert_eq!(one.range.as_ref().map(|range| (&*range.start, &*range.end)), Some(("7480", "7481")));
        let go = br#"meta: id:94812 start_key:"t\200" end_key:"t\201" region_epoch:<conf_ver:5 version:20 > peers:<id:94813 store_id:1 > "#;
        assert_eq!(find(go)[0].range.as_ref().map(|range| (&*range.start, &*range.end)), Some(("7480", "7481")));
        let debug = b"Start { region: Region { id: 94812, ver: 20, conf_ver: 5, range: [7480,7481), peers: 1,4,5 }";
        assert_eq!((find(debug)[0].id.0, find(debug)[0].epoch), (94812, Some((5, 20))));
        let object =
            b"{ID=94812,startKey=7480,endKey=7481,epoch=\"conf_ver:5 version:20 \",peers=\"id:94813 store_id:1 \"}";
        assert_eq!(find(object)[0].peers, [(PeerId(94813), StoreId(1))]);
    }

    #[test]
    fn ranges_without_a_region() {
        let found = ranges(b"min=([7480AB, 7481), 434834088949972992)", &[]);
        assert_eq!(found.len(), 1);
        assert_eq!(&*found[0].start, "7480AB");
        assert!(ranges(b"[1, 2, 3] [a.go:12] [x)", &[]).is_empty());
    }
}
