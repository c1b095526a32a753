//! An incident in the making: what it is, what it rests on, and how that becomes the steps of its chain.

use super::World;
use super::words::{list, plural};
use crate::correlate::chains::{KindForm, KindId};
use crate::correlate::episodes::{EpisodeId, Run};
use crate::correlate::findings::{Cause, Certainty, IncidentKind, IncidentStatus, Place, Step, Verdict};
use crate::correlate::graph::Member;
use crate::correlate::identify::InstanceId;
use crate::correlate::names::RuleId;
use crate::units::{Component, RegionId, Severity, StoreId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A single record that an incident rests on, of an episode that as a whole does not belong to it.
#[derive(Debug, Clone)]
pub(in crate::correlate) struct Moment {
    /// By the clock of the others.
    pub(in crate::correlate) real: Option<Timestamp>,
    /// As written.
    pub(in crate::correlate) written: Option<Timestamp>,
    pub(in crate::correlate) rule: RuleId,
    pub(in crate::correlate) component: Option<Component>,
    pub(in crate::correlate) severity: Severity,
    pub(in crate::correlate) store: Option<StoreId>,
    pub(in crate::correlate) region: Option<RegionId>,
    pub(in crate::correlate) place: Place,
    pub(in crate::correlate) episode: EpisodeId,
    pub(in crate::correlate) message: Box<str>,
    /// In plain words.
    pub(in crate::correlate) what: String,
}

/// The record that an incident's id is made of.
#[derive(Debug, Clone)]
pub(in crate::correlate) struct Seed {
    pub(in crate::correlate) instance: InstanceId,
    pub(in crate::correlate) time: Option<Timestamp>,
    pub(in crate::correlate) rule: RuleId,
    pub(in crate::correlate) place: Place,
}

/// An incident in the making.
#[derive(Debug, Clone)]
pub(in crate::correlate) struct Draft {
    pub(in crate::correlate) kind: IncidentKind,
    pub(in crate::correlate) severity: Severity,
    pub(in crate::correlate) status: IncidentStatus,
    pub(in crate::correlate) start: Option<Timestamp>,
    pub(in crate::correlate) end: Option<Timestamp>,
    pub(in crate::correlate) task: Option<String>,
    pub(in crate::correlate) stores: BTreeSet<StoreId>,
    pub(in crate::correlate) regions: BTreeSet<RegionId>,
    pub(in crate::correlate) cause: Cause,
    pub(in crate::correlate) certainty: Certainty,
    pub(in crate::correlate) verdict: Verdict,
    pub(in crate::correlate) summary: String,
    pub(in crate::correlate) remedy: Option<String>,
    pub(in crate::correlate) commands: Vec<String>,
    pub(in crate::correlate) episodes: BTreeMap<EpisodeId, Member>,
    pub(in crate::correlate) moments: Vec<Moment>,
    pub(in crate::correlate) seed: Seed,
}

impl Draft {
    /// An open incident of a kind that rests on a record; the rest is filled in.
    pub(in crate::correlate) fn new(kind: IncidentKind, seed: Seed) -> Self {
        Self {
            kind,
            severity: Severity::Error,
            status: IncidentStatus::Open,
            start: seed.time,
            end: None,
            task: None,
            stores: BTreeSet::new(),
            regions: BTreeSet::new(),
            cause: Cause::Unknown,
            certainty: Certainty::Inferred,
            verdict: Verdict::Investigate,
            summary: String::new(),
            remedy: None,
            commands: Vec::new(),
            episodes: BTreeMap::new(),
            moments: Vec::new(),
            seed,
        }
    }

    /// One more sentence.
    pub(in crate::correlate) fn says(&mut self, sentence: &str) {
        self.summary = format!("{} {sentence}", self.summary);
    }

    /// It is over: nobody has to do anything.
    pub(in crate::correlate) fn recovered(&mut self, end: Option<Timestamp>) {
        self.status = IncidentStatus::Recovered;
        self.end = end;
        self.severity = self.severity.min(Severity::Notice);
        self.verdict = Verdict::None;
        self.commands.clear();
    }

    /// A record of an episode that as a whole is not part of it.
    pub(in crate::correlate) fn add(&mut self, moment: Moment) {
        let known = self.moments.iter().any(|known| known.place == moment.place);
        if !known && !self.episodes.contains_key(&moment.episode) {
            self.moments.push(moment);
        }
    }

    /// An episode as a whole; single records of it are part of it then.
    pub(in crate::correlate) fn add_episode(&mut self, id: EpisodeId, member: Member) {
        let known = self.episodes.entry(id).or_insert(member);
        known.distance = known.distance.min(member.distance);
        self.moments.retain(|moment| moment.episode != id);
    }

    /// How many events belong to it.
    pub(in crate::correlate) fn events(&self, world: &World<'_>) -> u64 {
        let whole: u64 = self.episodes.keys().map(|id| world.episodes.at(*id).count).sum();
        whole + self.moments.len() as u64
    }

    /// The chain, first cause first: one step for what is the same on several stores and regions.
    pub(in crate::correlate) fn steps(&self, world: &World<'_>) -> Vec<Step> {
        let mut folds: BTreeMap<Same, Fold> = BTreeMap::new();
        for (id, member) in &self.episodes {
            let run = world.episodes.at(*id);
            let told = world.graph.chains.first(world.graph.kinds(*id));
            let (kind, form) = (told.map(|(kind, _)| kind), told.map(|(_, form)| form));
            let same = Same { kind, rule: if kind.is_some() { None } else { Some(run.key.rule) }, what: String::new() };
            folds.entry(same).or_default().episode(run, form, *member, world);
        }
        for moment in &self.moments {
            let same = Same { kind: None, rule: None, what: moment.what.clone() };
            folds.entry(same).or_default().moment(moment);
        }
        let mut steps: Vec<(Option<Timestamp>, Step)> =
            folds.into_values().filter_map(|fold| Some((fold.real, fold.step(world)?))).collect();
        steps.sort_by(|a, b| {
            let key = |(real, step): &(Option<Timestamp>, Step)| (real.is_none(), *real, step.place.clone());
            key(a).cmp(&key(b))
        });
        steps.into_iter().map(|(_, step)| step).collect()
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Same {
    kind: Option<KindId>,
    rule: Option<RuleId>,
    what: String,
}

/// Records of one step.
#[derive(Debug, Default)]
struct Fold {
    /// The earliest by the clock of the others: it stands for all.
    real: Option<Timestamp>,
    front: Option<Front>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    count: u64,
    severity: Option<Severity>,
    stores: BTreeSet<StoreId>,
    regions: BTreeSet<RegionId>,
    partners: BTreeSet<RegionId>,
    codes: BTreeSet<Box<str>>,
    task: Option<String>,
    says: Option<String>,
    inferred: bool,
}

#[derive(Debug)]
struct Front {
    rule: RuleId,
    component: Option<Component>,
    message: Box<str>,
    place: Place,
}

impl Fold {
    fn episode(&mut self, run: &Run, form: Option<&KindForm>, member: Member, world: &World<'_>) {
        let real = run.first.map(|first| world.learned.real_time(run.instance, first));
        let place = world.learned.place(run);
        self.front(real, Front { rule: run.key.rule, component: run.component, message: run.summary.clone(), place });
        self.span(run.first, run.last);
        self.count += run.count;
        self.severity = self.severity.max(Some(run.severity));
        match form {
            Some(form) if form.other => self.stores.extend(world.other_store(run)),
            _ => self.stores.extend(run.key.store.or(run.remote)),
        }
        self.regions.extend(run.key.region);
        self.partners.extend(run.partner);
        self.codes.extend(run.codes.iter().cloned());
        self.task = self.task.take().or_else(|| run.key.task.map(|task| world.learned.task(task).to_owned()));
        self.says = self.says.take().or_else(|| form.map(|form| form.says.clone()));
        self.inferred |= member.certainty == Certainty::Inferred;
    }

    fn moment(&mut self, moment: &Moment) {
        let front = Front {
            rule: moment.rule,
            component: moment.component,
            message: moment.message.clone(),
            place: moment.place.clone(),
        };
        self.front(moment.real, front);
        self.span(moment.written, moment.written);
        self.count += 1;
        self.severity = self.severity.max(Some(moment.severity));
        self.stores.extend(moment.store);
        self.regions.extend(moment.region);
        self.says = self.says.take().or_else(|| Some(moment.what.clone()));
    }

    fn front(&mut self, real: Option<Timestamp>, front: Front) {
        let rank = |real: Option<Timestamp>, place: &Place| (real.is_none(), real, place.clone());
        let earlier = self.front.as_ref().is_none_or(|known| rank(real, &front.place) < rank(self.real, &known.place));
        if earlier {
            self.real = real;
            self.front = Some(front);
        }
    }

    fn span(&mut self, first: Option<Timestamp>, last: Option<Timestamp>) {
        self.first = self.first.into_iter().chain(first).min();
        self.last = self.last.max(last);
    }

    fn step(self, world: &World<'_>) -> Option<Step> {
        let front = self.front?;
        let rule = Arc::clone(world.learned.rule(front.rule));
        let what = match &self.says {
            Some(says) => fill(says, &self.stores, &self.regions, &self.partners, &self.codes, self.task.as_deref()),
            // The rule's meaning, up to its first full stop.
            None => world.catalog.get(&rule).map_or_else(
                || front.message.to_string(),
                |rule| rule.meaning.split(". ").next().unwrap_or_default().trim_end_matches('.').to_owned(),
            ),
        };
        Some(Step {
            first: self.first,
            last: self.last,
            count: self.count,
            rule,
            severity: self.severity.unwrap_or(Severity::Info),
            component: front.component,
            stores: self.stores.into_iter().collect(),
            regions: self.regions.into_iter().collect(),
            what,
            message: front.message.to_string(),
            certainty: if self.inferred { Certainty::Inferred } else { Certainty::Observed },
            place: front.place,
        })
    }
}

/// Puts ids into a sentence: `region {region} [splits|split]` becomes `regions 1, 2 and 3 split`. What is not known loses its
/// noun's number only.
fn fill(
    says: &str,
    stores: &BTreeSet<StoreId>,
    regions: &BTreeSet<RegionId>,
    partners: &BTreeSet<RegionId>,
    codes: &BTreeSet<Box<str>>,
    task: Option<&str>,
) -> String {
    let slots = [
        ("{region}", "region", regions.len(), list(regions.iter())),
        ("{partner}", "region", partners.len(), list(partners.iter())),
        ("{store}", "store", stores.len(), list(stores.iter())),
    ];
    // The first that is named is the subject: the verbs follow it.
    let named = slots.iter().filter_map(|(slot, _, count, _)| Some((says.find(slot)?, *count)));
    let subject = named.min().map_or(1, |(_, count)| count);
    let mut text = choose(says, subject > 1);
    for (slot, noun, count, ids) in slots {
        let words = if count == 0 { format!("a {noun}") } else { format!("{} {ids}", plural(noun, count)) };
        text = text.replace(&format!("{noun} {slot}"), &words);
        let alone = match (count, noun) {
            (0, "region") => "another",
            (0, _) => "a store",
            _ => ids.as_str(),
        };
        text = text.replace(slot, alone);
    }
    let codes = list(codes.iter());
    let codes = if codes.is_empty() { "no code" } else { &codes };
    text.replace("{code}", codes).replace("{task}", task.unwrap_or("the task"))
}

/// Of each `[one|many]` the word that fits.
fn choose(says: &str, many: bool) -> String {
    let mut parts = says.split('[');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(']').and_then(|(words, rest)| Some((words.split_once('|')?, rest))) {
            Some(((one, several), rest)) => {
                text.push_str(if many { several } else { one });
                text.push_str(rest);
            }
            None => text.extend(["[", part]),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::fill;
    use crate::units::StoreId;
    use std::collections::BTreeSet;

    #[test]
    fn verbs_follow_their_subject() {
        let says = |stores: &[u64]| {
            let stores: BTreeSet<StoreId> = stores.iter().copied().map(StoreId).collect();
            let none = BTreeSet::new();
            let text = "store {store} [begins|begin] to observe region {region} [1]";
            fill(text, &stores, &none, &none, &BTreeSet::new(), None)
        };
        assert_eq!(says(&[1]), "store 1 begins to observe a region [1]");
        assert_eq!(says(&[1, 4]), "stores 1 and 4 begin to observe a region [1]");
        assert_eq!(says(&[]), "a store begins to observe a region [1]");
    }
}
