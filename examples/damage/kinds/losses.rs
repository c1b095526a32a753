//! What a selection, a size limit or a redaction took away.

use super::Random;
use super::head::Head;
use super::text::Document;

/// The first bracket.
pub(super) fn bracket(document: &mut Document, _: &mut Random) {
    from(document, |text, head| (text[head.time + 1..].to_owned()).into());
}

/// Another bracket of the header: that which ends the time, or one of level and source file.
pub(super) fn inner_bracket(document: &mut Document, random: &mut Random) {
    from(document, |text, head| {
        let found: Vec<usize> = text[..head.message].match_indices(['[', ']']).map(|(at, _)| at).collect();
        let at = *found.get(1 + random.below(found.len().checked_sub(1)? as u64) as usize)?;
        Some(format!("{}{}", &text[..at], &text[at + 1..]))
    });
}

/// The date and some of the clock.
pub(super) fn date(document: &mut Document, random: &mut Random) {
    from(document, |text, head| text.get(head.time + 9 + random.below(10) as usize..).map(str::to_owned));
}

/// The time.
pub(super) fn time(document: &mut Document, _: &mut Random) {
    from(document, |text, head| Some(text[head.level..].to_owned()));
}

/// The level alone, as some collectors take it out.
pub(super) fn level(document: &mut Document, _: &mut Random) {
    from(document, |text, head| Some(format!("{}{}", &text[..head.level], &text[head.caller..])));
}

/// Time and level: the record begins with the source file.
pub(super) fn time_and_level(document: &mut Document, _: &mut Random) {
    from(document, |text, head| Some(text[head.caller..].to_owned()));
}

/// All before the message.
pub(super) fn up_to_message(document: &mut Document, _: &mut Random) {
    from(document, |text, head| Some(text[head.message..].to_owned()));
}

/// All before some byte of the message.
pub(super) fn into_message(document: &mut Document, random: &mut Random) {
    from(document, |text, head| {
        let message = &text[head.message..];
        let end = message.find(']')?;
        let cut = floor(message, 2 + random.below(end.saturating_sub(2) as u64) as usize);
        Some(message[cut..].to_owned())
    });
}

/// The end, from anywhere behind the source file.
pub(super) fn tail(document: &mut Document, random: &mut Random) {
    cut(document, random, "");
}

/// The same, and dots in its place.
pub(super) fn tail_elided(document: &mut Document, random: &mut Random) {
    cut(document, random, "......");
}

fn cut(document: &mut Document, random: &mut Random, instead: &str) {
    from(document, |text, head| {
        let room = text.len() - head.message;
        let at = floor(text, head.message + room / 3 + random.below((room - room / 3) as u64) as usize);
        Some(format!("{}{instead}", &text[..at]))
    });
}

/// Long keys and other runs of letters and digits lose their middle: `74800000...00FA`.
pub(super) fn long_values(document: &mut Document, _: &mut Random) {
    document.lose(|text| {
        runs(
            text,
            |run| if run.len() > 24 { format!("{}...{}", &run[..8], &run[run.len() - 4..]) } else { run.to_owned() },
        )
    });
}

/// A stretch behind the message becomes dots.
pub(super) fn middle(document: &mut Document, random: &mut Random) {
    from(document, |text, head| {
        let blanks: Vec<usize> = text.match_indices("] [").map(|(at, _)| at).filter(|at| *at > head.message).collect();
        let from = *blanks.get(random.below(blanks.len() as u64) as usize)?;
        let to = *blanks.iter().find(|at| **at > from)?;
        Some(format!("{}] ... {}", &text[..from], &text[to + 2..]))
    });
}

/// A number is replaced by a word in brackets of its own, and the field's closing bracket is lost.
pub(super) fn redacted(document: &mut Document, random: &mut Random) {
    from(document, |text, head| {
        let fields: Vec<(usize, usize)> = text
            .match_indices('=')
            .filter_map(|(at, _)| {
                let value = &text[at + 1..];
                let digits = value.len() - value.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
                (at > head.message && digits > 0 && value[digits..].starts_with(']'))
                    .then_some((at + 1, at + 2 + digits))
            })
            .collect();
        let (from, to) = *fields.get(random.below(fields.len() as u64) as usize)?;
        Some(format!("{}[REDACTED_LONG_ID]{}", &text[..from], &text[to..]))
    });
}

/// Applies a loss to every record with a header.
fn from(document: &mut Document, mut change: impl FnMut(&str, Head) -> Option<String>) {
    document.lose(|text| Head::find(text).and_then(|head| change(text, head)).unwrap_or_else(|| text.to_owned()));
}

/// The nearest boundary of a letter at or before a byte.
pub(super) fn floor(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Changes every run of letters and digits.
fn runs(text: &str, change: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let run = rest.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(rest.len());
        out.push_str(&change(&rest[..run]));
        rest = &rest[run..];
        let gap = rest.find(|letter: char| letter.is_ascii_alphanumeric()).unwrap_or(rest.len());
        out.push_str(&rest[..gap]);
        rest = &rest[gap..];
    }
    out
}
