//! `report.html`: the whole report in one file. The first screen answers; nothing is fetched from anywhere; it reads
//! without script, and better with it. Escaping is the template engine's.

mod axis;
mod bars;
mod chain;
mod curve;
mod heat;
mod lanes;
mod picture;

pub(super) use heat::Heat;

use super::Run;
use super::show::{Head, Kind, Shown, shown};
use super::table::Plain;
use super::tables;
use super::tally::Tally;
use super::words::{self, Decision, Fact, Title};
use crate::correlate::{Certainty, Findings, Incident, IncidentStatus, Step, Task, Verdict};
use crate::rules::Catalog;
use crate::safe::{Safe, SafeText};
use crate::units::hms;
use askama::Template;
use heat::HeatMap;
use picture::Picture;
use std::cmp::Reverse;
use std::io::{self, Write};

const STYLE: &str = include_str!("templates/report.css");
const SCRIPT: &str = include_str!("templates/report.js");

/// Rows of a table, incidents and steps of a chain at most: the page stays small however much was found.
const MOST_ROWS: usize = 60;
const MOST_INCIDENTS: usize = 12;
const MOST_STEPS: usize = 24;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    style: &'static str,
    script: &'static str,
    heading: SafeText<'static>,
    banners: Vec<Banner<'a>>,
    all_clear: String,
    quiet: Vec<SafeText<'static>>,
    as_of: Option<String>,
    totals: String,
    picture: Option<Picture>,
    incidents: Vec<Story<'a>>,
    more_incidents: usize,
    heat: Option<HeatMap>,
    tables: Vec<Sheet>,
    caveats: Vec<SafeText<'static>>,
    trust: Vec<(&'static str, String)>,
    sources: Shown,
    news: Vec<SafeText<'a>>,
    run: &'a Run,
    command_line: SafeText<'a>,
    took: String,
    rate: String,
}

/// What to know and to do about one task, or about an incident without one.
struct Banner<'a> {
    title: Title,
    severity: &'static str,
    cause: String,
    summary: SafeText<'a>,
    decision: Decision,
    tone: &'static str,
    deadline_millis: Option<i64>,
    commands: Vec<SafeText<'static>>,
    facts: Vec<Fact>,
    also: Vec<(SafeText<'a>, Title)>,
    anchor: SafeText<'a>,
}

/// An incident with its chain of evidence.
struct Story<'a> {
    anchor: SafeText<'a>,
    title: Title,
    severity: &'static str,
    status: &'static str,
    cause: String,
    summary: SafeText<'a>,
    decision: Decision,
    events: String,
    /// Number of its first step: as in the picture, where it is drawn there.
    number_from: usize,
    steps: Vec<StoryStep<'a>>,
    hidden: usize,
}

struct StoryStep<'a> {
    severity: &'static str,
    time: String,
    until: Option<String>,
    place: String,
    regions: String,
    what: SafeText<'a>,
    count: String,
    message: SafeText<'a>,
    evidence: SafeText<'static>,
    rule: SafeText<'a>,
    meaning: SafeText<'a>,
    leads_on: &'static str,
}

/// A table with its place on the page.
struct Sheet {
    id: &'static str,
    name: &'static str,
    /// Name in the navigation; empty where it has no place there.
    short: &'static str,
    table: Shown,
}

/// Writes the page.
pub(super) fn write(
    findings: &Findings,
    tally: &Tally,
    catalog: &Catalog,
    run: &Run,
    mut out: impl Write,
    safe: Safe,
) -> io::Result<()> {
    let banners = banners(findings, safe);
    let heading = banners.first().map_or_else(
        || safe.own(words::all_clear(findings)),
        |banner| safe.own(format!("{} {}", &*banner.title.subject, &*banner.title.state)),
    );
    let page = Page {
        style: STYLE,
        script: SCRIPT,
        heading,
        quiet: quiet(findings, safe),
        all_clear: words::all_clear(findings),
        banners,
        as_of: findings.now.map(words::moment),
        totals: words::totals(findings),
        picture: picture::draw(findings, safe),
        incidents: findings
            .incidents
            .iter()
            .take(MOST_INCIDENTS)
            .map(|incident| story(findings, incident, catalog, safe))
            .collect(),
        more_incidents: findings.incidents.len().saturating_sub(MOST_INCIDENTS),
        heat: tally.heat.as_ref().and_then(Heat::draw),
        tables: sheets(findings, tally, catalog, safe),
        caveats: words::caveats(findings, safe),
        trust: trust(findings),
        sources: all_columns(&tables::sources(), &findings.sources, &[], safe),
        news: run.news.iter().map(|sentence| safe.line(sentence)).collect(),
        command_line: safe.line(&run.command_line),
        took: hms(run.duration_ms as i64),
        rate: words::bytes(run.bytes_per_second),
        run,
    };
    let text = page.render().map_err(io::Error::other)?;
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// One banner for each task with an open incident, and for each open incident without a task; the worst first.
fn banners(findings: &Findings, safe: Safe) -> Vec<Banner<'_>> {
    let open: Vec<_> = findings.incidents.iter().filter(|incident| incident.status == IncidentStatus::Open).collect();
    let mut banners = Vec::new();
    for (at, incident) in open.iter().enumerate().take(MOST_INCIDENTS) {
        let same = |other: &&&Incident| other.task.is_some() && other.task == incident.task;
        if open[..at].iter().any(|other| same(&other)) {
            continue;
        }
        let task = words::task_of(findings, incident);
        let title =
            |incident: &Incident| words::title(incident, words::task_of(findings, incident), findings.now, safe);
        banners.push(Banner {
            title: title(incident),
            severity: incident.severity.as_str(),
            cause: words::cause(incident),
            summary: safe.line(&incident.summary),
            decision: words::decision(incident, task, findings.now),
            tone: match incident.verdict {
                Verdict::Resume | Verdict::Wait | Verdict::None => "good",
                Verdict::RecreateTask => "bad",
                _ => "fair",
            },
            deadline_millis: task
                .and_then(|task| task.resume_deadline)
                .filter(|_| incident.verdict == Verdict::Resume)
                .map(|deadline| deadline.0),
            commands: words::commands(incident, safe),
            facts: task.map_or_else(Vec::new, |task| words::facts(task, findings.now, safe)),
            also: open[at + 1..]
                .iter()
                .filter(same)
                .take(3)
                .map(|other| (safe.line(&other.id), title(other)))
                .collect(),
            anchor: safe.line(&incident.id),
        });
    }
    banners
}

/// Tasks that are in no open incident, in a line each.
fn quiet(findings: &Findings, safe: Safe) -> Vec<SafeText<'static>> {
    let is_broken = |task: &Task| findings.is_in_incident(task, |incident| incident.status == IncidentStatus::Open);
    let tasks = findings.tasks.iter().filter(|task| !is_broken(task));
    tasks.take(8).map(|task| words::task_line(task, safe)).collect()
}

fn story<'a>(findings: &'a Findings, incident: &'a Incident, catalog: &'a Catalog, safe: Safe) -> Story<'a> {
    let task = words::task_of(findings, incident);
    Story {
        anchor: safe.line(&incident.id),
        title: words::title(incident, task, findings.now, safe),
        severity: incident.severity.as_str(),
        status: incident.status.as_str(),
        cause: words::cause(incident),
        summary: safe.line(&incident.summary),
        decision: words::decision(incident, task, findings.now),
        events: words::counted(incident.events, "event"),
        number_from: chain::number_of(findings, incident),
        steps: incident.chain.iter().take(MOST_STEPS).map(|step| story_step(step, catalog, safe)).collect(),
        hidden: incident.chain.len().saturating_sub(MOST_STEPS),
    }
}

fn story_step<'a>(step: &'a Step, catalog: &'a Catalog, safe: Safe) -> StoryStep<'a> {
    let clock = |time: crate::units::Timestamp| time.to_string().replace('T', " ");
    let regions: Vec<_> = step.regions.iter().take(6).map(ToString::to_string).collect();
    StoryStep {
        severity: step.severity.as_str(),
        time: step.first.map(clock).unwrap_or_default(),
        until: step.last.filter(|_| step.first != step.last).map(clock),
        place: words::place(step.component, &step.stores),
        regions: regions.join(" "),
        what: safe.line(words::what(step, catalog)),
        count: words::grouped(step.count),
        message: safe.line(&step.message),
        evidence: safe.own(step.place.to_string()),
        rule: safe.line(&step.rule),
        meaning: catalog.get(&step.rule).map(|rule| safe.line(&rule.meaning)).unwrap_or_default(),
        leads_on: match step.certainty {
            Certainty::Observed => "observed",
            Certainty::Inferred => "inferred",
        },
    }
}

fn sheets(findings: &Findings, tally: &Tally, catalog: &Catalog, safe: Safe) -> Vec<Sheet> {
    let mut sheets = Vec::new();
    let mut sheet = |id, (name, short), table: Shown| {
        if !table.rows.is_empty() {
            sheets.push(Sheet { id, name, short, table });
        }
    };
    sheet("tasks", ("Tasks", "Tasks"), all_columns(&tables::tasks(), &findings.tasks, &["commands"], safe));
    let mut regions: Vec<_> = findings.regions.iter().collect();
    regions.sort_by_key(|region| (Reverse((region.errors, region.events)), region.id));
    sheet("regions", ("Regions", "Regions"), all_columns(&tables::regions(), regions, &["rules"], safe));
    sheet(
        "stores",
        ("Stores and other instances", "Stores"),
        all_columns(&tables::stores(), &findings.stores, &[], safe),
    );
    sheet("errors", ("Error codes", "Codes"), all_columns(&tables::errors(), &findings.errors, &[], safe));
    sheet("rules", ("Rules that matched", ""), rules(tally, catalog, safe));
    let mut episodes: Vec<_> = findings.episodes.iter().collect();
    if episodes.len() > MOST_ROWS {
        episodes.sort_by_key(|episode| Reverse((!episode.incidents.is_empty(), episode.severity)));
        episodes.truncate(MOST_ROWS);
        episodes.sort_by_key(|episode| (episode.first.is_none(), episode.first));
    }
    let mut timeline = all_columns(&tables::timeline(), episodes, &["task", "incident"], safe);
    timeline.hidden = findings.episodes.len() - timeline.rows.len();
    sheet("timeline", ("Episodes", "Episodes"), timeline);
    let mut unmatched: Vec<_> = findings.unmatched.iter().collect();
    unmatched.sort_by_key(|row| (Reverse((row.level, row.count)), &row.template));
    sheet("unmatched", ("Records that no rule knows", ""), all_columns(&tables::unmatched(), unmatched, &[], safe));
    sheets
}

/// All columns of a table but some.
fn all_columns<'r, R: Plain + 'r>(
    table: &super::table::Table<R>,
    rows: impl IntoIterator<Item = &'r R, IntoIter: ExactSizeIterator>,
    but: &[&str],
    safe: Safe,
) -> Shown {
    let columns: Vec<_> = table.columns.iter().map(|column| column.name).filter(|name| !but.contains(name)).collect();
    shown(table, &columns, rows.into_iter(), MOST_ROWS, safe)
}

/// What the matched rules mean, the worst first.
fn rules(tally: &Tally, catalog: &Catalog, safe: Safe) -> Shown {
    let mut rows: Vec<_> = tally.by_rule.iter().map(|(id, count)| (catalog.get(id), id, *count)).collect();
    rows.sort_by_key(|(rule, id, count)| (Reverse((rule.map(|rule| rule.severity), *count)), (*id).clone()));
    let cells = |(rule, id, count): &(Option<&crate::rules::Rule>, &std::sync::Arc<str>, u64)| {
        let text = |text: &str| safe.line(text).into_owned();
        vec![
            text(id),
            text(rule.map_or("", |rule| rule.severity.as_str())),
            text(&count.to_string()),
            text(rule.map_or("", |rule| &rule.meaning)),
            text(rule.map_or("", |rule| &rule.remedy)),
        ]
    };
    let head = [
        ("rule", Kind::Text),
        ("severity", Kind::Text),
        ("events", Kind::Number),
        ("meaning", Kind::Long),
        ("remedy", Kind::Long),
    ];
    Shown {
        csv: None,
        head: head.map(|(name, kind)| Head { name: name.to_owned(), kind }).into(),
        hidden: rows.len().saturating_sub(MOST_ROWS),
        rows: rows.iter().take(MOST_ROWS).map(cells).collect(),
    }
}

/// How far the report can be trusted, in numbers.
fn trust(findings: &Findings) -> Vec<(&'static str, String)> {
    let sum = |count: fn(&crate::correlate::Source) -> u64| findings.sources.iter().map(count).sum::<u64>();
    let skews: Vec<_> = findings.stores.iter().filter_map(|store| Some((store.clock_skew_ms?, store))).collect();
    let worst = skews.iter().max_by_key(|(skew, _)| skew.abs());
    let skew = worst.map_or_else(
        || "unknown".to_owned(),
        |(skew, store)| match store.id {
            _ if *skew == 0 => "none seen".to_owned(),
            Some(id) => format!("up to {} (store {id})", hms(*skew)),
            None => format!("up to {}", hms(*skew)),
        },
    );
    let mut versions: Vec<_> = findings
        .stores
        .iter()
        .filter_map(|store| Some(format!("{} {}", store.component?, store.version.as_ref()?)))
        .collect();
    versions.sort();
    versions.dedup();
    versions.truncate(12);
    let span = findings.totals.first.zip(findings.totals.last);
    vec![
        ("Read", words::totals(findings)),
        ("Records", words::grouped(findings.totals.records)),
        ("Events", words::grouped(findings.totals.events)),
        (
            "From, to",
            span.map_or_else(String::new, |(first, last)| {
                format!("{} to {}", words::moment(first), words::moment(last))
            }),
        ),
        ("Not wholly read", words::counted(words::unread(findings), "file")),
        ("Lines that are no record", words::grouped(sum(|source| source.unparsed_lines))),
        ("Lines that continue a record", words::grouped(sum(|source| source.continuation_lines))),
        ("Clock skew", skew),
        ("Versions", versions.join(", ")),
    ]
}

#[cfg(test)]
mod tests;
