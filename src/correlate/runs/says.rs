//! What one record says of a run: what was asked, how it ended, what was refused.

use crate::correlate::signs::{Verb, verb_of_command};
use crate::event::Event;
use crate::units::{FactKind, Severity, Tso};

/// What a run was to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::correlate) enum Job {
    /// A backup of a snapshot.
    Backup,
    /// A restore, also to a point in time.
    Restore,
    /// A log backup command.
    Log(Verb),
    /// Anything else, or unknown.
    Other,
}

/// How a record ends a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Success,
    FailedSummary,
    FailedCommand,
    NoPd,
    BrFailed,
    Console,
    Panic,
}

/// A refusal: GC has passed what the command needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::correlate) struct Refusal {
    /// What the command needs.
    pub(in crate::correlate) wanted: Tso,
    /// Where GC is.
    pub(in crate::correlate) reached: Tso,
}

/// The last link of an error chain, without what a console puts before it.
pub(super) fn root(message: &str) -> &str {
    let message =
        message.rsplit_once(" (").filter(|(_, tail)| tail.ends_with(" times)")).map_or(message, |(head, _)| head);
    message.rsplit_once(": ").map_or(message, |(_, root)| root)
}

pub(super) fn ending_of(event: &Event) -> Option<Ending> {
    let message = &*event.message;
    let rule = &*event.rule;
    if &*event.group == "panic" {
        return Some(Ending::Panic);
    }
    let is_done = rule == "br-summary-success-v4";
    if is_done || message.contains("success summary") || message.contains("Success summary") {
        return Some(Ending::Success);
    }
    if message.contains("failed summary") || message.contains("Failed summary") {
        return Some(Ending::FailedSummary);
    }
    let of_lightning = || event.level.is_some() && message.starts_with("tidb lightning encountered error");
    if rule == "br-failed" || message.starts_with("br failed") || of_lightning() {
        return Some(Ending::BrFailed);
    }
    // A console says nothing but what went wrong; below an error, what it says of its life is no end.
    // A source file without more is that of a log's record that lost its head.
    let of_a_log = event.shows_writer && event.component.is_none();
    let console = event.time.is_none() && event.level.is_none() && !of_a_log;
    // What a command says on a console may begin with the same words: `failed to restore kv files: `.
    let ends = |rest: &str| !console || rest.is_empty() || rest.starts_with(": ");
    let command = ["failed to stream", "failed to run stream command", "failed to backup", "failed to restore"];
    if rule == "br-safepoint-check-panic" || command.iter().any(|head| message.strip_prefix(head).is_some_and(ends)) {
        return Some(Ending::FailedCommand);
    }
    // Nothing can be asked of BR without PD; what ends the command may not be in the logs.
    if rule == "br-pd-controller-failed" {
        return Some(Ending::NoPd);
    }
    let least = if &*event.group == "lifecycle" { Severity::Error } else { Severity::Notice };
    (console && event.severity >= least).then_some(Ending::Console)
}

/// The command that an event names; a failed summary begins with it.
pub(super) fn command_of(event: &Event) -> Option<&str> {
    let summary = || event.message.split_once(" failed summary").map(|(command, _)| command);
    event.fact(FactKind::Command, "").or_else(summary)
}

/// What a command's words say it does.
pub(super) fn job_of(command: &str) -> Job {
    let lower = command.to_ascii_lowercase();
    if let Some(verb) = verb_of_command(&lower) {
        Job::Log(verb)
    } else if lower.contains("restore") {
        Job::Restore
    } else if lower.contains("backup") {
        Job::Backup
    } else {
        Job::Other
    }
}

/// What a failure says was to be done.
pub(super) fn job_of_failure(event: &Event) -> Job {
    let message = &*event.message;
    match &*event.rule {
        "br-restore-log-failed" | "br-restore-start" => return Job::Restore,
        "br-resume-gc-exceeded" => return Job::Log(Verb::Resume),
        // They name no command, but only a backup writes them.
        "br-backup-tikv-error" | "br-backup-checkpoint-lock-failed" => return Job::Backup,
        _ => {}
    }
    if event.codes.iter().any(|code| &**code == "BR:Stream:ErrStreamLogTaskExist") {
        return Job::Log(Verb::Start);
    }
    // What a statement is answered.
    if message.contains(": Restore failed: ") {
        return Job::Restore;
    }
    if message.contains(": Backup failed: ") {
        return Job::Backup;
    }
    // What a console says ends a run, harmless as it may be elsewhere.
    let failed = event.severity >= Severity::Error || ending_of(event) == Some(Ending::Console);
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if failed
        && (message.starts_with("failed to restore")
            || says(&[
                "download file failed",
                "ingest file failed",
                "download sst failed",
                "ingest sst failed",
                "restore failed",
                "load backupmeta failed",
                "failed during reading file v1/backupmeta",
                "failed to repair ingest index",
            ]))
    {
        return Job::Restore;
    }
    if failed && says(&["failed to backup", "error happen in store", "failed to put object"]) {
        return Job::Backup;
    }
    if message.contains("failed to check gc safePoint, checkpoint ts") { Job::Log(Verb::Resume) } else { Job::Other }
}

/// What the rule of a failure is mostly about.
pub(super) fn job_of_group(event: &Event) -> Job {
    match &*event.group {
        "restore" if event.severity >= Severity::Error => Job::Restore,
        "backup" if event.severity >= Severity::Error => Job::Backup,
        _ => Job::Other,
    }
}

/// A refusal that names what was refused. `br log stop` of older versions asks for 0, which means nothing.
pub(super) fn refusal_of(event: &Event) -> Option<Refusal> {
    let code = event.codes.iter().any(|code| &**code == "BR:Backup:ErrBackupGCSafepointExceeded");
    if !code && !event.message.contains("exceed TS ") {
        return None;
    }
    let wanted = event.tso("refused").or_else(|| number_after(&event.message, "exceed TS "))?;
    let reached = event.tso("gc-safepoint").or_else(|| number_after(&event.message, "GC safepoint "))?;
    (wanted.0 != 0 && reached >= wanted).then_some(Refusal { wanted, reached })
}

fn number_after(text: &str, words: &str) -> Option<Tso> {
    let rest = &text[text.find(words)? + words.len()..];
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}
