//! From paths to events: what every command that reads logs begins with.

use crate::cli::{Common, IoChoice, When};
use crate::event::{ReadStatus, SourceRow};
use crate::input;
use crate::matching::Matcher;
use crate::outcome::Outcome;
use crate::progress::Bar;
use crate::rules::Catalog;
use crate::scan::{self, Context};
use crate::settings::Settings;
use anyhow::{Context as _, anyhow};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// Logs that are about to be read.
pub(super) struct Logs {
    pub(super) settings: Settings,
    pub(super) catalog: Arc<Catalog>,
    matcher: Matcher,
    found: input::Discovery,
    show_progress: bool,
}

/// Loads the built-in rules and the user's own.
pub(super) fn catalog(files: &[std::path::PathBuf]) -> anyhow::Result<Arc<Catalog>> {
    let mut texts = Vec::new();
    for file in files {
        texts.push((
            file.display().to_string(),
            std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?,
        ));
    }
    let borrowed: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let catalog = Catalog::load(&borrowed)
        .map_err(|problems| anyhow!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))?;
    Ok(Arc::new(catalog))
}

/// Resolves the common options and sets up the threads.
pub(super) fn settings(common: &Common) -> anyhow::Result<Settings> {
    let settings = Settings::resolve(common).map_err(anyhow::Error::msg)?;
    threads(settings.threads);
    Ok(settings)
}

/// Sets up the threads; without a number as many as there are processors.
pub(super) fn threads(number: Option<usize>) {
    // A second command in one process (in tests) keeps the threads of the first.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(number.unwrap_or(0)).stack_size(32 << 20).build_global();
}

impl Logs {
    pub(super) fn open(paths: &[PathBuf], common: &Common) -> anyhow::Result<Self> {
        let settings = settings(common)?;
        let catalog = catalog(&settings.rules)?;
        let found = input::discover(paths, &options(common));
        if found.inputs.is_empty() {
            let problems = found.problems.iter().map(|problem| (problem.file.as_str(), problem.reason.as_str()));
            return Err(nothing_to_read(problems));
        }
        let show_progress = match common.progress {
            When::Always => true,
            When::Never => false,
            When::Auto => !common.quiet && std::io::IsTerminal::is_terminal(&std::io::stderr()),
        };
        Ok(Self { settings, matcher: Matcher::new(Arc::clone(&catalog)), catalog, found, show_progress })
    }

    /// Reads the logs. `--since -2h` counts from the newest record where no `--now` is given, so that is found first.
    pub(super) fn scan(&mut self, context: Context, split: Option<Range<u64>>) -> anyhow::Result<scan::Outcome> {
        let relative = [self.settings.since, self.settings.until]
            .iter()
            .any(|moment| matches!(moment, Some(crate::settings::Moment::BeforeNow(_))));
        let mut now = self.settings.now;
        if relative && now.is_none() {
            // Of large logs in order that reads the ends only.
            let end = crate::units::Timestamp(i64::MAX / 2);
            let all = self.read(Context::None, split.clone(), (Some(end), None))?;
            now = all.sources.iter().filter_map(|row| row.last).max();
        }
        self.pass(context, split, now)
    }

    fn pass(
        &self,
        context: Context,
        split: Option<Range<u64>>,
        now: Option<crate::units::Timestamp>,
    ) -> anyhow::Result<scan::Outcome> {
        let resolved = |moment: Option<crate::settings::Moment>| moment.and_then(|moment| moment.resolve(now));
        self.read(context, split, (resolved(self.settings.since), resolved(self.settings.until)))
    }

    fn read(
        &self,
        context: Context,
        split: Option<Range<u64>>,
        (since, until): (Option<crate::units::Timestamp>, Option<crate::units::Timestamp>),
    ) -> anyhow::Result<scan::Outcome> {
        let settings = scan::Settings {
            since,
            until,
            context,
            split,
            starts: std::collections::BTreeMap::new(),
            zone_minutes: self.settings.zone_minutes,
            redact: self.settings.redact,
            memory: self.settings.memory,
        };
        let progress = scan::Progress::default();
        let total = self.found.inputs.iter().map(input::Input::size).sum();
        let bar = self.show_progress.then(|| Bar::start(total));
        let result = std::thread::scope(|scope| {
            let ticking = bar.as_ref().map(|bar| bar.follow(scope, &progress));
            let result = scan::scan(&self.found, &self.matcher, &settings, &progress);
            drop(ticking);
            result
        });
        drop(bar);
        result.context("a temporary file cannot be used; set TMPDIR to a folder with room")
    }
}

/// Whether all sources were read to their ends, with a line on standard error for each that was not.
pub(super) fn complete(sources: &[SourceRow], common: &Common) -> Outcome {
    let mut outcome = Outcome::Done;
    for row in sources {
        let failed = matches!(row.status, ReadStatus::Partial | ReadStatus::Failed);
        if failed {
            outcome = Outcome::Incomplete;
        }
        if failed || (row.status == ReadStatus::Skipped && common.verbose > 0) {
            warn(common, &format!("{}: {}", row.file, reason(row)));
        }
    }
    outcome
}

/// The same where something must be readable.
///
/// # Errors
/// Nothing was; names what stood in the way.
pub(super) fn outcome_of(sources: &[SourceRow], common: &Common) -> anyhow::Result<Outcome> {
    if !sources.iter().any(|row| matches!(row.status, ReadStatus::Read | ReadStatus::Partial)) {
        return Err(nothing_to_read(sources.iter().map(|row| (&*row.file, reason(row)))));
    }
    Ok(complete(sources, common))
}

fn reason(row: &SourceRow) -> &str {
    row.problem.as_deref().unwrap_or("could not be read to its end")
}

/// An error that names the first few of what could not be read.
fn nothing_to_read<'p>(problems: impl Iterator<Item = (&'p str, &'p str)>) -> anyhow::Error {
    const SHOWN: usize = 5;
    let lines: Vec<String> = problems.map(|(file, reason)| format!("\n  {file}: {reason}")).collect();
    let more = match lines.len() {
        0 => " among the paths given".to_owned(),
        count if count > SHOWN => format!("\n  and {} more", count - SHOWN),
        _ => String::new(),
    };
    anyhow!("nothing to read{}{more}", lines.iter().take(SHOWN).map(String::as_str).collect::<String>())
}

/// A message for a person, on standard error.
#[allow(clippy::print_stderr, reason = "the one place that speaks to the user beside the result")]
pub(super) fn warn(common: &Common, text: &str) {
    if !common.quiet {
        eprintln!("tidescope: {}", &*crate::safe::Safe::new(!common.no_redact).text(text));
    }
}

/// How inputs are read.
pub(super) fn options(common: &Common) -> input::Options {
    input::Options {
        io: match common.io {
            IoChoice::Auto => input::Io::Auto,
            IoChoice::Mmap => input::Io::Mmap,
            IoChoice::Read => input::Io::Read,
        },
        ..input::Options::default()
    }
}
