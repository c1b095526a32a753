//! Names as labels: whatever a path or an archive says, a name is text that does no harm.

use std::fmt::Write;
use std::path::Path;

/// Longest name of a member, in characters; longer ones are cut.
const LONGEST: usize = 4_096;

/// The name of a path on disk.
pub(super) fn of_path(path: &Path) -> String {
    harmless(&path.to_string_lossy())
}

/// The name of an archive's member: never a path that anything opens. Leading `/` and `./` say nothing and are dropped.
pub(super) fn of_member(container: &str, member: &[u8]) -> String {
    let text = String::from_utf8_lossy(member);
    let mut rest = &*text;
    while let Some(shorter) = rest.strip_prefix('/').or_else(|| rest.strip_prefix("./")) {
        rest = shorter;
    }
    format!("{container}!/{}", harmless(rest))
}

/// Without control characters and without those that turn the direction of text round.
fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (count, char) in text.chars().enumerate() {
        if count == LONGEST {
            out.push('…');
            break;
        }
        match char {
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{{{:x}}}", char as u32);
            }
            char if char.is_control() => {
                let _ = write!(out, "\\x{:02x}", char as u32);
            }
            char => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_become_labels() {
        for (member, label) in [
            (&b"dir/tikv.log"[..], "a.tar!/dir/tikv.log"),
            (b"././/tikv.log", "a.tar!/tikv.log"),
            (b"/etc/passwd", "a.tar!/etc/passwd"),
            (b"../../x", "a.tar!/../../x"),
            (b"\x1b[31m\nx", "a.tar!/\\x1b[31m\\x0ax"),
            (b"\xffx", "a.tar!/\u{fffd}x"),
            ("a\u{202e}gol.b".as_bytes(), "a.tar!/a\\u{202e}gol.b"),
            ("日志.log".as_bytes(), "a.tar!/日志.log"),
        ] {
            assert_eq!(of_member("a.tar", member), label);
        }
    }

    #[test]
    fn an_endless_name_is_cut() {
        let name = of_member("a", &[b'x'; 100_000]);
        assert_eq!(name.chars().count(), "a!/".len() + LONGEST + 1);
    }
}
