//! Words by which lines without a header are told: data, in `phrases.toml`.

use aho_corasick::AhoCorasick;
use serde::Deserialize;
use std::sync::LazyLock;

/// The built-in ones.
pub(super) static PHRASES: LazyLock<Phrases> = LazyLock::new(|| {
    // A test reads the same file.
    toml::from_str(TEXT).unwrap_or_default()
});

const TEXT: &str = include_str!("phrases.toml");

/// Of every kind of line.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Phrases {
    /// A message on a terminal, a record of its own.
    pub(super) console: Phrase,
    /// What names something worth knowing, but is no record.
    pub(super) banner: Phrase,
    /// A panic or an exception.
    pub(super) panic: Phrase,
    /// A line of a stack or backtrace.
    pub(super) stack: Phrase,
    /// Never part of a record.
    pub(super) noise: Phrase,
    /// A record that has lost its header.
    pub(super) fragment: Phrase,
}

/// What tells one kind of line.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "Form")]
pub(super) struct Phrase {
    starts: Vec<String>,
    holds: Option<AhoCorasick>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    starts: Vec<String>,
    #[serde(default)]
    holds: Vec<String>,
}

impl From<Form> for Phrase {
    fn from(form: Form) -> Self {
        let holds = Some(form.holds).filter(|holds| !holds.is_empty());
        Self { starts: form.starts, holds: holds.and_then(|holds| AhoCorasick::new(holds).ok()) }
    }
}

impl Phrase {
    /// Whether a line is of this kind.
    pub(super) fn tells(&self, text: &[u8]) -> bool {
        self.starts.iter().any(|start| text.starts_with(start.as_bytes()))
            || self.holds.as_ref().is_some_and(|holds| holds.is_match(text))
    }
}

#[cfg(test)]
mod tests {
    use super::{Phrases, TEXT};

    #[test]
    fn the_built_in_phrases_are_right() {
        let phrases: Phrases = toml::from_str(TEXT).unwrap();
        assert!(phrases.fragment.holds.is_some());
        assert!(phrases.console.tells(b"Error: x") && !phrases.console.tells(b"an Error: x"));
        assert!(phrases.fragment.tells(b"text [KV:Raftstore:Unknown]") && !phrases.fragment.tells(b"text"));
    }
}
