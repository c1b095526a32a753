//! When which log backup task was there: a record that names no task speaks of the one that was.

use super::names::{Names, TaskId};
use super::signs::{Sign, Verb, is_of_log_backup, is_typed, sign_of, task_of_service};
use crate::event::Event;
use crate::units::{FactKind, Timestamp};
use std::collections::BTreeMap;

/// The lives of all tasks. One cluster has one task at a time.
#[derive(Debug, Default)]
pub(super) struct Lives {
    /// Tasks.
    pub(super) names: Names,
    /// Starts and stops of each, in order of time.
    turns: BTreeMap<u32, Vec<(Timestamp, bool)>>,
    /// When each was last heard of.
    heard: BTreeMap<u32, Timestamp>,
}

impl Lives {
    /// Most starts and stops that are kept of a task.
    const MOST_TURNS: usize = 1_024;
    /// Most tasks: a cluster has one, a hostile log has millions.
    const MOST_TASKS: usize = 4_096;

    /// Takes an event.
    pub(super) fn take(&mut self, event: &Event) {
        let Some(name) = named_task(event) else { return };
        // What was typed proves no task, and records do not become another's by it.
        if is_typed(event) && !self.names.all().is_empty() {
            return;
        }
        if self.names.get(name).is_none() && self.names.all().len() >= Self::MOST_TASKS {
            return;
        }
        let id = self.names.intern(name);
        if let Some(time) = event.time {
            self.heard.insert(id, time);
        }
        let (Some(sign), Some(time)) = (sign_of(event), event.time) else { return };
        let lives = match sign {
            Sign::Command(Verb::Stop) | Sign::Seen(Verb::Stop) => false,
            Sign::Command(_) | Sign::Seen(_) | Sign::Loaded | Sign::Checkpoint(_) => true,
            _ => return,
        };
        let turns = self.turns.entry(id).or_default();
        if turns.last().is_none_or(|(_, last)| *last != lives) && turns.len() < Self::MOST_TURNS {
            turns.push((time, lives));
        }
    }

    /// The task that an event speaks of: the one that it names, or else the only one that was there.
    pub(super) fn task_of(&self, event: &Event) -> Option<TaskId> {
        if let Some(name) = named_task(event) {
            return self.names.get(name).map(TaskId);
        }
        if is_of_log_backup(event) { self.only_at(event.time) } else { None }
    }

    /// The only task that was there at a time.
    pub(super) fn only_at(&self, time: Option<Timestamp>) -> Option<TaskId> {
        let count = self.names.all().len() as u32;
        if count <= 1 {
            return (count == 1).then_some(TaskId(0));
        }
        let time = time?;
        let mut there = (0..count).filter(|id| self.was_there(*id, time));
        let only = there.next()?;
        there.next().is_none().then_some(TaskId(only))
    }

    fn was_there(&self, id: u32, time: Timestamp) -> bool {
        let turns = self.turns.get(&id).map_or(&[][..], Vec::as_slice);
        match turns.partition_point(|(turn, _)| *turn <= time) {
            // Before its first record: it was there if that record shows it at work, and no other task was started since.
            0 => turns.first().is_none_or(|(_, lives)| !lives),
            at => turns[at - 1].1 && !self.was_replaced(id, time),
        }
    }

    /// Whether another task began after the last word of this one: then this one had been stopped.
    fn was_replaced(&self, id: u32, time: Timestamp) -> bool {
        let Some(heard) = self.heard.get(&id) else { return false };
        let began = |other: &u32| self.turns[other].iter().find(|(_, lives)| *lives).map(|(turn, _)| *turn);
        let mut others = self.turns.keys().filter(|other| **other != id).filter_map(began);
        *heard < time && others.any(|turn| *heard < turn && turn <= time)
    }
}

/// The task that an event names, directly or in a service id.
pub(super) fn named_task(event: &Event) -> Option<&str> {
    if let Some(task) = event.task.as_deref() {
        return Some(task);
    }
    task_of_service(event.fact(FactKind::Service, "")?).map(|(task, _)| task)
}

#[cfg(test)]
mod tests {
    use super::Lives;
    use crate::correlate::testing::{Cluster, Record, record};
    use crate::units::{Component, Severity};

    fn command(text: &str, task: &str) -> Record {
        record("br-log-command-line", "log-backup", Severity::Notice, Component::Br).says(text).task(task)
    }

    fn fatal() -> Record {
        record("lb-fatal-error", "log-backup", Severity::Critical, Component::Tikv)
    }

    fn task_at(cluster: &Cluster, time: &str) -> Option<String> {
        let mut lives = Lives::default();
        cluster.events().iter().for_each(|event| lives.take(event));
        let mut probe = Cluster::default();
        probe.log("tikv.log", time, fatal());
        lives.task_of(&probe.events()[0]).map(|id| lives.names.name(id.0).to_string())
    }

    #[test]
    fn the_only_task_is_meant() {
        let mut cluster = Cluster::default();
        cluster.log("br.log", "2022-07-25T13:00:00Z", command("log start", "task1"));
        assert_eq!(task_at(&cluster, "2022-07-25T12:00:00Z").as_deref(), Some("task1"));
        assert_eq!(task_at(&Cluster::default(), "2022-07-25T12:00:00Z"), None);
    }

    #[test]
    fn of_two_tasks_the_one_that_ran() {
        let mut cluster = Cluster::default();
        cluster
            .log("br.log", "2022-07-25T13:00:00Z", command("log start", "one"))
            .log("br.log", "2022-07-25T14:00:00Z", command("log stop", "one"))
            .log("br.log", "2022-07-25T15:00:00Z", command("log start", "two"));
        assert_eq!(task_at(&cluster, "2022-07-25T13:30:00Z").as_deref(), Some("one"));
        assert_eq!(task_at(&cluster, "2022-07-25T14:30:00Z"), None);
        assert_eq!(task_at(&cluster, "2022-07-25T15:30:00Z").as_deref(), Some("two"));
    }

    #[test]
    fn one_that_was_not_heard_of_again_made_way_for_the_next() {
        let mut cluster = Cluster::default();
        cluster.log("br.log", "2022-07-25T13:00:00Z", command("log start", "one")).log(
            "br.log",
            "2022-08-01T08:00:00Z",
            command("log start", "two"),
        );
        assert_eq!(task_at(&cluster, "2022-07-26T13:00:00Z").as_deref(), Some("one"));
        assert_eq!(task_at(&cluster, "2022-08-02T13:00:00Z").as_deref(), Some("two"));
    }
}
