//! What web pages, chats and their editors make of text: entities, links, backslashes, typographic quotes. Line by line, since
//! a line's own width is only seen without them.

use super::replace;
use std::borrow::Cow;

/// A line as it was before.
pub(in crate::record) fn undo(line: &[u8]) -> Cow<'_, [u8]> {
    let mut text = Cow::Borrowed(line);
    let steps: [(&[u8], fn(&[u8]) -> Vec<u8>); 4] =
        [(b"&", entities), (b"\xE2\x80", typographic), (b"](http", links), (b"\\[", backslashes)];
    for (sign, step) in steps {
        if memchr::memmem::find(&text, sign).is_some() {
            text = Cow::Owned(step(&text));
        }
    }
    text
}

/// `&quot;` and its like.
fn entities(text: &[u8]) -> Vec<u8> {
    replace(
        text,
        &[
            (b"&quot;", b"\""),
            (b"&#34;", b"\""),
            (b"&#39;", b"'"),
            (b"&#x27;", b"'"),
            (b"&#x2F;", b"/"),
            (b"&#x3D;", b"="),
            (b"&#x60;", b"`"),
            (b"&apos;", b"'"),
            (b"&lt;", b"<"),
            (b"&gt;", b">"),
            (b"&nbsp;", b" "),
            (b"&#91;", b"["),
            (b"&#93;", b"]"),
            (b"&amp;", b"&"),
        ],
    )
}

/// U+201C, U+201D and U+201E for quotes, U+2026 for dots.
fn typographic(text: &[u8]) -> Vec<u8> {
    replace(
        text,
        &[
            ("\u{201C}".as_bytes(), b"\""),
            ("\u{201D}".as_bytes(), b"\""),
            ("\u{201E}".as_bytes(), b"\""),
            ("\u{2018}".as_bytes(), b"'"),
            ("\u{2019}".as_bytes(), b"'"),
        ],
    )
}

/// `\[INFO] \[a.go:1] \["x\\"y"]`: a Markdown editor put a backslash before each bracket, and doubled those there were.
fn backslashes(text: &[u8]) -> Vec<u8> {
    let escaped = memchr::memmem::find_iter(text, b"\\[").count();
    let all = memchr::memchr_iter(b'[', text).count();
    // Inside of values a backslash may stand before some bracket; before nearly all of them an editor put it.
    if 2 * escaped <= all {
        return text.to_vec();
    }
    replace(
        text,
        &[
            (b"\\[", b"["),
            (b"\\]", b"]"),
            (b"\\_", b"_"),
            (b"\\*", b"*"),
            (b"\\<", b"<"),
            (b"\\>", b">"),
            (b"\\\\", b"\\"),
        ],
    )
}

/// `[text](http://text/)`, as web editors make of addresses and file names.
fn links(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memmem::find(rest, b"](http") {
        let Some(close) = memchr::memchr(b')', &rest[at..]) else { break };
        // The label begins at the bracket that the closing one belongs to: labels may hold brackets of their own.
        let (mut depth, mut open) = (0i32, None);
        for (index, byte) in rest[..at].iter().enumerate().rev().take(512) {
            match byte {
                b']' => depth += 1,
                b'[' if depth == 0 => {
                    open = Some(index);
                    break;
                }
                b'[' => depth -= 1,
                _ => {}
            }
        }
        match open {
            Some(open) => {
                out.extend_from_slice(&rest[..open]);
                out.extend_from_slice(&rest[open + 1..at]);
            }
            None => out.extend_from_slice(&rest[..at]),
        }
        rest = &rest[at + close + 1..];
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::undo;

    #[test]
    fn each_markup_goes() {
        for (text, want) in [
            ("[&quot;a &lt;b&gt; &amp;&#39;&quot;]", "[\"a <b> &'\"]"),
            ("[&quot;a&#x27;s&quot;] [b&#x3D;&quot;&#x2F;c&quot;]", "[\"a's\"] [b=\"/c\"]"),
            ("[\u{201c}a\u{201d}]", "[\"a\"]"),
            (
                "[[raft.rs:1344](http://raft.rs:1344/)] to [10.0.1.11:20160](http://10.0.1.11:20160/) x",
                "[raft.rs:1344] to 10.0.1.11:20160 x",
            ),
            (r#"\[a\_b\] \["x\\"y"]"#, r#"[a_b] ["x\"y"]"#),
            (r#"[a] [b] [c="x \[y"]"#, r#"[a] [b] [c="x \[y"]"#),
            ("[a](b) & \u{2039}x\u{203a}", "[a](b) & \u{2039}x\u{203a}"),
        ] {
            assert_eq!(String::from_utf8_lossy(&undo(text.as_bytes())), want);
        }
    }
}
