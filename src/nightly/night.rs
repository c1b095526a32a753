//! What a night makes of the logs: from the files that are there to the report in its place.

use super::config::Config;
use super::log::Log;
use super::news;
use super::read::{self, How, Read};
use super::run::Done;
use super::state::{Commit, KnownSource, Memo, Run, Sources, State, Told, Totals};
use super::tonight::Tonight;
use super::watch::Watch;
use super::{inputs, narrow, novelty, publish, remember, settle};
use crate::correlate::{self, Correlation};
use crate::event::SourceRow;
use crate::matching::Matcher;
use crate::rules::Catalog;
use crate::units::Timestamp;
use anyhow::Context;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

/// What earlier runs have left.
pub(super) struct Before {
    pub(super) last: Option<Run>,
    pub(super) sources: Sources,
    pub(super) told: Vec<Told>,
    pub(super) voices: BTreeSet<String>,
    /// Runs that read something.
    pub(super) readers: Vec<i64>,
}

impl Before {
    pub(super) fn read(state: &State) -> anyhow::Result<Self> {
        let runs = state.runs()?;
        let readers = runs.iter().filter(|run| run.summary.records > 0).map(|run| run.id).collect();
        let last = runs.into_iter().next_back();
        let voices = last.as_ref().map_or(Ok(BTreeSet::new()), |last| state.voices(last.id))?;
        Ok(Self { last, sources: state.sources()?, told: state.incidents()?, voices, readers })
    }
}

/// A night at work.
pub(super) struct Night<'a> {
    pub(super) config: &'a Config,
    pub(super) catalog: &'a Arc<Catalog>,
    pub(super) command_line: &'a str,
    pub(super) log: Log,
    pub(super) began: Instant,
    pub(super) now: Timestamp,
    pub(super) watch: &'a Watch,
    pub(super) before: Before,
}

impl Night<'_> {
    /// Reads, judges, writes the report, and commits.
    pub(super) fn run(&self, state: &mut State) -> anyhow::Result<(Run, Done)> {
        let mut tonight = self.tonight()?;
        if self.is_quiet(&tonight) {
            return self.quiet(state, &tonight);
        }
        let memory = state.memory()?;
        let names = settle::names(&self.before.sources, &tonight);
        let read = self.read(&mut tonight, &names, &memory)?;
        let newest = newest(read.rows.iter().chain(self.before.sources.sources.iter().map(|source| &source.row)));
        let next_back_to = self.back_to(newest, self.now).unwrap_or(self.now);
        let sources = settle::settle(self.before.sources.clone(), &tonight, &read, next_back_to, self.now);
        let rows = settle::rows(&sources, &names, &tonight);
        let mut correlation = self.correlate(&read, &rows)?;
        let voices = self.voices(&correlation, &read, &tonight);
        let (news, told, counts) = self.news(&correlation, &read, &tonight, &voices)?;
        let memory = self.remember(&read, &correlation, &sources, &names, &memory)?;
        narrow::narrow(&mut correlation, &counts, &read.rows, &news.listed());

        let tallies = counts.tallies(&read.unmatched);
        let novelties = novelty::find(state, &tallies, &self.before.readers)?;
        let (outcome, summary) = self.summary(&correlation, &read, &news, &novelties, &tonight, &voices, newest);
        let mut run = Run { id: 0, started: self.now, folder: None, staged: false, summary, owed: None };
        if news.is_any() {
            self.stage(&mut run, &correlation, &read, &novelties)?;
        }
        self.owe(&mut run, &novelties);
        run.summary.duration_ms = self.took_ms();
        run.id = self.commit(
            state,
            &Commit {
                run: &run,
                sources: Some(&sources),
                memory: Some(&memory),
                incidents: Some(&told),
                voices: &self.expected(voices),
                tallies: &tallies,
                totals: &counts.totals,
            },
        )?;
        let mut answer = String::new();
        if let Some(name) = run.folder.take() {
            run.folder = Some(publish::publish(state, &self.config.output, run.id, &name)?);
            answer = self.answer(&correlation, &run);
        }
        self.say(&run);
        Ok((run, Done { outcome, answer }))
    }

    fn tonight(&self) -> anyhow::Result<Tonight> {
        let found = inputs::find(self.config, &self.config.inputs);
        if found.inputs.is_empty() && self.before.sources.files.is_empty() {
            let problems = found.problems.iter().map(|problem| format!("{}: {}", problem.file, problem.reason));
            anyhow::bail!("nothing to read: {}", problems.collect::<Vec<_>>().join("; "));
        }
        let tonight = Tonight::find(found, &self.before.sources, SystemTime::now());
        let fields = [
            ("files", tonight.inputs.len().into()),
            ("opened", tonight.opened.len().into()),
            ("to_read", tonight.readings.len().into()),
        ];
        self.log.info("looked for what is new", &fields);
        Ok(tonight)
    }

    /// A night without news: files may have other names, nothing else changes.
    fn quiet(&self, state: &mut State, tonight: &Tonight) -> anyhow::Result<(Run, Done)> {
        let nothing = Read::nothing(tonight.bytes);
        let newest = self.before.last.as_ref().and_then(|last| last.summary.newest);
        let back_to = self.back_to(newest, self.now).unwrap_or(self.now);
        let sources = settle::settle(self.before.sources.clone(), tonight, &nothing, back_to, self.now);
        let (outcome, summary) = self.quiet_summary(tonight);
        let mut run = Run { id: 0, started: self.now, folder: None, staged: false, summary, owed: None };
        self.owe(&mut run, &[]);
        run.id = self.commit(
            state,
            &Commit {
                run: &run,
                sources: Some(&sources),
                memory: None,
                incidents: None,
                voices: &self.expected(BTreeSet::new()),
                tallies: &[],
                totals: &Totals::new(),
            },
        )?;
        self.say(&run);
        Ok((run, Done { outcome, answer: String::new() }))
    }

    /// From here on the run counts.
    fn commit(&self, state: &mut State, commit: &Commit<'_>) -> anyhow::Result<i64> {
        self.watch.run_counts();
        state.commit(commit)
    }

    fn read(&self, tonight: &mut Tonight, names: &BTreeMap<i64, Arc<str>>, memory: &[Memo]) -> anyhow::Result<Read> {
        let matcher = Matcher::new(Arc::clone(self.catalog));
        let known = &self.before.sources;
        let newest = newest(known.sources.iter().map(|source| &source.row));
        let how = How {
            zone_minutes: self.config.zone_minutes,
            memory: self.config.limits.memory,
            redact: self.config.redact,
            back_to: self.before.last.as_ref().and_then(|last| self.back_to(newest, last.started)),
        };
        read::read(tonight, known, memory, names, &matcher, how).context("a temporary file cannot be used")
    }

    /// Context before this moment is not looked for again. A clock that is ahead does not move it past the run.
    fn back_to(&self, newest: Option<Timestamp>, run: Timestamp) -> Option<Timestamp> {
        newest.map(|newest| newest.min(run).plus_ms(-self.config.context_lookback_ms))
    }

    fn correlate(&self, read: &Read, rows: &[SourceRow]) -> anyhow::Result<Correlation> {
        let options = correlate::Options {
            episode_gap_ms: self.config.episode_gap_ms,
            gc_ttl_ms: self.config.gc_ttl_ms,
            now: Some(self.now),
            stores: self.config.stores.clone(),
            ..correlate::Options::default()
        };
        correlate::correlate(&read.events, rows, &read.unmatched, self.catalog, &options)
            .context("a temporary file cannot be read back")
    }

    fn remember(
        &self,
        read: &Read,
        correlation: &Correlation,
        sources: &Sources,
        names: &BTreeMap<i64, Arc<str>>,
        memory: &[Memo],
    ) -> anyhow::Result<Vec<Memo>> {
        let named = |source: &KnownSource| {
            let name = names.get(&source.id).cloned().unwrap_or_else(|| Arc::from(source.name.as_str()));
            (name, source.id)
        };
        let known = remember::Known {
            sources: sources.sources.iter().map(named).collect(),
            read: memory.iter().map(|memo| ((memo.source, memo.event.offset), memo.read)).collect(),
        };
        let limits = remember::Limits {
            now: self.now,
            recent: self.now.plus_ms(-self.config.remember_ms),
            context: self.now.plus_ms(-2 * self.config.context_lookback_ms - self.next().since(self.now)),
            most: self.config.limits.events,
        };
        remember::choose(read, correlation, self.catalog, &known, limits)
            .context("a temporary file cannot be read back")
    }

    fn say(&self, run: &Run) {
        let fields = [
            ("report", run.folder.clone().map_or(serde_json::Value::Null, Into::into)),
            ("bytes", run.summary.bytes.into()),
            ("events", run.summary.events.into()),
            ("new_incidents", run.summary.new.into()),
            ("open_incidents", run.summary.open.len().into()),
            ("duration_ms", run.summary.duration_ms.into()),
            ("status", run.summary.status.into()),
        ];
        self.log.info(if run.folder.is_some() { "report written" } else { "nothing new" }, &fields);
    }

    /// When the next night is expected.
    pub(super) fn next(&self) -> Timestamp {
        news::next_night(self.before.last.as_ref().map(|last| last.started), self.now)
    }

    pub(super) fn took_ms(&self) -> u64 {
        (self.began.elapsed().as_millis() as u64).max(1)
    }
}

fn newest<'r>(rows: impl Iterator<Item = &'r SourceRow>) -> Option<Timestamp> {
    rows.filter_map(|row| row.last).max()
}
