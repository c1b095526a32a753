//! The last stages of `analyze` and `report`: correlate, write the folder, print the answer.

use super::logs::{outcome_of, warn};
use crate::cli::{Common, ReportFormat, When};
use crate::correlate::{self, IncidentStatus};
use crate::event::{EventStream, SourceRow, UnmatchedRow};
use crate::outcome::Outcome;
use crate::report;
use crate::rules::Catalog;
use crate::settings::Settings;
use crate::units::Timestamp;
use anyhow::{Context, anyhow};
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// What all events of a run come down to.
pub(super) struct Gathered<'a> {
    pub(super) events: &'a dyn EventStream,
    pub(super) sources: &'a [SourceRow],
    pub(super) unmatched: &'a [UnmatchedRow],
}

/// Where the report goes, and in which formats.
pub(super) struct Place<'a> {
    folder: &'a Path,
    formats: Vec<report::Format>,
}

impl<'a> Place<'a> {
    /// Says at once what this program cannot write, not after an hour of reading.
    pub(super) fn new(folder: &'a Path, formats: &[ReportFormat]) -> anyhow::Result<Self> {
        let named = |format: &ReportFormat| match format {
            ReportFormat::Csv => None,
            ReportFormat::Jsonl => Some(report::Format::Jsonl),
            ReportFormat::Parquet => Some(report::Format::Parquet),
            ReportFormat::Sqlite => Some(report::Format::Sqlite),
            ReportFormat::Timesketch => Some(report::Format::Timesketch),
        };
        let mut formats: Vec<report::Format> = formats.iter().filter_map(named).collect();
        formats.sort_unstable();
        formats.dedup();
        for format in &formats {
            format.available().map_err(|feature| {
                anyhow!("this tidescope was built without {}: build it with --features {feature}", format.file())
            })?;
        }
        Ok(Self { folder, formats })
    }
}

/// Correlates, writes the report folder, prints the answer.
pub(super) fn finish(
    gathered: &Gathered<'_>,
    catalog: &Catalog,
    settings: &Settings,
    common: &Common,
    place: &Place<'_>,
    began: Instant,
) -> anyhow::Result<Outcome> {
    let worst = outcome_of(gathered.sources, common)?;
    let newest = settings.now.or_else(|| gathered.sources.iter().filter_map(|row| row.last).max());
    let options = correlate::Options {
        since: settings.since.and_then(|moment| moment.resolve(newest)),
        episode_gap_ms: settings.episode_gap_ms,
        gc_ttl_ms: settings.gc_ttl_ms,
        now: settings.now,
        task: settings.task.clone(),
        stores: settings.stores.clone(),
        ..correlate::Options::default()
    };
    let read = began.elapsed().as_secs_f64();
    let correlation = correlate::correlate(gathered.events, gathered.sources, gathered.unmatched, catalog, &options)
        .context("a temporary file cannot be read back")?;
    if common.verbose > 0 {
        let correlated = began.elapsed().as_secs_f64() - read;
        warn(common, &format!("read in {read:.1} s, correlated in {correlated:.1} s"));
    }
    let findings = &correlation.findings;
    let duration_ms = (began.elapsed().as_millis() as u64).max(1);
    let run = report::Run {
        news: Vec::new(),
        command_line: command_line(),
        version: env!("CARGO_PKG_VERSION"),
        duration_ms,
        bytes_per_second: findings.totals.bytes.saturating_mul(1_000) / duration_ms,
        threads: rayon::current_num_threads(),
    };
    report::write_folder(
        place.folder,
        &correlation,
        gathered.events,
        catalog,
        &run,
        &report::Options { safe: settings.safe, formats: place.formats.clone() },
    )?;
    let terminal = std::io::stdout().is_terminal();
    let style = report::Style {
        width: terminal_width(),
        colour: match common.color {
            When::Always => true,
            When::Never => false,
            When::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        },
        safe: settings.safe,
        clock: SystemTime::now().duration_since(UNIX_EPOCH).ok().map(|since| Timestamp(since.as_millis() as i64)),
        report: Some(place.folder),
        duration_ms: Some(duration_ms),
    };
    let answer = report::answer(findings, catalog, &style);
    let mut out = std::io::stdout().lock();
    out.write_all(answer.as_bytes())?;
    out.flush()?;
    let fails = settings.fail_on.is_some_and(|least| {
        findings.incidents.iter().any(|incident| incident.status == IncidentStatus::Open && incident.severity >= least)
    });
    // The process ends: nobody needs the memory of a large report back one by one.
    std::mem::forget(correlation);
    if fails && worst != Outcome::Done {
        warn(common, "an open incident is at or above --fail-on; the exit status says that input could not be read");
    }
    Ok(if fails { worst.max(Outcome::Found) } else { worst })
}

/// What was typed, quoted so that it can be typed again.
pub(super) fn command_line() -> String {
    let quote = |word: String| {
        let plain =
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./:=,+@%".contains(&byte));
        if plain { word } else { format!("'{}'", word.replace('\'', r"'\''")) }
    };
    let words = std::env::args_os().skip(1).map(|word| quote(word.to_string_lossy().into_owned()));
    std::iter::once("tidescope".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

/// Columns of the terminal, as the shell says.
pub(super) fn terminal_width() -> usize {
    std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(120)
}
