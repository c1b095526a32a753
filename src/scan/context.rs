//! Which records may be context of what is implicated: a test of raw bytes that costs the same for one region as for a million.

use crate::event::{Event, Implicated, may_describe, next_description};
use crate::record::is_clean;
use crate::search::masks::{self, STRETCH};
use crate::search::{self, Bits};
use rustc_hash::FxHashSet;
use std::ops::Range;

/// What is implicated, and a quick test for it.
#[derive(Debug)]
pub(super) struct ContextSearch {
    implicated: Implicated,
    ids: FxHashSet<u64>,
    beginnings: Beginnings,
    /// Digits of the shortest and the longest id.
    shortest: usize,
    longest: usize,
}

impl ContextSearch {
    pub(super) fn new(implicated: Implicated) -> Self {
        let digits = |id: u64| id.checked_ilog10().map_or(1, |log| log as usize + 1);
        let ids: FxHashSet<u64> = implicated.regions.iter().map(|id| id.0).collect();
        let lengths = || ids.iter().map(|id| digits(*id));
        let (shortest, longest) = (lengths().min().unwrap_or(1), lengths().max().unwrap_or(0));
        let beginnings = Beginnings::new(&ids, shortest);
        Self { implicated, ids, beginnings, shortest, longest }
    }

    /// Whether a record may be wanted: it holds the number of a region, or keys where keys are implicated.
    pub(super) fn may(&self, record: &[u8]) -> bool {
        self.holds_id(record) || (!self.implicated.ranges.is_empty() && may_describe(record))
    }

    /// Whether an event of a context rule is wanted.
    pub(super) fn wants(&self, event: &Event) -> bool {
        self.implicated.wants(event)
    }

    fn holds_id(&self, text: &[u8]) -> bool {
        Hits::new(self, text, 0).next_id(0).is_some()
    }

    /// How many digits a text begins with, where they are the number of a region.
    fn id_length(&self, text: &[u8]) -> Option<usize> {
        let (number, digits) = number(text);
        let is_id = text.first() != Some(&b'0') && (self.shortest..=self.longest).contains(&digits);
        (is_id && self.ids.contains(&number)).then_some(digits)
    }

    /// Calls `each` with ranges of whole lines in `own` whose records may be wanted, in order. Every record that starts in `own`
    /// and that `may` holds for starts in one of them, and each of them begins where the text can be entered: at `own`'s start,
    /// at a clean record, or where the range before it ended. So most of the text is read by this search only.
    pub(super) fn lines(&self, text: &[u8], own: Range<usize>, each: &mut dyn FnMut(Range<usize>)) {
        let mut done = own.start;
        let mut wanted: Option<Range<usize>> = None;
        let line_start = |at: usize, floor: usize| {
            memchr::memrchr(b'\n', &text[floor..at]).map_or(floor, |newline| floor + newline + 1)
        };
        // Back to a clean record: what else a line is, the lines before it decide.
        let entry = |at: usize, floor: usize| {
            let mut line = line_start(at, floor);
            while line > floor && !is_clean(&text[line..]) {
                line = line_start(line - 1, floor);
            }
            line
        };
        let mut hits = Hits::new(self, &text[..own.end], own.start);
        while done < own.end {
            let Some(hit) = hits.next(done) else { break };
            let begin = entry(hit, done);
            let end = memchr::memchr(b'\n', &text[hit..own.end]).map_or(own.end, |newline| hit + newline + 1);
            match &mut wanted {
                Some(last) if begin <= last.end + NEAR => last.end = end,
                last => {
                    if let Some(last) = last.replace(begin..end) {
                        each(last);
                    }
                }
            }
            done = end;
        }
        // What the last record has behind `own` was not searched: it is read in any case.
        let last = entry(own.end.saturating_sub(1).max(done), done);
        match wanted {
            Some(before) if last <= before.end + NEAR => each(before.start..own.end),
            before => {
                before.into_iter().for_each(&mut *each);
                each(last..own.end);
            }
        }
    }
}

/// The number at the start of a text, and how many digits it has. Beyond 64 bits it wraps: nobody looks for those.
fn number(text: &[u8]) -> (u64, usize) {
    let (mut number, mut length) = (0u64, 0);
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
        length += 1;
    }
    (number, length)
}

/// The first digits of all numbers that are looked for: most other numbers need not be read.
#[derive(Debug)]
struct Beginnings {
    /// What of eight bytes counts: as many as the shortest number has.
    mask: u64,
    bits: Bits,
}

impl Beginnings {
    fn new(ids: &FxHashSet<u64>, shortest: usize) -> Self {
        let mut beginnings = Self { mask: u64::MAX >> (64 - 8 * shortest.clamp(1, 8)), bits: Bits::new() };
        for id in ids {
            if let Some(first) = format!("{id:<8}").as_bytes().first_chunk() {
                beginnings.bits.set(beginnings.hash(*first));
            }
        }
        beginnings
    }

    #[inline]
    fn hash(&self, first: [u8; 8]) -> u32 {
        search::hash(u64::from_le_bytes(first) & self.mask)
    }

    /// Whether a text may begin with such a number.
    #[inline]
    fn may_begin(&self, text: &[u8]) -> bool {
        text.first_chunk().is_none_or(|first| self.bits.has(self.hash(*first)))
    }
}

/// Ranges that are no further apart are read as one.
const NEAR: usize = 512;

/// Places that may make a record wanted, in order.
struct Hits<'s, 't> {
    search: &'s ContextSearch,
    text: &'t [u8],
    /// Where numbers of `shortest` digits and more begin, of the stretch that was read last.
    numbers: Vec<usize>,
    next: usize,
    /// Up to where the text was read, and the digits of the 64 bytes before.
    read: usize,
    digits: u64,
    id: Option<usize>,
    mark: Option<usize>,
}

impl<'s, 't> Hits<'s, 't> {
    fn new(search: &'s ContextSearch, text: &'t [u8], from: usize) -> Self {
        Self { search, text, numbers: Vec::new(), next: 0, read: from, digits: 0, id: None, mark: None }
    }

    /// The next place at or behind `from`.
    fn next(&mut self, from: usize) -> Option<usize> {
        let end = self.text.len();
        if self.id.is_none_or(|id| id < from) {
            self.id = Some(self.next_id(from).unwrap_or(end));
        }
        if self.mark.is_none_or(|mark| mark < from) {
            let marked =
                (!self.search.implicated.ranges.is_empty()).then(|| next_description(self.text, from)).flatten();
            self.mark = Some(marked.unwrap_or(end));
        }
        self.id.min(self.mark).filter(|hit| *hit < end)
    }

    /// The last digit of the next number of a region that begins at or behind `from`.
    fn next_id(&mut self, from: usize) -> Option<usize> {
        if self.search.ids.is_empty() {
            return None;
        }
        loop {
            while let Some(begin) = self.numbers.get(self.next).copied() {
                if begin >= from
                    && self.search.beginnings.may_begin(&self.text[begin..])
                    && let Some(length) = self.search.id_length(&self.text[begin..])
                {
                    return Some(begin + length - 1);
                }
                self.next += 1;
            }
            self.read_stretch()?;
        }
    }

    fn read_stretch(&mut self) -> Option<()> {
        let stretch = self.text.get(self.read..).filter(|rest| !rest.is_empty())?;
        self.numbers.clear();
        self.next = 0;
        let (shortest, steps) = (self.search.shortest, steps(self.search.shortest));
        // Apart from `self`, so that they stay in registers.
        let (mut read, mut last, numbers) = (self.read, self.digits, &mut self.numbers);
        masks::digits(&stretch[..stretch.len().min(STRETCH)], |digits| {
            let mut own = digits;
            if last >> 63 == 1 {
                // A number that goes on from the bytes before.
                let (before, here) = (last.leading_ones() as usize, digits.trailing_ones() as usize);
                if before < shortest && before + here >= shortest {
                    numbers.push(read - before);
                }
                own &= digits.wrapping_add(1);
            }
            let mut ends = ends_of_runs(own, steps);
            while ends != 0 {
                numbers.push(read + ends.trailing_zeros() as usize + 1 - shortest);
                ends &= ends - 1;
            }
            last = digits;
            read += masks::BLOCK;
        });
        self.digits = last;
        self.read = read.min(self.text.len());
        Some(())
    }
}

/// Shifts that together find runs of so many bits, at most 32: each makes the runs that are known longer, at most twice as long.
fn steps(length: usize) -> [u32; 5] {
    let mut known = 1;
    [(); 5].map(|()| {
        let step = known.min(length.saturating_sub(known));
        known += step;
        step as u32
    })
}

/// Where a run of set bits has just become as long as the steps go.
#[inline]
fn ends_of_runs(bits: u64, steps: [u32; 5]) -> u64 {
    let long = steps.iter().fold(bits, |long, step| long & long << step);
    long & !(long << 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::RegionId;
    use proptest::prelude::*;

    fn search(ids: &[u64]) -> ContextSearch {
        ContextSearch::new(Implicated { regions: ids.iter().copied().map(RegionId).collect(), ..Implicated::default() })
    }

    #[test]
    fn whole_numbers_are_found_wherever_they_stand() {
        for ids in [&[94812][..], &[7, 94812], &[94812, 1_234_567_890_123]] {
            for (text, holds) in [
                ("94812", true),
                ("[region_id=94812]", true),
                ("x94812 194812", true),
                ("[from=1] [to=948120] [region_id=194812]", false),
                ("9481", false),
                ("", false),
                ("region 1 in 94812", true),
                ("7480000000000000FF6F5F728000000000FF94812A", true),
            ] {
                assert_eq!(search(ids).may(text.as_bytes()), holds, "{text}");
            }
        }
        assert!(!search(&[]).may(b"region 94812"));
    }

    #[test]
    fn ranges_of_lines_hold_every_wanted_record() {
        let clean = |text: &str| format!("[2022/07/25 14:54:44.467 +00:00] [INFO] [a.rs:1] [{text}]\n");
        let filler = clean("nothing here").repeat(20);
        let text = [
            "94812 in the middle of a record that began before\n",
            &filler,
            &clean("region_id=94812"),
            &filler,
            &clean("a panic"),
            "stack line\n  of region 94812\n",
            &filler,
            "time=1 region_id=94812\n",
            &clean("the last one, which may go on behind"),
        ]
        .concat();
        for end in [text.len(), text.len() - 1] {
            let mut lines = Vec::new();
            search(&[94812]).lines(text.as_bytes(), 0..end, &mut |range| lines.push(range));
            let starts: Vec<&str> = lines.iter().map(|range| &text[range.start..][..49]).collect();
            assert_eq!(lines.len(), 4, "{lines:?}");
            assert!(starts[0].starts_with("94812"));
            assert!(starts[1].contains("INFO"));
            assert!(text[lines[1].clone()].contains("region_id=94812]"));
            assert!(text[lines[2].clone()].starts_with(&clean("a panic")));
            assert!(text[lines[3].clone()].contains("time=1") && lines[3].end == end);
            assert!(lines.windows(2).all(|pair| pair[0].end <= pair[1].start));
        }
        search(&[94812]).lines(b"", 0..0, &mut |range| assert!(range.is_empty()));
    }

    #[test]
    fn keys_count_where_keys_are_implicated() {
        let range = crate::event::KeyRange { start: "74".into(), end: "75".into() };
        let search = ContextSearch::new(Implicated { ranges: [range].into(), ..Implicated::default() });
        assert!(search.may(b"region id: 5 start_key: 74 end_key: 75"));
        assert!(!search.may(b"region id: 5"));
    }

    /// The same, number by number.
    fn plainly(text: &[u8], from: usize, wanted: &[u64]) -> Option<usize> {
        let mut at = from;
        while at < text.len() {
            let (number, digits) = number(&text[at..]);
            if digits > 0 && digits == number.to_string().len() && wanted.contains(&number) {
                return Some(at + digits - 1);
            }
            at += digits.max(1);
        }
        None
    }

    proptest! {
        #[test]
        fn skipping_finds_what_the_plain_way_finds(
            text in "([0-9]{1,9}|[1-9][0-9]{9,18}|[ a-z=\\[\\]/:,]{1,40}){0,30}",
            from in 0usize..40,
            picks in prop::collection::vec(any::<prop::sample::Index>(), 0..3),
        ) {
            let text = text.as_bytes();
            let numbers: Vec<u64> = text
                .split(|byte| !byte.is_ascii_digit())
                .filter(|digits| (1..=19).contains(&digits.len()) && digits[0] != b'0')
                .map(|digits| number(digits).0)
                .collect();
            let wanted: Vec<u64> = picks.iter().filter(|_| !numbers.is_empty()).map(|pick| *pick.get(&numbers)).collect();
            let from = from.min(text.len());
            let search = search(&wanted);
            prop_assert_eq!(Hits::new(&search, text, from).next_id(from), plainly(text, from, &wanted));
        }
    }
}
