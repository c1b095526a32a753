//! Runs of `br`: what was asked, how it ended, and the records between. A run writes a log file and a console; both tell it.

use super::episodes::EpisodeId;
use super::findings::Place;
use super::identify::InstanceId;
use super::learned::{Learned, Told};
use super::names::{FileId, RuleId};
use super::signs::{Verb, is_fragment, is_screen, verb_of_command};
use crate::event::Event;
use crate::units::{Component, FactKind, Severity, StoreId, Timestamp, Tso};
use rustc_hash::FxHashMap;

/// What a run was to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Job {
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
enum Ending {
    Success,
    FailedSummary,
    FailedCommand,
    BrFailed,
    Console,
    Panic,
}

/// A refusal: GC has passed what the command needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal {
    /// What the command needs.
    pub(super) wanted: Tso,
    /// Where GC is.
    pub(super) reached: Tso,
}

/// A record of a run that is worth showing.
#[derive(Debug, Clone)]
pub(super) struct RunRecord {
    pub(super) time: Option<Timestamp>,
    pub(super) written: Option<Timestamp>,
    pub(super) rule: RuleId,
    pub(super) severity: Severity,
    pub(super) store: Option<StoreId>,
    pub(super) message: Box<str>,
    pub(super) codes: Vec<Box<str>>,
    pub(super) place: Place,
    pub(super) episode: EpisodeId,
    ending: Option<Ending>,
}

impl RunRecord {
    /// Whether the run failed by it.
    pub(super) fn fails(&self) -> bool {
        self.ending.is_some_and(|ending| ending != Ending::Success)
    }

    /// What it says went wrong: what stands behind the words that something did.
    pub(super) fn error(&self) -> Option<&str> {
        const HEADS: [&str; 4] = ["ERROR ", "Error ", "tidb lightning encountered error", "dump failed"];
        // A console shows the error alone, prose perhaps its code alone.
        if self.ending == Some(Ending::Console) && !HEADS.iter().any(|head| self.message.starts_with(head)) {
            return Some(&*self.message).filter(|message| self.codes.iter().all(|code| **code != **message));
        }
        self.message.split_once(": ").map(|(_, error)| error)
    }
}

/// One run.
#[derive(Debug, Clone)]
pub(super) struct BrRun {
    pub(super) file: FileId,
    pub(super) instance: InstanceId,
    /// Time as written, rule and place of its first record.
    pub(super) began: (Option<Timestamp>, RuleId, Place),
    pub(super) job: Job,
    /// What was asked, as `br` says it.
    pub(super) command: Option<String>,
    pub(super) task: Option<String>,
    pub(super) version: Option<String>,
    pub(super) refusal: Option<Refusal>,
    pub(super) started: Option<Timestamp>,
    /// Last time of a record.
    pub(super) last: Option<Timestamp>,
    pub(super) records: Vec<RunRecord>,
    succeeded: bool,
    failed: bool,
    /// Whether the log part of a restore to a point in time ended well.
    pub(super) restored_point: bool,
    /// Whether it set TiFlash replicas itself.
    pub(super) sets_tiflash: bool,
}

impl BrRun {
    /// Whether it ended well.
    pub(super) const fn succeeded(&self) -> bool {
        self.succeeded && !self.failed
    }

    /// Whether it ended badly.
    pub(super) const fn failed(&self) -> bool {
        self.failed
    }

    /// Whether it failed after what its summary names had ended well, as the log part of a restore to a point in time does.
    pub(super) const fn failed_later(&self) -> bool {
        self.succeeded && self.failed
    }

    /// The records that say why it failed: those that end it, or else its errors.
    pub(super) fn failures(&self) -> Vec<&RunRecord> {
        let ends: Vec<&RunRecord> = self.records.iter().filter(|record| record.fails()).collect();
        if ends.is_empty() {
            self.records.iter().filter(|record| record.severity >= Severity::Error).collect()
        } else {
            ends
        }
    }
}

/// All runs.
#[derive(Debug, Default)]
pub(super) struct Runs {
    all: Vec<BrRun>,
    current: FxHashMap<FileId, usize>,
}

impl Runs {
    /// Most runs that are kept.
    const MOST: usize = 16_384;
    /// Most records of a run: its first ones, and those that end it.
    const MOST_RECORDS: usize = 64;

    /// Takes an event.
    pub(super) fn take(&mut self, told: &Told<'_>, learned: &Learned, episode: EpisodeId) {
        let event = told.event;
        let of_br = event.component == Some(Component::Br)
            || (event.component.is_none() && told.component.is_none_or(|component| component == Component::Br));
        if !of_br
            || is_screen(event)
            || is_fragment(event)
            || &*event.rule == "br-status-no-task"
            || &*event.rule == "br-stop-safepoint-noise"
        {
            return;
        }
        let ending = ending_of(event);
        let known = self.run_of(event, told.file);
        let starts = event.rule.ends_with("-welcome") || &*event.rule == "br-detail-log-path";
        let over = known.is_some_and(|at| self.all[at].is_over_for(ending, event));
        let Some(at) = known.filter(|_| !starts && !over).or_else(|| self.start(told)) else { return };
        let run = &mut self.all[at];
        let real = event.time.map(|time| learned.real_time(told.instance, time));
        run.started = run.started.into_iter().chain(real).min();
        run.last = run.last.max(real);
        run.learn(event);
        run.succeeded |= ending == Some(Ending::Success);
        run.failed |= ending.is_some_and(|ending| ending != Ending::Success);
        let worth =
            ending.is_some() || event.severity >= Severity::Warning || verb_of_command(&event.message).is_some();
        if worth
            && (ending.is_some() || run.records.len() < Self::MOST_RECORDS)
            && run.records.len() < 2 * Self::MOST_RECORDS
        {
            run.records.push(RunRecord {
                time: real,
                written: event.time,
                rule: told.rule,
                severity: event.severity,
                store: event.store,
                message: event.message.clone(),
                codes: event.codes.clone(),
                place: Place { file: event.file.clone(), line: event.line },
                episode,
                ending,
            });
        }
    }

    /// The run that a record belongs to: the last one of its file; for a record without time the one it stands in.
    fn run_of(&self, event: &Event, file: FileId) -> Option<usize> {
        if event.time.is_some() {
            return self.current.get(&file).copied();
        }
        let of_file = self.all.iter().enumerate().filter(|(_, run)| run.file == file && run.began.2.line <= event.line);
        of_file.max_by_key(|(_, run)| run.began.2.line).map(|(at, _)| at)
    }

    fn start(&mut self, told: &Told<'_>) -> Option<usize> {
        if self.all.len() >= Self::MOST {
            return None;
        }
        let at = self.all.len();
        self.all.push(BrRun {
            file: told.file,
            instance: told.instance,
            began: (told.event.time, told.rule, Place { file: told.event.file.clone(), line: told.event.line }),
            job: Job::Other,
            command: None,
            task: None,
            version: None,
            refusal: None,
            started: None,
            last: None,
            records: Vec::new(),
            succeeded: false,
            failed: false,
            restored_point: false,
            sets_tiflash: false,
        });
        self.current.insert(told.file, at);
        Some(at)
    }

    /// All runs, by start; what log file and console both tell is one.
    pub(super) fn finish(self) -> Vec<BrRun> {
        let mut joined: Vec<BrRun> = Vec::new();
        let mut all = self.all;
        // Runs with times first: a console without times joins one of them.
        all.sort_by_key(|run| (run.started.is_none(), run.started, run.file, run.began.2.line));
        for run in all {
            match joined.iter_mut().find(|known| known.tells_the_same(&run)) {
                Some(known) => known.join(run),
                None => joined.push(run),
            }
        }
        joined
    }
}

impl BrRun {
    /// Whether a further record belongs to another run: `br` fails once, and says nothing after success.
    fn is_over_for(&self, ending: Option<Ending>, event: &Event) -> bool {
        let Some(ending) = ending else {
            let later = event.time.zip(self.last).is_some_and(|(time, last)| time.since(last) > 60_000);
            return later && (self.succeeded || self.failed);
        };
        let seen = |wanted: Ending| self.records.iter().any(|record| record.ending == Some(wanted));
        match ending {
            // A restore prints one summary for the snapshot and one for the log.
            Ending::Success => self.failed,
            // A console may say one error twice.
            Ending::Console | Ending::Panic => self.succeeded() || (seen(ending) && !self.ends_with(&event.message)),
            _ => seen(ending) || seen(Ending::BrFailed) || (self.succeeded() && self.is_another_job(event)),
        }
    }

    /// Whether it ended with this error.
    fn ends_with(&self, message: &str) -> bool {
        self.records.iter().any(|record| record.fails() && root(&record.message) == root(message))
    }

    fn is_another_job(&self, event: &Event) -> bool {
        let job = command_of(event).map_or_else(|| job_of_failure(event), job_of);
        job != Job::Other && job != self.job
    }

    fn learn(&mut self, event: &Event) {
        if let Some(version) = event.fact(FactKind::Version, "").filter(|_| &*event.group == "lifecycle") {
            self.version.get_or_insert_with(|| version.to_owned());
        }
        if let Some(task) = &event.task {
            self.task.get_or_insert_with(|| task.to_string());
        }
        if let Some(command) = command_of(event) {
            let job = job_of(command);
            if self.job == Job::Other || self.command.is_none() {
                self.job = job;
                self.command = Some(command.to_owned());
            }
        }
        // What was asked says more than what went wrong: `br log metadata` is no backup, whatever its storage answers.
        if self.job == Job::Other && self.command.is_none() {
            self.job = job_of_failure(event);
        }
        self.refusal = self.refusal.or_else(|| refusal_of(event));
        self.restored_point |= &*event.rule == "br-restore-log-success";
        self.sets_tiflash |= &*event.rule == "br-tiflash-restore-sqls";
    }

    fn tells_the_same(&self, other: &Self) -> bool {
        // Where both go to one stream, the console's line may stand before the log's records.
        let is_console = other.started.is_none() && self.started.is_some();
        if (self.file == other.file && !is_console)
            || !(self.failed && other.failed || self.succeeded() && other.succeeded())
        {
            return false;
        }
        let ends = |run: &Self| -> Vec<(Option<Timestamp>, Box<str>)> {
            run.records
                .iter()
                .filter(|record| record.ending.is_some())
                .map(|r| (r.time, root(&r.message).into()))
                .collect()
        };
        let (own, others) = (ends(self), ends(other));
        let timed = other.records.iter().any(|record| record.time.is_some());
        if self.refusal.is_some() && self.refusal == other.refusal && !(timed && self.started != other.started) {
            return true;
        }
        others
            .iter()
            .any(|(time, text)| own.iter().any(|(known, root)| (time.is_none() || known == time) && root == text))
    }

    fn join(&mut self, other: Self) {
        if self.job == Job::Other && self.command.is_none() {
            self.job = other.job;
        }
        self.command = self.command.take().or(other.command);
        self.task = self.task.take().or(other.task);
        self.version = self.version.take().or(other.version);
        self.refusal = self.refusal.or(other.refusal);
        self.last = self.last.max(other.last);
        self.records.extend(other.records);
        self.restored_point |= other.restored_point;
        self.sets_tiflash |= other.sets_tiflash;
    }
}

/// The last link of an error chain, without what a console puts before it.
fn root(message: &str) -> &str {
    let message =
        message.rsplit_once(" (").filter(|(_, tail)| tail.ends_with(" times)")).map_or(message, |(head, _)| head);
    message.rsplit_once(": ").map_or(message, |(_, root)| root)
}

fn ending_of(event: &Event) -> Option<Ending> {
    let message = &*event.message;
    let rule = &*event.rule;
    if &*event.group == "panic" {
        return Some(Ending::Panic);
    }
    if message.contains("success summary") || message.contains("Success summary") {
        return Some(Ending::Success);
    }
    if message.contains("failed summary") || message.contains("Failed summary") {
        return Some(Ending::FailedSummary);
    }
    let of_lightning = || event.level.is_some() && message.starts_with("tidb lightning encountered error");
    if rule == "br-failed" || message.starts_with("br failed") || of_lightning() {
        return Some(Ending::BrFailed);
    }
    let command = ["failed to stream", "failed to run stream command", "failed to backup", "failed to restore"];
    if rule == "br-safepoint-check-panic" || command.iter().any(|head| message.starts_with(head)) {
        return Some(Ending::FailedCommand);
    }
    // A console says nothing but what went wrong; below an error, what it says of its life is no end.
    let console = event.time.is_none() && event.level.is_none();
    let least = if &*event.group == "lifecycle" { Severity::Error } else { Severity::Notice };
    (console && event.severity >= least).then_some(Ending::Console)
}

/// The command that an event names; a failed summary begins with it.
fn command_of(event: &Event) -> Option<&str> {
    let summary = || event.message.split_once(" failed summary").map(|(command, _)| command);
    event.fact(FactKind::Command, "").or_else(summary)
}

/// What a command's words say it does.
fn job_of(command: &str) -> Job {
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
fn job_of_failure(event: &Event) -> Job {
    let message = &*event.message;
    match &*event.rule {
        "br-restore-log-failed" | "br-restore-start" => return Job::Restore,
        "br-resume-gc-exceeded" => return Job::Log(Verb::Resume),
        // They name no command, but only a backup writes them.
        "br-backup-tikv-error" | "br-backup-checkpoint-lock-failed" => return Job::Backup,
        "br-task-exists" => return Job::Log(Verb::Start),
        _ => {}
    }
    // What a statement is answered.
    if message.contains("): Restore failed: ") {
        return Job::Restore;
    }
    if message.contains("): Backup failed: ") {
        return Job::Backup;
    }
    let failed = event.severity >= Severity::Error;
    let says = |words: [&str; 3]| words.iter().any(|word| message.contains(word));
    if failed
        && (message.starts_with("failed to restore")
            || says(["download file failed", "ingest file failed", "restore failed"]))
    {
        return Job::Restore;
    }
    if failed && says(["failed to backup", "error happen in store", "failed to put object"]) {
        return Job::Backup;
    }
    if message.contains("failed to check gc safePoint, checkpoint ts") {
        Job::Log(Verb::Resume)
    } else if &*event.group == "restore" && event.severity >= Severity::Error {
        Job::Restore
    } else if &*event.group == "backup" && event.severity >= Severity::Error {
        Job::Backup
    } else {
        Job::Other
    }
}

/// A refusal that names what was refused. `br log stop` of older versions asks for 0, which means nothing.
fn refusal_of(event: &Event) -> Option<Refusal> {
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

#[cfg(test)]
mod tests {
    use super::{BrRun, Job, Refusal, Runs};
    use crate::correlate::Options;
    use crate::correlate::episodes::EpisodeId;
    use crate::correlate::learned::Learned;
    use crate::correlate::signs::Verb;
    use crate::correlate::testing::{Cluster, Record, record};
    use crate::units::{Component, FactKind, Severity, Tso};

    const REFUSED: &str = "GC safepoint 433193092308795392 exceed TS 433177834291200000: \
                           [BR:Backup:ErrBackupGCSafepointExceeded]backup GC safepoint exceeded";

    fn br(rule: &str, severity: Severity, says: &str) -> Record {
        record(rule, "log-backup", severity, Component::Br).says(says)
    }

    fn failed_resume(file: &str, cluster: &mut Cluster) {
        let command = |record: Record| {
            record.fact(FactKind::Command, "", "log resume").code("BR:Backup:ErrBackupGCSafepointExceeded")
        };
        let summary = br("br-summary-failed", Severity::Error, &format!("log resume failed summary: {REFUSED}"));
        let stream = br("br-stream-command-failed", Severity::Error, &format!("failed to stream: {REFUSED}"));
        let failed = br("br-failed", Severity::Error, &format!("br failed: {REFUSED}"));
        cluster
            .log(file, "2022-05-14T12:01:32.290Z", command(summary))
            .log(file, "2022-05-14T12:01:32.300Z", command(stream))
            .log(file, "2022-05-14T12:01:32.301Z", failed.code("BR:Backup:ErrBackupGCSafepointExceeded"));
    }

    fn runs(cluster: &Cluster) -> Vec<BrRun> {
        let events = cluster.events();
        let learned = Learned::read(&events, &cluster.sources(), &Options::default()).unwrap();
        let mut runs = Runs::default();
        for event in &events {
            runs.take(&learned.tell(event).unwrap(), &learned, EpisodeId(0));
        }
        runs.finish()
    }

    #[test]
    fn log_and_console_tell_one_run() {
        let mut cluster = Cluster::default();
        failed_resume("br.log", &mut cluster);
        let console = br("br-resume-gc-exceeded", Severity::Critical, &format!("Error: has been gc. : {REFUSED}"));
        cluster.log("console.txt", "", console.code("BR:Backup:ErrBackupGCSafepointExceeded"));
        let [run] = runs(&cluster).try_into().unwrap();
        assert_eq!(run.job, Job::Log(Verb::Resume));
        assert_eq!(
            run.refusal,
            Some(Refusal { wanted: Tso(433_177_834_291_200_000), reached: Tso(433_193_092_308_795_392) })
        );
        assert_eq!((run.records.len(), run.failed()), (4, true));
    }

    #[test]
    fn each_failure_is_a_run_of_its_own() {
        let mut cluster = Cluster::default();
        for minute in ["10", "20"] {
            let time = |second: &str| format!("2022-05-14T12:{minute}:{second}Z");
            let why = "failed to backup: store 5: [BR:KV:ErrKVStorage]tikv storage occur I/O error";
            cluster.log("br.log", &time("01"), br("br-backup-failed", Severity::Error, why)).log(
                "br.log",
                &time("02"),
                br("br-failed", Severity::Error, why),
            );
        }
        let found = runs(&cluster);
        assert_eq!(
            found.iter().map(|run| (run.job, run.records.len())).collect::<Vec<_>>(),
            [(Job::Backup, 2), (Job::Backup, 2)]
        );
    }

    #[test]
    fn a_welcome_begins_a_run() {
        let mut cluster = Cluster::default();
        let welcome =
            || record("br-welcome", "lifecycle", Severity::Info, Component::Br).fact(FactKind::Version, "", "v6.2.0");
        cluster
            .log("br.log", "2022-05-14T12:00:00Z", welcome())
            .log(
                "br.log",
                "2022-05-14T12:00:01Z",
                br("br-summary-success", Severity::Info, "Full Backup success summary").fact(
                    FactKind::Command,
                    "",
                    "Full Backup",
                ),
            )
            .log("br.log", "2022-05-14T12:01:00Z", welcome());
        failed_resume("br.log", &mut cluster);
        let found = runs(&cluster);
        assert_eq!(
            found.iter().map(|run| (run.job, run.succeeded())).collect::<Vec<_>>(),
            [(Job::Backup, true), (Job::Log(Verb::Resume), false)]
        );
        assert_eq!(found[1].version.as_deref(), Some("v6.2.0"));
    }

    #[test]
    fn a_refusal_of_zero_means_nothing() {
        let mut cluster = Cluster::default();
        let noise = br(
            "br-stop-safepoint-noise",
            Severity::Info,
            "failed to remove safe point: GC safepoint 433193092308795392 exceed TS 0: x",
        );
        cluster.log("br.log", "2022-05-14T12:00:00Z", noise.code("BR:Backup:ErrBackupGCSafepointExceeded"));
        assert!(runs(&cluster).is_empty());
    }
}
