//! Episodes as rows of `timeline.csv`.

use super::{EpisodeId, Episodes, Run};
use crate::correlate::findings::Episode;
use crate::correlate::learned::Learned;
use crate::units::Severity;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The incidents of each episode.
pub(in crate::correlate) type OfEpisodes = BTreeMap<EpisodeId, BTreeSet<String>>;

impl Episodes {
    /// Most rows that a page can show where not all are in memory.
    const MOST_ROWS: usize = 20_000;

    /// The rows by first time, those without time last: all, or where some are on disk those of incidents and errors.
    pub(in crate::correlate) fn rows(&self, learned: &Learned, incidents: &OfEpisodes) -> Vec<Episode> {
        // They came in the order of their first event: by time, source, offset.
        let all = self.iter().map(|(id, run)| (run.severity, incidents.contains_key(&id), id, run));
        let shown = all
            .filter(|(severity, in_incident, ..)| !self.are_written() || *in_incident || *severity >= Severity::Error);
        let most = if self.are_written() { Self::MOST_ROWS } else { usize::MAX };
        shown.take(most).map(|(.., id, run)| row(id, run, learned, incidents)).collect()
    }

    /// Makes something of the rows of every page, in parallel, and hands it to `each`, in the same order.
    ///
    /// # Errors
    /// Where the temporary file cannot be read back, or `make` or `each` fails.
    pub(in crate::correlate) fn each_made<T: Send>(
        &self,
        learned: &Learned,
        incidents: &OfEpisodes,
        make: &(impl Fn(Vec<Episode>) -> std::io::Result<T> + Sync),
        each: &mut impl FnMut(T) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        self.pages.each_made(
            &|first, runs| {
                // A page on disk is older than what is kept of it.
                let newest = |(at, run)| (EpisodeId(at), self.kept.get(&at).unwrap_or(run));
                make((first..).zip(runs).map(newest).map(|(id, run)| row(id, run, learned, incidents)).collect())
            },
            each,
        )
    }
}

fn row(id: EpisodeId, run: &Run, learned: &Learned, incidents: &OfEpisodes) -> Episode {
    Episode {
        first: run.first,
        last: run.last,
        count: run.count,
        rule: Arc::clone(learned.rule(run.key.rule)),
        severity: run.severity,
        component: run.component,
        store: run.key.store,
        region: run.key.region,
        task: run.key.task.map(|task| learned.task(task).to_owned()),
        codes: run.codes.iter().map(ToString::to_string).collect(),
        summary: run.summary.to_string(),
        incidents: incidents.get(&id).map(|ids| ids.iter().cloned().collect()).unwrap_or_default(),
        place: learned.place(run),
    }
}
