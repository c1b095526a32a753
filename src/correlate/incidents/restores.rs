//! A restore to a point in time that left out TiFlash replicas.

use super::World;
use super::draft::{Draft, Moment};
use super::runs::{moment, run_seed};
use crate::correlate::findings::{Cause, Certainty, IncidentKind, Verdict};
use crate::correlate::graph::Taken;
use crate::correlate::runs::BrRun;
use crate::correlate::versions::Version;
use crate::units::Severity;

/// From this version on BR sets the replicas itself.
const SETS_REPLICAS: Version = Version(6, 3, 0);

pub(super) fn find(world: &World<'_>, _taken: &mut Taken) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for run in world.runs.iter().filter(|run| run.restored_point) {
        let failed = run.records.iter().any(|record| &**world.learned.rule(record.rule) == "br-tiflash-restore-failed");
        let missed = || world.replicas.named(run.last).iter().any(|one| one.replicas.is_none());
        let version = run.version.as_deref().or_else(|| cluster_version(world)).and_then(Version::parse);
        let left_out = || version.map_or_else(missed, |version| version < SETS_REPLICAS);
        if failed || (!run.sets_tiflash && left_out()) {
            drafts.push(draft(run, failed, world));
        }
    }
    drafts
}

/// The newest version in the cluster: BR has to fit it.
fn cluster_version<'w>(world: &World<'w>) -> Option<&'w str> {
    let known = world.learned.instances.all.iter().filter_map(|instance| instance.version.as_deref());
    known.max_by_key(|version| Version::parse(version))
}

fn draft(run: &BrRun, failed: bool, world: &World<'_>) -> Draft {
    let mut draft = Draft::new(IncidentKind::RestoreIncomplete, run_seed(run));
    draft.start = run.started;
    draft.cause = Cause::TiflashReplica;
    draft.verdict = Verdict::SetTiflashReplica;
    // Where this cluster's logs name no table, those of the cluster that was backed up may.
    let own = world.replicas.commands(run.last);
    let others = world.everywhere.filter(|_| own.is_empty()).map(|all| all.commands(run.last));
    draft.commands = others.unwrap_or(own);
    let named = world.replicas.named(run.last);
    let missed = named.iter().any(|one| one.replicas.is_none());
    draft.certainty = if failed || missed { Certainty::Observed } else { Certainty::Inferred };
    draft.severity = if failed || !named.is_empty() { Severity::Error } else { Severity::Warning };
    let done = "the restore is done, without TiFlash replicas";
    for record in run.records.iter().filter(|record| {
        record.severity >= Severity::Warning || &**world.learned.rule(record.rule) == "br-restore-log-success"
    }) {
        draft.add(moment(record, world, done.to_owned()));
    }
    for named in named {
        let episode = world.episodes.at(named.episode);
        draft.add(Moment {
            real: named.time,
            written: named.written,
            rule: episode.key.rule,
            component: episode.component,
            severity: episode.severity,
            store: None,
            region: None,
            place: named.place.clone(),
            episode: named.episode,
            message: episode.summary.clone(),
            what: match named.replicas {
                Some(_) => "a table gets TiFlash replicas".to_owned(),
                None => "a query finds no TiFlash replica".to_owned(),
            },
        });
    }
    draft.summary = summary(run, failed, draft.commands.len(), world);
    if let Some(end) = world.replicas.set_again(run.last) {
        draft.recovered(Some(end));
    }
    draft
}

fn summary(run: &BrRun, failed: bool, tables: usize, world: &World<'_>) -> String {
    let by = run.version.as_ref().map(|version| format!("by BR {version}, which"));
    let by = by.or_else(|| cluster_version(world).map(|version| format!("in a cluster of {version}, whose BR")));
    let text = match by {
        _ if failed => {
            "The restore to a point in time ended, but BR could not set the TiFlash replicas of the restored tables."
                .to_owned()
        }
        Some(by) => format!(
            "The restore to a point in time was done {by} does not restore TiFlash replicas (v6.3.0 and later do): \
             queries on TiFlash find no data until they are set."
        ),
        None => "After the restore to a point in time a query found no TiFlash replica. BR before v6.3.0 does not restore replicas; \
                 a later one sets them itself, and they are there once their data are copied (INFORMATION_SCHEMA.TIFLASH_REPLICA)."
            .to_owned(),
    };
    let tables = match tables {
        0 => "No record names the tables: those that had replicas in the cluster that was backed up need them again."
            .to_owned(),
        1 => "The logs name 1 table.".to_owned(),
        tables => format!("The logs name {tables} tables."),
    };
    format!("{text} {tables}")
}
