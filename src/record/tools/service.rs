//! What `systemctl status` shows of a service of the cluster: its name on the first line, what became of it below.

use super::told;
use crate::record::plain::plain;
use crate::record::prefix::trim_marks;
use crate::record::{Kind, Record};
use crate::units::{Timestamp, parse_naive};
use std::borrow::Cow;

/// How the names of the cluster's services begin, as TiUP and TiDB Ansible give them.
const NAMES: [&[u8]; 7] = [b"tikv-", b"tidb-", b"pd-", b"tiflash-", b"cdc-", b"ticdc-", b"pump-"];
/// The dots in front of a name; terminals and copies make a star or another sign of them.
const DOTS: [&str; 5] = ["\u{25CF} ", "\u{25CB} ", "\u{00D7} ", "\u{21BB} ", "* "];

/// Whether a line is the first: `● tikv-20160.service - tikv service`.
pub(in crate::record) fn begins(text: &[u8]) -> bool {
    name(text).is_some()
}

/// The service's name.
fn name(line: &[u8]) -> Option<&[u8]> {
    let text = DOTS.iter().find_map(|dot| line.strip_prefix(dot.as_bytes()))?;
    let end = text.iter().take(64).position(|byte| *byte == b' ')?;
    let name = text[..end].strip_suffix(b".service")?;
    (NAMES.iter().any(|start| name.starts_with(start)) && text[end..].starts_with(b" - ")).then_some(name)
}

/// Whether a line goes on with it: `   Active: failed (Result: signal) since Mon 2022-07-25 14:54:44 UTC; 5min ago`.
pub(in crate::record) fn goes_on(line: &[u8]) -> bool {
    let text = trim_marks(line);
    let key = text.iter().take(16).take_while(|byte| byte.is_ascii_alphabetic() || **byte == b' ').count();
    (text.len() < line.len() && key > 1 && text[key..].starts_with(b": ")) || text.starts_with("\u{2514}".as_bytes())
}

/// Reads it: the state with its result, and since when.
pub(in crate::record) fn read(raw: &[u8]) -> Record<'static> {
    let Some(name) = raw.split(|byte| *byte == b'\n').next().and_then(|line| name(trim_marks(line))) else {
        return Record { text: Cow::Owned(raw.to_vec()), kind: Kind::Service, ..Record::default() };
    };
    let name = String::from_utf8_lossy(name).into_owned();
    let active = raw.split(|byte| *byte == b'\n').map(plain).find_map(|line| {
        let active = trim_marks(&line).strip_prefix(b"Active: ")?;
        Some(String::from_utf8_lossy(active).trim().to_owned())
    });
    let active = active.unwrap_or_default();
    let (state, since) = active.split_once(" since ").unwrap_or((&active, ""));
    let message = format!("systemctl says of {name}: {state}");
    let mut record = told(raw, Kind::Service, message, [("service", name), ("state", state.to_owned())]);
    if let Some((time, rest)) = since.find(" 20").and_then(|at| parse_naive(&since.as_bytes()[at + 1..])) {
        record.time = Some(Timestamp(time));
        // The name of a zone, such as CST, does not say which it is.
        record.time_is_local = !rest.starts_with(b" UTC");
        record.zone_minutes = rest.starts_with(b" UTC").then_some(0);
    }
    record
}

#[cfg(test)]
mod tests {
    use super::{begins, goes_on, read};

    #[test]
    fn a_service_is_read_with_its_state() {
        let text = "\u{25CF} tikv-20160.service - tikv service\n   Loaded: loaded (/etc/systemd/system/tikv-20160.service; enabled)\n   \
                    Active: failed (Result: signal) since Mon 2022-07-25 14:54:44 UTC; 5min ago\n Main PID: 7 (code=killed, signal=ABRT)";
        let mut lines = text.lines();
        assert!(lines.next().is_some_and(|line| begins(line.as_bytes())) && lines.all(|line| goes_on(line.as_bytes())));
        let record = read(text.as_bytes());
        assert_eq!(String::from_utf8_lossy(&record.message), "systemctl says of tikv-20160: failed (Result: signal)");
        assert_eq!(record.time.map(|time| time.to_string()).as_deref(), Some("2022-07-25T14:54:44.000Z"));
        assert!(!record.time_is_local);
        assert!(read(text.replace("UTC", "CST").as_bytes()).time_is_local);
        for line in
            ["\u{25CF} sshd.service - OpenSSH server", "\u{25CF} Total 1 Tasks.", "tikv-20160.service - it failed"]
        {
            assert!(!begins(line.as_bytes()), "{line}");
        }
        assert!(!goes_on(b"It failed: why") && !goes_on(b"  it failed"));
    }
}
