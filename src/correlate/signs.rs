//! What an event says of a log backup task's life: the words of four components and of people, read here and nowhere else.

use super::findings::TaskStatus;
use crate::event::Event;
use crate::units::{Component, FactKind, StoreId, Timestamp, Tso};

/// What was done to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Verb {
    /// Started.
    Start,
    /// Paused.
    Pause,
    /// Resumed.
    Resume,
    /// Stopped, which removes it.
    Stop,
}

impl Verb {
    /// As `br log` has it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Stop => "stop",
        }
    }
}

/// One step of a task's life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sign {
    /// A person did it with `br`.
    Command(Verb),
    /// A component saw that it was done, by whomever.
    Seen(Verb),
    /// A store or the advancer took the task over.
    Loaded,
    /// A store met a fatal error and gives the task up.
    Fatal,
    /// A store set its pause guard: what it does after a fatal error.
    Guard(Option<StoreId>),
    /// `br log pause` set its service safe point.
    PausePoint,
    /// The advancer pauses the task, since it lags.
    Lag,
    /// The global checkpoint.
    Checkpoint(Tso),
    /// The checkpoint of the region that is furthest behind: exactly, or to the second where no TSO is told.
    Slowest(Option<Tso>, Timestamp),
    /// The checkpoint of one store.
    StoreCheckpoint(Tso),
    /// `br log status`.
    Screen(Box<Screen>),
}

/// A task as `br log status` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Screen {
    /// Status.
    pub(super) status: TaskStatus,
    /// Start of the task.
    pub(super) start: Option<Timestamp>,
    /// Global checkpoint; a table gives only its time.
    pub(super) checkpoint: Option<Tso>,
    /// The same as a time.
    pub(super) checkpoint_time: Option<Timestamp>,
    /// When somebody looked.
    pub(super) observed_at: Option<Timestamp>,
    /// Storage URL.
    pub(super) storage: Option<String>,
    /// Latest error.
    pub(super) last_error: Option<Timestamp>,
    /// When it was paused.
    pub(super) paused_at: Option<Timestamp>,
    /// Whether the pause says that the lag was too large.
    pub(super) by_lag: bool,
    /// Whether the pause names somebody.
    pub(super) by_somebody: bool,
}

/// What an event says of the life of the task that it names, or of the only one.
pub(super) fn sign_of(event: &Event) -> Option<Sign> {
    let rule = &*event.rule;
    if let Some(screen) = screen_of(event) {
        return Some(Sign::Screen(Box::new(screen)));
    }
    if is_fatal(event) {
        return Some(Sign::Fatal);
    }
    match rule {
        "br-log-command-line" => command_verb(event).map(Sign::Command),
        "lb-watch-pause-event" | "lb-watch-task-event" | "lb-watch-task-event-old" | "adv-task-event" => {
            seen_verb(event).map(Sign::Seen)
        }
        "lb-task-register" | "lb-task-register-done" | "adv-task-added" => Some(Sign::Loaded),
        "adv-lag-too-large" | "adv-lag-pause" => Some(Sign::Lag),
        "lb-flush-checkpoint" => event.tso("store-checkpoint").or_else(|| only_ts(event)).map(Sign::StoreCheckpoint),
        "adv-uploading-checkpoint" => event.tso("checkpoint").or_else(|| only_ts(event)).map(Sign::Checkpoint),
        "adv-last-region" | "adv-last-region-hint" | "adv-last-region-no-leader" => slowest(event),
        // The advancer asks PD to keep one less than the checkpoint.
        "adv-gc-safepoint-stale" | "adv-gc-safepoint-refused" => {
            event.tso("refused").map(|asked| Sign::Checkpoint(Tso(asked.0.saturating_add(1))))
        }
        // A store that gives up asked PD for its guard.
        "lb-gc-exceeds-checkpoint" => Some(Sign::Guard(event.store)),
        _ => service_sign(event),
    }
}

/// Whether a store gives its task up here.
pub(super) fn is_fatal(event: &Event) -> bool {
    let rule = &*event.rule;
    rule.starts_with("lb-fatal-")
        || rule == "lb-task-will-pause"
        || (event.component == Some(Component::Tikv)
            && &*event.group == "log-backup"
            && event.message.starts_with("backup stream meet fatal error"))
        || is_fragment(event)
}

/// Whether an event that names no task speaks of log backup's all the same.
pub(super) fn is_of_log_backup(event: &Event) -> bool {
    let is_of_the_advancer = event.rule.starts_with("adv-");
    ((&*event.group == "log-backup" || is_of_the_advancer) && event.component != Some(Component::Br))
        || is_fragment(event)
}

/// Whether an event is the error of a task on a `br log status` screen of which the rest is lost.
pub(super) fn is_fragment(event: &Event) -> bool {
    event.time.is_none() && event.task.is_none() && event.message.starts_with("a task; error")
}

/// The service id that an event speaks of.
pub(super) fn service_of(event: &Event) -> Option<&str> {
    event.fact(FactKind::Service, "")
}

/// The task, and the store where it names one, that a service id of log backup belongs to.
pub(super) fn task_of_service(service: &str) -> Option<(&str, Option<StoreId>)> {
    if let Some(rest) = service.strip_suffix("-pause-guard").or_else(|| service.strip_prefix("backup-stream-")) {
        let (task, store) = rest.rsplit_once('-')?;
        return Some((task, store.parse().ok()));
    }
    service.strip_suffix("_pause_safepoint").map(|task| (task, None))
}

fn service_sign(event: &Event) -> Option<Sign> {
    let service = service_of(event)?;
    if event.component == Some(Component::Br) {
        return None;
    }
    if service.ends_with("-pause-guard") {
        return Some(Sign::Guard(task_of_service(service)?.1));
    }
    service.ends_with("_pause_safepoint").then_some(Sign::PausePoint)
}

fn slowest(event: &Event) -> Option<Sign> {
    let exact = event.tso("checkpoint").filter(|tso| tso.is_plausible());
    // Nothing was ever flushed where it is 0, which is 1970.
    let time = event.fact(FactKind::Text, "checkpoint-time").and_then(Timestamp::parse_rfc3339);
    let time = exact.map(Tso::time).or(time.filter(|time| Tso::from_time(*time).is_plausible()))?;
    Some(Sign::Slowest(exact, time))
}

fn only_ts(event: &Event) -> Option<Tso> {
    let [only] = event.tsos.as_slice() else { return None };
    Some(*only)
}

/// The command in `log pause ...`, or in what was asked of `br`.
fn command_verb(event: &Event) -> Option<Verb> {
    verb_of_command(event.fact(FactKind::Command, "").unwrap_or(&event.message))
}

/// Whether an event is what somebody typed.
pub(super) fn is_typed(event: &Event) -> bool {
    &*event.rule == "br-command-line"
}

/// `log resume` and the like.
pub(super) fn verb_of_command(text: &str) -> Option<Verb> {
    let after = text.trim_start_matches("br ").strip_prefix("log ")?;
    [Verb::Start, Verb::Pause, Verb::Resume, Verb::Stop].into_iter().find(|verb| after.starts_with(verb.as_str()))
}

/// `PauseTask { .. }` of TiKV, `Pause(task1)` of the advancer.
fn seen_verb(event: &Event) -> Option<Verb> {
    let says = |words: [&str; 2]| words.iter().any(|word| mentions(event, word));
    if says(["PauseTask", "Pause("]) {
        Some(Verb::Pause)
    } else if says(["ResumeTask", "Resume("]) {
        Some(Verb::Resume)
    } else if says(["RemoveTask", "Del("]) {
        Some(Verb::Stop)
    } else if says(["AddTask", "Add("]) {
        Some(Verb::Start)
    } else {
        None
    }
}

/// Whether the message or a fact of an event holds a word.
pub(super) fn mentions(event: &Event, word: &str) -> bool {
    event.message.contains(word) || event.facts.iter().any(|fact| fact.value.contains(word))
}

/// Whether an event is a task of a `br log status` screen, whichever of its words the rule went by.
pub(super) fn is_screen(event: &Event) -> bool {
    let rule = &*event.rule;
    let named = (rule.starts_with("br-status-") || rule.starts_with("br-json-")) && rule != "br-status-no-task";
    let shown = event.fact(FactKind::Status, "").is_some() && event.fact(FactKind::Text, "checkpoint-time").is_some();
    event.task.is_some() && (named || shown)
}

/// A task as a `br log status` screen shows it, where an event is one.
pub(super) fn screen_of(event: &Event) -> Option<Screen> {
    if !is_screen(event) {
        return None;
    }
    let rule = &*event.rule;
    let time = |role: &str| event.fact(FactKind::Text, role).and_then(Timestamp::parse_rfc3339);
    let checkpoint = event.tso("checkpoint");
    let checkpoint_time = checkpoint.map(Tso::time).or_else(|| time("checkpoint-time"));
    let gap: Option<i64> = event.fact(FactKind::Text, "gap").and_then(|gap| gap.parse().ok());
    let last_error = event
        .facts
        .iter()
        .filter(|fact| fact.kind == FactKind::Text && &*fact.role == "error-time")
        .filter_map(|fact| Timestamp::parse_rfc3339(&fact.value))
        .max();
    let payload = event.fact(FactKind::Text, "pause-payload");
    Some(Screen {
        status: status_of(event, last_error.is_some()),
        start: event.tso("start").map(Tso::time).or_else(|| time("start-time")),
        checkpoint,
        checkpoint_time,
        observed_at: checkpoint_time.zip(gap).map(|(time, gap)| time.plus_ms(gap)),
        storage: event.fact(FactKind::Path, "storage").map(str::to_owned),
        last_error: last_error.or_else(|| event.time.filter(|_| rule != "br-status-paused")),
        paused_at: time("pause-time"),
        by_lag: rule == "br-status-paused-by-lag" || payload.is_some_and(|text| text.contains("lag is too")),
        by_somebody: event.fact(FactKind::Text, "pause-operator").is_some(),
    })
}

fn status_of(event: &Event, has_error: bool) -> TaskStatus {
    let word = event.fact(FactKind::Status, "").unwrap_or_default();
    match word.trim_start_matches(|c: char| !c.is_ascii_alphabetic()) {
        "ERROR" => return TaskStatus::Error,
        "PAUSE" | "PAUSED" => return TaskStatus::Paused,
        "NORMAL" => return TaskStatus::Normal,
        _ => {}
    }
    match &*event.rule {
        "br-status-error" | "br-status-state-error" | "br-json-last-error" => TaskStatus::Error,
        "br-status-paused" | "br-status-paused-by-lag" => TaskStatus::Paused,
        "br-status-normal" | "br-status-behind" => TaskStatus::Normal,
        _ if has_error => TaskStatus::Error,
        _ => TaskStatus::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::{Sign, Verb, sign_of, task_of_service};
    use crate::correlate::findings::TaskStatus;
    use crate::correlate::testing::{at, record};
    use crate::units::{Component, FactKind, Severity, StoreId};

    #[test]
    fn services_name_their_task_and_store() {
        assert_eq!(task_of_service("backup-stream-task1-4"), Some(("task1", Some(StoreId(4)))));
        assert_eq!(task_of_service("my-task-1-pause-guard"), Some(("my-task", Some(StoreId(1)))));
        assert_eq!(task_of_service("task1_pause_safepoint"), Some(("task1", None)));
        assert_eq!(task_of_service("gc_worker"), None);
    }

    #[test]
    fn pauses_are_told_from_resumes() {
        let seen = |rule: &str, component, text: &str| {
            sign_of(&record(rule, "log-backup", Severity::Notice, component).says(text).event())
        };
        let tikv = Component::Tikv;
        let pause =
            seen("lb-watch-pause-event", tikv, r#"backup stream watch pause from etcd: PauseTask { task: "t" }"#);
        assert_eq!(pause, Some(Sign::Seen(Verb::Pause)));
        assert_eq!(
            seen("adv-task-event", Component::Tidb, "meet task event Resume(t)"),
            Some(Sign::Seen(Verb::Resume))
        );
        assert_eq!(seen("br-log-command-line", Component::Br, "log stop"), Some(Sign::Command(Verb::Stop)));
    }

    #[test]
    fn a_screen_says_when_somebody_looked() {
        let screen = record("br-status-error", "log-backup", Severity::Critical, Component::Br)
            .task("task1")
            .fact(FactKind::Status, "", "○ ERROR")
            .fact(FactKind::Text, "checkpoint-time", "2022-07-25T14:46:50.118Z")
            .fact(FactKind::Text, "gap", "41489000")
            .fact(FactKind::Text, "error-time", "2022-07-25T14:54:44.467Z")
            .event();
        let Some(Sign::Screen(screen)) = sign_of(&screen) else { panic!("no screen") };
        assert_eq!(screen.status, TaskStatus::Error);
        assert_eq!(screen.observed_at, Some(at("2022-07-26T02:18:19.118Z")));
        assert_eq!(screen.last_error, Some(at("2022-07-25T14:54:44.467Z")));
    }
}
