//! A night's report folder, and what is told of it at once.

use super::night::Night;
use super::notice;
use super::novelty::Novelty;
use super::publish::Report;
use super::read::Read;
use super::state::Run;
use crate::correlate::Correlation;
use crate::report;
use crate::safe::Safe;
use anyhow::Context;
use std::path::Path;

impl Night<'_> {
    /// Writes the report where nobody looks yet.
    pub(super) fn stage(
        &self,
        run: &mut Run,
        correlation: &Correlation,
        read: &Read,
        novelties: &[Novelty],
    ) -> anyhow::Result<()> {
        let place = Report::new(&self.config.output, self.now)?;
        (run.folder, run.staged) = (Some(place.name.clone()), true);
        let staged = &place.staged;
        let duration_ms = self.took_ms();
        let own = report::Run {
            command_line: self.command_line.to_owned(),
            version: env!("CARGO_PKG_VERSION"),
            duration_ms,
            bytes_per_second: read.bytes.saturating_mul(1_000) / duration_ms,
            threads: rayon::current_num_threads(),
            news: run.summary.news.clone(),
        };
        let options = report::Options { safe: Safe::new(self.config.redact), formats: Vec::new() };
        report::write_folder(staged, correlation, &read.fresh(), self.catalog, &own, &options)?;
        let safe = Safe::new(self.config.redact);
        let since = self.before.last.as_ref().map(|last| last.started);
        let page = notice::page(&run.summary.news, novelties, since, self.now, safe);
        write(&staged.join("news.md"), &page)?;
        write(&staged.join("news.json"), &self.document(run, novelties))?;
        place.flush(&self.config.output).with_context(|| format!("{} cannot be written to the disk", staged.display()))
    }

    /// What the webhook is to get.
    pub(super) fn owe(&self, run: &mut Run, novelties: &[Novelty]) {
        let wanted = self.config.webhook.as_ref().is_some_and(|hook| hook.always || run.folder.is_some());
        run.owed = wanted.then(|| self.document(run, novelties));
    }

    fn document(&self, run: &Run, novelties: &[Novelty]) -> String {
        let safe = Safe::new(self.config.redact);
        format!("{:#}\n", notice::document(run, novelties, &self.config.output, safe))
    }

    /// What is new, then the state of things.
    pub(super) fn answer(&self, correlation: &Correlation, run: &Run) -> String {
        let folder = self.config.output.join(run.folder.as_deref().unwrap_or_default());
        let safe = Safe::new(self.config.redact);
        let style = report::Style {
            width: 100,
            colour: false,
            safe,
            clock: Some(self.now),
            report: Some(&folder),
            duration_ms: Some(self.took_ms()),
        };
        let mut text: String =
            run.summary.news.iter().map(|sentence| format!("* {}\n", &*safe.line(sentence))).collect();
        if !text.is_empty() {
            text.push('\n');
        }
        text + &report::answer(&correlation.findings, self.catalog, &style)
    }
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}
