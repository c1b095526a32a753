//! How to say it: the same words on the terminal, in Markdown and in HTML.

use crate::correlate::{Cause, DeadlineBasis, Findings, Incident, IncidentKind, IncidentStatus, Step, Task, Verdict};
use crate::event::ReadStatus;
use crate::rules::Catalog;
use crate::safe::{Safe, SafeText};
use crate::units::{Component, StoreId, Timestamp, hms};

/// A moment for people, `2022-07-25 14:54:44Z`.
pub(super) fn moment(time: Timestamp) -> String {
    format!("{}Z", time.human())
}

/// Bytes for people, `12.3 GB`.
pub(super) fn bytes(bytes: u64) -> String {
    let units = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1_000 {
        return format!("{bytes} bytes");
    }
    let mut value = bytes as f64 / 1_000.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < units.len() {
        value /= 1_000.0;
        unit += 1;
    }
    format!("{value:.1} {}", units[unit])
}

/// A count with its noun, `1 file`, `3 files`.
pub(super) fn counted(count: u64, one: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {one}{plural}", grouped(count))
}

/// A number with its thousands apart, `1,204,118`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The task that an incident is about.
pub(super) fn task_of<'a>(findings: &'a Findings, incident: &Incident) -> Option<&'a Task> {
    findings.task_of(incident)
}

/// What an incident is about, and how it stands with that.
pub(super) struct Title {
    /// `task1`, `store 4`, `restore`.
    pub(super) subject: SafeText<'static>,
    /// `ERROR for 11h23m (since 2022-07-25 14:54:44Z)`.
    pub(super) state: SafeText<'static>,
}

pub(super) fn title(incident: &Incident, task: Option<&Task>, now: Option<Timestamp>, safe: Safe) -> Title {
    let first_store = incident.stores.first().map_or_else(|| "store".to_owned(), |store| format!("store {store}"));
    let first_region = incident.regions.first().map_or_else(|| "region".to_owned(), |id| format!("region {id}"));
    let of_task = |word: &str| incident.task.clone().unwrap_or_else(|| word.to_owned());
    let (subject, word, lasts) = match incident.kind {
        IncidentKind::TaskFailed => (of_task("task"), "ERROR", true),
        IncidentKind::TaskPaused => (of_task("task"), "PAUSED", true),
        IncidentKind::CheckpointStalled => (of_task("task"), "CHECKPOINT STANDS STILL", true),
        IncidentKind::ResumeRefused if starts_anew(incident) => (of_task("task"), "START REFUSED", false),
        IncidentKind::ResumeRefused => (of_task("task"), "RESUME REFUSED", false),
        IncidentKind::RestoreIncomplete => (of_task("restore"), "RESTORE INCOMPLETE", false),
        IncidentKind::BackupFailed => (of_task("backup"), "BACKUP FAILED", false),
        IncidentKind::RestoreFailed => (of_task("restore"), "RESTORE FAILED", false),
        IncidentKind::RegionUnavailable => (first_region, "UNAVAILABLE", true),
        IncidentKind::StoreDown => (first_store, "DOWN", true),
        IncidentKind::StoreRestarted => (first_store, "RESTARTED", false),
        IncidentKind::DataCorrupted => (of_task("data"), "CORRUPTED", false),
        IncidentKind::Other => (of_task("other"), "PROBLEM", false),
    };
    // The task's own word is about what is open.
    let of_task = task.and_then(|task| task.since).filter(|_| lasts && incident.status == IncidentStatus::Open);
    let since = of_task.or(incident.start);
    let state = match (incident.status, since, incident.end) {
        (IncidentStatus::Recovered, Some(start), Some(end)) if lasts => {
            let span = hms(end.since(start));
            format!("{word} for {span}, recovered ({} to {})", moment(start), moment(end))
        }
        (IncidentStatus::Recovered, Some(start), _) => format!("{word} at {}, recovered", moment(start)),
        (IncidentStatus::Recovered, None, _) => format!("{word}, recovered"),
        (IncidentStatus::Open, Some(start), _) if lasts => {
            let span = now.map(|now| now.since(start)).filter(|span| *span >= 1_000);
            let span = span.map_or_else(String::new, |span| format!(" for {}", hms(span)));
            format!("{word}{span} (since {})", moment(start))
        }
        (IncidentStatus::Open, Some(start), _) => format!("{word} at {}", moment(start)),
        (IncidentStatus::Open, None, _) => word.to_owned(),
    };
    Title { subject: safe.own(subject), state: safe.own(state) }
}

/// Whether there is no task yet that had to be stopped first.
fn starts_anew(incident: &Incident) -> bool {
    incident.commands.first().is_some_and(|command| command.starts_with("br log start"))
}

/// `region merge (observed)`.
pub(super) fn cause(incident: &Incident) -> String {
    if incident.cause == Cause::Unknown {
        return "unknown, the logs do not say".to_owned();
    }
    let words = incident.cause.as_str().replace('-', " ");
    let words = words
        .replace("pd ", "PD ")
        .replace("gc safepoint", "GC safe point")
        .replace("tiflash", "TiFlash")
        .replace("operator", "a person did it");
    format!("{words} ({})", incident.certainty)
}

/// A labelled value of a task, with what it means.
pub(super) struct Fact {
    pub(super) label: &'static str,
    pub(super) value: SafeText<'static>,
    pub(super) note: SafeText<'static>,
}

/// Checkpoint, GC safe point and last error of a task.
pub(super) fn facts(task: &Task, now: Option<Timestamp>, safe: Safe) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut fact = |label, value: String, note: String| {
        facts.push(Fact { label, value: safe.own(value), note: safe.own(note) });
    };
    if let Some(checkpoint) = task.checkpoint_time {
        // A task that stands falls behind until now; one that runs was as far as it was last seen.
        let stands = task.since.is_some() || task.verdict != Verdict::None;
        let seen = if stands { now.or(task.observed_at) } else { task.observed_at };
        let note = seen
            .filter(|seen| *seen != checkpoint)
            .map_or_else(String::new, |seen| format!("{} behind", hms(seen.since(checkpoint))));
        fact("checkpoint", moment(checkpoint), note);
    }
    if let Some(safepoint) = task.gc_safepoint {
        fact("GC safe point", moment(safepoint.time()), protection(task));
    } else if task.resume_deadline.is_some() {
        fact("GC safe point", "not in these logs".to_owned(), protection(task));
    }
    if let Some(code) = &task.error_code {
        let store = task.error_store.map(|store| format!("store {store}"));
        let region = task.error_region.map(|region| format!("region {region}"));
        let place: Vec<_> = store.into_iter().chain(region).collect();
        fact("last error", code.clone(), place.join(", "));
    }
    facts
}

/// Who holds GC back at the checkpoint and until when, or that nobody did.
fn protection(task: &Task) -> String {
    if is_lost(task) {
        let past = task.exceeded_by_s.filter(|seconds| *seconds > 0).map(|seconds| hms(seconds.saturating_mul(1_000)));
        let since = match (&task.held_by, task.resume_deadline) {
            (Some(id), Some(ended)) => format!("; {id} held it until {}", moment(ended)),
            _ => String::new(),
        };
        return past.map_or_else(
            || format!("has reached the checkpoint{since}"),
            |past| format!("{past} past the checkpoint: what it needs is gone{since}"),
        );
    }
    let Some(deadline) = task.resume_deadline else { return String::new() };
    let holder = task.held_by.as_ref().map_or_else(String::new, |id| format!(" by {id}"));
    match task.deadline_basis {
        Some(DeadlineBasis::Pd) => format!("held{holder} until {} (PD's log)", moment(deadline)),
        _ => format!("held{holder} until about {} (estimate)", moment(deadline)),
    }
}

/// Whether the GC safe point is at or past the checkpoint.
pub(super) fn is_lost(task: &Task) -> bool {
    match (task.gc_safepoint, task.checkpoint) {
        (Some(safepoint), Some(checkpoint)) => safepoint >= checkpoint,
        // To the second only: at 0 it may be either.
        _ => task.exceeded_by_s.is_some_and(|seconds| seconds > 0),
    }
}

/// What to do: the call in capitals, and how the sentence goes on.
pub(super) struct Decision {
    pub(super) call: &'static str,
    pub(super) rest: String,
}

impl Decision {
    /// How it goes on where the call stands apart.
    pub(super) fn sentence(&self) -> &str {
        self.rest.trim_start_matches([',', '.', ' '])
    }
}

pub(super) fn decision(incident: &Incident, task: Option<&Task>, now: Option<Timestamp>) -> Decision {
    let deadline = task.and_then(|task| task.resume_deadline);
    let about = match task.and_then(|task| task.deadline_basis) {
        Some(DeadlineBasis::Pd) => "",
        _ => "about ",
    };
    let remedy = || match (incident.kind, incident.cause) {
        (IncidentKind::CheckpointStalled, Cause::Operator) => Some("start a TiDB again: it runs the advancer"),
        (_, cause) => remedy(cause),
    };
    // What the record's own rule says is nearer to it than what its cause says.
    let ruled = incident.remedy.as_ref().map(|remedy| format!(". {}", remedy.trim_end_matches('.')));
    let first = |rest: String| match remedy() {
        Some(first) => format!("{rest}. First {first}"),
        None => rest,
    };
    let again = matches!(incident.kind, IncidentKind::BackupFailed | IncidentKind::RestoreFailed);
    let (call, rest) = match incident.verdict {
        // Of a task without a name the summary says until when.
        Verdict::Resume if task.is_none() => ("CAN BE RESUMED", first(String::new())),
        Verdict::Resume => ("CAN BE RESUMED", first(resume_by(deadline, about, now))),
        Verdict::RecreateTask if starts_anew(incident) => {
            ("CANNOT START THERE", ", GC has passed that moment. Start without --start-ts".to_owned())
        }
        Verdict::RecreateTask => {
            let past = task.and_then(|task| task.exceeded_by_s).filter(|seconds| *seconds > 0);
            let past = past.map_or_else(String::new, |seconds| format!(" by {}", hms(seconds.saturating_mul(1_000))));
            ("CANNOT BE RESUMED", format!(", GC has passed the checkpoint{past}. Recreate the task"))
        }
        Verdict::ResumeOrRecreate => {
            let ended = deadline.map_or_else(String::new, |time| format!(", protection ended {about}{}", moment(time)));
            ("MAY BE TOO LATE TO RESUME", first(format!("{ended}. Try it, recreate the task if that is refused")))
        }
        Verdict::SetTiflashReplica => ("SET THE TIFLASH REPLICAS AGAIN", String::new()),
        Verdict::Retry => ("RUN IT AGAIN", String::new()),
        Verdict::Wait => ("WAIT", ", it is under way".to_owned()),
        Verdict::FixAndRetry => {
            let how = remedy().map_or_else(String::new, |how| format!(": {how}"));
            ("FIX THE CAUSE", ruled.unwrap_or_else(|| if again { format!("{how}, then run it again") } else { how }))
        }
        Verdict::Investigate => match remedy().filter(|_| incident.cause != Cause::Unknown) {
            Some(how) if incident.kind == IncidentKind::CheckpointStalled => {
                ("FIX THE CAUSE", format!(": {how}; then the checkpoint moves on by itself"))
            }
            _ => ("LOOK FURTHER", ruled.unwrap_or_else(|| ", the logs do not say enough".to_owned())),
        },
        Verdict::None => ("NOTHING TO DO", String::new()),
    };
    Decision { call, rest }
}

/// What must be put right, or else the same happens again at once.
fn remedy(cause: Cause) -> Option<&'static str> {
    Some(match cause {
        Cause::StorageAccess => "see that the stores can read and write the external storage again",
        Cause::StorageFull => "make room in the external storage",
        Cause::StorageThrottled => "let the external storage take the load again",
        Cause::DiskFull => "make room on the store's disk",
        Cause::MemoryQuota | Cause::OutOfMemory => "give it memory, or slow down what takes it",
        Cause::PdUnavailable => "see that PD answers",
        Cause::Network => "see that the network is well",
        Cause::StoreDown => "bring the store back, or let PD replace its replicas",
        Cause::StoreRestart => "find out why the store restarts",
        Cause::LockUnresolved => "end the transaction that holds the lock, or wait until it is resolved",
        Cause::LagCheck => "remove what holds the checkpoint back, or raise the lag limit",
        Cause::Unknown => "find out why it stopped",
        _ => return None,
    })
}

fn resume_by(deadline: Option<Timestamp>, about: &str, now: Option<Timestamp>) -> String {
    let Some(deadline) = deadline else { return " (no record says until when)".to_owned() };
    let by = format!(" until {about}{}", moment(deadline));
    match now {
        Some(now) if deadline > now => format!("{by} ({} left as of {})", hms(deadline.since(now)), moment(now)),
        _ => by,
    }
}

/// What to type, a line each; statements of SQL with their semicolon.
pub(super) fn commands(incident: &Incident, safe: Safe) -> Vec<SafeText<'static>> {
    let is_sql = incident.verdict == Verdict::SetTiflashReplica;
    let line = |command: &String| {
        if is_sql && !command.ends_with(';') {
            safe.own(format!("{command};"))
        } else {
            safe.line(command).into_owned()
        }
    };
    incident.commands.iter().map(line).collect()
}

/// Where a step happened: `store 1`, `stores 1 4 5`, `9 stores`, `tidb`.
pub(super) fn place(component: Option<Component>, stores: &[StoreId]) -> String {
    let is_store = component.is_none_or(Component::is_store);
    match stores {
        [] => component.map_or("", Component::as_str).to_owned(),
        _ if !is_store => component.map_or("", Component::as_str).to_owned(),
        [store] => format!("store {store}"),
        [_, _] | [_, _, _] | [_, _, _, _] => {
            let ids: Vec<_> = stores.iter().map(ToString::to_string).collect();
            format!("stores {}", ids.join(" "))
        }
        _ => format!("{} stores", stores.len()),
    }
}

/// What happened in a step; what its rule means, where correlation has no better words.
pub(super) fn what<'a>(step: &'a Step, catalog: &'a Catalog) -> &'a str {
    if step.what.is_empty() { catalog.get(&step.rule).map_or("", |rule| &rule.meaning) } else { &step.what }
}

/// What could make the findings wrong: the caveats, and a word where a source was not read and no caveat says so.
pub(super) fn caveats(findings: &Findings, safe: Safe) -> Vec<SafeText<'static>> {
    let mut caveats: Vec<_> = findings.caveats.iter().map(|caveat| safe.line(caveat).into_owned()).collect();
    let unread = unread(findings);
    if caveats.is_empty() && unread > 0 {
        caveats.push(safe.own(format!("{} not wholly read, see sources.csv.", counted(unread, "file"))));
    }
    caveats
}

/// How many sources were not read, or only in part. Duplicates, which are skipped, are no loss.
pub(super) fn unread(findings: &Findings) -> u64 {
    let is_unread = |status| matches!(status, ReadStatus::Partial | ReadStatus::Failed);
    findings.sources.iter().filter(|source| is_unread(source.status)).count() as u64
}

/// `12.3 GB in 41 files, 3 of 3 stores`.
pub(super) fn totals(findings: &Findings) -> String {
    let readable = |status| matches!(status, ReadStatus::Read | ReadStatus::Partial);
    let files = findings.sources.iter().filter(|source| readable(source.status)).count() as u64;
    let stores = findings.stores.iter().filter(|store| store.id.is_some()).count();
    let with_log = findings.stores.iter().filter(|store| store.id.is_some() && store.sources > 0).count();
    let stores = match stores {
        0 => String::new(),
        _ => format!(", logs of {with_log} of {}", counted(stores as u64, "store")),
    };
    format!("{} in {}{stores}", bytes(findings.totals.bytes), counted(files, "file"))
}

/// A task in one line, for where nothing is wrong with it.
pub(super) fn task_line(task: &Task, safe: Safe) -> SafeText<'static> {
    let seen = |checkpoint| task.observed_at.map(|seen| format!(" ({} behind)", hms(seen.since(checkpoint))));
    let checkpoint = task.checkpoint_time.map_or_else(String::new, |checkpoint| {
        format!(", checkpoint {}{}", moment(checkpoint), seen(checkpoint).unwrap_or_default())
    });
    let advancing =
        advancing_since(task).map_or_else(String::new, |seen| format!(", advancing since {}", moment(seen)));
    let cluster = task.cluster.as_ref().map_or_else(String::new, |cluster| format!(" of cluster {cluster}"));
    safe.own(format!("{}{cluster} {}{checkpoint}{advancing}", task.name, task.status))
}

/// Since when the checkpoint was seen to move on.
pub(super) fn advancing_since(task: &Task) -> Option<Timestamp> {
    let (seen, first) = task.checkpoints.first()?;
    task.checkpoints.iter().any(|(_, checkpoint)| checkpoint > first).then_some(*seen)
}

#[cfg(test)]
mod tests {
    use super::{bytes, decision, grouped, place};
    use crate::correlate::Verdict;
    use crate::report::sample::failed;
    use crate::units::{Component, StoreId};

    #[test]
    fn until_when_is_said_once() {
        let mut incident = failed().findings.incidents[0].clone();
        incident.verdict = Verdict::Resume;
        assert_eq!(decision(&incident, None, None).rest.split('.').next(), Some(""));
    }

    #[test]
    fn numbers_read_well() {
        for (count, text) in
            [(0, "0 bytes"), (999, "999 bytes"), (1_000, "1.0 kB"), (999_960, "1.0 MB"), (12_300_000_000, "12.3 GB")]
        {
            assert_eq!(bytes(count), text);
        }
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_204_118, "1,204,118")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn many_stores_are_counted() {
        let stores: Vec<_> = (1..=9).map(StoreId).collect();
        assert_eq!(place(Some(Component::Tikv), &stores), "9 stores");
        assert_eq!(place(Some(Component::Tikv), &stores[..3]), "stores 1 2 3");
        assert_eq!(place(Some(Component::Tidb), &stores[..1]), "tidb");
        assert_eq!(place(None, &[]), "");
    }
}
