//! One night, from the lock to the report in its place.

use super::counts::Counts;
use super::lock::Lock;
use super::log::{Log, clock};
use super::news::{self, News};
use super::publish::{self, Report};
use super::read::{self, How, Read};
use super::state::{Commit, KnownSource, Memo, Run, Sources, State, Summary, Told};
use super::tonight::Tonight;
use super::{Config, narrow, remember, settle};
use crate::correlate::{self, Correlation, IncidentStatus};
use crate::event::{ReadStatus, SourceRow};
use crate::input;
use crate::matching::Matcher;
use crate::outcome::Outcome;
use crate::report;
use crate::rules::Catalog;
use crate::units::Timestamp;
use anyhow::Context;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

/// How a run ended.
#[derive(Debug)]
pub struct Done {
    /// The exit status.
    pub outcome: Outcome,
    /// What a person is told; empty where nothing is new.
    pub answer: String,
}

/// Runs a night.
///
/// # Errors
/// Why nothing could be done; everything is then as it was.
pub fn run(config: &Config, catalog: &Arc<Catalog>, command_line: &str, log: Log) -> anyhow::Result<Done> {
    let began = Instant::now();
    let now = config.now.unwrap_or_else(clock);
    std::fs::create_dir_all(&config.output)
        .with_context(|| format!("the folder {} cannot be made", config.output.display()))?;
    let lock = Lock::take(&config.output, now)?;
    let mut state = State::open(&config.output)?;
    if let Some(holder) = &lock.died {
        log.warn(&format!("a run did not come to its end{holder}"), &[]);
    }
    for repaired in publish::repair(&mut state, &config.output)? {
        log.warn(&repaired, &[]);
    }
    let night = Night { config, catalog, command_line, log, began, now, before: Before::read(&state)? };
    let done = night.run(&mut state)?;
    if let Some(kept) = config.retention_ms {
        match publish::forget(&mut state, &config.output, now.plus_ms(-kept)) {
            Ok(0) => {}
            Ok(removed) => log.info("old reports removed", &[("reports", removed.into())]),
            Err(error) => log.warn(&format!("{error:#}"), &[]),
        }
    }
    if let Err(error) = publish::clear(&config.output) {
        log.warn(&format!("{error:#}"), &[]);
    }
    drop(lock);
    Ok(done)
}

/// What earlier runs have left.
struct Before {
    last: Option<Run>,
    sources: Sources,
    told: Vec<Told>,
    voices: BTreeSet<String>,
}

impl Before {
    fn read(state: &State) -> anyhow::Result<Self> {
        let last = state.last_run()?;
        let voices = last.as_ref().map_or(Ok(BTreeSet::new()), |last| state.voices(last.id))?;
        Ok(Self { last, sources: state.sources()?, told: state.incidents()?, voices })
    }
}

struct Night<'a> {
    config: &'a Config,
    catalog: &'a Arc<Catalog>,
    command_line: &'a str,
    log: Log,
    began: Instant,
    now: Timestamp,
    before: Before,
}

impl Night<'_> {
    fn run(&self, state: &mut State) -> anyhow::Result<Done> {
        let mut tonight = self.tonight()?;
        if self.is_quiet(&tonight) {
            return self.quiet(state, &tonight);
        }
        let memory = state.memory()?;
        let read = self.read(&mut tonight, &memory)?;
        let names = settle::names(&self.before.sources, &tonight);
        let newest = newest(read.rows.iter().chain(self.before.sources.sources.iter().map(|source| &source.row)));
        let next_back_to = self.back_to(newest, self.now).unwrap_or(self.now);
        let sources = settle::settle(self.before.sources.clone(), &tonight, &read, next_back_to, self.now);
        let rows = settle::rows(&sources, &names, &tonight);
        let mut correlation = self.correlate(&read, &rows)?;
        let voices = self.voices(&correlation, &read, &tonight);
        let (news, told, counts) = self.news(&correlation, &read, &tonight, &voices)?;
        let memory = self.remember(&read, &correlation, &sources, &names, &memory)?;
        narrow::narrow(&mut correlation.findings, &counts, &read.rows, &news.listed());

        let outcome = self.outcome(&read, &news);
        let voices = self.expected(voices);
        let mut run = Run {
            id: 0,
            started: self.now,
            folder: None,
            staged: false,
            summary: self.summary(&correlation, &read, &news, newest, outcome),
        };
        if news.is_any() {
            let report = self.report(&correlation, &read, &news)?;
            (run.folder, run.staged) = (Some(report.name), true);
        }
        run.summary.duration_ms = self.took_ms();
        run.id = state.commit(&Commit {
            run: &run,
            sources: Some(&sources),
            memory: Some(&memory),
            incidents: Some(&told),
            voices: &voices,
            tallies: &counts.tallies(&read.unmatched),
        })?;
        if let Some(name) = run.folder.take() {
            run.folder = Some(publish::publish(state, &self.config.output, run.id, &name)?);
        }
        self.say(&run);
        let answer = if run.folder.is_some() { self.answer(&correlation, &news, &run) } else { String::new() };
        Ok(Done { outcome, answer })
    }

    fn tonight(&self) -> anyhow::Result<Tonight> {
        let found = input::discover(&self.config.inputs, &input::Options::default());
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

    /// Whether nothing can have changed: no new text, nobody who falls silent, no deadline.
    fn is_quiet(&self, tonight: &Tonight) -> bool {
        let Some(last) = &self.before.last else { return false };
        let silent = news::silent(&self.before.voices, &BTreeSet::new(), self.now.since(last.started));
        let due = news::due(&self.before.told, self.now, self.next());
        tonight.readings.is_empty()
            && tonight.cut.is_empty()
            && silent.is_empty()
            && !due
            && self.unread(tonight).is_empty()
    }

    /// A night without news: files may have other names, nothing else changes.
    fn quiet(&self, state: &mut State, tonight: &Tonight) -> anyhow::Result<Done> {
        let nothing = Read::nothing(tonight.bytes);
        let last = self.before.last.as_ref();
        let back_to = self.back_to(last.and_then(|last| last.summary.newest), self.now).unwrap_or(self.now);
        let sources = settle::settle(self.before.sources.clone(), tonight, &nothing, back_to, self.now);
        let open = self.before.told.iter().filter(|told| told.status == IncidentStatus::Open);
        let fails = self.config.fail_on.is_some_and(|least| open.clone().any(|told| told.severity >= least));
        let unread = tonight.problems.iter().any(|problem| problem.status != input::Status::Skipped);
        let outcome = match (unread, fails) {
            (true, _) => Outcome::Incomplete,
            (false, true) => Outcome::Found,
            (false, false) => Outcome::Done,
        };
        let mut summary = Summary { bytes: tonight.bytes, duration_ms: self.took_ms(), ..Summary::default() };
        summary.newest = last.and_then(|last| last.summary.newest);
        summary.status = outcome.code();
        open.for_each(|told| *summary.open.entry(told.severity).or_default() += 1);
        let run = Run { id: 0, started: self.now, folder: None, staged: false, summary };
        state.commit(&Commit {
            run: &run,
            sources: Some(&sources),
            memory: None,
            incidents: None,
            voices: &self.expected(BTreeSet::new()),
            tallies: &[],
        })?;
        self.say(&run);
        Ok(Done { outcome, answer: String::new() })
    }

    fn read(&self, tonight: &mut Tonight, memory: &[Memo]) -> anyhow::Result<Read> {
        let matcher = Matcher::new(Arc::clone(self.catalog));
        let how = How {
            zone_minutes: self.config.zone_minutes,
            memory: self.config.limits.memory,
            redact: self.config.redact,
            back_to: self.before.last.as_ref().and_then(|last| {
                self.back_to(newest(self.before.sources.sources.iter().map(|source| &source.row)), last.started)
            }),
        };
        let names = settle::names(&self.before.sources, tonight);
        read::read(tonight, &self.before.sources, memory, &names, &matcher, how)
            .context("a temporary file cannot be used")
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

    fn news(
        &self,
        correlation: &Correlation,
        read: &Read,
        tonight: &Tonight,
        voices: &BTreeSet<String>,
    ) -> anyhow::Result<(News, Vec<Told>, Counts)> {
        let counts = Counts::of(&read.fresh(), correlation, self.config.episode_gap_ms)?;
        let (mut news, told) = news::compare(&correlation.findings, &counts, &self.before.told, self.now, self.next());
        news.unmatched = read.unmatched.iter().map(|row| row.count).sum();
        if let Some(last) = &self.before.last {
            news.silent = news::silent(&self.before.voices, voices, self.now.since(last.started));
        }
        news.unread = self.unread(tonight);
        let partial = read.rows.iter().filter(|row| row.status != ReadStatus::Read);
        news.unread.extend(partial.map(|row| {
            format!("{} was not read to its end: {}.", row.file, row.problem.as_deref().unwrap_or("no reason is known"))
        }));
        Ok((news, told, counts))
    }

    /// What cannot be read tonight, where the last run did not say so already.
    fn unread(&self, tonight: &Tonight) -> Vec<String> {
        let failed = tonight.problems.iter().filter(|problem| problem.status != input::Status::Skipped);
        let all = failed.map(|problem| format!("{} cannot be read: {}.", problem.file, problem.reason));
        all.filter(|said| !self.before.last.as_ref().is_some_and(|last| last.summary.unread.contains(said))).collect()
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
        let ids = sources.sources.iter().map(named).collect();
        let before = memory.iter().map(|memo| ((memo.source, memo.event.offset), memo.read)).collect();
        let limits = remember::Limits {
            recent: self.now.plus_ms(-self.config.remember_ms),
            context: self.now.plus_ms(-2 * self.config.context_lookback_ms - self.next().since(self.now)),
            most: self.config.limits.events,
        };
        remember::choose(read, correlation, self.catalog, &ids, &before, self.now, limits)
            .context("a temporary file cannot be read back")
    }

    fn voices(&self, correlation: &Correlation, read: &Read, tonight: &Tonight) -> BTreeSet<String> {
        let mut voices = narrow::voices(&correlation.findings, &read.rows);
        let spoke: BTreeSet<&str> = read
            .rows
            .iter()
            .filter(|row| row.records > 0)
            .filter_map(|row| Some(tonight.inputs[tonight.readings.get(&row.file)?.input].name()))
            .collect();
        for pattern in &self.config.inputs {
            let found = input::discover(std::slice::from_ref(pattern), &input::Options::default());
            if found.inputs.iter().any(|input| spoke.contains(input.name())) {
                voices.insert(format!("input {pattern}"));
            }
        }
        voices
    }

    fn expected(&self, voices: BTreeSet<String>) -> BTreeSet<String> {
        let since = self.before.last.as_ref().map_or(i64::MAX, |last| self.now.since(last.started));
        news::expected(self.before.voices.clone(), voices, since)
    }

    fn outcome(&self, read: &Read, news: &News) -> Outcome {
        let failed = read.rows.iter().any(|row| matches!(row.status, ReadStatus::Partial | ReadStatus::Failed));
        match self.config.fail_on {
            _ if failed || !news.unread.is_empty() => Outcome::Incomplete,
            Some(least) if news.fails(least) => Outcome::Found,
            _ => Outcome::Done,
        }
    }

    fn summary(
        &self,
        correlation: &Correlation,
        read: &Read,
        news: &News,
        newest: Option<Timestamp>,
        outcome: Outcome,
    ) -> Summary {
        let mut summary = Summary {
            bytes: read.bytes,
            records: correlation.findings.totals.records,
            events: news.events,
            newest,
            status: outcome.code(),
            news: news.sentences(),
            ..Summary::default()
        };
        for incident in &correlation.findings.incidents {
            if incident.status == IncidentStatus::Open {
                *summary.open.entry(incident.severity).or_default() += 1;
            }
        }
        summary.new = news.new_incidents();
        summary.unread.clone_from(&news.unread);
        summary
    }

    /// Writes the report where nobody looks yet.
    fn report(&self, correlation: &Correlation, read: &Read, news: &News) -> anyhow::Result<Report> {
        let report = Report::new(&self.config.output, self.now)?;
        let duration_ms = self.took_ms();
        let run = report::Run {
            command_line: self.command_line.to_owned(),
            version: env!("CARGO_PKG_VERSION"),
            duration_ms,
            bytes_per_second: read.bytes.saturating_mul(1_000) / duration_ms,
            threads: rayon::current_num_threads(),
        };
        let options = report::Options { redact: self.config.redact, formats: Vec::new() };
        report::write_folder(&report.staged, correlation, &read.fresh(), self.catalog, &run, &options)?;
        let page = report.staged.join("news.md");
        std::fs::write(&page, self.news_page(news)).with_context(|| format!("{} cannot be written", page.display()))?;
        publish::flush_all(&report.staged)
            .with_context(|| format!("{} cannot be written to the disk", report.staged.display()))?;
        Ok(report)
    }

    fn news_page(&self, news: &News) -> String {
        let safe = crate::safe::Safe::new(self.config.redact);
        let mut page = format!("# New since the last run, {}Z\n\n", self.now.human());
        for sentence in news.sentences() {
            page.push_str(&format!("- {}\n", &*safe.line(&sentence)));
        }
        page
    }

    fn answer(&self, correlation: &Correlation, news: &News, run: &Run) -> String {
        let folder: PathBuf = self.config.output.join(run.folder.as_deref().unwrap_or_default());
        let style = report::Style {
            width: 100,
            colour: false,
            redact: self.config.redact,
            clock: Some(self.now),
            report: Some(&folder),
            duration_ms: Some(self.took_ms()),
        };
        let safe = crate::safe::Safe::new(self.config.redact);
        let mut text = String::new();
        for sentence in news.sentences() {
            text.push_str(&format!("* {}\n", &*safe.line(&sentence)));
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text + &report::answer(&correlation.findings, self.catalog, &style)
    }

    fn say(&self, run: &Run) {
        let fields = [
            ("report", run.folder.clone().map_or(serde_json::Value::Null, Into::into)),
            ("bytes", run.summary.bytes.into()),
            ("events", run.summary.events.into()),
            ("new_incidents", run.summary.new.into()),
            ("open_incidents", run.summary.open.values().sum::<u64>().into()),
            ("duration_ms", run.summary.duration_ms.into()),
            ("status", run.summary.status.into()),
        ];
        self.log.info(if run.folder.is_some() { "report written" } else { "nothing new" }, &fields);
    }

    fn next(&self) -> Timestamp {
        news::next_night(self.before.last.as_ref().map(|last| last.started), self.now)
    }

    fn took_ms(&self) -> u64 {
        (self.began.elapsed().as_millis() as u64).max(1)
    }
}

fn newest<'r>(rows: impl Iterator<Item = &'r SourceRow>) -> Option<Timestamp> {
    rows.filter_map(|row| row.last).max()
}
