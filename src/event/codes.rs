//! Error codes in a record: `KV:LogBackup:RaftReq`, `BR:Backup:ErrBackupGCSafepointExceeded`, `kv:9007`.

use crate::search::AnyOf;
use std::sync::LazyLock;

const STEMS: [&str; 7] = ["KV:", "BR:", "PD:", "CDC:", "Lightning:", "DFLOW:", "FLASH:"];

/// Classes of TiDB's numbered errors, as `[class:number]`.
pub(crate) const CLASSES: [&str; 28] = [
    "autoid",
    "bindinfo",
    "ddl",
    "domain",
    "evaluator",
    "executor",
    "expression",
    "global",
    "globalkill",
    "infoschema",
    "json",
    "kv",
    "meta",
    "optimizer",
    "parser",
    "planner",
    "privilege",
    "schema",
    "server",
    "session",
    "statistics",
    "store",
    "table",
    "tikv",
    "transaction",
    "types",
    "variable",
    "resource_group",
];

static WORDS: LazyLock<AnyOf> = LazyLock::new(|| {
    let classes = CLASSES.iter().map(|class| format!("[{class}:"));
    AnyOf::new(&STEMS.iter().map(|stem| (*stem).to_owned()).chain(classes).collect::<Vec<_>>())
});

/// Every code in an unescaped text, sorted, without repeats.
pub(crate) fn find(text: &[u8]) -> Vec<Box<str>> {
    let mut codes = Vec::new();
    for found in WORDS.each(text) {
        let is_named = found.pattern().as_usize() < STEMS.len();
        let code = if is_named { named(text, found.start()) } else { numbered(&text[found.start() + 1..]) };
        codes.extend(code.map(Box::from));
    }
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// `KV:LogBackup:RaftReq` at a position: words of letters and digits, joined by colons, behind no letter.
fn named(text: &[u8], start: usize) -> Option<&str> {
    let before = start.checked_sub(1).map(|at| text[at]);
    if before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':') {
        return None;
    }
    let rest = &text[start..];
    let length = rest
        .iter()
        .take(96)
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b':' || **byte == b'_')
        .count();
    let is_unclosed = length == rest.len() && before == Some(b'[');
    if is_unclosed
        || is_coloured(&rest[length..])
        || rest[length..].starts_with(b"..")
        || rest[length..].starts_with("\u{2026}".as_bytes())
    {
        return None; // A copy cut it.
    }
    let code = std::str::from_utf8(&rest[..length]).ok()?.trim_end_matches(':');
    let mut words = code.split(':');
    let stem = words.next()?;
    let rest: Vec<_> = words.collect();
    let fits = rest.len() <= 3 && rest.iter().all(|word| word.starts_with(|letter: char| letter.is_ascii_alphabetic()));
    let is_whole = match (stem, &*rest) {
        (_, []) => false,
        ("KV", [only]) => matches!(*only, "Unknown" | "Undetermined"),
        // `BR:KV:ErrKVStorage` without its head.
        ("KV", [first, ..]) => !first.starts_with("Err"),
        (_, [only]) => only.starts_with("Err"),
        _ => true,
    };
    (fits && is_whole).then_some(code)
}

/// Whether a colour begins that quotes have kept: what stands before it goes on behind it.
pub(super) fn is_coloured(rest: &[u8]) -> bool {
    let text = &rest[rest.iter().take_while(|byte| **byte == b'\\').count()..];
    text.starts_with(b"\x1b") || (text.len() < rest.len() && (text.starts_with(b"u001b") || text.starts_with(b"x1b")))
}

/// `tikv:9005]` behind a bracket.
fn numbered(rest: &[u8]) -> Option<&str> {
    let end = rest.iter().take(24).position(|byte| *byte == b']')?;
    let code = std::str::from_utf8(&rest[..end]).ok()?;
    let (class, number) = code.split_once(':')?;
    (CLASSES.contains(&class) && (1..=5).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit()))
        .then_some(code)
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn codes_of_every_component() {
        let codes = |text: &str| find(text.as_bytes()).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(codes("[err_code=KV:LogBackup:RaftReq] x"), ["KV:LogBackup:RaftReq"]);
        assert_eq!(
            codes("exceed TS 1: [BR:Backup:ErrBackupGCSafepointExceeded]backup"),
            ["BR:Backup:ErrBackupGCSafepointExceeded"]
        );
        assert_eq!(
            codes("[PD:client:ErrClientGetTSO]context [tikv:9005]Region [kv:6]Error"),
            ["PD:client:ErrClientGetTSO", "kv:6", "tikv:9005"]
        );
        assert_eq!(codes("[err_code=KV:Unknown] [CDC:ErrGCTTLExceeded]x"), ["CDC:ErrGCTTLExceeded", "KV:Unknown"]);
        assert_eq!(codes("run(): [FLASH:Coprocessor:Internal] it ends"), ["FLASH:Coprocessor:Internal"]);
        assert!(codes("[error=\"[PD:common:Err").is_empty());
        assert!(codes("[err_code=KV:LogBackup:Raft... [BR:Backup:ErrBacku\u{2026}]").is_empty());
        assert!(codes("[CDC:ErrSink\\u001b[01;31mURI\\u001b[mInvalid]x").is_empty());
        assert!(codes("KV:ErrKVStorage]tikv storage occur I/O error").is_empty());
        assert!(codes("[main.go:57] [mod.rs:118] [a:1] KV: x, BR: y, PD:2379").is_empty());
    }
}
