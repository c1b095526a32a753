//! Regions, stores and TSOs in free text, in every shape in which components write them, and no false ones:
//! a peer id, a count or a number inside a key is not a region.

use super::codes::is_coloured;
use crate::search::AnyOf;
use crate::units::{PeerId, RegionId, StoreId, Tso};
use std::sync::LazyLock;

/// Ids found in a text, sorted, without repeats.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ids {
    pub(super) regions: Vec<RegionId>,
    pub(super) stores: Vec<StoreId>,
    pub(super) tsos: Vec<Tso>,
}

static WORDS: LazyLock<AnyOf> = LazyLock::new(|| AnyOf::new(&WORD_LIST));
const WORD_LIST: [&str; 17] = [
    "egion",
    "tore",
    "NotLeader(",
    "peers: ",
    "r.peers=",
    "r.id=",
    " address:",
    "peer in merging mode",
    "Peers=[",
    "target { id: ",
    "source { id: ",
    "RegionNotFound(",
    "self_id",
    " start_key",
    ",startKey=",
    " end_key",
    " region_epoch",
];

/// Finds all ids of an unescaped text.
pub(super) fn find(text: &[u8]) -> Ids {
    let mut ids = Ids::default();
    for found in WORDS.each(text) {
        at_word(text, found.pattern().as_usize(), found.start(), found.end(), &mut ids);
    }
    tsos(text, &mut ids.tsos);
    ids.tidy();
    ids
}

/// The region and peer of `[region 94812] 94815 text`, the tag of a message of raft; also of one that a panic quotes.
pub(super) fn tag(message: &[u8]) -> Option<(RegionId, PeerId)> {
    let quoted = memchr::memmem::find(message, b" panicked ").map(|at| &message[at..]);
    let quoted = quoted.and_then(|text| Some(&text[memchr::memchr(b'\'', text)? + 1..]));
    let message = quoted.unwrap_or(message);
    let (region, rest) = number(message.strip_prefix(b"[region ")?)?;
    let (peer, rest) = number(rest.strip_prefix(b"] ")?)?;
    rest.starts_with(b" ").then_some((RegionId(region), PeerId(peer)))
}

impl Ids {
    pub(super) fn tidy(&mut self) {
        self.regions.retain(|id| id.0 > 0);
        self.stores.retain(|id| id.0 > 0);
        self.regions.sort_unstable();
        self.regions.dedup();
        self.stores.sort_unstable();
        self.stores.dedup();
        self.tsos.sort_unstable();
        self.tsos.dedup();
    }
}

fn at_word(text: &[u8], word: usize, start: usize, end: usize, ids: &mut Ids) {
    let before = |back: usize| start.checked_sub(back).map(|at| text[at]);
    let rest = &text[end..];
    match WORD_LIST[word] {
        // `the one in target region 94817`: the peer of it.
        "egion" if text[..start].ends_with(b"than the one in target r") => {}
        "egion" if matches!(before(1), Some(b'r' | b'R')) => region(rest, &mut ids.regions),
        "tore" => {
            let begins = match before(1) {
                Some(b's') => before(2).is_none_or(|byte| !byte.is_ascii_alphanumeric()),
                Some(b'S') => true,
                _ => false,
            };
            if begins {
                store(rest, &mut ids.stores);
            }
        }
        "NotLeader(" | "RegionNotFound(" => ids.regions.extend(number(rest).map(|(id, _)| RegionId(id))),
        "r.id=" if before(1).is_none_or(|byte| !byte.is_ascii_alphanumeric()) => {
            ids.regions.extend(number(rest).map(|(id, _)| RegionId(id)))
        }
        "target { id: " | "source { id: " => ids.regions.extend(number(rest).map(|(id, _)| RegionId(id))),
        "peers: " | "r.peers=" => list(rest, b",", &mut |id| ids.stores.push(StoreId(id))),
        "Peers=[" => list(rest, b" ", &mut |id| ids.stores.push(StoreId(id))),
        " address:" => {
            // `id: 1 address: "10.0.1.11:20160"`, `id:1 address:"..."`: a store in protobuf text.
            if let Some((id, label)) = number_before(&text[..start])
                && (label.ends_with(b"id:") || label.ends_with(b"id: "))
            {
                ids.stores.push(StoreId(id));
            }
        }
        "peer in merging mode" => {
            ids.regions.extend(number_before(text[..start].trim_ascii_end()).map(|(id, _)| RegionId(id)))
        }
        "self_id" => ids.stores.extend(rest.strip_prefix(b"=").and_then(number).map(|(id, _)| StoreId(id))),
        // A region in protobuf or Go text: its keys follow its id.
        " start_key" | ",startKey=" | " end_key" | " region_epoch" => {
            let before = &text[..start];
            if let Some((id, label)) = number_before(before.strip_suffix(b",").unwrap_or(before))
                && [&b"id: "[..], b"id:", b"ID="].iter().any(|word| label.ends_with(word))
            {
                ids.regions.push(RegionId(id));
            }
        }
        _ => {}
    }
}

/// What follows `region`.
fn region(rest: &[u8], out: &mut Vec<RegionId>) {
    // `regions`: a count, unless a list or descriptions follow.
    if let Some(plural) = rest.strip_prefix(b"s") {
        let list_of = plural.trim_ascii_start();
        let list_of =
            [&b"="[..], b":", b"\""].iter().fold(list_of, |text, sign| text.strip_prefix(*sign).unwrap_or(text));
        let list_of = list_of.strip_prefix(b"\"").unwrap_or(list_of).trim_ascii_start();
        if let Some(inner) =
            list_of.strip_prefix(b"[").or_else(|| list_of.strip_prefix(b"{")).or_else(|| list_of.strip_prefix(b":<"))
        {
            let inner = inner.trim_ascii_start();
            match inner.strip_prefix(b"id: ").or_else(|| inner.strip_prefix(b"id:")) {
                Some(id) => out.extend(number(id).map(|(id, _)| RegionId(id))),
                None => list(inner, b", ", &mut |id| out.push(RegionId(id))),
            }
        }
        return;
    }
    if let Some(ids) =
        rest.strip_prefix(b"_ids").or_else(|| rest.strip_prefix(b"-ids")).or_else(|| rest.strip_prefix(b"IDs"))
    {
        let skipped = ids.iter().take(6).position(u8::is_ascii_digit).unwrap_or(0);
        if skipped > 0 && ids[..skipped].iter().all(|byte| b"=:\"[ {\\".contains(byte)) {
            list(&ids[skipped..], b", ", &mut |id| out.push(RegionId(id)));
        }
        return;
    }
    // Java: `no followers of region[94812]`.
    let in_brackets = || rest.strip_prefix(b"[").and_then(number).filter(|(_, after)| after.starts_with(b"]"));
    let Some((id, after)) = labelled(rest, &[b"Info", b"-hint", b"_hint"]).or_else(in_brackets) else { return };
    out.push(RegionId(id));
    // PD: `merge: region 94812 to 94816`, `merge region 94812 into region 94816`.
    if let Some(other) = after.strip_prefix(b" to ") {
        out.extend(number(other).map(|(id, _)| RegionId(id)));
    }
}

/// What follows `store`.
fn store(rest: &[u8], out: &mut Vec<StoreId>) {
    if let Some(plural) = rest.strip_prefix(b"s") {
        let inner = plural.iter().take(4).position(|byte| *byte == b'[');
        if let Some(open) = inner
            && plural[..open].iter().all(|byte| b"=:\" ".contains(byte))
        {
            list(&plural[open + 1..], b", ", &mut |id| out.push(StoreId(id)));
        }
        return;
    }
    // PD: `mv peer: store [1] to [4]`, `transfer leader: store 2 to 1`. Java: `Store[4]`.
    let bare = rest.strip_prefix(b" [").or_else(|| rest.strip_prefix(b"[")).unwrap_or(rest);
    let Some((id, after)) = labelled(bare, &[]).or_else(|| (bare.len() < rest.len()).then(|| number(bare)).flatten())
    else {
        return;
    };
    out.push(StoreId(id));
    let after = after.strip_prefix(b"]").unwrap_or(after);
    if let Some(other) = after.strip_prefix(b" to ") {
        let other = other.strip_prefix(b"[").unwrap_or(other);
        out.extend(number(other).map(|(id, _)| StoreId(id)));
    }
}

/// The number behind a word: `_id=7`, `-id: 7`, `ID: 7`, ` id"=7`, `=7`, `: id: 7`, ` { id: 7`, ` 7`, `":7`, `="{ID=7,`.
fn labelled<'t>(rest: &'t [u8], suffixes: &[&[u8]]) -> Option<(u64, &'t [u8])> {
    let mut text = suffixes.iter().fold(rest, |text, suffix| text.strip_prefix(*suffix).unwrap_or(text));
    let mut linked = false;
    let mut named = false;
    for _ in 0..12 {
        if let Some(found) = number(text) {
            // `region7` is a name; a link, a blank or a bracket must stand between.
            return linked.then_some(found);
        }
        let first = *text.first()?;
        if let Some(after) = id_word(text).filter(|_| !named)
            && after.first().is_some_and(|byte| b"=: \"\\".contains(byte))
        {
            text = after;
            named = true;
            continue;
        }
        if let Some(after) = text.strip_prefix(b"Region").or_else(|| text.strip_prefix(b"region")) {
            text = after;
            continue;
        }
        match first {
            b'=' | b':' | b' ' | b'"' | b'\\' | b'{' | b'(' | b'<' => {
                linked = true;
                text = &text[1..];
            }
            _ => return None,
        }
    }
    None
}

/// What follows a word for an id: `_id`, `-id`, `_ID`, ` id`, ` ID`, `ID`, `Id`, `id`.
fn id_word(text: &[u8]) -> Option<&[u8]> {
    match text {
        [b'_' | b'-' | b' ', b'i', b'd', after @ ..]
        | [b'_' | b' ', b'I', b'D', after @ ..]
        | [b'I', b'D' | b'd', after @ ..]
        | [b'i', b'd', after @ ..] => Some(after),
        _ => None,
    }
}

/// A whole decimal number at the start; one that goes on as a fraction, a size or a word is none, nor is one that dots cut.
fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let digits = text.iter().take(20).take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || digits > 19 {
        return None;
    }
    let rest = &text[digits..];
    let goes_on = match rest.first() {
        Some(b'.') => rest.get(1).is_some_and(|next| next.is_ascii_digit() || *next == b'.'),
        Some(0xE2) => rest.starts_with("\u{2026}".as_bytes()),
        Some(b'\\' | 0x1b) => is_coloured(rest),
        Some(byte) => byte.is_ascii_alphabetic() || b"_%".contains(byte),
        None => false,
    };
    let value =
        text[..digits].iter().fold(0u64, |value, digit| value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')));
    (!goes_on && value < 1 << 62).then_some((value, rest))
}

fn number_before(text: &[u8]) -> Option<(u64, &[u8])> {
    let digits = text.iter().rev().take(19).take_while(|byte| byte.is_ascii_digit()).count();
    let (label, text) = text.split_at(text.len() - digits);
    number(text).map(|(value, _)| (value, label))
}

/// Numbers in a row, with nothing but separators between.
fn list(text: &[u8], separators: &[u8], each: &mut dyn FnMut(u64)) {
    let mut rest = text;
    while let Some((value, after)) = number(rest) {
        each(value);
        let skipped = after.iter().take_while(|byte| separators.contains(byte)).count();
        if skipped == 0 {
            return;
        }
        rest = &after[skipped..];
    }
}

/// Numbers that can be TSOs: 18 digits, a plausible time, standing alone, and not the values of an index or statistics.
fn tsos(text: &[u8], out: &mut Vec<Tso>) {
    let mut at = 0;
    while at < text.len() {
        // Eighteen digits in a row: every 18th byte suffices to find one.
        let probe = at + 17;
        let Some(byte) = text.get(probe) else { return };
        if !byte.is_ascii_digit() {
            at = probe + 1;
            continue;
        }
        let before = text[at..probe].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let mut start = probe - before;
        while start > 0 && text[start - 1].is_ascii_digit() {
            start -= 1;
        }
        let end = probe + text[probe..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if end - start == 18
            && let Some((value, _)) = number(&text[start..])
            && Tso(value).is_plausible()
            && stands_alone(text, start, end)
        {
            out.push(Tso(value));
        }
        at = end + 1;
    }
}

fn stands_alone(text: &[u8], start: usize, end: usize) -> bool {
    let before = &text[start.saturating_sub(160)..start];
    let glued = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-/".contains(byte);
    if before.last().is_some_and(glued)
        || text.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_/".contains(byte))
    {
        return false;
    }
    if before.ends_with(b"stats=t:") || text[end..].starts_with(b".sst") {
        return false;
    }
    let open = memchr::memmem::rfind(before, b"indexValues={");
    open.is_none_or(|open| before[open..].contains(&b'}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regions(text: &str) -> Vec<u64> {
        find(text.as_bytes()).regions.iter().map(|id| id.0).collect()
    }

    fn stores(text: &str) -> Vec<u64> {
        find(text.as_bytes()).stores.iter().map(|id| id.0).collect()
    }

    #[test]
    fn tags_of_messages() {
        assert_eq!(tag(b"[region 94812] 94815 it is gone"), Some((RegionId(94812), PeerId(94815))));
        for text in ["[region 94812] it is gone", "region 94812] 94815 x", "[region 94812] 94815", "[region x] 7 y"] {
            assert_eq!(tag(text.as_bytes()), None, "{text}");
        }
        let quoted = b"thread 'raftstore-1' panicked '[region 94812] 94815 it is gone' at \"a.rs:7\"";
        assert_eq!(tag(quoted), Some((RegionId(94812), PeerId(94815))));
        let text = "[region 94812] 94815 local target peer id 94820 is greater than the one in target region 94817, target region id: 94816";
        assert_eq!(regions(text), [94812, 94816]);
    }

    #[test]
    fn every_shape_of_a_region() {
        for text in [
            "region_id=94812",
            "[region=94812]",
            "r.id=94812",
            "[region-id=94812]",
            "[regionID=94812]",
            "\"region id\"=94812",
            "(region_id = 94812)",
            "region_id: 94812",
            "region 94812",
            "[region 94812] 94813",
            "Region { id: 94812, ver: 1 }",
            "region: id: 94812 start_key: 74",
            "region-hint=ID=94812,Leader=4",
            "region ID: 94812, meta",
            "region:94812(20, 5)",
            "source_region=id: 94812 start",
            "{ID=94812,startKey=7480",
            "\"region_id\":94812,",
            "[region={ID=94812,startKey=}]",
            "NotLeader(94812, Some(id: 94814 store_id: 4))",
            "RegionSubscription: region(94812)",
            "94812 peer in merging mode, can't do proposal",
            "meta: id:94812 start_key:\"74\"",
            "current_regions { id: 94812 start_key: 7480",
            "current_regions:<id:94812 start_key:\"74\" >",
            "{ region id: 94812, ver: 24375, confVer: 83 }",
            "new_region_id: 94812 new_peer_ids: 94821",
            "overlap region: RegionInfo { region: id: 94812 start_key: 74",
        ] {
            assert_eq!(regions(text), [94812], "{text}");
        }
        assert_eq!(regions("merge: region 94812 to 94816"), [94812, 94816]);
        assert_eq!(regions("merge region 94812 into region 94816"), [94812, 94816]);
        assert_eq!(regions("region_ids=\"[1, 2, 3]\""), [1, 2, 3]);
    }

    #[test]
    fn what_is_no_region() {
        for text in [
            "peer_id=94813",
            "store_id: 1",
            "[total-regions=55387]",
            "region_count=1203",
            "regions=20",
            "region=us-west-2",
            "region 5.2s",
            "region 96MiB",
            "key: 7480000000000094812",
            "region_epoch { conf_ver: 5 version: 20 }",
            "region7",
            "region_id=948...",
            "region_id=948\u{2026}12",
            "Region is unavailable",
            "\"backup total regions\"=55387",
        ] {
            assert_eq!(regions(text), [0u64; 0], "{text}");
        }
    }

    #[test]
    fn every_shape_of_a_store() {
        for text in [
            "store_id=4",
            "[store-id=4]",
            "[storeID=4]",
            "[store=4]",
            "to_store_id=4",
            "[store 4] slow",
            "[store = 4] retry",
            "error[store=4]",
            "error happen in store 4: unknown",
            "unreachable_store_id=4",
            "peers { id: 9 store_id: 4 }",
            "id: 4 address: \"a:1\"",
            "id:4 address:\"a:1\"",
            "store id 4",
            "leader { id: 9 store_id: 4 }",
            "target-store-id=4",
            "targetStore=4",
            "peer: 1401, store: 4, isEpochStale: false",
            "self_id=4",
        ] {
            assert_eq!(stores(text), [4], "{text}");
        }
        assert_eq!(stores("Region { id: 9, peers: 1,4,5 }"), [1, 4, 5]);
        assert_eq!(stores("transfer leader: store 2 to 1"), [1, 2]);
        assert_eq!(stores("mv peer: store [1] to [4]"), [1, 4]);
        assert_eq!(stores("removing stores [6, 1] from"), [1, 6]);
        for text in [
            "restore 5 files",
            "[restore-from=5]",
            "RestoreTS=5",
            "stores=3",
            "totalStores=9",
            "kvstore: 3",
            "raftstore 1",
        ] {
            assert_eq!(stores(text), [0u64; 0], "{text}");
        }
    }

    #[test]
    fn tsos_stand_alone_and_are_plausible() {
        let tsos = |text: &str| find(text.as_bytes()).tsos.iter().map(|tso| tso.0).collect::<Vec<_>>();
        assert_eq!(
            tsos("GC safepoint 433193092308795392 exceed TS 433177834291200000: x"),
            [433_177_834_291_200_000, 433_193_092_308_795_392]
        );
        assert_eq!(
            tsos("ts: TimeStamp(443888082736381953), endTS=999999999999999999 order 110121151637337178"),
            [443_888_082_736_381_953]
        );
        assert_eq!(
            tsos("indexValues={415144166153256976, 1, } txnStartTS=415144181973647361"),
            [415_144_181_973_647_361]
        );
        assert_eq!(
            tsos("file 434833180031188993.sst, file_434833180031188992.log cluster-id=6857095228536967924"),
            [0u64; 0]
        );
    }
}
