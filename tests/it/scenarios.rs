//! Simulated clusters, of which it is known what really happened: does the program find that, and nothing else, and does its
//! evidence stand where it says?
//!
//! `scripts/score-scenarios` runs this over many seeds and prints the tables.

use crate::cluster::generate;
use crate::cluster::scenarios::{ALL, Request};
use flate2::read::GzDecoder;
use rayon::prelude::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use tempfile::TempDir;
use tidescope::correlate::{self, Findings, Incident, Step};
use tidescope::input;
use tidescope::matching::Matcher;
use tidescope::record;
use tidescope::rules::Catalog;
use tidescope::scan::{self, Context};
use tidescope::units::{Timestamp, Tso};

/// What is done to each scenario; `missing` to those in which a store is at fault.
const VARIANTS: [&str; 6] = ["", "+skew", "+missing", "+rotated", "+redacted", "+skew+missing+rotated+redacted"];

/// Least part of the incidents that must be found, and least part of those reported that must be right.
const LEAST: f64 = 0.98;

static MATCHER: LazyLock<Matcher> = LazyLock::new(|| Matcher::new(Arc::new(Catalog::load(&[]).unwrap())));

/// A cluster on disk, what happened to it, and what the program says happened.
pub(crate) struct Case {
    pub(crate) folder: TempDir,
    pub(crate) truth: Value,
    pub(crate) findings: Findings,
}

impl Case {
    pub(crate) fn new(name: &str, seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        generate(&Request::parse(name, seed).unwrap(), folder.path()).unwrap();
        let truth = folder.path().join("truth.json");
        let case = Self {
            truth: serde_json::from_slice(&std::fs::read(&truth).unwrap()).unwrap(),
            findings: Findings::default(),
            folder,
        };
        std::fs::remove_file(truth).unwrap();
        Self { findings: analyzed(case.folder.path()), ..case }
    }
}

/// What the program finds in a folder, without the cost of starting it.
fn analyzed(folder: &Path) -> Findings {
    let found = input::discover(&[folder], &input::Options::default());
    let settings = scan::Settings {
        since: None,
        until: None,
        context: Context::Auto,
        split: None,
        starts: BTreeMap::new(),
        zone_minutes: None,
        memory: 1 << 30,
        redact: true,
    };
    let (events, sources, unmatched) =
        scan::scan(&found, &MATCHER, &settings, &scan::Progress::default()).unwrap().sorted();
    let options = correlate::Options { episode_gap_ms: 60_000, gc_ttl_ms: 86_400_000, ..correlate::Options::default() };
    correlate::correlate(&events, &sources, &unmatched, MATCHER.catalog(), &options).unwrap().findings
}

/// How well some clusters were told.
#[derive(Default)]
struct Score {
    clusters: usize,
    /// Incidents that there were, and how many of them were found.
    wanted: usize,
    found: usize,
    /// Incidents that were reported beyond those, and are not so.
    wrong: usize,
    /// Facts about tasks, and how many of them were right.
    facts: usize,
    right: usize,
    /// Steps of the evidence, and how many of them stand where they are said to.
    steps: usize,
    there: usize,
    mistakes: Vec<String>,
}

impl Score {
    fn recall(&self) -> f64 {
        part(self.found, self.wanted)
    }

    fn precision(&self) -> f64 {
        part(self.found, self.found + self.wrong)
    }

    fn of_tasks(&self) -> f64 {
        part(self.right, self.facts)
    }

    fn evidence(&self) -> f64 {
        part(self.there, self.steps)
    }

    fn add(&mut self, other: &Self) {
        self.clusters += other.clusters;
        self.wanted += other.wanted;
        self.found += other.found;
        self.wrong += other.wrong;
        self.facts += other.facts;
        self.right += other.right;
        self.steps += other.steps;
        self.there += other.there;
        self.mistakes.extend_from_slice(&other.mistakes);
    }

    fn of(name: &str, seed: u64) -> Self {
        let case = Case::new(name, seed);
        let mut score = Self { clusters: 1, ..Self::default() };
        let mut mistake = |text: String| score.mistakes.push(format!("{name} --seed {seed}: {text}"));
        let list = |key: &str| case.truth[key].as_array().cloned().unwrap_or_default();
        let mut left: Vec<&Incident> = case.findings.incidents.iter().collect();
        for wanted in list("incidents") {
            score.wanted += 1;
            if let Some(at) = left.iter().position(|one| differences(one, &wanted).is_empty()) {
                left.remove(at);
                score.found += 1;
                continue;
            }
            let nearest = left.iter().map(|one| differences(one, &wanted)).min_by_key(Vec::len);
            let nearest = nearest.map_or_else(|| "nothing like it".to_owned(), |all| all.join(", "));
            mistake(format!("{} {} is missing: {nearest}", text(&wanted["kind"]), text(&wanted["cause"])));
        }
        let allowed = list("allowed");
        for one in left {
            if !allowed.iter().any(|allowed| differences(one, allowed).is_empty()) {
                score.wrong += 1;
                mistake(format!("beyond the truth: {} {} {}", one.kind, one.cause, one.summary));
            }
        }
        for (fact, found, wanted) in facts(&case) {
            score.facts += 1;
            if found == wanted {
                score.right += 1;
            } else {
                mistake(format!("the task's {fact} is {found}, not {wanted}"));
            }
        }
        for step in case.findings.incidents.iter().flat_map(|one| &one.chain) {
            score.steps += 1;
            match stands_there(step) {
                Ok(()) => score.there += 1,
                Err(found) => mistake(format!("{} at {} is not there: {found}", step.rule, step.place)),
            }
        }
        score
    }
}

/// Whether the record that a step rests on stands where the step says. What stands there instead otherwise.
fn stands_there(step: &Step) -> Result<(), String> {
    let (file, line) = (Path::new(&*step.place.file), step.place.line as usize);
    let mut text = std::fs::read(file).map_err(|error| error.to_string())?;
    if file.extension().is_some_and(|ending| ending == "gz") {
        let packed = std::mem::take(&mut text);
        GzDecoder::new(packed.as_slice()).read_to_end(&mut text).map_err(|error| error.to_string())?;
    }
    let start: usize = text.split_inclusive(|byte| *byte == b'\n').take(line - 1).map(<[u8]>::len).sum();
    let mut first = First(None);
    record::split(&text[start..], 0..text.len() - start, &mut first);
    let (at, found, message) = first.0.ok_or("no record")?;
    // A message is followed by the root of its errors, or stands for the words of a screen.
    let says = !message.is_empty() && step.message.contains(message.split('\u{fffd}').next().unwrap_or_default());
    // A task of a screen in JSON begins within the line.
    let in_line = !text[start..start + at].contains(&b'\n');
    let is_it = in_line && found.as_deref() == Some(&*step.rule) && (says || message.is_empty());
    if is_it { Ok(()) } else { Err(format!("{found:?} {message}")) }
}

/// The first record of a text: where it begins, which rule knows it, its message.
struct First(Option<(usize, Option<Box<str>>, String)>);

impl record::Sink for First {
    fn record(&mut self, raw: record::RawRecord<'_>) {
        if self.0.is_none() {
            let record = record::Record::read(raw.bytes, raw.kind);
            let rule = MATCHER.find(&record, &[]).map(|rule| MATCHER.catalog().at(rule).id.as_ref().into());
            self.0 = Some((raw.start, rule, String::from_utf8_lossy(&record.message).into_owned()));
        }
    }
}

fn part(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// In which fields an incident is not what the truth says it is. What the truth does not name is not judged.
fn differences(one: &Incident, truth: &Value) -> Vec<String> {
    let mut all = Vec::new();
    for (field, found) in [
        ("kind", one.kind.as_str()),
        ("cause", one.cause.as_str()),
        ("status", one.status.as_str()),
        ("verdict", one.verdict.as_str()),
        ("task", one.task.as_deref().unwrap_or_default()),
    ] {
        let Some(wanted) = truth[field].as_str() else { continue };
        let also = truth["accept"][field].as_array().is_some_and(|also| also.iter().any(|one| one == found));
        if found != wanted && !also {
            all.push(format!("{field} {found:?}, not {wanted:?}"));
        }
    }
    let ids = |field: &str| -> Option<BTreeSet<u64>> {
        Some(truth[field].as_array()?.iter().filter_map(Value::as_u64).collect())
    };
    for (field, found) in [
        ("stores", one.stores.iter().map(|id| id.0).collect::<BTreeSet<_>>()),
        ("regions", one.regions.iter().map(|id| id.0).collect()),
    ] {
        if let Some(wanted) = ids(field).filter(|wanted| *wanted != found) {
            all.push(format!("{field} {found:?}, not {wanted:?}"));
        }
    }
    if let Some(wanted) = truth["commands"].as_array() {
        let wanted: BTreeSet<&str> = wanted.iter().map(text).collect();
        let found: BTreeSet<&str> = one.commands.iter().map(String::as_str).collect();
        if wanted != found {
            all.push(format!("commands {found:?}, not {wanted:?}"));
        }
    }
    all
}

/// What the program says of the task, and what is so.
fn facts(case: &Case) -> Vec<(&'static str, String, String)> {
    let truth = &case.truth["task"];
    let Some(name) = truth["name"].as_str() else { return Vec::new() };
    let Some(task) = case.findings.tasks.iter().find(|task| task.name == name) else {
        return vec![("name", "not known".to_owned(), name.to_owned())];
    };
    let time = |found: Option<Timestamp>| found.map_or_else(String::new, |time| time.to_string());
    // A task that runs but gets nowhere has the verdict of its incident.
    let stalls = case.findings.incidents.iter().filter(|one| one.task.as_deref() == Some(name) && one.end.is_none());
    let of_incident = stalls.map(|one| one.verdict.as_str()).next().unwrap_or("none");
    let verdict = Some(text(&truth["verdict"])).filter(|verdict| !verdict.is_empty()).unwrap_or(of_incident);
    // Where only a status screen shows the checkpoint, it does so to the millisecond.
    let checkpoint = truth["checkpoint_ts"].as_u64().map(Tso);
    let shown = match task.checkpoint {
        Some(found) => (found.to_string(), checkpoint.map_or_else(String::new, |tso| tso.to_string())),
        None => (time(task.checkpoint_time), time(checkpoint.map(Tso::time))),
    };
    vec![
        ("status", task.status.as_str().to_owned(), text(&truth["status"]).to_owned()),
        ("verdict", task.verdict.as_str().to_owned(), verdict.to_owned()),
        ("checkpoint", shown.0, shown.1),
        (
            "GC safe point",
            task.gc_safepoint.map_or_else(String::new, |found| found.to_string()),
            truth["gc_safepoint_ts"].to_string(),
        ),
        ("deadline", time(task.resume_deadline), text(&truth["resume_deadline"]).to_owned()),
    ]
}

/// A line a scenario or variant, and what is below the least.
fn table(title: &str, rows: &BTreeMap<&str, Score>) -> (String, Vec<String>) {
    let mut out = format!("{title:32} clusters incidents  recall precision  tasks evidence\n");
    let mut below = Vec::new();
    for (name, score) in rows {
        let (recall, precision, tasks) = (score.recall(), score.precision(), score.of_tasks());
        let (clusters, wanted, evidence) = (score.clusters, score.wanted, score.evidence());
        writeln!(out, "{name:32} {clusters:8} {wanted:9}  {recall:6.3} {precision:9.3} {tasks:6.3} {evidence:8.3}")
            .unwrap();
        if recall < LEAST || precision < LEAST || tasks < LEAST || evidence < 1.0 {
            below.push(format!(
                "{title} {name}: recall {recall:.3}, precision {precision:.3}, tasks {tasks:.3}, evidence {evidence:.3}"
            ));
        }
    }
    (out, below)
}

#[test]
fn what_happened_is_found_and_nothing_else() {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let (seeds, first) = (number("TIDESCOPE_SEEDS").unwrap_or(0), number("TIDESCOPE_FIRST_SEED").unwrap_or(1));
    let only = std::env::var("TIDESCOPE_SCENARIO").ok();
    let mut jobs = Vec::new();
    for (at, scenario) in ALL.iter().enumerate().filter(|(_, one)| only.as_deref().is_none_or(|only| only == one.name))
    {
        let variants: Vec<&str> =
            VARIANTS.into_iter().filter(|variant| !(scenario.healthy && variant.contains("missing"))).collect();
        if seeds == 0 {
            // Every scenario as it is and with one of the variants.
            jobs.push((scenario.name, variants[0], first));
            jobs.push((scenario.name, variants[1 + at % (variants.len() - 1)], first + 1));
        }
        for variant in variants {
            jobs.extend((first..first + seeds).map(|seed| (scenario.name, variant, seed)));
        }
    }
    let scores: Vec<_> = jobs
        .into_par_iter()
        .map(|(scenario, variant, seed)| (scenario, variant, Score::of(&format!("{scenario}{variant}"), seed)))
        .collect();
    let mut by_scenario: BTreeMap<&str, Score> = BTreeMap::new();
    let mut by_variant: BTreeMap<&str, Score> = BTreeMap::new();
    for (scenario, variant, score) in scores {
        by_scenario.entry(scenario).or_default().add(&score);
        by_variant.entry(if variant.is_empty() { "plain" } else { variant }).or_default().add(&score);
    }
    let mistakes: Vec<&String> = by_scenario.values().flat_map(|score| &score.mistakes).collect();
    mistakes.iter().for_each(|text| println!("{text}"));
    let (scenarios, mut below) = table("scenario", &by_scenario);
    let (variants, more) = table("variant", &by_variant);
    below.extend(more);
    println!("\n{scenarios}\n{variants}");
    assert!(below.is_empty(), "below {LEAST}:\n{}", below.join("\n"));
}
