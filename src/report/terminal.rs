//! The answer on the terminal: what broke, since when, what to do and until when, in under a screen.

mod spark;
mod steps;
#[cfg(test)]
mod tests;
use super::layout::{cut, fit, width, wrap};
use super::quiet;
use super::words::{self, Decision};
use crate::correlate::{Findings, Incident, IncidentStatus, Task, TaskStatus, Verdict};
use crate::rules::Catalog;
use crate::safe::{Safe, SafeText};
use crate::units::{Severity, Timestamp, hms};
use anstyle::{AnsiColor, Style as Colour};
use std::path::Path;

/// Lines of an answer at most.
const MOST_LINES: usize = 25;
/// Steps of the chain that are shown however little room there is.
const FEWEST_STEPS: usize = 4;

/// How the answer is to look.
#[derive(Debug, Clone, Copy)]
pub struct Style<'a> {
    /// Columns of the terminal; 80 to 120 are used.
    pub width: usize,
    /// Whether to colour it.
    pub colour: bool,
    /// How text is made safe.
    pub safe: Safe,
    /// The computer's clock: it may be past a deadline that the logs did not reach.
    pub clock: Option<Timestamp>,
    /// The report folder, where one was written.
    pub report: Option<&'a Path>,
    /// How long the run took.
    pub duration_ms: Option<u64>,
}

/// The answer, at most 25 lines.
pub fn answer(findings: &Findings, catalog: &Catalog, style: &Style<'_>) -> String {
    let page = Page { findings, catalog, style, safe: style.safe, width: style.width.clamp(80, 120) };
    let mut lines = match findings.incidents.iter().position(|incident| incident.status == IncidentStatus::Open) {
        Some(worst) => page.broken(worst),
        None => page.quiet(),
    };
    for line in &mut lines {
        line.truncate(line.trim_end().len());
    }
    lines.push(String::new());
    lines.join("\n")
}

struct Page<'a> {
    findings: &'a Findings,
    catalog: &'a Catalog,
    style: &'a Style<'a>,
    safe: Safe,
    width: usize,
}

impl Page<'_> {
    /// The worst incident in full, the others in a line each.
    fn broken(&self, worst: usize) -> Vec<String> {
        let incident = &self.findings.incidents[worst];
        let task = words::task_of(self.findings, incident);
        let facts = task.map_or_else(Vec::new, |task| self.facts(task));
        let end: Vec<_> = self.caveats().into_iter().chain(self.totals()).collect();
        let mut before = vec![self.title(incident, task), facts, self.decision(incident, task)];
        let taken = |parts: &[Vec<String>]| -> usize { parts.iter().chain([&end]).map(|part| part.len() + 1).sum() };
        let room = (MOST_LINES + 1).saturating_sub(taken(&before) + FEWEST_STEPS + 2);
        if let Some(decision) = before.last_mut() {
            decision.extend(self.commands(incident, room.clamp(1, 6)));
        }
        let room = (MOST_LINES + 1).saturating_sub(taken(&before));

        // Where room is short the steps come before the other incidents. Of the table, head and a blank are no steps.
        let fewest = FEWEST_STEPS.min(incident.chain.len()) + 2;
        let others = self.others(worst, room.saturating_sub(fewest + 1));
        let room = room.saturating_sub(if others.is_empty() { 0 } else { others.len() + 1 });
        let chain = steps::table(self, &incident.chain, room.saturating_sub(2).max(FEWEST_STEPS));
        let room = room.saturating_sub(chain.len() + 1);
        let spark = spark::lines(self.findings, room.saturating_sub(1).min(4));

        let parts = before.into_iter().chain([chain, spark, others, end]).filter(|part| !part.is_empty());
        let mut lines: Vec<String> = Vec::new();
        for part in parts {
            if !lines.is_empty() {
                lines.push(String::new());
            }
            lines.extend(part);
        }
        while lines.len() > MOST_LINES
            && let Some(blank) = lines.iter().rposition(String::is_empty)
        {
            lines.remove(blank);
        }
        lines
    }

    /// Nothing is wrong now: a few lines.
    fn quiet(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let recovered = self.findings.incidents.len();
        let troubles = quiet::troubles(self.findings, self.safe);
        let colour = if quiet::is_well(self.findings) { good() } else { severity(Severity::Warning) };
        lines.push(self.paint(colour, &format!("{}.", quiet::headline(self.findings))));
        let (most_tasks, most_incidents) = (5, 6);
        for task in self.findings.tasks.iter().take(most_tasks) {
            lines.push(cut(&words::task_line(task, self.safe), self.width));
        }
        lines.extend(more(self.findings.tasks.len(), most_tasks, "more task"));
        lines.extend(troubles.iter().flat_map(|trouble| self.hanging("  ", 4, trouble, 2)));
        for incident in self.findings.incidents.iter().take(most_incidents) {
            lines.push(self.one_line(incident));
        }
        lines.extend(more(recovered, most_incidents, "more incident"));
        lines.extend(self.caveats());
        lines.extend(self.totals());
        lines
    }

    fn title(&self, incident: &Incident, task: Option<&Task>) -> Vec<String> {
        let title = words::title(incident, task, self.findings.now, self.safe);
        let cause = format!("cause: {}", words::cause(incident));
        let left = format!("{}  {}", title.subject, title.state);
        let gap = self.width.saturating_sub(width(&left) + width(&cause));
        let subject = self.paint(Colour::new().bold(), &title.subject);
        let state = self.paint(severity(incident.severity).bold(), &title.state);
        let mut lines = if gap >= 3 {
            vec![format!("{subject}  {state}{}{cause}", " ".repeat(gap.min(24)))]
        } else {
            vec![format!("{subject}  {state}"), format!("  {cause}")]
        };
        let summary = self.safe.line(&incident.summary);
        lines.extend(wrap(&summary, self.width - 2, 3).into_iter().map(|line| format!("  {line}")));
        lines
    }

    fn facts(&self, task: &Task) -> Vec<String> {
        let facts = words::facts(task, self.findings.now, self.safe);
        let label = facts.iter().map(|fact| width(fact.label)).max().unwrap_or(0);
        let value = facts.iter().map(|fact| width(&fact.value)).max().unwrap_or(0).min(40);
        let indent = 2 + label + 2 + value + 2;
        let lines = |fact: &words::Fact| {
            let head = format!("  {}  {}  ", fit(fact.label, label), fit(&fact.value, value));
            self.hanging(&head, indent, &fact.note, 2)
        };
        facts.iter().flat_map(lines).collect()
    }

    /// A text after its head, on at most `most` lines; those after the first are indented.
    fn hanging(&self, head: &str, indent: usize, text: &str, most: usize) -> Vec<String> {
        let mut wrapped = wrap(text, self.width.saturating_sub(indent), most).into_iter();
        let first = format!("{head}{}", wrapped.next().unwrap_or_default());
        std::iter::once(first).chain(wrapped.map(|line| format!("{}{line}", " ".repeat(indent)))).collect()
    }

    fn decision(&self, incident: &Incident, task: Option<&Task>) -> Vec<String> {
        let Decision { call, rest } = words::decision(incident, task, self.findings.now);
        let colour = match incident.verdict {
            Verdict::Resume | Verdict::None | Verdict::Wait => good(),
            Verdict::RecreateTask => severity(Severity::Critical),
            _ => severity(Severity::Warning),
        };
        let colon = if incident.commands.is_empty() { "" } else { ":" };
        // The call is painted after wrapping, since paint has no width.
        let mut lines = self.hanging("  ", 4, &format!("{call}{rest}{colon}"), 3);
        if let Some(line) = lines.first_mut() {
            *line = line.replacen(call, &self.paint(colour.bold(), call), 1);
        }
        lines.extend(self.clock_is_past(incident.verdict, task));
        lines
    }

    /// What to type, in at most `room` lines. Never cut: it is there to be copied.
    fn commands(&self, incident: &Incident, room: usize) -> Vec<String> {
        let all = incident.commands.len();
        let shown = if all > room { (room - 1).max(1) } else { all };
        let command = |text: SafeText<'_>| format!("    {}", self.paint(Colour::new().bold(), &text));
        words::commands(incident, self.safe)
            .into_iter()
            .take(shown)
            .map(command)
            .chain(more(all, shown, "more command"))
            .collect()
    }

    /// A reader who comes a day later must not be misled.
    fn clock_is_past(&self, verdict: Verdict, task: Option<&Task>) -> Vec<String> {
        let (Some(clock), Some(deadline)) = (self.style.clock, task.and_then(|task| task.resume_deadline)) else {
            return Vec::new();
        };
        if verdict != Verdict::Resume || clock <= deadline {
            return Vec::new();
        }
        let clock = words::moment(clock);
        let text =
            format!("This computer's clock ({clock}) is past that. Try it; if it is refused, recreate the task.");
        let lines = self.hanging("  ", 4, &text, 2);
        lines.iter().map(|line| self.paint(severity(Severity::Warning), line)).collect()
    }

    /// The other incidents, and tasks that are in none, in at most `room` lines.
    fn others(&self, worst: usize, room: usize) -> Vec<String> {
        let incidents = self.findings.incidents.iter().enumerate().filter(|(at, _)| *at != worst);
        let mut lines: Vec<_> = incidents.map(|(_, incident)| self.one_line(incident)).collect();
        let in_incident = |task: &Task| self.findings.is_in_incident(task, |_| true);
        let tasks = self.findings.tasks.iter().filter(|task| !in_incident(task) && task.status != TaskStatus::Unknown);
        lines.extend(tasks.map(|task| cut(&format!("  {}", words::task_line(task, self.safe)), self.width)));
        let most = room.clamp(1, 5);
        if lines.len() > most {
            let all = lines.len();
            lines.truncate(most - 1);
            lines.extend(more(all, most - 1, "other"));
        }
        lines
    }

    fn one_line(&self, incident: &Incident) -> String {
        let title = words::title(incident, words::task_of(self.findings, incident), self.findings.now, self.safe);
        let text = format!("  {}  {}: {}", title.subject, title.state, self.safe.line(&incident.summary));
        let text = cut(&text, self.width);
        if incident.status == IncidentStatus::Open { self.paint(severity(incident.severity), &text) } else { text }
    }

    /// What was not read, and what else could make this wrong.
    fn caveats(&self) -> Vec<String> {
        let most = 2;
        let caveats = words::caveats(self.findings, self.safe);
        let label = if words::unread(self.findings) > 0 { "Not read:" } else { "Note:" };
        let indent = label.len() + 1;
        let mut lines = Vec::new();
        for (at, text) in caveats.iter().take(most).enumerate() {
            let hidden = caveats.len().saturating_sub(most);
            if at + 1 == most && hidden > 0 {
                let also = format!(" (and {hidden} more in the report)");
                let text = cut(text, (self.width - indent).saturating_sub(width(&also)));
                lines.push(format!("{}{text}{also}", " ".repeat(indent)));
                continue;
            }
            let head = if at == 0 { format!("{label} ") } else { " ".repeat(indent) };
            lines.extend(self.hanging(&head, indent, text, 2 - at));
        }
        lines
    }

    fn totals(&self) -> Vec<String> {
        let took = self.style.duration_ms.map_or_else(String::new, |millis| match millis {
            0..10_000 => format!(", {:.1} s", millis as f64 / 1_000.0),
            _ => format!(", {}", hms(millis as i64)),
        });
        let read = format!("{}{took}.", words::totals(self.findings));
        let Some(folder) = self.style.report else { return vec![read] };
        let path = folder.join("report.html").display().to_string();
        let everything = format!("Everything: {}", self.safe.line(&path));
        if width(&read) + 2 + width(&everything) <= self.width {
            vec![format!("{read}  {everything}")]
        } else {
            vec![read, everything]
        }
    }

    fn paint(&self, colour: Colour, text: &str) -> String {
        if self.style.colour { format!("{colour}{text}{colour:#}") } else { text.to_owned() }
    }
}

/// Says how many more of them the report has.
fn more(all: usize, shown: usize, what: &str) -> Option<String> {
    let hidden = all.saturating_sub(shown);
    (hidden > 0).then(|| format!("  … {} in the report", words::counted(hidden as u64, what)))
}

fn good() -> Colour {
    AnsiColor::Green.on_default()
}

fn severity(severity: Severity) -> Colour {
    match severity {
        Severity::Critical | Severity::Error => AnsiColor::Red.on_default(),
        Severity::Warning => AnsiColor::Yellow.on_default(),
        Severity::Notice | Severity::Info => Colour::new(),
    }
}
