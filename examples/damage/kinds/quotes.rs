//! Quotes, brackets and backslashes.

use super::Random;
use super::text::Document;

/// `[""text""]`.
pub(super) fn doubled(document: &mut Document, _: &mut Random) {
    document.lines(|line| line.replace('"', "\"\""));
}

/// No quotes at all.
pub(super) fn stripped(document: &mut Document, _: &mut Random) {
    document.lines(|line| line.replace('"', ""));
}

/// `[\"text\"]`.
pub(super) fn escaped_twice(document: &mut Document, _: &mut Random) {
    document.lines(json_escaped);
}

/// U+201C and U+201D.
pub(super) fn typographic(document: &mut Document, _: &mut Random) {
    document.lines(|line| {
        let mut out = String::new();
        for letter in line.chars() {
            let opens = out.ends_with(['[', '=', ' ', '\\', '(']);
            out.push(match letter {
                '"' if opens => '\u{201c}',
                '"' => '\u{201d}',
                other => other,
            });
        }
        out
    });
}

/// `&quot;` and its like.
pub(super) fn html(document: &mut Document, random: &mut Random) {
    let quote = if random.below(2) == 0 { "&quot;" } else { "&#34;" };
    document.lines(|line| {
        line.replace('&', "&amp;").replace('"', quote).replace('\'', "&#39;").replace('<', "&lt;").replace('>', "&gt;")
    });
}

/// `\[text]`, and backslashes doubled.
pub(super) fn markdown(document: &mut Document, random: &mut Random) {
    let both = random.below(2) == 0;
    document.lines(|line| {
        let line = line.replace('\\', "\\\\").replace('[', "\\[");
        if both { line.replace(']', "\\]").replace('_', "\\_") } else { line }
    });
}

/// A text as it stands in a JSON string.
pub(super) fn json_escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
        .replace('\t', "\\t")
        .replace('\u{1b}', "\\u001b")
}
