//! Rows of `kubectl get pods`, `tiup cluster display`, `tiup playground` and `docker compose` that say what does not run.

use super::told;
use crate::record::prefix::trim_marks;
use crate::record::{Kind, Record};
use std::borrow::Cow;

/// States of a pod whose containers end or do not start.
const POD_STATES: [&[u8]; 8] = [
    b"CrashLoopBackOff",
    b"Error",
    b"OOMKilled",
    b"Evicted",
    b"ErrImagePull",
    b"ImagePullBackOff",
    b"Init:Error",
    b"Init:CrashLoopBackOff",
];
/// States of an instance that does not answer, or (the last ones) is on its way out.
const INSTANCE_STATES: [&[u8]; 6] = [b"Down", b"Down|UI", b"Disconnected", b"Unhealthy", b"Offline", b"Pending"];
const ROLES: [&[u8]; 8] = [b"pd", b"tikv", b"tidb", b"tiflash", b"cdc", b"ticdc", b"tso", b"scheduling"];

/// A row: the tool that printed it, of whom it speaks, and the state.
struct Row<'t> {
    tool: &'static str,
    whom: Vec<&'t [u8]>,
    state: &'t [u8],
}

/// Whether a line is such a row.
pub(in crate::record) fn is_row(text: &[u8]) -> bool {
    row(text).is_some()
}

fn row(text: &[u8]) -> Option<Row<'_>> {
    pod(text).or_else(|| instance(text)).or_else(|| quit(text)).or_else(|| exited(text))
}

/// `tc-tikv-1   0/1   CrashLoopBackOff   7 (30s ago)   11m`, perhaps behind its namespace.
fn pod(text: &[u8]) -> Option<Row<'_>> {
    let words: Vec<&[u8]> = words(text).take(5).collect();
    let at = words.iter().take(3).position(|word| is_ready(word)).filter(|at| *at > 0)?;
    let state = *words.get(at + 1)?;
    let counts = words.get(at + 2)?.iter().all(u8::is_ascii_digit);
    (counts && POD_STATES.contains(&state)).then(|| Row { tool: "kubectl", whom: vec![b"pod", words[at - 1]], state })
}

/// `1/2`.
fn is_ready(word: &[u8]) -> bool {
    matches!(word, [ready, b'/', all] if ready.is_ascii_digit() && all.is_ascii_digit())
}

/// `10.0.1.11:20160  tikv  10.0.1.11  20160/20180  linux/x86_64  Down  /data/tikv-20160  /deploy/tikv-20160`; the first versions
/// do not name the system.
fn instance(text: &[u8]) -> Option<Row<'_>> {
    let words: Vec<&[u8]> = words(text).take(7).collect();
    let (id, role) = (words.first()?, words.get(1)?);
    let before = words.iter().position(|word| word.starts_with(b"linux/")).unwrap_or(3);
    let state = *words.get(before + 1)?;
    let fits = id.contains(&b':') && ROLES.contains(role) && INSTANCE_STATES.contains(&state);
    fits.then(|| Row { tool: "tiup", whom: vec![role, id], state })
}

/// `tikv quit: exit status 1`, `tiflash quit: signal: aborted (core dumped)`.
fn quit(text: &[u8]) -> Option<Row<'_>> {
    let text = trim_marks(text).trim_ascii_end();
    let (role, state) = text.split_at(memchr::memmem::find(text, b" quit: ")?);
    let state = &state[b" quit: ".len()..];
    let failed = state.starts_with(b"exit status ") || state.starts_with(b"signal: ");
    (failed && ROLES.contains(&role)).then(|| Row { tool: "tiup", whom: vec![role], state })
}

/// `tidb-docker-compose_tikv0_1 exited with code 1`.
fn exited(text: &[u8]) -> Option<Row<'_>> {
    let text = trim_marks(text).trim_ascii_end();
    let at = memchr::memmem::find(text, b" exited with code ")?;
    let (name, state) = (&text[..at], &text[at + 1..]);
    let is_one = name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte));
    let role =
        |part: &[u8]| ROLES.contains(&&part[..part.iter().take_while(|byte| byte.is_ascii_alphabetic()).count()]);
    let of_ours = is_one && name.split(|byte| b"._-".contains(byte)).any(role);
    (of_ours && !state.ends_with(b" 0")).then(|| Row { tool: "docker", whom: vec![name], state })
}

fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    trim_marks(text).split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// Reads a row.
pub(in crate::record) fn read(raw: &[u8]) -> Record<'static> {
    let Some(row) = row(raw) else {
        return Record { text: Cow::Owned(raw.to_vec()), kind: Kind::Listed, ..Record::default() };
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (whom, state) = (text(&row.whom.join(&b' ')), text(row.state));
    let message = format!("{} says of {whom}: {state}", row.tool);
    let whom = row.whom.last().map_or_else(String::new, |name| text(name));
    told(raw, Kind::Listed, message, [("whom", whom), ("state", state)])
}

#[cfg(test)]
mod tests {
    use super::{is_row, read};

    #[test]
    fn rows_of_what_does_not_run_are_records() {
        for (line, message) in [
            (
                "tc-tikv-1   0/1   CrashLoopBackOff   7 (30s ago)   11m",
                "kubectl says of pod tc-tikv-1: CrashLoopBackOff",
            ),
            ("shop  tc-pd-1  0/1  Error  2  33m  10.0.1.7  node-1", "kubectl says of pod tc-pd-1: Error"),
            (
                "10.0.1.1:2379  pd  10.0.1.1  2379/2380  linux/x86_64  Down|UI  /data/pd  /deploy/pd",
                "tiup says of pd 10.0.1.1:2379: Down|UI",
            ),
            (
                "10.0.1.11:20160  tikv  10.0.1.11  20160/20180  Offline  data/tikv-20160  deploy/tikv-20160",
                "tiup says of tikv 10.0.1.11:20160: Offline",
            ),
        ] {
            assert!(is_row(line.as_bytes()), "{line}");
            assert_eq!(String::from_utf8_lossy(&read(line.as_bytes()).message), message);
        }
        for line in [
            "tc-tikv-1   1/1   Running   0   11m",
            "10.0.1.1:2379  pd  10.0.1.1  2379/2380  linux/x86_64  Up|L  /data/pd  /deploy/pd",
            "10.0.1.1:3000  grafana  10.0.1.1  3000  linux/x86_64  Down  -  /deploy/grafana",
        ] {
            assert!(!is_row(line.as_bytes()), "{line}");
        }
    }
}
