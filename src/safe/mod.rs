//! Text fit for output. Log text is hostile: whatever is written passes here first, whichever stage writes it.
//! Owns control characters and secrets; escaping for HTML, Markdown and CSV belongs to those writers.

mod controls;
mod keys;
mod secrets;

pub use controls::visible;
pub use secrets::redact;

use serde::Serialize;
use std::borrow::Cow;

/// How text is made safe in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Safe {
    redact: bool,
    hide_keys: bool,
}

impl Safe {
    /// `redact`: whether secrets are replaced; only `--no-redact` turns it off.
    pub const fn new(redact: bool) -> Self {
        Self { redact, hide_keys: false }
    }

    /// The same; also without user data: keys, values, SQL (`--redact-keys`).
    #[must_use]
    pub const fn hiding_keys(self, hide_keys: bool) -> Self {
        Self { hide_keys, ..self }
    }

    /// For text whose secrets may have been replaced when it was read.
    #[must_use]
    pub const fn of_read(self, is_redacted: bool) -> Self {
        Self { redact: self.redact && !is_redacted, ..self }
    }

    /// The text without control characters (newlines stay) and, unless turned off, without secrets.
    pub fn text(self, raw: &str) -> SafeText<'_> {
        let mut shown = visible(raw);
        if self.redact {
            shown = then(shown, redact);
        }
        if self.hide_keys {
            shown = then(shown, keys::hide);
        }
        SafeText(shown)
    }

    /// The same on one line: a newline becomes a blank.
    pub fn line(self, raw: &str) -> SafeText<'_> {
        let text = self.text(raw);
        if text.contains('\n') { SafeText(Cow::Owned(text.replace('\n', " "))) } else { text }
    }

    /// The same of a text that was made here out of raw pieces.
    pub fn own(self, made: String) -> SafeText<'static> {
        let changed = match self.line(&made).0 {
            Cow::Borrowed(_) => None,
            Cow::Owned(text) => Some(text),
        };
        SafeText(Cow::Owned(changed.unwrap_or(made)))
    }
}

/// Changes a text; it is copied only where that changes something.
fn then(text: Cow<'_, str>, change: fn(&str) -> Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => change(text),
        Cow::Owned(text) => match change(&text) {
            Cow::Borrowed(_) => Cow::Owned(text),
            Cow::Owned(changed) => Cow::Owned(changed),
        },
    }
}

/// Text that passed `Safe`, or that is our own. What a report prints is made of these.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
#[serde(transparent)]
pub struct SafeText<'a>(Cow<'a, str>);

impl SafeText<'_> {
    /// The same, on its own.
    pub fn into_owned(self) -> SafeText<'static> {
        SafeText(Cow::Owned(self.0.into_owned()))
    }
}

impl From<&'static str> for SafeText<'static> {
    /// The program's own words.
    fn from(ours: &'static str) -> Self {
        Self(Cow::Borrowed(ours))
    }
}

impl std::ops::Deref for SafeText<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for SafeText<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::Safe;
    use proptest::prelude::*;

    /// Texts with a chance to hold a secret, an escape sequence, or half of one.
    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("password".to_owned()),
            Just("secret-access-key".to_owned()),
            Just("Authorization".to_owned()),
            Just("?sig".to_owned()),
            Just("s3://u:".to_owned()),
            Just("@tcp(".to_owned()),
            Just("AKIAIOSFODNN7EXAMPLE".to_owned()),
            Just("IDENTIFIED BY".to_owned()),
            Just("[REDACTED]".to_owned()),
            "[=:@\"'\\\\,;&\\[\\]() \n]{1,3}",
            "[a-zA-Z0-9]{1,6}",
            "\\PC{0,4}",
            "[\u{0}-\u{1f}\u{7f}-\u{9f}\u{202a}-\u{202e}\u{2066}-\u{2069}]{1,3}",
        ];
        proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn no_control_character_but_newline_comes_out(raw in hostile()) {
            for redact in [true, false] {
                let text = Safe::new(redact).text(&raw);
                prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{:?}", &*text);
                let turns = text.contains(|c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'));
                prop_assert!(!turns);
                prop_assert!(!Safe::new(redact).line(&raw).contains('\n'));
            }
        }

        #[test]
        fn what_is_safe_stays_as_it_is(raw in hostile()) {
            let once = Safe::new(true).text(&raw).to_string();
            prop_assert_eq!(Safe::new(true).text(&once).to_string(), once);
        }

        #[test]
        fn a_secret_never_survives(word in "[A-Za-z0-9/+]{8,40}", end in "[ \"&\n]?") {
            for before in ["password=", "secret_access_key: \"", "?x=1&sig=", "Authorization: Bearer ", "mysql://root:"] {
                let after = if before.starts_with("mysql") { "@10.0.0.1:4000/test" } else { end.as_str() };
                let word = format!("Zq{}", word.replace('/', "_"));
                let text = Safe::new(true).text(&format!("{before}{word}{after}")).to_string();
                prop_assert!(!text.contains(&word), "{}", text);
            }
        }
    }
}
