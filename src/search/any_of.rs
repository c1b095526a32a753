//! A search for a few texts at once, many bytes at a time where the processor can.

use aho_corasick::{AhoCorasick, Match, MatchKind, Span, packed};

/// A few texts; of two that begin at one place the earlier in the list is found.
#[derive(Debug)]
pub(crate) enum AnyOf {
    Packed(packed::Searcher),
    Automaton(AhoCorasick),
    /// Where neither can be made, and nothing is found: the texts are too many.
    None,
}

impl AnyOf {
    pub(crate) fn new<W: AsRef<[u8]>>(words: &[W]) -> Self {
        if let Some(searcher) = packed::Searcher::new(words) {
            return Self::Packed(searcher);
        }
        let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(words);
        automaton.map_or(Self::None, Self::Automaton)
    }

    /// The first of them in a text from a place on.
    #[inline]
    pub(crate) fn find(&self, text: &[u8], from: usize) -> Option<Match> {
        let span = Span { start: from, end: text.len() };
        match self {
            Self::Packed(searcher) => searcher.find_in(text, span),
            Self::Automaton(automaton) => automaton.find(aho_corasick::Input::new(text).span(span)),
            Self::None => None,
        }
    }

    /// All that stand in a text, one behind the other.
    #[inline]
    pub(crate) fn each<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = Match> + 'a {
        let mut from = 0;
        std::iter::from_fn(move || {
            let found = self.find(text, from)?;
            from = found.end();
            Some(found)
        })
    }

    pub(crate) fn is_in(&self, text: &[u8]) -> bool {
        self.find(text, 0).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::AnyOf;

    #[test]
    fn the_earlier_of_two_counts_and_none_is_found_twice() {
        let words = AnyOf::new(&["id: ", "id:", "peer in merging mode", "egion"]);
        let automaton = super::AhoCorasick::builder()
            .match_kind(super::MatchKind::LeftmostFirst)
            .build(["id: ", "id:", "peer in merging mode", "egion"])
            .unwrap();
        for words in [words, AnyOf::Automaton(automaton)] {
            let found = |text: &str| {
                words.each(text.as_bytes()).map(|found| (found.pattern().as_usize(), found.start())).collect::<Vec<_>>()
            };
            assert_eq!(found("id: 1 id:2, region 3"), [(0, 0), (1, 6), (3, 13)]);
            assert_eq!(found(&format!("{}id:", "x".repeat(100))), [(1, 100)]);
            assert!(!words.is_in(b"nothing of the kind, at some length"));
            assert!(!words.is_in(b""));
        }
    }
}
