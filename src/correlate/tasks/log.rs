//! What the records say of one task, in the order in which it happened: a screen counts when somebody looked at it, and
//! clocks that are off are set right.

use super::checkpoints::{Checkpoint, Checkpoints};
use crate::correlate::episodes::EpisodeId;
use crate::correlate::findings::Place;
use crate::correlate::identify::InstanceId;
use crate::correlate::learned::{Learned, Told};
use crate::correlate::names::RuleId;
use crate::correlate::signs::{Sign, Verb, is_screen, service_of, sign_of};
use crate::record::duration_seconds;
use crate::units::{Component, FactKind, RegionId, StoreId, Timestamp, Tso};
use std::collections::BTreeMap;

/// One record of a task's life.
#[derive(Debug, Clone)]
pub(in crate::correlate) struct Step {
    /// When it happened, by the clock of the others.
    pub(in crate::correlate) time: Option<Timestamp>,
    /// When the last of its repeats happened.
    pub(in crate::correlate) last: Option<Timestamp>,
    /// The time as written.
    pub(in crate::correlate) written: Option<Timestamp>,
    /// What it says.
    pub(in crate::correlate) sign: Sign,
    /// Its rule.
    pub(in crate::correlate) rule: RuleId,
    /// Store that it is about.
    pub(in crate::correlate) store: Option<StoreId>,
    /// Region that it is about.
    pub(in crate::correlate) region: Option<RegionId>,
    /// Error code of log backup, or else its first one.
    pub(in crate::correlate) code: Option<Box<str>>,
    /// Who wrote it.
    pub(in crate::correlate) instance: InstanceId,
    /// Where it stands.
    pub(in crate::correlate) place: Place,
    /// Its episode.
    pub(in crate::correlate) episode: EpisodeId,
    /// Its message.
    pub(in crate::correlate) message: Box<str>,
}

/// All that is known of one task.
#[derive(Debug, Default)]
pub(in crate::correlate) struct TaskLog {
    /// Its life, in order once `finish` was called.
    pub(in crate::correlate) steps: Vec<Step>,
    /// Its global checkpoint.
    pub(in crate::correlate) checkpoints: Checkpoints,
    /// The newest checkpoint of each store, and when it was seen.
    pub(in crate::correlate) stores: BTreeMap<StoreId, (Tso, Timestamp)>,
    /// The newest service safe point of each of its services: a checkpoint, or one less.
    points: BTreeMap<Box<str>, Tso>,
    /// Who uploaded the checkpoint last.
    pub(in crate::correlate) advancer: Option<InstanceId>,
    /// Start as the start record or a screen has it.
    pub(in crate::correlate) start: Option<Timestamp>,
    /// Storage URL.
    pub(in crate::correlate) storage: Option<String>,
    /// Whether the newest checkpoint is of a screen that does not say when somebody looked.
    pub(in crate::correlate) is_undated: bool,
    /// The advancer's last word on how far the checkpoint is behind, and when it said so.
    lagging: Option<(Timestamp, i64, Place, EpisodeId)>,
}

impl TaskLog {
    /// Most records of a life that are kept.
    const MOST: usize = 65_536;
    /// Repeats of one store's sign within this time are one.
    const REPEAT_MS: i64 = 60_000;

    /// Takes an event of the task.
    pub(super) fn take(&mut self, told: &Told<'_>, learned: &Learned, episode: EpisodeId) {
        let event = told.event;
        // A start names it on the command line; a screen shows it.
        if let Some(storage) = event.fact(FactKind::Path, "storage").or_else(|| event.fact(FactKind::Path, ""))
            && event.component == Some(Component::Br)
            && event.task.is_some()
        {
            self.storage = Some(storage.to_owned());
        }
        if let (Sign::Command(Verb::Start), Some(start)) =
            (sign_of(event).as_ref().unwrap_or(&Sign::Loaded), event.tso("start"))
        {
            self.start = Some(start.time());
        }
        let sign = sign_of(event);
        // PD refused the guard where GC was faster: the record then has no service id.
        let guard = matches!(sign, Some(Sign::Guard(_))).then_some("-pause-guard");
        if let (Some(service), Some(point)) = (service_of(event).or(guard), event.tso("service-safepoint")) {
            self.points.insert(service.into(), point);
        }
        if let (Some(seen), Some(lag_s)) =
            (event.time, event.fact(FactKind::Duration, "lag").and_then(duration_seconds))
        {
            let place = Place::of(event);
            let newer = self.lagging.as_ref().is_none_or(|known| known.0 < seen);
            self.lagging = self.lagging.take().filter(|_| !newer).or(Some((seen, lag_s * 1_000, place, episode)));
        }
        let Some(sign) = sign else { return };
        let place = Place::of(event);
        let real = event.time.map(|time| learned.real_time(told.instance, time));
        match &sign {
            Sign::Checkpoint(value) => {
                if let Some(seen) = real {
                    let written = event.time.unwrap_or(seen);
                    self.checkpoints.take(Checkpoint::Exact(*value), seen, written, place, episode);
                    self.advancer = Some(told.instance);
                }
                return;
            }
            // Of a task that keeps up it is ahead of what was uploaded; of one that does not it is what holds it.
            Sign::Slowest(exact, time) => {
                if let Some(seen) = real.filter(|seen| seen.since(*time) >= Checkpoints::CATCH_UP_MS) {
                    let value = exact.map_or(Checkpoint::Time(*time), Checkpoint::Exact);
                    let written = event.time.unwrap_or(seen);
                    self.checkpoints.take(value, seen, written, place, episode);
                }
                return;
            }
            Sign::StoreCheckpoint(value) => {
                if let (Some(store), Some(seen)) = (told.store, real) {
                    self.stores.insert(store, (*value, seen));
                }
                return;
            }
            _ => {}
        }
        let time = match &sign {
            // One that does not say when somebody looked was taken some time after what it shows.
            Sign::Screen(screen) => {
                let shown = screen.paused_at.or(event.time);
                screen.observed_at.or_else(|| shown.map(|shown| shown.plus_ms(Self::REPEAT_MS)))
            }
            _ => real,
        };
        let repeats = |known: &&mut Step| {
            known.sign == sign
                && known.rule == told.rule
                && known.store == told.store
                && known.last.zip(time).is_some_and(|(last, time)| time.since(last).abs() <= Self::REPEAT_MS)
        };
        if !matches!(sign, Sign::Screen(_) | Sign::Command(_))
            && let Some(known) = self.steps.iter_mut().rev().take(64).find(repeats)
        {
            known.last = known.last.max(time);
            // The record that says more: the one with a region and a code.
            known.region = known.region.or(event.region);
            known.code = known.code.take().or_else(|| code_of(event));
            return;
        }
        if self.steps.len() >= Self::MOST {
            return;
        }
        self.steps.push(Step {
            time,
            last: time,
            written: event.time,
            sign,
            rule: told.rule,
            store: told.store,
            region: event.region,
            code: code_of(event),
            instance: told.instance,
            place,
            episode,
            message: event.message.clone(),
        });
    }

    /// Puts screens where they belong.
    pub(super) fn finish(&mut self) {
        self.steps.sort_by(|a, b| {
            let key = |step: &Step| (step.time.map_or(i64::MAX, |time| time.0), step.place.clone());
            key(a).cmp(&key(b))
        });
        let mut seen: Vec<(Timestamp, Timestamp, Checkpoint, Place, EpisodeId)> = Vec::new();
        for point in self.checkpoints.points() {
            seen.push((point.first, point.written, point.value, point.place.clone(), point.episode));
            if let Some((time, place, episode)) = &point.repeat {
                seen.push((*time, *time, point.value, place.clone(), *episode));
                seen.push((point.last, point.last, point.value, place.clone(), *episode));
            }
        }
        for step in &self.steps {
            let Sign::Screen(screen) = &step.sign else { continue };
            self.start = screen.start.or(self.start);
            self.storage = screen.storage.clone().or(self.storage.take());
            let value = screen.checkpoint.or_else(|| self.exact(screen.checkpoint_time?)).map(Checkpoint::Exact);
            let value = value.or(screen.checkpoint_time.map(Checkpoint::Time));
            if let Some((time, value)) = step.time.zip(value) {
                seen.push((time, time, value, step.place.clone(), step.episode));
            }
        }
        seen.sort_by(|a, b| (a.0, &a.3).cmp(&(b.0, &b.3)));
        let mut checkpoints = Checkpoints::default();
        for (time, written, value, place, episode) in seen {
            checkpoints.take(value, time, written, place, episode);
        }
        self.checkpoints = checkpoints;
        self.take_undated();
        if self.checkpoints.last().is_none() {
            self.take_guarded();
        }
        if self.checkpoints.last().is_none() {
            self.take_lagging();
        }
    }

    /// `--json` without an error says nothing of when somebody looked: not before the checkpoint, nor before what is known of it.
    fn take_undated(&mut self) {
        for step in self.steps.iter().filter(|step| step.time.is_none()) {
            let Sign::Screen(screen) = &step.sign else { continue };
            let value = screen.checkpoint.map(Checkpoint::Exact).or(screen.checkpoint_time.map(Checkpoint::Time));
            let last = self.checkpoints.last();
            if let Some(value) = value.filter(|value| last.is_none_or(|last| value.time() > last.value.time())) {
                let seen = last.map_or(value.time(), |last| last.last.max(value.time()));
                self.checkpoints.take(value, seen, seen, step.place.clone(), step.episode);
                self.is_undated = true;
            }
        }
    }

    /// Where nothing else names the checkpoint: how far it is behind, as the advancer says.
    fn take_lagging(&mut self) {
        if let Some((seen, lag_ms, place, episode)) = self.lagging.take() {
            let value = Checkpoint::Time(seen.plus_ms(-lag_ms));
            self.checkpoints.take(value, seen, seen, place, episode);
        }
    }

    /// Where no record names the checkpoint: what a pause asks PD to keep is the checkpoint, or one less.
    fn take_guarded(&mut self) {
        let of_pauses =
            self.points.iter().filter(|(id, _)| id.ends_with("-pause-guard") || id.ends_with("_pause_safepoint"));
        let Some(point) = of_pauses.map(|(_, point)| *point).min() else { return };
        let asks = |step: &&Step| matches!(step.sign, Sign::Guard(_) | Sign::PausePoint);
        let Some((step, time)) = self.steps.iter().find(asks).and_then(|step| Some((step, step.time?))) else { return };
        let value = Checkpoint::Time(Tso(point.0 + 1).time());
        self.checkpoints.take(value, time, step.written.unwrap_or(time), step.place.clone(), step.episode);
    }

    /// The checkpoint that a screen shows as a time: the global one is the lowest of the stores', and PD holds it or one less.
    fn exact(&self, time: Timestamp) -> Option<Tso> {
        let of_stores = self.stores.values().map(|(value, _)| *value).filter(|value| value.time() == time).min();
        let held = self.points.values().flat_map(|point| [*point, Tso(point.0 + 1)]);
        of_stores.or_else(|| held.filter(|point| point.time() == time && point.logical() == 0).min())
    }

    /// When somebody started it.
    pub(super) fn starts(&self) -> impl Iterator<Item = Timestamp> {
        self.steps.iter().filter(|step| step.sign == Sign::Command(Verb::Start)).filter_map(|step| step.time)
    }

    /// When it was last heard of.
    pub(super) fn last_word(&self) -> Option<Timestamp> {
        let steps = self.steps.iter().filter_map(|step| step.last).max();
        let stores = self.stores.values().map(|(_, seen)| *seen).max();
        steps.max(stores).max(self.checkpoints.last().map(|point| point.last))
    }

    /// Whether anything is known of it.
    pub(in crate::correlate) fn is_known(&self) -> bool {
        !self.steps.is_empty() || self.checkpoints.last().is_some()
    }
}

fn code_of(event: &crate::event::Event) -> Option<Box<str>> {
    let shown = is_screen(event).then(|| event.fact(FactKind::Code, "").map(Box::from)).flatten();
    let own = shown.as_ref().or_else(|| event.codes.iter().find(|code| code.starts_with("KV:LogBackup:")));
    own.or_else(|| event.codes.first()).filter(|_| event.component != Some(Component::Pd)).cloned()
}
