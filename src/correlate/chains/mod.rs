//! What leads to what, as data: kinds of records, links between them, words that name a cause. One engine evaluates them.

mod forms;
mod kinds;

pub(super) use forms::{Asked, By, Join, KindForm};
pub(super) use kinds::{KindId, Kinds};

use super::episodes::Run;
use super::findings::{Cause, IncidentKind, Verdict};
use super::learned::Learned;
use super::versions::Version;
use crate::rules::Rule;
use crate::units::{Component, Severity};
use forms::{BlockerForm, CalledForm, File, ReasonForm};

/// One step from cause to effect.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) cause: KindId,
    pub(super) effect: KindId,
    pub(super) join: Vec<Join>,
    pub(super) within_ms: i64,
    pub(super) observed: bool,
    pub(super) ends: bool,
    from: Option<Version>,
    before: Option<Version>,
}

impl Link {
    /// Whether it holds for a version of the effect's writer; an unknown one is no reason against it.
    pub(super) fn fits(&self, version: Option<&str>) -> bool {
        let Some(version) = version.and_then(Version::parse) else { return true };
        self.from.is_none_or(|from| version >= from) && self.before.is_none_or(|before| version < before)
    }
}

/// What a record names as the reason why something failed.
#[derive(Debug)]
pub(super) struct Reason {
    /// `unknown` where the record tells what happened, but not by whose fault.
    pub(super) cause: Cause,
    rules: Vec<String>,
    words: Vec<String>,
    /// The reason as a noun, where the cause alone would say too little or too much.
    pub(super) says: Option<String>,
    /// What to do, where it is not what the cause asks for.
    pub(super) verdict: Option<Verdict>,
}

impl Reason {
    /// The cause, where it is known.
    pub(super) fn known(&self) -> Option<Cause> {
        Some(self.cause).filter(|cause| *cause != Cause::Unknown)
    }
}

/// Records that are an incident of their own.
#[derive(Debug)]
pub(super) struct Alarm {
    pub(super) kind: IncidentKind,
    pub(super) of: Vec<KindId>,
    pub(super) by: By,
    pub(super) gap_ms: i64,
    pub(super) over: Vec<KindId>,
    /// Where it is missing the records' words name it.
    pub(super) cause: Option<Cause>,
    /// Where it is missing the cause tells it.
    pub(super) verdict: Option<Verdict>,
    pub(super) severity: Severity,
}

/// Records that hold a checkpoint back.
#[derive(Debug)]
pub(super) struct Blocker {
    pub(super) of: Vec<KindId>,
    /// Where it is missing the records' words name it.
    pub(super) cause: Option<Cause>,
    /// Whether stores or regions are to blame.
    pub(super) by: By,
    /// Whether they must name the checkpoint.
    pub(super) ts: bool,
    /// Whether one record is enough.
    pub(super) once: bool,
}

/// All chains.
#[derive(Debug, Default)]
pub(super) struct Chains {
    kinds: Vec<KindForm>,
    pub(super) links: Vec<Link>,
    reasons: Vec<Reason>,
    pub(super) alarms: Vec<Alarm>,
    pub(super) blockers: Vec<Blocker>,
    called: Vec<CalledForm>,
}

impl Chains {
    /// The built-in chains.
    pub(super) fn embedded() -> Self {
        let mut chains = Self::default();
        // A test reads the same file.
        let _ = chains.add(include_str!("../chains.toml"));
        chains
    }

    /// Adds a file of the same form; kinds of one name are joined.
    pub(super) fn add(&mut self, text: &str) -> Result<(), String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        for kind in file.kind {
            if let Some(known) = self.kinds.iter_mut().find(|known| known.name == kind.name) {
                known.rules.extend(kind.rules);
                known.groups.extend(kind.groups);
            } else if self.kinds.len() < Kinds::MOST {
                self.kinds.push(kind);
            } else {
                return Err(format!("more than {} kinds", Kinds::MOST));
            }
        }
        for link in file.link {
            let link = Link {
                cause: self.kind(&link.cause)?,
                effect: self.kind(&link.effect)?,
                join: link.join,
                within_ms: span(&link.within)?,
                observed: link.observed,
                ends: link.ends,
                from: link.from.as_deref().and_then(Version::parse),
                before: link.before.as_deref().and_then(Version::parse),
            };
            self.links.push(link);
        }
        for ReasonForm { cause, rules, words, says, verdict } in file.reason {
            if rules.is_empty() && words.is_empty() {
                return Err(format!("a reason for `{cause}` names neither rules nor words"));
            }
            self.reasons.push(Reason { cause, rules, words, says, verdict });
        }
        let kinds = |chains: &Self, names: &[String]| -> Result<Vec<_>, _> {
            names.iter().map(|name| chains.kind(name)).collect()
        };
        for blocker in file.blocker {
            let BlockerForm { of, cause, by, ts, once } = blocker;
            let of = kinds(self, &of)?;
            self.blockers.push(Blocker { of, cause, by, ts, once });
        }
        for alarm in file.alarm {
            let alarm = Alarm {
                kind: alarm.kind,
                of: kinds(self, &alarm.of)?,
                by: alarm.by,
                gap_ms: span(&alarm.gap)?,
                over: kinds(self, &alarm.over)?,
                cause: alarm.cause,
                verdict: alarm.verdict,
                severity: alarm.severity,
            };
            self.alarms.push(alarm);
        }
        self.called.extend(file.called);
        Ok(())
    }

    /// The kind of a name.
    pub(super) fn kind(&self, name: &str) -> Result<KindId, String> {
        let at = self.kinds.iter().position(|kind| kind.name == name);
        at.map(|at| KindId(at as u8)).ok_or_else(|| format!("there is no kind `{name}`"))
    }

    /// What a kind is called, says and causes.
    pub(super) fn at(&self, kind: KindId) -> &KindForm {
        &self.kinds[usize::from(kind.0)]
    }

    /// The kinds that a rule's records can belong to, before their words are read.
    pub(super) fn kinds_of_rule(&self, learned: &Learned, run: &Run) -> Kinds {
        let (rule, of_group) = (learned.rule(run.key.rule), learned.group(run.key.rule));
        let mut kinds = Kinds::default();
        for (at, kind) in self.kinds.iter().enumerate() {
            let by_rule = kind.rules.iter().any(|pattern| fits(pattern, rule));
            let by_group = kind.groups.iter().any(|group| **group == *of_group)
                && kind.least.is_none_or(|least| run.severity >= least);
            if by_rule || by_group {
                kinds.add(KindId(at as u8));
            }
        }
        kinds
    }

    /// Whether one of the kinds is rare enough to be kept at hand for all regions.
    pub(super) fn has_rare(&self, kinds: Kinds) -> bool {
        kinds.iter().any(|kind| !self.at(kind).many)
    }

    /// Of the kinds of its rule those whose words an episode holds.
    pub(super) fn kinds_of(&self, of_rule: Kinds, run: &Run) -> Kinds {
        let mut kinds = Kinds::default();
        for id in of_rule.iter() {
            let words = &self.at(id).words;
            if words.is_empty() || words.iter().any(|word| run.summary.contains(word.as_str())) {
                kinds.add(id);
            }
        }
        kinds
    }

    /// The first of the kinds, which tells the record best.
    pub(super) fn first(&self, kinds: Kinds) -> Option<(KindId, &KindForm)> {
        kinds.iter().next().map(|kind| (kind, self.at(kind)))
    }

    /// The cause that the kinds stand for.
    pub(super) fn cause_of(&self, kinds: Kinds) -> Option<Cause> {
        kinds.iter().find_map(|kind| self.at(kind).cause)
    }

    /// The first reason that a rule's record, or its text, names.
    pub(super) fn told(&self, rule: &str, text: &str) -> Option<&Reason> {
        self.told_by(&[rule], text)
    }

    /// The same of a record of several rules: its own, and that of the error inside.
    pub(super) fn told_by(&self, rules: &[&str], text: &str) -> Option<&Reason> {
        self.reasons.iter().find(|reason| {
            let of_rule = reason.rules.is_empty()
                || reason.rules.iter().any(|pattern| rules.iter().any(|rule| fits(pattern, rule)));
            of_rule && (reason.words.is_empty() || reason.words.iter().any(|word| text.contains(word.as_str())))
        })
    }

    /// What a run that failed is called: by the rules of its records, and by their writers.
    pub(super) fn called(&self, asked: Asked, records: &[(&Rule, Option<Component>)]) -> Option<&str> {
        let fits = |form: &&CalledForm| records.iter().any(|(rule, writer)| is_of(form, rule, *writer));
        self.called.iter().filter(|form| form.asked == asked).find(fits).map(|form| &*form.says)
    }
}

/// Whether a record of a rule, and of a writer where it is known, is one of what failed.
fn is_of(form: &CalledForm, rule: &Rule, writer: Option<Component>) -> bool {
    let named = |patterns: &[String]| patterns.iter().any(|pattern| fits(pattern, &rule.id));
    let by_component = form.component.is_some_and(|own| [rule.component, writer].contains(&Some(own)));
    (by_component || named(&form.rules) || form.groups.iter().any(|group| **group == *rule.group))
        && !named(&form.except)
}

/// Whether a rule fits a pattern; `*` stands for any text.
fn fits(pattern: &str, rule: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == rule,
        Some((head, tail)) => rule.len() >= head.len() + tail.len() && rule.starts_with(head) && rule.ends_with(tail),
    }
}

/// `90s`, `2m`, `12h`.
fn span(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is no span: use 90s, 2m or 12h");
    let split = text.len().checked_sub(1).filter(|at| text.is_char_boundary(*at)).ok_or_else(wrong)?;
    let unit = match &text[split..] {
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    text[..split].parse::<i64>().map(|number| number * unit).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::{Chains, Reason, fits, span};
    use crate::correlate::findings::{Cause, Verdict};
    use crate::rules::Catalog;

    #[test]
    fn the_built_in_chains_are_right() {
        let mut chains = Chains::default();
        chains.add(include_str!("../chains.toml")).unwrap();
        for link in &chains.links {
            assert!(link.cause != link.effect, "{} leads to itself", chains.at(link.cause).name);
        }
    }

    #[test]
    fn the_order_of_words_is_that_of_what_they_say() {
        let chains = Chains::embedded();
        for (text, cause) in [
            (
                "Error during requesting raftstore: read index not ready, reason can not read index due to merge",
                Cause::RegionMerge,
            ),
            ("I/O Error: failed to put object rusoto error <Code>AccessDenied</Code>", Cause::StorageAccess),
            ("I/O Error: failed to put object: SlowDown: Please reduce your request rate.", Cause::StorageThrottled),
            ("I/O Error: failed to put object timeout after 15mins for upload part in s3 storage", Cause::Network),
            ("Io: No space left on device (os error 28)", Cause::DiskFull),
            ("PD client meet error: Grpc(RpcFailure: 4-DEADLINE_EXCEEDED Deadline Exceeded)", Cause::PdUnavailable),
            (
                "running BR in incompatible version of cluster: rpc error: code = Unavailable desc = dial tcp: lookup pd: i/o timeout",
                Cause::Network,
            ),
        ] {
            assert_eq!(chains.told("", text).and_then(Reason::known), Some(cause), "{text}");
        }
        assert!(chains.told("", "[BR:KV:ErrKVStorage]tikv storage occur I/O error").is_none());
    }

    #[test]
    fn the_inner_code_of_a_storage_answer_decides() {
        let chains = Chains::embedded();
        let answer = |code: &str, text: &str| {
            format!(
                "I/O Error: failed to put object aws-sdk error: ServiceError(ServiceError {{ source: Unhandled(Unhandled {{ source: ErrorMetadata {{ code: Some(\"{code}\"), message: Some(\"{text}\") }} }}) }})"
            )
        };
        for (text, cause) in [
            (answer("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive"), Some(Cause::Configuration)),
            (answer("InvalidRequest", "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters"), Some(Cause::Configuration)),
            (answer("InternalError", "We encountered an internal error. Please try again."), Some(Cause::StorageAccess)),
            (answer("SlowDown", "Please reduce your request rate."), Some(Cause::StorageThrottled)),
            ("I/O Error: failed to put object <Code>RequestTimeTooSkewed</Code>".to_owned(), Some(Cause::Configuration)),
            ("I/O Error: failed to put object: XmlDecodeError { kind: Custom(\"no root element\") }, status: StatusCode(411)".to_owned(), Some(Cause::Bug)),
            ("I/O Error: Permission denied (os error 13)".to_owned(), Some(Cause::Configuration)),
            ("I/O Error: Too many open files (os error 24)".to_owned(), Some(Cause::Configuration)),
            ("I/O Error: No such file or directory (os error 2)".to_owned(), None),
            ("I/O Error: No space left on device (os error 28)".to_owned(), Some(Cause::DiskFull)),
            ("I/O Error: Read-only file system (os error 30)".to_owned(), None),
            ("I/O Error: Stale file handle (os error 116)".to_owned(), Some(Cause::StorageAccess)),
        ] {
            let told = chains.told("", &text);
            assert_eq!(told.and_then(Reason::known), cause, "{text}");
            let plain = matches!(cause, Some(Cause::StorageThrottled | Cause::DiskFull));
            assert_eq!(told.is_some_and(|told| told.says.is_some()), !plain, "{text}");
        }
        let plain = chains.told("", &answer("AccessDenied", "Access Denied")).unwrap();
        assert_eq!((plain.cause, plain.says.is_none()), (Cause::StorageAccess, true));
    }

    #[test]
    fn a_rule_that_is_sure_beats_words() {
        let chains = Chains::embedded();
        let refused = "Error: changefeeds exist: rpc error: code = Unavailable desc = transport is closing";
        assert_eq!(chains.told("br-restore-cdc-running", refused).and_then(Reason::known), Some(Cause::Configuration));
        assert_eq!(chains.told("br-failed", refused).and_then(Reason::known), Some(Cause::Network));
        let epoch = chains.told("br-failed", "[BR:KV:ErrKVEpochNotMatch]epoch not match").unwrap();
        assert_eq!((epoch.known(), epoch.verdict), (None, Some(Verdict::Retry)));
    }

    /// A rule that was renamed would silently lose its cause.
    #[test]
    fn the_rules_that_chains_name_are_in_the_catalogue() {
        let (chains, catalog) = (Chains::embedded(), Catalog::embedded().unwrap());
        let known = |pattern: &String| catalog.rules().iter().any(|rule| fits(pattern, &rule.id));
        let named = chains.reasons.iter().flat_map(|reason| &reason.rules);
        let missing: Vec<_> = named.filter(|pattern| !known(pattern)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        let named = chains.kinds.iter().flat_map(|kind| &kind.rules);
        let missing: Vec<_> = named.filter(|pattern| !known(pattern)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        let named = chains.called.iter().flat_map(|form| form.rules.iter().chain(&form.except));
        let missing: Vec<_> = named.filter(|pattern| !known(pattern)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn a_users_file_adds_and_is_checked() {
        let mut chains = Chains::embedded();
        let links = chains.links.len();
        let own = r#"
            [[kind]]
            name = "my-alarm"
            rules = ["my-rule"]
            says = "mine"
            [[link]]
            cause = "my-alarm"
            effect = "fatal"
            join = ["store"]
            within = "90s"
        "#;
        assert_eq!(chains.add(own), Ok(()));
        assert_eq!(chains.links.len(), links + 1);
        assert!(chains.add("[[link]]\ncause='no'\neffect='fatal'\njoin=[]\nwithin='1m'").is_err());
        assert!(chains.add("[[kind]]\nname='x'\nsays='y'\nodd=1").is_err());
        assert!(chains.add("[[reason]]\ncause='bug'").is_err());
    }

    #[test]
    fn patterns_and_spans() {
        assert!(fits("lb-fatal-*", "lb-fatal-io") && !fits("lb-fatal-*", "lb-flush-done"));
        assert!(fits("br-*-unreachable", "br-failed-store-unreachable") && !fits("a*a", "a"));
        assert_eq!(span("90s"), Ok(90_000));
        assert!([span(""), span("5"), span("xm"), span("5é")].iter().all(Result::is_err));
    }
}
