//! What a night has to say to people and programs: sentences, a page, a mail, a JSON document.

use super::news::News;
use super::novelty::Novelty;
use super::state::Run;
use crate::report::markdown_text as markdown;
use crate::safe::Safe;
use crate::units::Timestamp;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::Path;

/// Most novelties that are told; all are in `news.json`.
const MOST_NOVELTIES: usize = 20;

/// All sentences: incidents and silence first, then what is unusual.
pub(super) fn sentences(news: &News, novelties: &[Novelty]) -> Vec<String> {
    let mut all = news.sentences();
    all.extend(novelties.iter().take(MOST_NOVELTIES).map(Novelty::sentence));
    let hidden = novelties.len().saturating_sub(MOST_NOVELTIES);
    if hidden > 0 {
        all.push(format!("{hidden} more differences from the nights before are in news.json."));
    }
    all
}

/// `news.md`: what is new, and how the unusual went over the last nights.
pub(super) fn page(
    sentences: &[String],
    novelties: &[Novelty],
    since: Option<Timestamp>,
    now: Timestamp,
    safe: Safe,
) -> String {
    let since = since.map_or_else(|| "in the first run".to_owned(), |since| format!("since {}Z", since.human()));
    let mut page = format!("# New {since}\n\nAs of {}Z.\n\n", now.human());
    for sentence in sentences {
        let _ = writeln!(page, "- {}", markdown(&safe.line(sentence)));
    }
    if sentences.is_empty() {
        page.push_str("Records, but nothing that needs anybody.\n");
    }
    let unusual: Vec<&Novelty> = novelties.iter().filter(|one| one.course.len() > 1).take(MOST_NOVELTIES).collect();
    if !unusual.is_empty() {
        page.push_str("\n| | last nights | tonight | usually |\n| --- | --- | ---: | ---: |\n");
        for one in unusual {
            let name = markdown(&safe.line(&one.name));
            let line = sparkline(&one.course);
            let _ = writeln!(page, "| {} {name} | {line} | {} | {:.0} |", one.kind.as_str(), one.count, one.usual);
        }
    }
    page
}

/// The same as a document: `news.json`, and what the webhook gets.
pub(super) fn document(run: &Run, novelties: &[Novelty], output: &Path, safe: Safe) -> Value {
    let text = |raw: &str| safe.line(raw).to_string();
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
    let summary = &run.summary;
    let report = run.folder.as_ref().map(|folder| output.join(folder).display().to_string());
    let open = summary.open.iter().map(|one| {
        json!({
            "incident": one.id, "kind": one.kind.as_str(), "severity": one.severity.as_str(),
            "task": one.task.as_deref().map(text), "verdict": one.verdict.as_str(), "start": time(one.start),
            "summary": text(&one.summary),
        })
    });
    let tasks = summary.tasks.iter().map(|task| {
        json!({
            "task": text(&task.name), "status": task.status.as_str(), "checkpoint": time(task.checkpoint),
            "resume_deadline": time(task.deadline),
        })
    });
    let novelties = novelties.iter().map(|one| {
        json!({
            "kind": one.kind.as_str(), "name": text(&one.name), "turn": format!("{:?}", one.turn).to_lowercase(),
            "count": one.count, "usual": one.usual, "course": one.course,
        })
    });
    json!({
        "schema": 1,
        // What chat programs show.
        "text": subject(run),
        "started": run.started.to_string(),
        "status": summary.status,
        "report": report.map(|report| text(&report)),
        "events": summary.events,
        "new_incidents": summary.new,
        "news": summary.news.iter().map(|sentence| text(sentence)).collect::<Vec<_>>(),
        "silent": summary.silent.iter().map(|name| text(name)).collect::<Vec<_>>(),
        "open": open.collect::<Vec<_>>(),
        "tasks": tasks.collect::<Vec<_>>(),
        "novelties": novelties.collect::<Vec<_>>(),
    })
}

/// One line: how many incidents, and how bad.
pub(super) fn subject(run: &Run) -> String {
    let summary = &run.summary;
    let worst = summary.open.iter().map(|one| one.severity).max();
    match worst {
        Some(worst) => format!(
            "tidescope: {} open ({worst}), {} new, as of {}Z",
            summary.open.len(),
            summary.new,
            run.started.human()
        ),
        None => format!("tidescope: nothing open, {} new, as of {}Z", summary.new, run.started.human()),
    }
}

/// A mail: a subject, a blank line, the text.
pub(super) fn mail(run: &Run, answer: &str, safe: Safe) -> String {
    let mut mail = format!("Subject: {}\nContent-Type: text/plain; charset=utf-8\n\n", subject(run));
    if answer.is_empty() {
        mail.push_str("Nothing is new.\n");
        for one in &run.summary.open {
            let _ = writeln!(mail, "\nStill open ({}): {}. {}", one.severity, one.id, &*safe.line(&one.summary));
        }
    } else {
        mail.push_str(answer);
    }
    mail
}

/// Counts as a line of blocks.
pub(super) fn sparkline(counts: &[u64]) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = counts.iter().copied().max().unwrap_or_default().max(1);
    let block = |count: &u64| if *count == 0 { ' ' } else { BLOCKS[((count * 7).div_ceil(most)).min(7) as usize] };
    counts.iter().map(block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_blocks() {
        assert_eq!(sparkline(&[0, 1, 4, 8]), " ▂▅█");
        assert_eq!(sparkline(&[]), "");
        assert_eq!(sparkline(&[0, 0]), "  ");
    }
}
