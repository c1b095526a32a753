//! Control characters made visible: a log line must not move the reader's cursor or turn text around.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with control characters other than newline written out: `\x1b`, and `\u{202e}` for those that steer the
/// direction or the lines of text.
pub fn visible(raw: &str) -> Cow<'_, str> {
    if !may_need_care(raw.as_bytes()) {
        return Cow::Borrowed(raw);
    }
    let Some(first) = raw.find(is_hidden) else { return Cow::Borrowed(raw) };
    let mut out = String::with_capacity(raw.len() + 16);
    out.push_str(&raw[..first]);
    for char in raw[first..].chars() {
        let code = u32::from(char);
        // Writing to a string cannot fail.
        let _ = match char {
            _ if !is_hidden(char) => out.write_char(char),
            _ if code < 0x100 => write!(out, "\\x{code:02x}"),
            _ => write!(out, "\\u{{{code:x}}}"),
        };
    }
    Cow::Owned(out)
}

/// Whether a byte may belong to a hidden character: without branches, so that clean text is passed over at memory speed.
#[allow(clippy::needless_bitwise_bool, reason = "branches would keep the loop from being vectorised")]
fn may_need_care(bytes: &[u8]) -> bool {
    bytes.chunks(64).any(|chunk| {
        chunk.iter().fold(false, |found, &byte| {
            found
                | ((byte < 0x20) & (byte != b'\n'))
                | (byte == 0x7f)
                | (byte == 0xc2)
                | (byte == 0xe2)
                | (byte == 0xd8)
        })
    })
}

/// C0, DEL, C1, and the marks that reorder text or end a line unseen.
fn is_hidden(char: char) -> bool {
    match char {
        '\n' => false,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        _ => char.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::visible;
    use std::borrow::Cow;

    #[test]
    fn hidden_characters_are_written_out() {
        for (raw, shown) in [
            ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
            ("a\tb\r\nc", "a\\x09b\\x0d\nc"),
            ("\u{9b}2J", "\\x9b2J"),
            ("a\u{202e}txt.exe", "a\\u{202e}txt.exe"),
            ("\u{2066}x\u{2069}\u{7f}\0", "\\u{2066}x\\u{2069}\\x7f\\x00"),
        ] {
            assert_eq!(visible(raw), shown);
        }
    }

    #[test]
    fn clean_text_is_not_copied() {
        for raw in ["region 94812", "日本語 – “quoted” ● ○", "línea ß", "a\nb", ""] {
            assert!(matches!(visible(raw), Cow::Borrowed(_)), "{raw}");
        }
    }
}
