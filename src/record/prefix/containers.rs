//! Prefixes of container runtimes, of tools that print containers' logs, and of system logs.

use super::{Inner, writer};
use crate::record::console;
use crate::units::{Level, MONTHS, Timestamp, parse_naive, parse_offset};

/// `2022-07-25T14:54:44.467123456Z stderr F text`.
pub(super) fn cri(text: &[u8]) -> Option<Inner<'_>> {
    let (time, rest) = rfc3339(text)?;
    let rest = rest.strip_prefix(b" ")?;
    let rest = rest.strip_prefix(b"stdout ").or_else(|| rest.strip_prefix(b"stderr "))?;
    let (is_partial, rest) = match rest {
        [b'F', b' ', rest @ ..] => (false, rest),
        [b'P', b' ', rest @ ..] => (true, rest),
        [b'F' | b'P'] => (false, &[][..]),
        _ => return None,
    };
    Some(Inner { at: text.len() - rest.len(), time: Some(time), is_partial, ..Inner::default() })
}

/// `2022-07-25T14:54:44.467123456Z text`, as `kubectl logs --timestamps` prints it; logcli puts labels in braces behind it.
pub(super) fn kubectl(text: &[u8]) -> Option<Inner<'_>> {
    let (time, rest) = rfc3339(text)?;
    let inner = rest.strip_prefix(b" ").or_else(|| rest.strip_prefix(b"\t"))?;
    if is_levelled(inner) {
        return None;
    }
    let inner = labels(inner).unwrap_or(inner);
    Some(Inner { at: text.len() - inner.len(), time: Some(time), ..Inner::default() })
}

/// `[2022-07-25T14:54:44.467Z] text`, as a CI server prints what its steps write.
pub(super) fn stamp(text: &[u8]) -> Option<Inner<'_>> {
    let (time, rest) = rfc3339(text.strip_prefix(b"[")?)?;
    let inner = rest.strip_prefix(b"] ").or_else(|| rest.strip_prefix(b"]").filter(|rest| rest.is_empty()))?;
    (!is_levelled(inner)).then(|| Inner { at: text.len() - inner.len(), time: Some(time), ..Inner::default() })
}

/// Whether a level comes next: then the time before it is the record's own.
fn is_levelled(text: &[u8]) -> bool {
    let record = text.trim_ascii_start();
    let word = record.iter().take(12).take_while(|byte| byte.is_ascii_uppercase()).count();
    matches!(record.get(word), Some(b'\t' | b' ' | b':')) && Level::parse(&record[..word]).is_some()
}

/// `{app="tikv", pod="tc-tikv-0"} text`.
fn labels(text: &[u8]) -> Option<&[u8]> {
    let inner = text.strip_prefix(b"{")?;
    let end = inner.iter().take(512).position(|byte| *byte == b'}')?;
    (inner.is_empty() || memchr::memmem::find(&inner[..end], b"=\"").is_some())
        .then(|| inner[end + 1..].trim_ascii_start())
}

/// `[pod/tc-tikv-0/tikv] text`.
pub(super) fn pod(text: &[u8]) -> Option<Inner<'_>> {
    let rest = text.strip_prefix(b"[pod/")?;
    let end = rest.iter().take(200).position(|byte| *byte == b']')?;
    let at = 5 + end + 1;
    let blank = usize::from(text.get(at) == Some(&b' '));
    let name = rest[..end].split(|byte| *byte == b'/').next().unwrap_or_default();
    Some(Inner { at: at + blank, writer: writer::of_name(name), ..Inner::default() })
}

/// `tc-tikv-0 tikv text` (stern), `tikv-0  | text` (compose): only before what can be a record.
pub(super) fn names(text: &[u8]) -> Option<Inner<'_>> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"._/-".contains(byte);
    let first = text.iter().take(80).take_while(|byte| is_name(byte)).count();
    if first < 3 || !text[..first].iter().any(|byte| b"-_".contains(byte)) || !text[0].is_ascii_alphabetic() {
        return None;
    }
    let rest = text[first..].strip_prefix(b" ")?;
    let inner = match rest.trim_ascii_start().strip_prefix(b"| ") {
        Some(inner) => inner,
        None => {
            let second = rest.iter().take(40).take_while(|byte| is_name(byte)).count();
            let container: &[&[u8]] =
                &[b"tikv", b"tidb", b"pd", b"tiflash", b"br", b"ticdc", b"pump", b"backup", b"restore"];
            let inner = rest[second..].strip_prefix(b" ")?;
            container.contains(&&rest[..second]).then_some(inner)?
        }
    };
    Some(Inner { at: text.len() - inner.len(), writer: writer::of_name(&text[..first]), ..Inner::default() })
}

/// `W0725 14:54:44.467123       1 log.go:12] [2022/...`: only before a bracket or what a program
/// put on the terminal; alone it is a record of its own.
pub(super) fn klog(text: &[u8]) -> Option<Inner<'_>> {
    let shape = b"d dd:dd:dd.d";
    let head = text.get(4..16)?;
    let fits = b"IWEF".contains(&text[0])
        && text[1..4].iter().all(u8::is_ascii_digit)
        && shape.iter().zip(head).all(|(want, byte)| if *want == b'd' { byte.is_ascii_digit() } else { want == byte });
    let end = fits.then(|| memchr::memmem::find(&text[..text.len().min(120)], b"] "))??;
    let rest = &text[end + 2..];
    let is_record = matches!(rest.first(), Some(b'[' | b'"')) || console::start(rest).is_some();
    is_record.then(|| Inner { at: end + 2, ..Inner::default() })
}

/// `Mar 14 16:55:03 host program[pid]: text`, also with a year or in journald's `short-iso` form.
pub(super) fn syslog(text: &[u8]) -> Option<Inner<'_>> {
    let (time, rest) = if let Some((time, rest)) = rfc3339(text) {
        (Some(time), rest)
    } else {
        let month = text.get(..3)?;
        if !MONTHS.iter().any(|known| known.as_bytes() == month) {
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
    let is_program = program.ends_with(b"]:") || (program.ends_with(b":") && !program.contains(&b'['));
    // Behind such a time anything may follow: only what a journal writes is taken for one.
    let is_sure =
        time.is_none() || program.ends_with(b"]:") || program == b"kernel:" || program.starts_with(b"systemd");
    if host.is_empty() || !is_program || !is_sure {
        return None;
    }
    let inner = words.next()?;
    Some(Inner { at: text.len() - inner.len(), time, is_os: !is_component(program), ..Inner::default() })
}

/// Programs whose lines are records of their own, or parts of them.
fn is_component(program: &[u8]) -> bool {
    [&b"tikv-server["[..], b"tidb-server[", b"pd-server[", b"tiflash[", b"br["]
        .iter()
        .any(|name| program.starts_with(name))
}

fn rfc3339(text: &[u8]) -> Option<(Timestamp, &[u8])> {
    if text.get(10) != Some(&b'T') {
        return None;
    }
    let (naive, rest) = parse_naive(text)?;
    let offset = parse_offset(rest)?;
    let used = match rest.first() {
        Some(b'Z' | b'z') => 1,
        _ => rest.iter().position(|byte| b" \t".contains(byte))?,
    };
    Some((Timestamp(naive - offset * 60_000), &rest[used..]))
}
