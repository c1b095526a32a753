//! What stands before a record on its line: quote marks, container and log-viewer prefixes.

use crate::units::{Timestamp, parse_naive, parse_offset};

/// Where the text behind a prefix begins, and what the prefix says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Inner {
    pub(super) at: usize,
    /// The container's own time, where it has an offset.
    pub(super) time: Option<Timestamp>,
    /// A system log: lines of the kernel and of systemd are records there.
    pub(super) is_os: bool,
    /// The container cut the line; the next one goes on.
    pub(super) is_partial: bool,
}

/// Takes off white space, `> ` and `| ` as mails, chats and tables put them before a line.
pub(super) fn trim_marks(line: &[u8]) -> &[u8] {
    let mut text = line;
    loop {
        let next = text.trim_ascii_start();
        let next = next.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(next);
        let next = next.strip_prefix(b"\xC2\xA0").unwrap_or(next);
        let next = match next {
            [b'>' | b'|', b' ' | b'\t' | b'>' | b'[', ..] => &next[1..],
            [b'>' | b'|'] => &[],
            _ => next,
        };
        if next.len() == text.len() {
            return text;
        }
        text = next;
    }
}

/// Whether what stands before a header is a prefix rather than text of its own.
pub(super) fn is_short(before: &[u8]) -> bool {
    before.len() <= 160 && !before.ends_with(b"]")
}

/// Finds the text behind container, kubectl, grep, syslog and journald prefixes.
pub(super) fn strip(line: &[u8]) -> Inner {
    let text = trim_marks(line);
    let base = line.len() - text.len();
    let found =
        cri(text).or_else(|| pod(text)).or_else(|| syslog(text)).or_else(|| viewer(text)).or_else(|| kubectl(text));
    match found {
        Some(inner) => Inner { at: base + inner.at, ..inner },
        None => Inner::default(),
    }
}

/// `2022-07-25T14:54:44.467123456Z stderr F text`.
fn cri(text: &[u8]) -> Option<Inner> {
    let (time, rest) = rfc3339(text)?;
    let rest = rest.strip_prefix(b" ")?;
    let rest = rest.strip_prefix(b"stdout ").or_else(|| rest.strip_prefix(b"stderr "))?;
    let (is_partial, rest) = match rest {
        [b'F', b' ', rest @ ..] => (false, rest),
        [b'P', b' ', rest @ ..] => (true, rest),
        _ => return None,
    };
    Some(Inner { at: text.len() - rest.len(), time: Some(time), is_partial, ..Inner::default() })
}

/// `2022-07-25T14:54:44.467123456Z text`, as `kubectl logs --timestamps` prints it.
fn kubectl(text: &[u8]) -> Option<Inner> {
    let (time, rest) = rfc3339(text)?;
    let inner = rest.strip_prefix(b" ").or_else(|| rest.strip_prefix(b"\t"))?;
    Some(Inner { at: text.len() - inner.len(), time: Some(time), ..Inner::default() })
}

/// `[pod/tc-tikv-0/tikv] text`.
fn pod(text: &[u8]) -> Option<Inner> {
    let rest = text.strip_prefix(b"[pod/")?;
    let end = rest.iter().take(200).position(|byte| *byte == b']')?;
    let at = 5 + end + 1;
    let inner = strip(text.get(at..)?);
    let blank = usize::from(text.get(at) == Some(&b' '));
    Some(Inner { at: at + inner.at.max(blank), ..inner })
}

/// `Mar 14 16:55:03 host program[pid]: text`, also with a year or in journald's `short-iso` form.
fn syslog(text: &[u8]) -> Option<Inner> {
    const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let (time, rest) = if let Some((time, rest)) = rfc3339(text) {
        (Some(time), rest)
    } else {
        let month = text.get(..3)?;
        if !MONTHS.chunks(3).any(|known| known == month) {
            return None;
        }
        // A page shows the two blanks before a day of one digit as one.
        let day = if text.get(5) == Some(&b' ') { 1 } else { 2 };
        let (clock, rest) = text.get(4..)?.split_at_checked(day + 9)?;
        let fits = clock.iter().rev().zip(b"dd dd:dd:dd".iter().rev()).all(|(byte, want)| match want {
            b'd' => byte.is_ascii_digit() || *byte == b' ',
            want => byte == want,
        });
        if !fits {
            return None;
        }
        (None, rest)
    };
    let mut words = rest.strip_prefix(b" ")?.splitn(3, |byte| *byte == b' ');
    let (host, program) = (words.next()?, words.next()?);
    if host.is_empty() || !program.ends_with(b":") || program.contains(&b'[') && !program.ends_with(b"]:") {
        return None;
    }
    let inner = words.next()?;
    Some(Inner { at: text.len() - inner.len(), time, is_os: true, ..Inner::default() })
}

/// `2026-06-03 15:39:43 | text`, as Grafana and Loki export it. Its time has no offset, so it is no time.
fn viewer(text: &[u8]) -> Option<Inner> {
    let (_, rest) = parse_naive(text)?;
    let inner = rest.trim_ascii_start().strip_prefix(b"|")?.trim_ascii_start();
    Some(Inner { at: text.len() - inner.len(), ..Inner::default() })
}

fn rfc3339(text: &[u8]) -> Option<(Timestamp, &[u8])> {
    if text.get(10) != Some(&b'T') {
        return None;
    }
    let (naive, rest) = parse_naive(text)?;
    let offset = parse_offset(rest)?;
    let used =
        if matches!(rest.first(), Some(b'Z' | b'z')) { 1 } else { rest.iter().position(|byte| *byte == b' ')? };
    Some((Timestamp(naive - offset * 60_000), &rest[used..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_come_off_and_keep_their_time() {
        for (line, inner, time) in [
            ("2022-07-25T14:54:44.467123456Z stderr F panic: x", "panic: x", Some("2022-07-25T14:54:44.467Z")),
            ("2022-07-25T14:54:44.467123456Z panic: x", "panic: x", Some("2022-07-25T14:54:44.467Z")),
            ("[pod/tc-tikv-0/tikv] panic: x", "panic: x", None),
            ("Mar 14 16:55:03 localhost kernel: CPU: 14", "CPU: 14", None),
            ("Mar  4 16:55:03 localhost kernel: CPU: 14", "CPU: 14", None),
            ("Mar 4 16:55:03 localhost kernel: CPU: 14", "CPU: 14", None),
            ("2022-07-25T14:54:44+0800 host tikv-server[12]: hello", "hello", Some("2022-07-25T06:54:44.000Z")),
            ("2026-06-03 15:39:43 | panic: x", "panic: x", None),
            ("no prefix at all", "no prefix at all", None),
        ] {
            let found = strip(line.as_bytes());
            assert_eq!(&line[found.at..], inner);
            assert_eq!(found.time.map(|t| t.to_string()).as_deref(), time, "{line}");
        }
    }

    #[test]
    fn marks_of_mails_and_tables() {
        assert_eq!(trim_marks(b"> > [2022"), b"[2022");
        assert_eq!(trim_marks(b"| [2022"), b"[2022");
        assert_eq!(trim_marks(b">"), b"");
    }
}
