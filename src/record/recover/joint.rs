//! What stood between two lines before they were broken: nothing, or a blank. Where the lines' widths do not say, the words do.

use rustc_hash::FxHashSet;
use std::sync::LazyLock;

/// Words that stand between blanks in the records of all components.
static WORDS: LazyLock<FxHashSet<&'static [u8]>> =
    LazyLock::new(|| include_str!("words.txt").split_whitespace().map(str::as_bytes).collect());

fn is_word(word: &[u8]) -> bool {
    word.len() > 1 && WORDS.contains(word)
}

/// A break, with the words that it separates.
struct Break<'l> {
    left: &'l [u8],
    right: &'l [u8],
    /// The letters and underscores that end the left side.
    tail: &'l [u8],
    /// Those that begin the right side.
    head: &'l [u8],
}

impl<'l> Break<'l> {
    fn new(left: &'l [u8], right: &'l [u8]) -> Self {
        let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
        let tail = left.iter().rev().take(32).take_while(|byte| is_letter(byte)).count();
        let head = right.iter().take(32).take_while(|byte| is_letter(byte)).count();
        Self { left, right, tail: &left[left.len() - tail..], head: &right[..head] }
    }

    fn last(&self) -> u8 {
        self.left.last().copied().unwrap_or_default()
    }

    fn first(&self) -> u8 {
        self.right.first().copied().unwrap_or_default()
    }

    /// Whether two whole words meet: one of them is known, and together they are none.
    fn is_between_words(&self) -> bool {
        if self.tail.is_empty() || self.head.is_empty() || is_word(&[self.tail, self.head].concat()) || self.is_in_key()
        {
            return false;
        }
        let (left, right) = (is_word(self.tail), is_word(self.head));
        (left && (right || self.tail.len() > 2)) || (right && self.head.len() > 2 && self.head[0].is_ascii_lowercase())
    }

    /// Whether both sides make the key of a field, which has no blank: `[check|point_ts=`.
    fn is_in_key(&self) -> bool {
        let before = &self.left[..self.left.len() - self.tail.len()];
        before.ends_with(b"[") && self.right.get(self.head.len()) == Some(&b'=')
    }

    /// Whether no blank can have been here: one still is, or a sign that no word ends or begins with.
    fn is_inside_word(&self) -> bool {
        let one_blank = self.first() == b' ' && self.right.get(1).is_some_and(|byte| !byte.is_ascii_whitespace());
        let ends_inside = b"_[(/\\<&@#".contains(&self.last()) || (self.last() == b'=' && !self.left.ends_with(b" ="));
        one_blank || self.last() == b' ' || ends_inside || b"_])/,;:.".contains(&self.first())
    }

    /// The word of letters, digits, colons and underscores that ends the left side, where it looks like an error code.
    fn ends_in_code(&self) -> bool {
        let part = |byte: &u8| byte.is_ascii_alphanumeric() || b":_".contains(byte);
        let length = self.left.iter().rev().take(64).take_while(|byte| part(byte)).count();
        let word = &self.left[self.left.len() - length..];
        word.contains(&b':') && word[0].is_ascii_uppercase()
    }
}

/// Whether lines were broken by a terminal, at any place, rather than by a chat, at blanks. `spread` is how much their widths differ.
pub(super) fn is_terminal(lines: &[&[u8]], spread: usize) -> bool {
    let (mut inside, mut between) = (0, 0);
    for pair in lines.windows(2) {
        let one = Break::new(pair[0], pair[1]);
        if one.is_between_words() {
            between += 1;
        } else if one.is_inside_word() || (one.last().is_ascii_alphanumeric() && one.first().is_ascii_alphanumeric()) {
            inside += 1;
        }
    }
    inside > between || (inside == between && spread <= 3)
}

/// Whether some word is broken, which only a terminal does.
pub(super) fn breaks_words(lines: &[&[u8]]) -> bool {
    lines.windows(2).any(|pair| {
        let one = Break::new(pair[0], pair[1]);
        let in_letters = one.last().is_ascii_alphabetic() && one.first().is_ascii_alphabetic();
        !one.is_between_words() && (in_letters || one.is_inside_word())
    })
}

/// What stood at a break that a terminal made, if the copy may have lost a blank there. Between digits nothing is put, so that
/// no number is cut.
pub(in crate::record) fn between(left: &[u8], right: &[u8]) -> &'static [u8] {
    let one = Break::new(left, right);
    let (last, first) = (one.last(), one.first());
    let is_blank = match (last, first) {
        (b' ', _) | (_, b' ') => false,
        // No code is followed by a blank.
        (_, next) if next.is_ascii_alphanumeric() && one.ends_in_code() => false,
        (b']', b'[') | (b'{', _) | (_, b'}' | b'{') => true,
        (b'=', _) => left.ends_with(b" ="),
        (_, b'=') => right.starts_with(b"= "),
        (b'0'..=b'9', b'0'..=b'9') => {
            if is_listed(left) || begins_list(right) {
                return b"...";
            }
            false
        }
        (b'0'..=b'9', _) => is_word(one.head),
        (_, b'0'..=b'9') => is_word(one.tail),
        (b',' | b';' | b':', _) => first.is_ascii_alphabetic(),
        (b'.', _) => first.is_ascii_uppercase(),
        (b'"', _) if left.len() < 2 || b"=[( \\".contains(&left[left.len() - 2]) => false,
        (b'"' | b')' | b'}', _) => first.is_ascii_alphanumeric() || b"[(".contains(&first),
        _ => one.is_between_words(),
    };
    if is_blank { b" " } else { b"" }
}

/// Whether digits or a code stand on both sides of a break, so that it may be one or two.
pub(in crate::record) fn is_doubtful(left: &[u8], right: &[u8]) -> bool {
    let one = Break::new(left, right);
    is_between_digits(left, right) || (one.ends_in_code() && one.first().is_ascii_alphanumeric())
}

/// Whether a number may have been broken here, or two stand side by side.
pub(in crate::record) fn is_between_digits(left: &[u8], right: &[u8]) -> bool {
    left.last().is_some_and(u8::is_ascii_digit) && right.first().is_some_and(u8::is_ascii_digit)
}

/// Whether a text ends with two numbers that a blank separates: the next may be another one.
fn is_listed(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let before = &text[..text.len() - digits(text)];
    before.strip_suffix(b" ").is_some_and(|before| digits(before) > 0)
}

/// Whether a text begins with two numbers that a blank separates: the one before may be another one.
fn begins_list(text: &[u8]) -> bool {
    let after = &text[text.iter().take_while(|byte| byte.is_ascii_digit()).count()..];
    after.strip_prefix(b" ").is_some_and(|after| after.first().is_some_and(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_decide_at_a_break() {
        for (left, right, want) in [
            ("failed to remove service GC", "safepoint\"]", " "),
            ("can not read in", "dex due to merge", ""),
            ("the back", "up failed", ""),
            ("due to merge, region", "94812 is", " "),
            ("region_id=948", "12]", ""),
            ("[WARN]", "[endpoint.rs:209]", " "),
            ("[check", "point_ts=1]", ""),
            ("code =", "Unavailable", " "),
            ("[err_code=", "KV:Unknown]", ""),
            ("[BR:Backup:", "ErrBackup]", ""),
            ("[err_code=KV:Codec:Bad", "Padding]", ""),
            ("read timeout:", "retry", " "),
            ("[err=\"", "due", ""),
            ("[key=\"x\"", "and", " "),
            ("Peers=[1001 1003", "1004]", "..."),
            ("Peers=[1001", "1003 1004]", "..."),
            ("peers: 1,", "4,5", ""),
        ] {
            let found = between(left.as_bytes(), right.as_bytes());
            assert_eq!(String::from_utf8_lossy(found), want, "{left}|{right}");
        }
    }

    #[test]
    fn terminals_and_chats_are_told_apart() {
        let lines = |text: &'static str| text.split('|').map(str::as_bytes).collect::<Vec<_>>();
        assert!(is_terminal(&lines("can not read in|dex due to mer|ge"), 9));
        assert!(!is_terminal(&lines("can not read index|due to merge, the|region is"), 9));
    }
}
