//! `report.html`: the whole report in one file. The first screen answers; nothing is fetched from anywhere; it reads
//! without script, and better with it. Escaping is the template engine's.

mod axis;
mod bars;
mod chain;
mod curve;
mod frame;
mod heat;
mod lanes;
mod picture;

pub(super) use frame::{Crowd, Frame};
pub(super) use heat::Heat;

use super::Run;
use super::quiet;
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
/// The page runs this script and no other: the browser refuses what has another hash. A test says what it is to be.
const SCRIPT_HASH: &str = "sha256-fBSkMHxOPRXdMFZsSCT0IyO4HLIj3TXme51iFRN2OIQ=";

/// Rows of a table, incidents and steps of a chain at most: the page stays small however much was found.
const MOST_ROWS: usize = 60;
const MOST_INCIDENTS: usize = 12;
const MOST_STEPS: usize = 24;

/// Columns in the order in which they are read here; the CSV files have all.
const TASKS: &str = "task status verdict checkpoint_time gap_s gc_safepoint_time exceeded_by_s resume_deadline \
    deadline_basis error_code observed_at start_time storage checkpoint_ts";
const REGIONS: &str = "region_id events errors first last stores leader_store merge_source_of merge_target_of \
    merge_result merge_started merge_ended incident";
const STORES: &str = "store_id address component version events errors regions restarts clock_skew_ms first last \
    records sources identified_by";
const ERRORS: &str = "error_code count meaning remedy rule stores regions first last";
const TIMELINE: &str = "first last count severity rule component store_id region_id summary error_code file line";
const UNMATCHED: &str = "template component level count first last example file line";
const SOURCES: &str = "file component instance store_id status problem records bytes continuation_lines \
    unparsed_lines first last";

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    style: &'static str,
    script: &'static str,
    script_hash: &'static str,
    heading: SafeText<'static>,
    banners: Vec<Banner<'a>>,
    /// Open incidents that no banner speaks of.
    more_open: usize,
    all_clear: String,
    is_well: bool,
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
    let (banners, more_open) = banners(findings, safe);
    let heading = banners.first().map_or_else(
        || safe.own(quiet::headline(findings)),
        |banner| safe.own(format!("{} {}", &*banner.title.subject, &*banner.title.state)),
    );
    let page = Page {
        style: STYLE,
        script: SCRIPT,
        script_hash: SCRIPT_HASH,
        heading,
        quiet: quiet(findings, safe),
        all_clear: quiet::headline(findings),
        is_well: quiet::is_well(findings),
        banners,
        more_open,
        as_of: findings.now.map(words::moment),
        totals: words::totals(findings),
        picture: tally.frame.as_ref().map(|frame| picture::draw(findings, frame, &tally.crowd, safe)),
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
        sources: cut(&tables::sources(), SOURCES, &findings.sources, safe),
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
/// And how many incidents there is no room for.
fn banners(findings: &Findings, safe: Safe) -> (Vec<Banner<'_>>, usize) {
    let open: Vec<_> = findings.incidents.iter().filter(|incident| incident.status == IncidentStatus::Open).collect();
    let mut banners = Vec::new();
    let mut hidden = 0;
    for (at, incident) in open.iter().enumerate() {
        let same = |other: &&&Incident| other.task.is_some() && other.task == incident.task;
        if open[..at].iter().any(|other| same(&other)) {
            continue;
        }
        if banners.len() == MOST_INCIDENTS {
            hidden += 1;
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
    (banners, hidden)
}

/// Tasks that are in no open incident, in a line each.
fn quiet(findings: &Findings, safe: Safe) -> Vec<SafeText<'static>> {
    let is_broken = |task: &Task| findings.is_in_incident(task, |incident| incident.status == IncidentStatus::Open);
    let tasks = findings.tasks.iter().filter(|task| !is_broken(task));
    tasks.take(8).map(|task| words::task_line(task, safe)).chain(quiet::troubles(findings, safe)).collect()
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
    sheet("tasks", ("Tasks", "Tasks"), cut(&tables::tasks(), TASKS, &findings.tasks, safe));
    let mut regions: Vec<_> = findings.regions.iter().collect();
    regions.sort_by_key(|region| (Reverse((region.errors, region.events)), region.id));
    sheet("regions", ("Regions", "Regions"), cut(&tables::regions(), REGIONS, regions, safe));
    let stores = cut(&tables::stores(), STORES, &findings.stores, safe);
    sheet("stores", ("Stores and other instances", "Stores"), stores);
    sheet("errors", ("Error codes", "Codes"), cut(&tables::errors(), ERRORS, &findings.errors, safe));
    sheet("rules", ("Rules that matched", ""), rules(tally, catalog, safe));
    let mut episodes: Vec<_> = findings.episodes.iter().collect();
    if episodes.len() > MOST_ROWS {
        episodes.sort_by_key(|episode| Reverse((!episode.incidents.is_empty(), episode.severity)));
        episodes.truncate(MOST_ROWS);
        episodes.sort_by_key(|episode| (episode.first.is_none(), episode.first));
    }
    let mut timeline = cut(&tables::timeline(), TIMELINE, episodes, safe);
    timeline.hidden = (tally.crowd.all as usize).saturating_sub(timeline.rows.len());
    sheet("timeline", ("Episodes", "Episodes"), timeline);
    let mut unmatched: Vec<_> = findings.unmatched.iter().collect();
    unmatched.sort_by_key(|row| (Reverse((row.level, row.count)), &row.template));
    sheet("unmatched", ("Records that no rule knows", ""), cut(&tables::unmatched(), UNMATCHED, unmatched, safe));
    sheets
}

/// The columns of a table that say something, cut to the rows that the page has room for.
fn cut<'r, R: Plain + 'r>(
    table: &super::table::Table<R>,
    columns: &str,
    rows: impl IntoIterator<Item = &'r R, IntoIter: ExactSizeIterator>,
    safe: Safe,
) -> Shown {
    let columns: Vec<_> = columns.split(' ').collect();
    shown(table, &columns, rows.into_iter(), MOST_ROWS, safe).without_empty().with_places(safe)
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
        ("rule", Kind::Names),
        ("severity", Kind::Severity),
        ("events", Kind::Number),
        ("meaning", Kind::Prose),
        ("remedy", Kind::Prose),
    ];
    Shown {
        file: Some("summary.json".to_owned()),
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
            None => {
                let who = store.component.map(crate::units::Component::as_str);
                let who: Vec<_> = who.into_iter().chain(store.address.as_deref()).collect();
                format!("up to {} ({})", hms(*skew), who.join(" "))
            }
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
