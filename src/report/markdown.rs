//! `report.md`: the findings for a ticket, short, in tables that GitHub and Jira render.

mod escape;
mod gantt;

pub(crate) use escape::Markdown;

#[cfg(feature = "sqlite")]
pub(crate) use escape::text as escaped;

use super::Run;
use super::quiet;
use super::show::{Shown, shown};
use super::tables;
use super::words::{self, Decision, Fact, Title};
use crate::correlate::{Findings, Incident, IncidentStatus, Step, Verdict};
use crate::rules::Catalog;
use crate::safe::{Safe, SafeText};
use crate::units::hms;
use askama::Template;
use std::io::{self, Write};

/// Rows of a table at most; the CSV files have the rest.
const MOST_ROWS: usize = 15;

#[derive(Template)]
#[template(path = "report.md")]
struct Page<'a> {
    open: Vec<Block<'a>>,
    all_clear: String,
    quiet: Vec<SafeText<'static>>,
    others: Option<Shown>,
    tables: Vec<(&'static str, Shown)>,
    caveats: Vec<SafeText<'static>>,
    totals: String,
    as_of: Option<String>,
    news: Vec<SafeText<'a>>,
    run: &'a Run,
    command_line: String,
    took: String,
    rate: String,
}

/// An open incident.
struct Block<'a> {
    title: Title,
    cause: String,
    summary: SafeText<'a>,
    decision: Option<Decision>,
    commands: String,
    facts: Vec<Fact>,
    steps: Vec<Line<'a>>,
    hidden: usize,
    gantt: Option<String>,
}

/// A step of its chain.
struct Line<'a> {
    time: String,
    place: String,
    what: SafeText<'a>,
    count: String,
    evidence: String,
}

/// Writes the document.
pub(super) fn write(
    findings: &Findings,
    catalog: &Catalog,
    run: &Run,
    mut out: impl Write,
    safe: Safe,
) -> io::Result<()> {
    let is_open = |incident: &&Incident| incident.status == IncidentStatus::Open;
    let (open, rest): (Vec<_>, Vec<_>) = findings.incidents.iter().partition(is_open);
    let (full, brief) = open.split_at(open.len().min(3));
    let others: Vec<_> = brief.iter().chain(&rest).copied().collect();
    let incidents = tables::incidents();
    let columns = ["incident", "severity", "status", "start", "end", "task", "cause", "verdict", "summary"];
    let mut tables = Vec::new();
    let mut table = |name, shown: Shown| {
        if !shown.rows.is_empty() {
            tables.push((name, shown));
        }
    };
    let columns_of = |names: &'static str| names.split(' ').collect::<Vec<_>>();
    table(
        "Tasks",
        shown(
            &tables::tasks(),
            &columns_of("task status checkpoint_time gap_s gc_safepoint_time resume_deadline verdict error_code"),
            findings.tasks.iter(),
            MOST_ROWS,
            safe,
        ),
    );
    let mut regions: Vec<_> = findings.regions.iter().collect();
    regions.sort_by_key(|region| (std::cmp::Reverse((region.errors, region.events)), region.id));
    table(
        "Regions",
        shown(
            &tables::regions(),
            &columns_of("region_id events errors first last stores merge_source_of merge_target_of merge_result"),
            regions.into_iter(),
            MOST_ROWS,
            safe,
        ),
    );
    table(
        "Stores and other instances",
        shown(
            &tables::stores(),
            &columns_of(
                "store_id address component version first last events errors restarts clock_skew_ms identified_by",
            ),
            findings.stores.iter(),
            MOST_ROWS,
            safe,
        ),
    );
    table(
        "Error codes",
        shown(
            &tables::errors(),
            &columns_of("error_code count first last stores meaning remedy"),
            findings.errors.iter(),
            MOST_ROWS,
            safe,
        ),
    );
    let mut unmatched: Vec<_> = findings.unmatched.iter().collect();
    unmatched.sort_by_key(|row| (std::cmp::Reverse((row.level, row.count)), &row.template));
    table(
        "Records that no rule knows",
        shown(&tables::unmatched(), &columns_of("count level component template"), unmatched.into_iter(), 5, safe),
    );
    let page = Page {
        open: full
            .iter()
            .enumerate()
            .map(|(at, incident)| block(findings, catalog, incident, &full[..at], safe))
            .collect(),
        all_clear: quiet::headline(findings),
        quiet: quiet(findings, safe),
        others: (!others.is_empty()).then(|| shown(&incidents, &columns, others.into_iter(), MOST_ROWS, safe)),
        tables,
        caveats: words::caveats(findings, safe),
        totals: words::totals(findings),
        as_of: findings.now.map(words::moment),
        news: run.news.iter().map(|sentence| safe.line(sentence)).collect(),
        command_line: escape::span(&safe.line(&run.command_line)),
        took: hms(run.duration_ms as i64),
        rate: words::bytes(run.bytes_per_second),
        run,
    };
    let text = page.render().map_err(io::Error::other)?;
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// What is said where no incident is open.
fn quiet(findings: &Findings, safe: Safe) -> Vec<SafeText<'static>> {
    let tasks = findings.tasks.iter().take(MOST_ROWS).map(|task| words::task_line(task, safe));
    tasks.chain(quiet::troubles(findings, safe)).collect()
}

fn block<'a>(
    findings: &'a Findings,
    catalog: &'a Catalog,
    incident: &'a Incident,
    before: &[&Incident],
    safe: Safe,
) -> Block<'a> {
    let task = words::task_of(findings, incident);
    // What to do about a task, and how it stands, is said once.
    let said = before.iter().any(|other| other.task.is_some() && other.task == incident.task);
    let drawn = before.iter().any(|other| gantt::chart(&other.chain, catalog, safe).is_some());
    let commands: Vec<_> = words::commands(incident, safe).iter().map(ToString::to_string).collect();
    let language = if incident.verdict == Verdict::SetTiflashReplica { "sql" } else { "shell" };
    Block {
        title: words::title(incident, task, findings.now, safe),
        cause: words::cause(incident),
        summary: safe.line(&incident.summary),
        decision: (!said).then(|| words::decision(incident, task, findings.now)),
        commands: if said || commands.is_empty() {
            String::new()
        } else {
            escape::fenced(&commands.join("\n"), language)
        },
        facts: task.filter(|_| !said).map_or_else(Vec::new, |task| words::facts(task, findings.now, safe)),
        steps: incident.chain.iter().take(MOST_ROWS).map(|step| line(step, catalog, safe)).collect(),
        hidden: incident.chain.len().saturating_sub(MOST_ROWS),
        gantt: if drawn { None } else { gantt::chart(&incident.chain, catalog, safe) },
    }
}

fn line<'a>(step: &'a Step, catalog: &'a Catalog, safe: Safe) -> Line<'a> {
    Line {
        time: step.first.map_or_else(String::new, |time| time.to_string().replace('T', " ")),
        place: words::place(step.component, &step.stores),
        what: safe.line(words::what(step, catalog)),
        count: words::grouped(step.count),
        evidence: escape::span(&safe.own(step.place.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::write;
    use crate::correlate::Findings;
    use crate::rules::Catalog;
    use crate::safe::Safe;

    fn page(findings: &Findings) -> String {
        let mut out = Vec::new();
        write(findings, &Catalog::embedded().unwrap(), &sample::run(), &mut out, Safe::new(true)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn report_of_the_failed_task() {
        insta::assert_snapshot!(page(&sample::failed().findings));
    }

    #[test]
    fn report_of_the_refused_resume() {
        insta::assert_snapshot!(page(&sample::refused().findings));
    }

    #[test]
    fn report_of_a_healthy_run() {
        insta::assert_snapshot!(page(&sample::healthy().findings));
    }

    #[test]
    fn hostile_text_opens_nothing() {
        let mut findings = sample::failed().findings;
        let incident = &mut findings.incidents[0];
        incident.summary = "<img src=x onerror=alert(1)> | @everyone [x](http://evil) #1 **b** `c`".to_owned();
        incident.commands = vec!["br ```\n# heading".to_owned()];
        incident.chain[0].what = "a | b\n# c".to_owned();
        let text = page(&findings);
        assert!(text.contains("\\<img"), "{text}");
        assert!(!text.contains("@everyone") && !text.contains("http://evil"), "{text}");
        assert!(text.contains("````shell\nbr ``` # heading\n````"), "{text}");
        assert!(text.contains("a \\| b \\# c"), "{text}");
    }
}
