//! Named regular expressions that take an identifier out of a value. Linear time by construction; compiled when first used.

use regex_automata::Input;
use regex_automata::meta::Regex;
use std::sync::{Arc, OnceLock};

/// A regular expression whose group 1 (or, without groups, whole match) is the value.
#[derive(Debug, Clone)]
pub struct Shape(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pattern: Box<str>,
    regex: OnceLock<Option<Regex>>,
}

impl Shape {
    /// Largest compiled size; a user's rule may not take more.
    const SIZE_LIMIT: usize = 1 << 20;

    /// A shape of a pattern that `check` accepts.
    pub(super) fn new(pattern: &str) -> Self {
        Self(Arc::new(Inner { pattern: pattern.into(), regex: OnceLock::new() }))
    }

    /// Compiles the pattern.
    ///
    /// # Errors
    /// Why it cannot be compiled.
    pub fn check(&self) -> Result<(), String> {
        build(&self.0.pattern).map(drop)
    }

    /// The value in `text`, where it is there.
    pub fn find<'t>(&self, text: &'t [u8]) -> Option<&'t [u8]> {
        let regex = self.0.regex.get_or_init(|| build(&self.0.pattern).ok()).as_ref()?;
        // Start and end of the whole match and of group 1.
        let mut ends = [None; 4];
        regex.search_slots(&Input::new(text), &mut ends)?;
        let group = if regex.captures_len() > 1 { 2 } else { 0 };
        text.get(ends[group]?.get()..ends[group + 1]?.get())
    }

    /// The pattern.
    pub fn pattern(&self) -> &str {
        &self.0.pattern
    }
}

fn build(pattern: &str) -> Result<Regex, String> {
    Regex::builder()
        .configure(Regex::config().nfa_size_limit(Some(Shape::SIZE_LIMIT)).utf8_empty(false))
        .syntax(regex_automata::util::syntax::Config::new().utf8(false).unicode(false))
        .build(pattern)
        .map_err(|error| error.to_string().replace('\n', " "))
}
