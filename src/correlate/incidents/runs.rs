//! A backup, a restore or another run of `br` that failed.

use super::World;
use super::draft::{Draft, Moment, Seed};
use super::prose::{because, named, quote};
use super::words::at;
use crate::correlate::chains::{Asked, Reason};
use crate::correlate::episodes::EpisodeId;
use crate::correlate::findings::{Cause, Certainty, IncidentKind, Verdict};
use crate::correlate::graph::Taken;
use crate::correlate::runs::{BrRun, Job, RunRecord};
use crate::record::duration_seconds;
use crate::rules::Rule;
use crate::units::{Component, Severity, StoreId};
use std::collections::BTreeSet;

/// What helps a backup of a snapshot whose data GC has taken.
const BACKUP_AFRESH: &str = "Run it again for a newer moment (no `--backupts`), with a longer `--gcttl` if it takes long; \
                             where GC has passed `--lastbackupts`, take a full backup";

pub(super) fn find(world: &World<'_>, taken: &mut Taken) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for run in world.runs {
        let failures = run.failures();
        let worst = failures.iter().map(|record| record.severity).max();
        // A run whose end is not in the logs failed if its errors are those of a backup or restore.
        let failed = run.failed() || (!run.succeeded() && matches!(run.job, Job::Backup | Job::Restore));
        let refused = run.refusal.is_some() && !matches!(run.job, Job::Backup | Job::Restore);
        // What ends a backup or restore has failed it, harmless as it may be elsewhere.
        let is_harmless = !run.ended_what_was_asked() && worst.is_none_or(|worst| worst < Severity::Warning);
        if !failed || refused || is_harmless {
            continue;
        }
        let draft = draft(run, &failures, world);
        taken.take(draft.episodes.keys().copied());
        taken.take(run.records.iter().map(|record| record.episode));
        drafts.push(draft);
    }
    drafts
}

/// The record that a run's incident rests on: the first that says that it failed.
pub(super) fn run_seed(run: &BrRun) -> Seed {
    let failures = run.failures();
    let record = failures.first().copied().or_else(|| run.records.first());
    match record {
        Some(record) => {
            Seed { instance: run.instance, time: record.written, rule: record.rule, place: record.place.clone() }
        }
        None => Seed { instance: run.instance, time: run.began.0, rule: run.began.1, place: run.began.2.clone() },
    }
}

/// A record of a run.
pub(super) fn moment(record: &RunRecord, world: &World<'_>, what: String) -> Moment {
    Moment {
        real: record.time,
        written: record.written,
        rule: record.rule,
        component: world.episodes.at(record.episode).component,
        severity: record.severity,
        store: record.store,
        region: None,
        place: record.place.clone(),
        episode: record.episode,
        message: record.message.clone(),
        what,
    }
}

fn draft(run: &BrRun, failures: &[&RunRecord], world: &World<'_>) -> Draft {
    let telling = telling(failures, world);
    let job = job(run, telling);
    let kind = match job {
        Job::Backup => IncidentKind::BackupFailed,
        Job::Restore => IncidentKind::RestoreFailed,
        Job::Log(_) | Job::Other => IncidentKind::Other,
    };
    let mut draft = Draft::new(kind, run_seed(run));
    draft.severity = if kind == IncidentKind::Other { Severity::Warning } else { Severity::Error };
    draft.task.clone_from(&run.task);
    draft.stores.extend(failures.iter().filter_map(|record| record.store));
    (draft.cause, draft.certainty) = cause(run, failures, &mut draft, world);
    // What ends a run may say nothing of why; then what it met before does.
    let is_silent = failures.iter().all(|record| record.error().is_none());
    let met = run.records.iter().rev().filter(|_| is_silent);
    let told = failures
        .iter()
        .copied()
        .chain(met)
        .find_map(|record| told(record, world).filter(|told| told.cause == draft.cause));
    draft.verdict = told.and_then(|told| told.verdict).unwrap_or_else(|| verdict(draft.cause));
    let says = told.and_then(|told| told.says.as_deref());
    let name = name(run, job, world);
    for record in run.records.iter().filter(|record| record.fails() || record.severity >= Severity::Warning) {
        let rule = world.catalog.get(world.learned.rule(record.rule));
        let what = match rule {
            _ if record.fails() => format!("{name} fails"),
            Some(rule) => meaning(rule).to_owned(),
            None => "before that".to_owned(),
        };
        draft.add(moment(record, world, what));
    }
    let stores = named("store", draft.stores.iter()).map(|stores| format!(" ({stores})")).unwrap_or_default();
    let when = at(failures.iter().find_map(|record| record.written));
    let why = why(failures, telling, says, draft.cause);
    draft.summary = format!("{name} failed{when}{stores}: {why}.");
    draft.remedy = match telling {
        // The rule speaks of log backup, which is refused so far more often.
        _ if job == Job::Backup && run.refusal.is_some() => Some(BACKUP_AFRESH.to_owned()),
        telling => telling.map(|rule| rule.remedy.to_string()).filter(|remedy| !remedy.is_empty()),
    };
    let again = world.runs.iter().find(|other| {
        other.succeeded()
            && other.job == run.job
            && run.last.is_some()
            && other.started > run.last
            && same_command(other, run)
    });
    if let Some(again) = again {
        draft.says(&format!("A later run ended well{}.", at(again.last)));
        draft.recovered(again.last);
    }
    draft
}

/// What was to be done: as the run says, or else as its failure does.
fn job(run: &BrRun, telling: Option<&Rule>) -> Job {
    match (run.job, telling.map(|rule| &*rule.group)) {
        _ if run.command.is_some() => run.job,
        (Job::Other, Some("restore")) => Job::Restore,
        (Job::Other, Some("backup")) => Job::Backup,
        (job, _) => job,
    }
}

fn same_command(one: &BrRun, other: &BrRun) -> bool {
    one.job != Job::Other || one.command == other.command
}

/// The cause: what the failure says; else what the run met before; else what stores met meanwhile.
fn cause(run: &BrRun, failures: &[&RunRecord], draft: &mut Draft, world: &World<'_>) -> (Cause, Certainty) {
    let says = |record: &RunRecord| {
        let cause = told(record, world).and_then(Reason::known);
        refine(cause, &record.message, world)
    };
    let said = failures.iter().find_map(|record| says(record));
    let before = || {
        let earlier = run.records.iter().filter(|record| !record.fails() && record.severity >= Severity::Warning);
        earlier.rev().find_map(says)
    };
    let vague = matches!(said, None | Some(Cause::StorageAccess | Cause::Network));
    if vague && let Some((cause, core)) = met_by_stores(run, draft, said, world) {
        for (id, member) in world.grow(&core) {
            draft.add_episode(id, member);
        }
        draft.stores.extend(core.iter().filter_map(|id| world.episodes.at(*id).key.store));
        return (cause, Certainty::Inferred);
    }
    match said.or_else(before) {
        Some(cause) => (cause, Certainty::Observed),
        None => (Cause::Unknown, Certainty::Inferred),
    }
}

/// The reason that a record names, by its message or else by its codes.
fn told<'w>(record: &RunRecord, world: &World<'w>) -> Option<&'w Reason> {
    let chains = world.graph.chains;
    let own = world.learned.rule(record.rule);
    let quoted = world.catalog.get(own).filter(|rule| rule.wraps).and_then(|_| quoted(record, world));
    let rules: Vec<&str> = std::iter::once(&**own).chain(quoted.map(|rule| &*rule.id)).collect();
    chains.told_by(&rules, &record.message).or_else(|| chains.told_by(&rules, &record.codes.join(" ")))
}

/// A refused connection to a store means that it is gone, one to PD that PD is.
fn refine(cause: Option<Cause>, message: &str, world: &World<'_>) -> Option<Cause> {
    let cause = cause?;
    if cause != Cause::Network || !message.contains("connection refused") {
        return Some(cause);
    }
    let address = message.split("dial tcp ").nth(1).and_then(|rest| rest.split([' ', ',']).next());
    let Some(address) = address.map(|address| address.trim_end_matches(':')) else { return Some(cause) };
    let is_pd =
        address.ends_with(":2379")
            || world.learned.instances.all.iter().any(|instance| {
                instance.component == Some(Component::Pd) && instance.address.as_deref() == Some(address)
            });
    Some(match world.learned.instances.store_at(address) {
        Some(_) => Cause::StoreDown,
        None if is_pd => Cause::PdUnavailable,
        None => cause,
    })
}

/// What the store that failed, or else any, met while the run went on.
fn met_by_stores(
    run: &BrRun,
    draft: &Draft,
    said: Option<Cause>,
    world: &World<'_>,
) -> Option<(Cause, Vec<EpisodeId>)> {
    let (started, until) = run.started.zip(run.last)?;
    // The records of its start may be missing: it met what it gave up for at the earliest when it began to try.
    let tried = run.records.iter().find_map(|record| tried_seconds(&record.message));
    let from = started.min(until.plus_ms(-1_000 * tried.unwrap_or(0)));
    let named: BTreeSet<StoreId> = draft.stores.clone();
    for (kind, cause) in [
        ("disk-full-error", Some(Cause::DiskFull)),
        ("damaged", Some(Cause::DataCorruption)),
        ("killed-for-memory", Some(Cause::OutOfMemory)),
        ("backup-not-written", None),
        ("storage-fails", None),
    ] {
        let core: Vec<EpisodeId> = world
            .graph
            .of_kind(kind)
            .iter()
            .copied()
            .filter(|id| {
                let episode = world.episodes.at(*id);
                let of_a_store = episode.component.is_some_and(Component::is_store);
                let mine = named.is_empty() || episode.key.store.is_some_and(|store| named.contains(&store));
                let then = world.began(*id).is_some_and(|began| began <= until)
                    && world.ended(*id).is_some_and(|ended| ended >= from);
                of_a_store && mine && then
            })
            .collect();
        let said_there = core.iter().find_map(|id| world.reason(*id));
        if let Some(found) = cause.or(said_there).filter(|found| !core.is_empty() && Some(*found) != said) {
            return Some((found, core));
        }
    }
    None
}

/// How long `br` tried, where it says so: `backoff exceeds the max backoff time 1h0m0s`.
fn tried_seconds(message: &str) -> Option<i64> {
    let rest = message.split_once("max backoff time ")?.1;
    duration_seconds(rest.split([' ', ':', ',', '"']).next()?)
}

/// What to do about a failed run.
pub(super) const fn verdict(cause: Cause) -> Verdict {
    match cause {
        Cause::Network | Cause::StorageThrottled | Cause::LeaderChange | Cause::RegionMerge | Cause::RegionSplit => {
            Verdict::Retry
        }
        Cause::Unknown | Cause::Bug | Cause::DataCorruption => Verdict::Investigate,
        _ => Verdict::FixAndRetry,
    }
}

/// What failed: as the command says, else as the records tell.
fn name(run: &BrRun, job: Job, world: &World<'_>) -> String {
    let records: Vec<_> = run
        .records
        .iter()
        .filter_map(|record| {
            let rule = world.catalog.get(world.learned.rule(record.rule))?;
            Some((rule, world.episodes.at(record.episode).component))
        })
        .collect();
    let called = |asked| world.graph.chains.called(asked, &records).map(str::to_owned);
    let export = if job == Job::Backup { called(Asked::Backup) } else { None };
    export.unwrap_or_else(|| match (&run.command, job) {
        (Some(command), _) if !run.failed_later() => format!("br {}", command.trim_start_matches("br ")),
        (_, Job::Backup) => "A backup".to_owned(),
        (_, Job::Restore) => called(Asked::Restore).unwrap_or_else(|| "A restore".to_owned()),
        (_, Job::Log(verb)) => format!("br log {}", verb.as_str()),
        (_, Job::Other) => called(Asked::Other).unwrap_or_else(|| "Something".to_owned()),
    })
}

/// The rule that knows what went wrong: of a record that only says that something did, the one of what it quotes.
fn telling<'w>(failures: &[&RunRecord], world: &World<'w>) -> Option<&'w Rule> {
    failures.iter().find_map(|record| {
        let own = world.catalog.get(world.learned.rule(record.rule)).filter(|rule| !rule.wraps);
        own.or_else(|| quoted(record, world))
    })
}

fn quoted<'w>(record: &RunRecord, world: &World<'w>) -> Option<&'w Rule> {
    world.catalog.quoted(&record.message, &record.codes)
}

/// Why it failed: what its error names, else what the telling rule means, else what the error says.
fn why(failures: &[&RunRecord], telling: Option<&Rule>, says: Option<&str>, cause: Cause) -> String {
    let error = failures.iter().find_map(|record| record.error()).map(quote);
    match (says, telling, error) {
        (Some(says), ..) => format!("because of {says}"),
        // A code is a class; the text in front of it says what happened.
        (None, Some(rule), Some(error)) if rule.is_about_code() => format!("{}; {error}", meaning(rule)),
        (None, Some(rule), _) => meaning(rule).to_owned(),
        (None, None, Some(error)) if cause == Cause::Unknown => error,
        (None, None, Some(error)) => format!("{}: {error}", because(cause)),
        (None, None, None) => because(cause),
    }
}

fn meaning(rule: &Rule) -> &str {
    rule.meaning.trim_end_matches('.')
}
