//! What stands on a terminal: final errors, panics, prompts and progress bars.

use super::Kind;
use super::phrases::PHRASES;

/// The code of what a client says when a statement is refused: `ERROR 9005 (HY000): ...`, `Error 9005: ...`,
/// `SQL Error [9005] [HY000]: ...`, `Error Code: 9005. ...`.
fn refused(text: &[u8]) -> Option<&[u8]> {
    const STARTS: [&[u8]; 7] =
        [b"Error Code: ", b"ERROR ", b"ERROR: ", b"Error ", b"SQL Error [", b"SQL Error (", b"[Err] "];
    const ENDS: [&[u8]; 6] = [b" (", b": ", b"] ", b"): ", b". ", b" - "];
    let rest = STARTS.iter().find_map(|start| text.strip_prefix(*start))?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (digits == 4 && ENDS.iter().any(|end| rest[4..].starts_with(end))).then(|| &rest[..4])
}

/// Whether a statement is refused for a reason of TiDB's own, or since others change the same rows.
fn is_client_error(text: &[u8]) -> bool {
    const CODES: [&[u8]; 4] = [b"1105", b"1205", b"1213", b"1815"];
    refused(text).is_some_and(|code| CODES.contains(&code) || b"89".contains(&code[0]))
}

/// Whether a statement is refused, for whatever reason: what a console said before ends here.
pub(super) fn is_refusal(text: &[u8]) -> bool {
    refused(text).is_some()
}

/// Whether a line below another is a sentence of its own: it begins as one does, and the line above is shorter than any terminal's.
pub(super) fn is_sentence_below(above: &[u8], line: &[u8]) -> bool {
    /// Terminals have as many columns at least.
    const COLUMNS: usize = 80;
    let begins = match line {
        [first, second, ..] => first.is_ascii_uppercase() && (second.is_ascii_lowercase() || *second == b' '),
        _ => false,
    };
    let is_word = |word: &[u8]| word.iter().all(|byte| byte.is_ascii_alphabetic() || b"',".contains(byte));
    let words = line.split(|byte| *byte == b' ').take(4).filter(|word| is_word(word)).count();
    above.len() < COLUMNS && ((begins && words == 4) || line.first().is_some_and(|byte| *byte >= 0xE3))
}

/// `java.sql.SQLException: text`, also behind the words by which Java and its frameworks hand one on: `Caused by: `.
pub(super) fn is_exception(text: &[u8]) -> bool {
    const LEADS: [&[u8]; 3] = [b"Caused by: ", b"nested exception is ", b"Cause: "];
    let led = |lead: &&[u8]| memchr::memmem::rfind(&text[..text.len().min(512)], lead).map(|at| at + lead.len());
    let text = &text[LEADS.iter().filter_map(led).max().unwrap_or(0)..];
    let text = match text.strip_prefix(b"Exception in thread \"") {
        Some(rest) => memchr::memmem::find(rest, b"\" ").map_or(text, |end| &rest[end + 2..]),
        None => text,
    };
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"._$".contains(byte);
    let name = &text[..text.iter().take(160).take_while(|byte| is_name(byte)).count()];
    let is_class = name.ends_with(b"Exception") || name.ends_with(b"Error");
    is_class && name.iter().filter(|byte| **byte == b'.').count() > 1 && text[name.len()..].starts_with(b": ")
}

/// What `tikv-ctl` says of a region for which it does nothing: `region: 94812, error: StringError("...")`.
fn is_undone(text: &[u8]) -> bool {
    text.strip_prefix(b"region: ").is_some_and(|rest| {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        digits > 0 && rest[digits..].starts_with(b", error: ")
    })
}

/// What a shell or the loader says of a program of the cluster that does not start or that a signal ended: `run_tikv.sh: line 14:
/// 28413 Killed   bin/tikv-server`, `bin/tikv-server: error while loading shared libraries: `.
fn is_of_start(text: &[u8]) -> bool {
    const ENDS: [&[u8]; 5] = [b"Killed ", b"Segmentation fault", b"Illegal instruction", b"Aborted ", b"Bus error"];
    let head = &text[..text.len().min(256)];
    let after = |word: &[u8]| memchr::memmem::find(head, word).map(|at| &text[at + word.len()..]);
    let skip = |rest: &'_ [u8]| rest.iter().take(20).take_while(|byte| byte.is_ascii_digit()).count();
    if let Some(rest) = after(b".sh: line ") {
        let Some(rest) = rest[skip(rest)..].strip_prefix(b": ") else { return false };
        let what = rest[skip(rest)..].trim_ascii_start();
        return ENDS.iter().any(|end| what.starts_with(end)) || after(b": cannot execute binary file").is_some();
    }
    let is_path = head.iter().take_while(|byte| !b" \t".contains(byte)).last() == Some(&b':');
    is_path
        && (after(b": error while loading shared libraries: ").is_some()
            || after(b": version `GLIBC").is_some_and(|rest| memchr::memmem::find(rest, b"' not found (").is_some()))
}

/// What Ansible says of a host on which a step failed: `fatal: [10.0.1.11]: FAILED! => {...}`, `[10.0.1.11]: Ansible FAILED! => ...`.
fn is_failed_step(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"fatal: [").or_else(|| text.strip_prefix(b"[")) else { return false };
    let host = rest.iter().take(100).take_while(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte)).count();
    let Some(says) = rest[host..].strip_prefix(b"]: ") else { return false };
    let says = says.strip_prefix(b"Ansible ").unwrap_or(says);
    host > 0 && (says.starts_with(b"FAILED! => ") || says.starts_with(b"UNREACHABLE! => "))
}

/// What sync-diff-inspector says of a table whose copies differ.
fn is_difference(text: &[u8]) -> bool {
    const STARTS: [&[u8]; 2] = [b"The data of `", b"The structure of `"];
    let head = &text[..text.len().min(256)];
    STARTS.iter().any(|start| head.starts_with(start)) && memchr::memmem::find(head, b"` is not equal").is_some()
}

/// `goroutine 1 [running]:`, the first line of a stack of Go.
pub(super) fn is_running(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"goroutine ") else { return false };
    let digits = rest.iter().take(20).take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && rest[digits..].starts_with(b" [running")
}

/// A record that a program put on the terminal.
pub(super) fn start(text: &[u8]) -> Option<Kind> {
    if PHRASES.console.tells(text)
        || is_client_error(text)
        || is_undone(text)
        || is_of_start(text)
        || is_difference(text)
        || is_failed_step(text)
    {
        return Some(Kind::Console);
    }
    if PHRASES.banner.tells(text) {
        return Some(Kind::Banner);
    }
    if PHRASES.panic.tells(text) || is_exception(text) {
        return Some(Kind::Panic);
    }
    if text.starts_with(b"thread '") && memchr::memmem::find(&text[..text.len().min(256)], b"' panicked ").is_some() {
        return Some(Kind::Panic);
    }
    let reports: [&[u8]; 3] = [b".sst: Corruption", b".sst: IO error", b".sst is corrupted: "];
    let report = reports.iter().find_map(|words| memchr::memmem::find(text, words));
    report.is_some_and(|at| !text[..at].contains(&b'[')).then_some(Kind::Report)
}

/// Prompts, banners, progress bars, elisions, rulers: never part of a record.
pub(super) fn is_noise(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    if text.is_empty() {
        return false;
    }
    let ruler = |byte: &u8| b".-=_*~#`+<>".contains(byte);
    if text.iter().all(ruler)
        || is_table_ruler(text)
        || is_line_drawing(text)
        || "\u{2026}\u{3002}".as_bytes().windows(3).step_by(3).any(|dot| text.starts_with(dot))
    {
        return true;
    }
    PHRASES.noise.tells(text) || is_plain_shell(text) || is_prompt(text) || is_progress(text)
}

/// `-- | :--`, the line below the head of a table in Markdown.
fn is_table_ruler(text: &[u8]) -> bool {
    text.iter().all(|byte| b"-|: ".contains(byte))
        && text.contains(&b'|')
        && memchr::memmem::find(text, b"--").is_some()
}

/// The upper or lower edge of a frame, or a ruler in it, perhaps with a title.
fn is_line_drawing(text: &[u8]) -> bool {
    let is_drawn = |letter: Option<&[u8]>| matches!(letter, Some([0xE2, 0x94 | 0x95, _]));
    let last = text.len().checked_sub(3).map(|at| &text[at..]);
    is_drawn(text.get(..3)) && is_drawn(last) && super::prefix::bar(text).is_none()
}

/// `[root@tidb ~]# command`, `user@host:~$ command`.
fn is_prompt(text: &[u8]) -> bool {
    let head = &text[..text.len().min(120)];
    let Some(at) = memchr::memchr(b'@', head) else { return false };
    let name = &head[usize::from(head.starts_with(b"["))..at];
    let name_fits = !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte));
    let rest = &head[at..];
    let end = if head.starts_with(b"[") {
        rest.windows(2).any(|pair| pair == b"]$" || pair == b"]#")
    } else {
        rest.windows(2).any(|pair| pair == b"$ " || pair == b"# ") || rest.ends_with(b"$") || rest.ends_with(b"#")
    };
    name_fits && end
}

/// `sh-4.2# command`.
fn is_plain_shell(text: &[u8]) -> bool {
    text.starts_with(b"sh-") && memchr::memmem::find(&text[..text.len().min(12)], b"# ").is_some()
}

/// `Full Backup <-----...-----> 100.00%`.
fn is_progress(text: &[u8]) -> bool {
    (memchr::memmem::find(text, b"<--").is_some() && memchr::memchr(b'%', text).is_some())
        || (memchr::memmem::find(text, b"... DONE").is_some() && !text.starts_with(b"["))
}

/// Where the text behind the last progress bar of a line begins, if there is any.
pub(super) fn progress_end(text: &[u8]) -> Option<usize> {
    // The end of one that a terminal wrapped has lost its beginning.
    let wrapped = || memchr::memmem::rfind(text, b"> ").filter(|_| text.starts_with(b"....."));
    let bar = memchr::memmem::rfind(text, b"<--").or_else(wrapped)?;
    let end = bar + memchr::memchr(b'%', &text[bar..])? + 1;
    (!is_noise(&text[end..]) && !text[end..].trim_ascii().is_empty()).then_some(end)
}
