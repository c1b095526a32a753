//! What an event says of a merge: who, into whom, how far. Histories are kept elsewhere.

use crate::event::Event;
use crate::units::RegionId;

/// How far a merge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum MergeStep {
    /// PD wants it.
    Scheduled,
    /// The source refuses new proposals.
    Fenced,
    /// `PrepareMerge` is applied: the source refuses reads too.
    Prepared,
    /// The target has taken the source in.
    Committed,
    /// The source serves again.
    RolledBack,
}

/// One record of a merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MergeSign {
    /// The region that goes.
    pub(super) source: RegionId,
    /// The region that takes it in, where the record names it.
    pub(super) target: Option<RegionId>,
    /// How far.
    pub(super) step: MergeStep,
}

/// What an event says of a merge.
pub(super) fn merge_of(event: &Event) -> Option<MergeSign> {
    let step = match &*event.rule {
        "pd-operator-add" | "pd-schedule-command" | "merge-pd-command" => MergeStep::Scheduled,
        "merge-fence" | "merge-fence-wait" => MergeStep::Fenced,
        "merge-prepare-exec" => MergeStep::Prepared,
        "merge-commit"
        | "merge-commit-exec"
        | "merge-notify-pd"
        | "merge-finished"
        | "merge-finished-snapshot"
        | "merge-stale-gc"
        | "pd-operator-finish" => MergeStep::Committed,
        "merge-rollback-exec" | "merge-notify-pd-rollback" | "merge-schedule-failed-rollback" => MergeStep::RolledBack,
        _ => return None,
    };
    let named = (event.region_as("source"), event.region_as("target"));
    let (source, target) = match named {
        (Some(source), Some(target)) => (source, Some(target)),
        // The record's own region is the other partner.
        (Some(source), None) => (source, event.region.filter(|own| *own != source)),
        (None, Some(target)) => (event.region.filter(|own| *own != target)?, Some(target)),
        // PD's operators are of many kinds: one that names no partner is no merge.
        (None, None) if event.rule.starts_with("pd-") => return None,
        (None, None) => (event.region?, None),
    };
    (Some(source) != target).then_some(MergeSign { source, target, step })
}

#[cfg(test)]
mod tests {
    use super::{MergeStep, merge_of};
    use crate::correlate::testing::{Record, record};
    use crate::units::{Component, RegionId, Severity};

    fn merge(rule: &str) -> Record {
        record(rule, "region-merge", Severity::Notice, Component::Tikv)
    }

    #[test]
    fn both_partners_are_found_whichever_the_record_is_about() {
        let prepare = merge("merge-prepare-exec").region(94812).other_region("target", 94816).event();
        let commit = merge("merge-commit").region(94816).other_region("source", 94812).event();
        for (event, step) in [(prepare, MergeStep::Prepared), (commit, MergeStep::Committed)] {
            let sign = merge_of(&event).unwrap();
            assert_eq!((sign.source, sign.target, sign.step), (RegionId(94812), Some(RegionId(94816)), step));
        }
        let rollback = merge_of(&merge("merge-rollback-exec").region(94812).event()).unwrap();
        assert_eq!((rollback.source, rollback.target), (RegionId(94812), None));
    }

    #[test]
    fn other_operators_are_no_merge() {
        let operator = record("pd-operator-add", "pd", Severity::Notice, Component::Pd);
        assert_eq!(merge_of(&operator.clone().region(7).event()), None);
        assert!(merge_of(&operator.region(7).other_region("source", 7).other_region("target", 8).event()).is_some());
    }
}
