//! Marks of mails, chats, tables and editors.

/// Takes off white space, `> ` and `| ` as mails, chats and tables put them before a line.
pub(in crate::record) fn trim_marks(line: &[u8]) -> &[u8] {
    let mut text = line;
    loop {
        let next = text.trim_ascii_start();
        let next = next.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(next);
        let next = next.strip_prefix(b"\xC2\xA0").unwrap_or(next);
        let next = match next {
            [b'>' | b'|', b' ' | b'\t' | b'>' | b'[', ..] => &next[1..],
            [b'>' | b'|'] => &[],
            [b'&', b'g', b't', b';', b' ', ..] => &next[4..],
            _ => next,
        };
        if next.len() == text.len() {
            return text;
        }
        text = next;
    }
}

/// `12 | `, `12: `, `12` and a tab: an editor's line number.
pub(super) fn number(text: &[u8]) -> Option<usize> {
    let digits = text.iter().take(9).take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return None;
    }
    let rest = &text[digits..];
    let gap = match rest {
        [b':', b' ' | b'[' | b'{', ..] | [b'\t', ..] => 1,
        [b' ', b'|', b' ', ..] => 3,
        [b'|', b' ', ..] => 2,
        [b' ', b'[' | b'{', ..] => 1,
        _ => return None,
    };
    Some(digits + gap)
}

/// `log/tikv.log:1033:`, `tikv.log-1033-`, `tikv.log:`: what `grep` puts in front.
pub(super) fn grep(text: &[u8]) -> Option<usize> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"._/~-@".contains(byte);
    let name = text.iter().take(200).take_while(|byte| is_name(byte)).count();
    // With dashes the name's end is not sure: the last `-12-` of it.
    let (path, number_at, mark) = match text.get(name) {
        Some(b':') => (&text[..name], name + 1, b':'),
        _ => {
            let path = &text[..name];
            let end = path.iter().rposition(|byte| *byte == b'-')?;
            let start = path[..end].iter().rposition(|byte| *byte == b'-')?;
            (&path[..start], start + 1, b'-')
        }
    };
    let is_path = path.len() > 2 && path.iter().any(|byte| b"./".contains(byte)) && path.iter().any(u8::is_ascii_alphabetic);
    if !is_path {
        return None;
    }
    let digits = text[number_at..].iter().take(9).take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 0 && text.get(number_at + digits) == Some(&mark) {
        return Some(number_at + digits + 1);
    }
    // Without line numbers: only where a record follows for sure.
    (mark == b':' && digits == 0 && matches!(text.get(number_at), Some(b'[' | b'{'))).then_some(number_at)
}
