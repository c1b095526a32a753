//! Names as labels: whatever a path or an archive says, a name is text that does no harm.

use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Longest name of a member, in bytes; longer ones are cut.
const LONGEST: usize = 4_096;

/// The name of a path on disk.
pub(super) fn of_path(path: &Path) -> String {
    harmless(path.as_os_str().as_bytes())
}

/// The name of an archive's member: never a path that anything opens. Leading `/` and `./` say nothing and are dropped.
pub(super) fn of_member(container: &str, member: &[u8]) -> String {
    let mut rest = member;
    while let Some(shorter) = rest.strip_prefix(b"/").or_else(|| rest.strip_prefix(b"./")) {
        rest = shorter;
    }
    format!("{container}!/{}", harmless(rest))
}

/// Without control characters, those that turn the direction of text round, and bytes that are no text.
fn harmless(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().min(LONGEST));
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            if out.len() >= LONGEST {
                out.push('…');
                return out;
            }
            let _ = match char {
                '\u{202a}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'
                | '\u{2029}' => {
                    write!(out, "\\u{{{:x}}}", char as u32)
                }
                char if char.is_control() => write!(out, "\\x{:02x}", char as u32),
                char => out.write_char(char),
            };
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
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
            (b"\xffx", "a.tar!/\\xffx"),
            ("a\u{202e}gol.b".as_bytes(), "a.tar!/a\\u{202e}gol.b"),
            ("日志.log".as_bytes(), "a.tar!/日志.log"),
        ] {
            assert_eq!(of_member("a.tar", member), label);
        }
    }

    #[test]
    fn an_endless_name_is_cut() {
        let name = of_member("a", &vec![b'x'; 100_000]);
        assert_eq!(name.chars().count(), "a!/".len() + LONGEST + 1);
    }
}
