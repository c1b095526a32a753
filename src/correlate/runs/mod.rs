//! Runs of `br`: what was asked, how it ended, and the records between. A run writes a log file and a console; both tell it.

mod run;
mod says;

pub(super) use run::{BrRun, RunRecord};
pub(super) use says::{Job, Refusal};

use super::episodes::EpisodeId;
use super::learned::{Learned, Told};
use super::names::FileId;
use super::signs::{is_fragment, is_screen, is_typed};
use crate::event::Event;
use crate::units::Component;
use rustc_hash::FxHashMap;
use says::ending_of;
use std::collections::BTreeMap;

/// All runs.
#[derive(Debug, Default)]
pub(super) struct Runs {
    all: Vec<BrRun>,
    current: FxHashMap<FileId, usize>,
    /// Those of each file, by the line on which they began.
    by_line: FxHashMap<FileId, BTreeMap<u64, usize>>,
}

impl Runs {
    /// Most runs that are kept.
    const MOST: usize = 16_384;

    /// Takes an event.
    pub(super) fn take(&mut self, told: &Told<'_>, learned: &Learned, episode: EpisodeId) {
        let event = told.event;
        if !is_of_a_run(told)
            || is_screen(event)
            || is_fragment(event)
            || &*event.rule == "br-status-no-task"
            || &*event.rule == "br-stop-safepoint-noise"
        {
            return;
        }
        let ending = ending_of(event);
        let known = self.run_of(event, told.file);
        let starts = is_typed(event) || event.rule.ends_with("-welcome") || &*event.rule == "br-detail-log-path";
        // What was typed is followed by what came of it, perhaps behind what `tiup` makes of it.
        let starts = starts && !known.is_some_and(|at| self.all[at].goes_on_with(event));
        let over = known.is_some_and(|at| self.all[at].is_over_for(ending, event));
        let Some(at) = known.filter(|_| !starts && !over).or_else(|| self.start(told)) else { return };
        let real = event.time.map(|time| learned.real_time(told.instance, time));
        self.all[at].take(told, real, ending, episode);
    }

    /// The run that a record belongs to: the last one of its file; for a record without time the one it stands in.
    fn run_of(&self, event: &Event, file: FileId) -> Option<usize> {
        if event.time.is_some() {
            return self.current.get(&file).copied();
        }
        self.by_line.get(&file)?.range(..=event.line).next_back().map(|(_, at)| *at)
    }

    fn start(&mut self, told: &Told<'_>) -> Option<usize> {
        if self.all.len() >= Self::MOST {
            return None;
        }
        let at = self.all.len();
        self.all.push(BrRun::begin(told));
        self.current.insert(told.file, at);
        self.by_line.entry(told.file).or_default().insert(told.event.line, at);
        Some(at)
    }

    /// All runs, by start; what log file and console both tell is one.
    pub(super) fn finish(self) -> Vec<BrRun> {
        let mut joined: Vec<BrRun> = Vec::new();
        let mut all = self.all;
        typed_above(&mut all, self.by_line.values());
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

/// Whether a record is one of `br`, or may be: nobody else is known to have written it.
fn is_of_a_run(told: &Told<'_>) -> bool {
    let event = told.event;
    match event.component {
        Some(Component::Br) => true,
        // On a terminal the tool of TiCDC ends as `br` does; its servers' logs and last words are no runs.
        Some(Component::Cdc) => event.level.is_none() && event.shows_writer,
        Some(_) => false,
        // Last words on a terminal, with a stack that does not name the program, may be any server's; so may a container.
        None if told.component.is_none() => !["panic", "memory"].contains(&&*event.group) || event.level.is_some(),
        None => told.component == Some(Component::Br),
    }
}

/// What was typed has no time, so that the records with times below it are taken first: a run that does not say what was asked is
/// told by the command right above it.
fn typed_above<'r>(all: &mut [BrRun], files: impl Iterator<Item = &'r BTreeMap<u64, usize>>) {
    for runs in files {
        for (above, below) in runs.values().zip(runs.values().skip(1)) {
            if all[*above].is_only_asked() && all[*below].command.is_none() {
                let asked = all[*above].clone();
                all[*below].is_told(asked);
            }
        }
    }
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
