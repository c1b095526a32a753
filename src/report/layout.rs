//! Text in columns of a terminal: width, cutting, wrapping.

/// Columns that a text takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// Wide letters of East Asian scripts and emoji take two columns, combining marks none.
fn columns(char: char) -> usize {
    match char {
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200d}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// The text filled up with blanks, or cut with `…` at its end.
pub(super) fn fit(text: &str, room: usize) -> String {
    let cut = cut(text, room);
    let blanks = room.saturating_sub(width(&cut));
    cut + &" ".repeat(blanks)
}

/// The text, cut with `…` where it is too long.
pub(crate) fn cut(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut taken = 1;
    for char in text.chars() {
        taken += columns(char);
        if taken > room {
            break;
        }
        out.push(char);
    }
    out.truncate(out.trim_end().len());
    if room > 0 {
        out.push('…');
    }
    out
}

/// The text, cut with `…` at its start: the end of a path says more.
pub(crate) fn cut_start(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut taken = 1;
    let mut start = text.len();
    for (at, char) in text.char_indices().rev() {
        taken += columns(char);
        if taken > room {
            break;
        }
        start = at;
    }
    format!("…{}", &text[start..])
}

/// The text in lines of at most `room` columns, broken at blanks, at most `most` of them.
pub(super) fn wrap(text: &str, room: usize, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            *last = cut(&format!("{last} …"), room.max(2));
        }
    }
    lines.iter().map(|line| cut(line, room)).collect()
}

#[cfg(test)]
mod tests {
    use super::{cut, cut_start, fit, width, wrap};

    #[test]
    fn texts_take_the_room_they_have() {
        assert_eq!(fit("abc", 5), "abc  ");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("日本語です", 5), "日本…");
        assert_eq!(cut_start("10.0.1.11/tikv.log:88", 9), "…v.log:88");
    }

    #[test]
    fn long_texts_wrap_at_blanks() {
        assert_eq!(wrap("one two three four", 8, 9), ["one two", "three", "four"]);
        assert_eq!(wrap("one two three four", 8, 2), ["one two", "three …"]);
        assert!(wrap(&"x".repeat(500), 80, 3).iter().all(|line| width(line) <= 80));
        assert!(wrap("", 80, 3).is_empty());
    }
}
