//! Escapes inside quoted values: those of JSON strings, one level.

use std::borrow::Cow;

/// Undoes one level of escapes. Text without a backslash is borrowed; what is no escape stays as it is.
pub fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'\\', text) else { return Cow::Borrowed(text) };
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut next = first;
    loop {
        out.extend_from_slice(&rest[..next]);
        rest = &rest[next..];
        let used = match rest.get(1) {
            Some(b'n') => push(&mut out, b"\n"),
            Some(b't') => push(&mut out, b"\t"),
            Some(b'r') => push(&mut out, b"\r"),
            Some(b'b') => push(&mut out, b"\x08"),
            Some(b'f') => push(&mut out, b"\x0c"),
            Some(quoted @ (b'"' | b'\\' | b'/')) => push(&mut out, &[*quoted]),
            Some(b'u') => unicode(rest, &mut out),
            _ => 0,
        };
        if used == 0 {
            out.push(b'\\');
            rest = &rest[1..];
        } else {
            rest = &rest[used..];
        }
        match memchr::memchr(b'\\', rest) {
            Some(at) => next = at,
            None => break,
        }
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

fn push(out: &mut Vec<u8>, bytes: &[u8]) -> usize {
    out.extend_from_slice(bytes);
    2
}

/// `\uXXXX`, and a surrogate pair of two; gives the bytes used, 0 where it is none.
fn unicode(text: &[u8], out: &mut Vec<u8>) -> usize {
    let unit = |at: usize| -> Option<u32> {
        let text = text.get(at..)?;
        let digits = std::str::from_utf8(text.strip_prefix(b"\\u")?.get(..4)?).ok()?;
        u32::from_str_radix(digits, 16).ok()
    };
    let Some(high) = unit(0) else { return 0 };
    let (code, used) = match (high, unit(6)) {
        (0xD800..0xDC00, Some(low @ 0xDC00..0xE000)) => (0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00), 12),
        _ => (high, 6),
    };
    let letter = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
    used
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn one_level_only() {
        assert_eq!(&*unescape(br#"a \"b\\\"c\" \n \u003c"#), b"a \"b\\\"c\" \n <");
        assert_eq!(&*unescape(br"C:\data \q \u12"), br"C:\data \q \u12");
        assert_eq!(&*unescape(br"\ud83d\ude00"), "\u{1F600}".as_bytes());
        assert_eq!(&*unescape(b"end\\"), b"end\\");
    }
}
