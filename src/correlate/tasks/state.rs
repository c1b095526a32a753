//! The state machine of a task: from its records in order to the times in which it did not run, why, and how each ended.

use super::checkpoints::{Checkpoints, Point};
use super::log::{Step, TaskLog};
use crate::correlate::findings::TaskStatus;
use crate::correlate::signs::{Screen, Sign, Verb};
use crate::units::{RegionId, StoreId, Timestamp};

/// Why a task did not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::correlate) enum Reason {
    /// A store met a fatal error.
    Fatal,
    /// The advancer paused it, since it lagged.
    Lag,
    /// A person paused it.
    Operator,
    /// No record says.
    Unknown,
}

/// How such a time ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::correlate) enum Ended {
    /// A resume was seen, or the task is NORMAL or its checkpoint moves again.
    Resumed,
    /// The task was stopped.
    Stopped,
    /// Another task was started, so this one had been stopped.
    Replaced,
}

/// A time in which a task did not run.
#[derive(Debug, Clone)]
pub(in crate::correlate) struct Down {
    /// When it began.
    pub(in crate::correlate) since: Option<Timestamp>,
    /// Why.
    pub(in crate::correlate) reason: Reason,
    /// The record that it rests on, and all others of it, as positions in the task's steps.
    pub(in crate::correlate) first: usize,
    /// Others.
    pub(in crate::correlate) steps: Vec<usize>,
    /// Last fatal error of it.
    pub(in crate::correlate) last_fatal: Option<Timestamp>,
    /// Whether a pause was seen, not just an error.
    pub(in crate::correlate) confirmed: bool,
    /// Whether the task shows NORMAL all the same.
    pub(in crate::correlate) silent: bool,
    /// When and how it ended.
    pub(in crate::correlate) end: Option<(Option<Timestamp>, Ended)>,
    /// Store, code and region of its first error.
    pub(in crate::correlate) store: Option<StoreId>,
    pub(in crate::correlate) code: Option<Box<str>>,
    pub(in crate::correlate) region: Option<RegionId>,
    /// What the last screen of it says.
    pub(in crate::correlate) shown: Option<TaskStatus>,
    /// Whether the store's own log tells of its first error.
    told: bool,
}

/// What became of a task.
#[derive(Debug, Clone)]
pub(in crate::correlate) struct Life {
    /// The times in which it did not run, in order.
    pub(in crate::correlate) downs: Vec<Down>,
    /// Last known status.
    pub(in crate::correlate) status: TaskStatus,
    /// The last start in a log.
    pub(in crate::correlate) started: Option<Timestamp>,
    /// When it was started or resumed.
    pub(in crate::correlate) resumed: Vec<Timestamp>,
    /// When it was stopped, and started again.
    pub(in crate::correlate) absent: Vec<(Timestamp, Option<Timestamp>)>,
}

impl Life {
    /// The time that is not over.
    pub(in crate::correlate) fn open(&self) -> Option<&Down> {
        self.downs.last().filter(|down| down.end.is_none())
    }
}

/// Records of one pause come within this time.
const TOGETHER_MS: i64 = 120_000;
/// A task that shows no progress this long after a fatal error has been given up.
const SILENT_MS: i64 = 600_000;
/// The lag check writes its reason at the latest this long around the pause.
const LAG_TOGETHER_MS: i64 = 300_000;

/// Runs the machine. `replaced` says when another task was started in its place.
pub(super) fn run(log: &TaskLog, replaced: Option<Timestamp>) -> Life {
    let mut machine = Machine {
        log,
        life: Life {
            downs: Vec::new(),
            status: TaskStatus::Unknown,
            started: None,
            resumed: Vec::new(),
            absent: Vec::new(),
        },
        pause_asked: None,
        lagged: None,
    };
    let mut points = log.checkpoints.points().iter().peekable();
    for (at, step) in log.steps.iter().enumerate() {
        while let Some(point) = points.next_if(|point| step.time.is_none_or(|time| point.first <= time)) {
            machine.advanced(point);
        }
        machine.step(at, step);
    }
    points.for_each(|point| machine.advanced(point));
    if let Some(time) = replaced {
        machine.stopped(None, Some(time), Ended::Replaced);
    }
    machine.life
}

struct Machine<'l> {
    log: &'l TaskLog,
    life: Life,
    /// When somebody asked for a pause with `br`, before it was seen.
    pause_asked: Option<Timestamp>,
    /// When the advancer found the lag too large.
    lagged: Option<Timestamp>,
}

impl Machine<'_> {
    fn step(&mut self, at: usize, step: &Step) {
        let time = step.time;
        match &step.sign {
            Sign::Fatal => self.down(at, step, Reason::Fatal, false),
            Sign::Guard(store) => {
                self.down(at, &Step { store: store.or(step.store), ..step.clone() }, Reason::Fatal, true);
            }
            Sign::Seen(Verb::Pause) => {
                let reason = if near(self.pause_asked, time, TOGETHER_MS) {
                    Reason::Operator
                } else if near(self.lagged, time, LAG_TOGETHER_MS) {
                    Reason::Lag
                } else {
                    Reason::Unknown
                };
                self.down(at, step, reason, true);
            }
            Sign::Command(Verb::Pause) => self.down(at, step, Reason::Operator, true),
            Sign::PausePoint => self.pause_asked = time,
            Sign::Lag => {
                self.lagged = time;
                self.down(at, step, Reason::Lag, false);
            }
            Sign::Command(Verb::Resume) | Sign::Seen(Verb::Resume) => {
                self.life.resumed.extend(time);
                self.pause_asked = None;
                self.over(Some(at), time, Ended::Resumed);
                self.life.status = TaskStatus::Normal;
            }
            Sign::Command(Verb::Start) => {
                self.over(None, time, Ended::Stopped);
                self.life.status = TaskStatus::Normal;
                self.life.started = time;
                self.life.resumed.extend(time);
                if let Some((_, again)) = self.life.absent.last_mut() {
                    *again = again.or(time);
                }
            }
            Sign::Command(Verb::Stop) | Sign::Seen(Verb::Stop) => {
                self.stopped(Some(at), time, Ended::Stopped);
            }
            Sign::Seen(Verb::Start) | Sign::Loaded => {
                let unknown = matches!(self.life.status, TaskStatus::Unknown | TaskStatus::Stopped);
                if unknown && self.life.open().is_none() {
                    self.life.status = TaskStatus::Normal;
                }
            }
            Sign::Screen(screen) => match screen.status {
                TaskStatus::Normal => {
                    if self.given_up_silently(screen, time) {
                        self.life.downs.last_mut().into_iter().for_each(|down| {
                            down.silent = true;
                            down.steps.push(at);
                        });
                    } else {
                        self.over(Some(at), time, Ended::Resumed);
                    }
                    self.life.status = TaskStatus::Normal;
                }
                TaskStatus::Error | TaskStatus::Paused => {
                    let reason = if screen.by_lag {
                        Reason::Lag
                    } else if screen.status == TaskStatus::Error {
                        Reason::Fatal
                    } else if screen.by_somebody {
                        Reason::Operator
                    } else {
                        Reason::Unknown
                    };
                    self.down(at, step, reason, true);
                }
                _ => {}
            },
            Sign::Checkpoint(_) | Sign::Slowest(..) | Sign::StoreCheckpoint(_) => {}
        }
    }

    /// The checkpoint moved past the failure: a task that was down runs again, whoever resumed it.
    fn advanced(&mut self, point: &Point) {
        let time = point.first;
        let late = self.life.open().is_some_and(|down| {
            down.since.is_some_and(|since| time.since(since) > TOGETHER_MS && point.value.time() > since)
        });
        if late {
            self.over(None, Some(time), Ended::Resumed);
            self.life.status = TaskStatus::Normal;
        } else if self.life.open().is_none() && matches!(self.life.status, TaskStatus::Unknown) {
            self.life.status = TaskStatus::Normal;
        }
    }

    /// The task does not run, as a record says.
    fn down(&mut self, at: usize, step: &Step, reason: Reason, confirmed: bool) {
        let screen = match &step.sign {
            Sign::Screen(screen) => Some(screen),
            _ => None,
        };
        let since = match screen {
            // The earliest error, which is the record's time.
            Some(screen) => step.written.or(screen.paused_at).or(screen.last_error),
            None => step.time,
        };
        let fatal = reason == Reason::Fatal;
        let last_fatal = screen.map_or(step.last, |screen| screen.last_error).filter(|_| fatal);
        if self.life.open().is_none() {
            self.life.downs.push(Down {
                since,
                reason,
                first: at,
                steps: Vec::new(),
                last_fatal: None,
                confirmed: false,
                silent: false,
                end: None,
                store: None,
                code: None,
                region: None,
                shown: None,
                told: false,
            });
        }
        let Some(down) = self.life.downs.last_mut() else { return };
        if down.first != at {
            down.steps.push(at);
        }
        // A screen shows an old error beside a pause by hand: that error is not why.
        let together = down.since.is_none()
            || near(down.since, since, LAG_TOGETHER_MS)
            || (since.is_none() && down.reason == Reason::Unknown);
        if down.reason != reason && together && rank(reason) > rank(down.reason) {
            down.reason = reason;
            // The error, not the pause that follows it, is what the incident rests on; clocks may differ by a little.
            if fatal && screen.is_none() {
                down.steps.push(std::mem::replace(&mut down.first, at));
                down.steps.retain(|step| *step != at);
            }
        }
        if down.since.is_none() || (fatal && screen.is_none() && since < down.since) {
            down.since = since.or(down.since);
        }
        down.confirmed |= confirmed;
        down.last_fatal = down.last_fatal.max(last_fatal);
        if fatal {
            // The first error counts, and the store's own word more than what a screen shows.
            let own = step.sign == Sign::Fatal && step.time.is_some() && !down.told;
            if own {
                down.store = step.store.or(down.store);
                down.code = step.code.clone().or(down.code.take());
                down.region = step.region.or(down.region);
                down.told = true;
            }
            down.store = down.store.or(step.store);
            down.code = down.code.take().or_else(|| step.code.clone());
            down.region = down.region.or(step.region);
        }
        if let Some(screen) = screen {
            down.shown = Some(screen.status);
        }
        self.life.status = match (down.shown, down.reason) {
            (Some(shown), _) => shown,
            (None, Reason::Fatal) => TaskStatus::Error,
            (None, _) => TaskStatus::Paused,
        };
    }

    /// A store met a fatal error and gave the task up, but could not pause it: NORMAL, though nothing moves (tikv#18087).
    fn given_up_silently(&self, screen: &Screen, time: Option<Timestamp>) -> bool {
        let Some(down) = self.life.open() else { return false };
        let Some((since, time)) = down.since.zip(time) else { return false };
        let stood = self.log.checkpoints.at(since).map(|point| point.value.time());
        let stands = screen.checkpoint_time.is_some_and(|now| stood.is_none_or(|stood| now <= stood) && now <= since);
        down.reason == Reason::Fatal && !down.confirmed && stands && time.since(since) > SILENT_MS
    }

    fn stopped(&mut self, at: Option<usize>, time: Option<Timestamp>, how: Ended) {
        self.over(at, time, how);
        if self.life.status != TaskStatus::Stopped {
            self.life.absent.extend(time.map(|time| (time, None)));
        }
        self.life.status = TaskStatus::Stopped;
    }

    fn over(&mut self, at: Option<usize>, time: Option<Timestamp>, how: Ended) {
        if let Some(down) = self.life.downs.last_mut().filter(|down| down.end.is_none()) {
            down.steps.extend(at);
            down.end = Some((time, how));
        }
    }
}

/// A fatal error explains a pause better than the lag check, that better than a person, that better than nothing.
const fn rank(reason: Reason) -> u8 {
    match reason {
        Reason::Unknown => 0,
        Reason::Operator => 1,
        Reason::Lag => 2,
        Reason::Fatal => 3,
    }
}

fn near(one: Option<Timestamp>, other: Option<Timestamp>, within_ms: i64) -> bool {
    one.zip(other).is_some_and(|(one, other)| other.since(one).abs() <= within_ms)
}

impl Life {
    /// Whether the task ran, and was not catching up, all the time between two moments.
    pub(super) fn ran(&self, from: Timestamp, to: Timestamp) -> bool {
        let down = self.downs.iter().any(|down| {
            let began_before_the_end = down.since.is_none_or(|since| since <= to);
            let ended_after_the_start = down.end.is_none_or(|(end, _)| end.is_none_or(|end| end >= from));
            began_before_the_end && ended_after_the_start
        });
        let catching_up =
            self.resumed.iter().any(|resumed| *resumed <= to && to.since(*resumed) < Checkpoints::CATCH_UP_MS);
        let absent = self.absent.iter().any(|(stop, again)| *stop <= to && again.is_none_or(|again| again >= from));
        !down && !catching_up && !absent
    }
}
