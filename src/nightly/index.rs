//! `index.html`: all nights, newest first, and a trend for each store. One file, without scripts.

use super::notice::sparkline;
use super::state::{Kind, Run, State};
use crate::safe::Safe;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// Nights that are shown, and of those in the trends.
const SHOWN: usize = 400;
const TREND: usize = 60;

/// The page.
///
/// # Errors
/// Where the state cannot be read.
pub(super) fn render(state: &State, output: &Path, safe: Safe) -> anyhow::Result<String> {
    let runs = state.runs()?;
    let mut page = String::from(HEAD);
    page.push_str("<h1>Nights</h1>\n");
    trends(&mut page, state, &runs)?;
    page.push_str("<table>\n<tr><th>started (UTC)<th>report<th>open<th>new<th>events<th>read<th>took<th>news</tr>\n");
    for run in runs.iter().rev().take(SHOWN) {
        row(&mut page, run, output, safe);
    }
    page.push_str("</table>\n</main>\n");
    Ok(page)
}

fn trends(page: &mut String, state: &State, runs: &[Run]) -> anyhow::Result<()> {
    let read: Vec<&Run> = runs.iter().filter(|run| run.summary.records > 0).collect();
    let recent = &read[read.len().saturating_sub(TREND)..];
    let Some(first) = recent.first() else { return Ok(()) };
    let mut stores: BTreeMap<u64, BTreeMap<i64, u64>> = BTreeMap::new();
    for tally in state.tallies(Kind::Store, first.id)? {
        stores.entry(tally.name.parse().unwrap_or_default()).or_default().insert(tally.run, tally.count);
    }
    let course = |of: &dyn Fn(&Run) -> u64| -> Vec<u64> { recent.iter().map(|run| of(run)).collect() };
    page.push_str("<table class=\"trends\">\n<tr><th>events a night<th>trend<th>last</tr>\n");
    let mut line = |name: &str, counts: &[u64]| {
        let last = counts.last().copied().unwrap_or_default();
        let _ = writeln!(page, "<tr><td>{name}<td class=\"line\">{}<td class=\"n\">{last}</tr>", sparkline(counts));
    };
    line("all", &course(&|run| run.summary.events));
    for (store, counts) in &stores {
        line(&format!("store {store}"), &course(&|run| counts.get(&run.id).copied().unwrap_or_default()));
    }
    page.push_str("</table>\n");
    Ok(())
}

fn row(page: &mut String, run: &Run, output: &Path, safe: Safe) {
    let summary = &run.summary;
    let report = match &run.folder {
        Some(folder) if output.join(folder).is_dir() => {
            format!("<a href=\"{0}/report.html\">{0}</a>", escaped(folder))
        }
        Some(_) => "removed".to_owned(),
        None => "nothing new".to_owned(),
    };
    let worst = summary.open.iter().map(|one| one.severity).max().map_or("", crate::units::Severity::as_str);
    let _ = write!(
        page,
        "<tr><td>{}<td>{report}<td class=\"n {worst}\">{}<td class=\"n\">{}<td class=\"n\">{}<td class=\"n\">{:.1} MB\
         <td class=\"n\">{:.1} s<td>",
        run.started.human(),
        summary.open.len(),
        summary.new,
        summary.events,
        summary.bytes as f64 / 1e6,
        summary.duration_ms as f64 / 1e3,
    );
    let news: Vec<String> = summary.news.iter().take(5).map(|sentence| escaped(&safe.line(sentence))).collect();
    page.push_str(&news.join("<br>"));
    if summary.news.len() > news.len() {
        let _ = write!(page, "<br>… {} more", summary.news.len() - news.len());
    }
    page.push_str("</tr>\n");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Nights – tidescope</title>
<style>
body { font: 15px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 90rem; padding: 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { border-bottom: 1px solid #8884; padding: .3rem .6rem; text-align: left; vertical-align: top; }
th { font-weight: 600; }
td.n { font-variant-numeric: tabular-nums; text-align: right; white-space: nowrap; }
td:first-child, td.line { white-space: pre; }
td.critical, td.error { color: #c22; font-weight: 600; }
td.warning { color: #a60; }
</style>
<main>
"#;

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn news_is_no_markup() {
        assert_eq!(escaped("<a b='c'>&"), "&lt;a b=&#39;c&#39;&gt;&amp;");
    }
}
