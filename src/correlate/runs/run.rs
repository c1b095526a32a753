//! One run, and when a further record is of another.

use super::says::{Ending, Job, Refusal, command_of, job_of, job_of_failure, job_of_group, refusal_of, root};
use crate::correlate::episodes::EpisodeId;
use crate::correlate::findings::Place;
use crate::correlate::identify::InstanceId;
use crate::correlate::learned::Told;
use crate::correlate::names::{FileId, RuleId};
use crate::correlate::signs::{is_typed, verb_of_command};
use crate::event::Event;
use crate::units::{FactKind, Severity, StoreId, Timestamp};

/// A record of a run that is worth showing.
#[derive(Debug, Clone)]
pub(in crate::correlate) struct RunRecord {
    pub(in crate::correlate) time: Option<Timestamp>,
    pub(in crate::correlate) written: Option<Timestamp>,
    pub(in crate::correlate) rule: RuleId,
    pub(in crate::correlate) severity: Severity,
    pub(in crate::correlate) store: Option<StoreId>,
    pub(in crate::correlate) message: Box<str>,
    pub(in crate::correlate) codes: Vec<Box<str>>,
    pub(in crate::correlate) place: Place,
    pub(in crate::correlate) episode: EpisodeId,
    ending: Option<Ending>,
}

impl RunRecord {
    /// Whether the run failed by it.
    pub(in crate::correlate) fn fails(&self) -> bool {
        self.ending.is_some_and(|ending| ending != Ending::Success)
    }

    /// What it says went wrong: what stands behind the words that something did.
    pub(in crate::correlate) fn error(&self) -> Option<&str> {
        const HEADS: [&str; 4] = ["ERROR ", "Error ", "tidb lightning encountered error", "dump failed"];
        // A console shows the error alone, prose perhaps its code alone.
        if self.ending == Some(Ending::Console) && !HEADS.iter().any(|head| self.message.starts_with(head)) {
            return Some(&*self.message).filter(|message| self.codes.iter().all(|code| **code != **message));
        }
        // The first versions of BR put figures before it: `summary : total backup ranges: 2, total success: 1, total failed: 1`.
        let message = self.message.split_once("total failed: ").map_or(&*self.message, |(_, rest)| rest);
        let behind = message.split_once(": ").map(|(_, error)| error);
        // A FATAL record that quotes no error is one itself.
        behind.or_else(|| (self.ending == Some(Ending::Panic)).then_some(&*self.message))
    }
}

/// One run.
#[derive(Debug, Clone)]
pub(in crate::correlate) struct BrRun {
    pub(in crate::correlate) file: FileId,
    pub(in crate::correlate) instance: InstanceId,
    /// Time as written, rule and place of its first record.
    pub(in crate::correlate) began: (Option<Timestamp>, RuleId, Place),
    pub(in crate::correlate) job: Job,
    /// What was asked, as `br` says it.
    pub(in crate::correlate) command: Option<String>,
    pub(in crate::correlate) task: Option<String>,
    pub(in crate::correlate) version: Option<String>,
    pub(in crate::correlate) refusal: Option<Refusal>,
    pub(in crate::correlate) started: Option<Timestamp>,
    /// Last time of a record.
    pub(in crate::correlate) last: Option<Timestamp>,
    pub(in crate::correlate) records: Vec<RunRecord>,
    succeeded: bool,
    failed: bool,
    /// Whether nothing but the group of a rule told the job.
    is_guess: bool,
    /// Whether it began with a command line.
    typed: bool,
    /// Whether the log part of a restore to a point in time ended well.
    pub(in crate::correlate) restored_point: bool,
    /// Whether it set TiFlash replicas itself.
    pub(in crate::correlate) sets_tiflash: bool,
}

impl BrRun {
    /// Most records that are kept: the first ones, and those that end it.
    const MOST_RECORDS: usize = 64;

    /// Whether it ended well.
    pub(in crate::correlate) const fn succeeded(&self) -> bool {
        self.succeeded && !self.failed
    }

    /// Whether it ended badly.
    pub(in crate::correlate) const fn failed(&self) -> bool {
        self.failed
    }

    /// Whether it ended badly, and is known to be a backup or restore.
    pub(in crate::correlate) fn ended_what_was_asked(&self) -> bool {
        self.failed && !self.is_guess && matches!(self.job, Job::Backup | Job::Restore)
    }

    /// Whether it failed after what its summary names had ended well, as the log part of a restore to a point in time does.
    pub(in crate::correlate) const fn failed_later(&self) -> bool {
        self.succeeded && self.failed
    }

    /// The records that say why it failed: those that end it, or else its errors.
    pub(in crate::correlate) fn failures(&self) -> Vec<&RunRecord> {
        let ends: Vec<&RunRecord> = self.records.iter().filter(|record| record.fails()).collect();
        if ends.is_empty() {
            self.records.iter().filter(|record| record.severity >= Severity::Error).collect()
        } else {
            ends
        }
    }

    /// A run that begins with a record.
    pub(super) fn begin(told: &Told<'_>) -> Self {
        Self {
            file: told.file,
            instance: told.instance,
            began: (told.event.time, told.rule, Place::of(told.event)),
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
            is_guess: false,
            typed: is_typed(told.event),
            restored_point: false,
            sets_tiflash: false,
        }
    }

    /// Takes a record of it, written at a real time.
    pub(super) fn take(
        &mut self,
        told: &Told<'_>,
        real: Option<Timestamp>,
        ending: Option<Ending>,
        episode: EpisodeId,
    ) {
        let event = told.event;
        self.started = self.started.into_iter().chain(real).min();
        self.last = self.last.max(real);
        self.learn(event);
        self.succeeded |= ending == Some(Ending::Success);
        self.failed |= ending.is_some_and(|ending| ending != Ending::Success);
        let worth =
            ending.is_some() || event.severity >= Severity::Warning || verb_of_command(&event.message).is_some();
        if worth
            && (ending.is_some() || self.records.len() < Self::MOST_RECORDS)
            && self.records.len() < 2 * Self::MOST_RECORDS
        {
            self.records.push(RunRecord {
                time: real,
                written: event.time,
                rule: told.rule,
                severity: event.severity,
                store: event.store,
                message: event.message.clone(),
                codes: event.codes.clone(),
                place: Place::of(event),
                episode,
                ending,
            });
        }
    }

    /// Whether nothing is known of it yet but what was typed, and a record goes on with that.
    pub(super) fn goes_on_with(&self, event: &Event) -> bool {
        self.typed && self.records.is_empty() && (!is_typed(event) || command_of(event) == self.command.as_deref())
    }

    /// Whether it is what was typed, of which nothing came.
    pub(super) fn is_only_asked(&self) -> bool {
        self.typed && self.command.is_some() && self.records.is_empty()
    }

    /// Learns what was typed above it.
    pub(super) fn is_told(&mut self, asked: Self) {
        (self.job, self.command, self.is_guess) = (asked.job, asked.command, false);
        self.task = self.task.take().or(asked.task);
        self.version = self.version.take().or(asked.version);
    }

    /// Whether a further record belongs to another run: `br` fails once, and says nothing after success.
    pub(super) fn is_over_for(&self, ending: Option<Ending>, event: &Event) -> bool {
        let Some(ending) = ending else {
            let later = event.time.zip(self.last).is_some_and(|(time, last)| time.since(last) > 60_000);
            return later && (self.succeeded || self.failed);
        };
        let seen = |wanted: Ending| self.records.iter().any(|record| record.ending == Some(wanted));
        match ending {
            // A restore prints one summary for the snapshot and one for the log.
            Ending::Success => self.failed,
            // A console may say one error twice. A restore to a point in time goes on after its snapshot.
            Ending::Console | Ending::Panic => {
                let is_done = self.succeeded() && (self.job != Job::Restore || self.restored_point);
                is_done || (seen(ending) && !self.ends_with(&event.message))
            }
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
        if self.command.is_none() && (self.job == Job::Other || self.is_guess) {
            let said = job_of_failure(event);
            if said != Job::Other {
                (self.job, self.is_guess) = (said, false);
            } else if self.job == Job::Other {
                self.job = job_of_group(event);
                self.is_guess = self.job != Job::Other;
            }
        }
        self.refusal = self.refusal.or_else(|| refusal_of(event));
        self.restored_point |= &*event.rule == "br-restore-log-success";
        self.sets_tiflash |= &*event.rule == "br-tiflash-restore-sqls";
    }

    pub(super) fn tells_the_same(&self, other: &Self) -> bool {
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

    pub(super) fn join(&mut self, other: Self) {
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
