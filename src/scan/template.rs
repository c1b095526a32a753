//! The template of a record that no rule knew: caller, message and masked error. A pure function, so that counts of any
//! number of parts, threads and nights add up.

use crate::record::Record;

/// Longest template, in bytes.
const MOST: usize = 240;

/// Source file, message and error, with numbers, hex, addresses and quoted texts masked.
pub(super) fn of(record: &Record<'_>) -> String {
    let mut out = String::new();
    if !record.caller.is_empty() {
        out.push_str(&String::from_utf8_lossy(&record.caller));
        out.push_str(": ");
    }
    let message = if record.message.is_empty() { &record.text } else { &record.message };
    mask(&String::from_utf8_lossy(&message[..message.len().min(2 * MOST)]), &mut out);
    let error = ["err", "error", "cause", "reason"].iter().find_map(|key| record.field(key));
    if let Some(error) = error {
        out.push_str(": ");
        mask(&String::from_utf8_lossy(&error.value[..error.value.len().min(2 * MOST)]), &mut out);
    }
    if out.len() > MOST {
        let cut = (0..=MOST).rev().find(|at| out.is_char_boundary(*at)).unwrap_or(0);
        out.truncate(cut);
        out.push('\u{2026}');
    }
    out
}

/// Words that hold a digit become `*`, quoted texts `"*"`, white space one blank.
fn mask(text: &str, out: &mut String) {
    let mut first = true;
    let mut quoted = false;
    for piece in text.split('"') {
        if quoted {
            out.push_str("\"*\"");
        } else {
            for word in piece.split_whitespace() {
                if !first {
                    out.push(' ');
                }
                first = false;
                if word.bytes().any(|byte| byte.is_ascii_digit()) || word.len() > 48 {
                    if !out.ends_with('*') {
                        out.push('*');
                    }
                } else {
                    out.push_str(word);
                }
            }
        }
        quoted = !quoted;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_masked_and_words_stay() {
        let line = br#"[2022/07/25 14:54:44.467 +00:00] [WARN] [a.rs:12] ["region 7 is odd"] [err="dial tcp 10.0.1.11:20160: \"x y\" refused after 3s"]"#;
        assert_eq!(of(&Record::clean(line)), "a.rs: region * is odd: dial tcp *\"*\" refused after *");
    }
}
