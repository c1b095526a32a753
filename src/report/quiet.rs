//! What is said where no incident is open.

use super::words::{advancing_since, counted, grouped};
use crate::correlate::{Findings, Task, TaskStatus, Trouble, Unmatched};
use crate::safe::{Safe, SafeText};
use crate::units::{Level, Severity};

/// The headline.
pub(super) fn headline(findings: &Findings) -> String {
    let recovered = findings.incidents.len() as u64;
    if recovered > 0 {
        return format!("Nothing is wrong now; {} recovered", counted(recovered, "incident"));
    }
    if findings.totals.records == 0 {
        return "No log record found".to_owned();
    }
    let logged = Logged::of(findings);
    let worst = match (logged.errors, logged.unknown, logged.warnings) {
        (0, 0, 0) => return "Nothing wrong found".to_owned(),
        (0, 0, warnings) => counted(warnings, "warning"),
        (0, unknown, _) => format!("{} that no rule knows", counted(unknown, "ERROR record")),
        (errors, ..) => counted(errors, "error"),
    };
    format!("No incident found, but {worst}")
}

/// Whether nothing was logged as an error or warning either.
pub(super) fn is_well(findings: &Findings) -> bool {
    findings.totals.records > 0 && (!findings.incidents.is_empty() || Logged::of(findings) == Logged::default())
}

/// What was logged as an error or warning though nothing came of it that is known: a line for each of the worst rules, where no
/// incident is found.
pub(super) fn troubles(findings: &Findings, safe: Safe) -> Vec<SafeText<'static>> {
    const MOST: usize = 4;
    if !findings.incidents.is_empty() {
        return Vec::new();
    }
    let named: Vec<_> = findings.troubles.iter().filter(|trouble| counts(trouble, findings)).collect();
    let line = |trouble: &&Trouble| {
        let Trouble { rule, count, meaning, place, .. } = trouble;
        safe.own(format!("{} x {rule}, first at {place}: {meaning}", grouped(*count)))
    };
    let mut lines: Vec<_> = named.iter().take(MOST).map(line).collect();
    let more = named.len().saturating_sub(MOST) as u64;
    if more > 0 {
        lines.push(safe.own(format!("{}, see events.csv", counted(more, "more rule"))));
    }
    let unknown = unknown(findings).take(MOST).map(|row| {
        let Unmatched { template, count, place, .. } = row;
        safe.own(format!("{} x \"{template}\", first at {place}: no rule knows it", grouped(*count)))
    });
    lines.extend(unknown);
    lines
}

/// How many records tell of trouble.
#[derive(Debug, Default, PartialEq, Eq)]
struct Logged {
    errors: u64,
    warnings: u64,
    /// ERROR records that no rule knows.
    unknown: u64,
}

impl Logged {
    fn of(findings: &Findings) -> Self {
        let mut logged = Self { unknown: unknown(findings).map(|row| row.count).sum(), ..Self::default() };
        for trouble in findings.troubles.iter().filter(|trouble| counts(trouble, findings)) {
            if trouble.severity >= Severity::Error {
                logged.errors += trouble.count;
            } else {
                logged.warnings += trouble.count;
            }
        }
        logged
    }
}

/// Errors always count; warnings where no task is seen to advance in spite of them.
fn counts(trouble: &Trouble, findings: &Findings) -> bool {
    let advances = |task: &Task| task.status == TaskStatus::Normal && advancing_since(task).is_some();
    trouble.severity >= Severity::Error || !findings.tasks.iter().any(advances)
}

fn unknown(findings: &Findings) -> impl Iterator<Item = &Unmatched> {
    findings.unmatched.iter().filter(|row| row.level.is_some_and(|level| level >= Level::Error))
}

#[cfg(test)]
mod tests {
    use super::{headline, is_well, troubles};
    use crate::correlate::{Place, Trouble};
    use crate::report::sample;
    use crate::safe::Safe;
    use crate::units::{Level, Severity};

    #[test]
    fn all_is_not_well_where_errors_or_warnings_were_logged() {
        let mut findings = sample::healthy().findings;
        assert!(is_well(&findings) && troubles(&findings, Safe::new(true)).is_empty());
        assert_eq!(headline(&findings), "Nothing wrong found");
        let trouble = |rule: &str, severity: Severity| Trouble {
            rule: rule.to_owned(),
            severity,
            count: 1_200,
            meaning: "It failed.".to_owned(),
            place: Place { file: "tikv.log".into(), line: 7, offset: 0 },
        };
        findings.troubles = vec![trouble("w", Severity::Warning)];
        assert!(is_well(&findings), "a task advances in spite of them");
        findings.tasks.clear();
        assert_eq!(headline(&findings), "No incident found, but 1,200 warnings");
        findings.unmatched[0].level = Some(Level::Error);
        assert_eq!(headline(&findings), "No incident found, but 7 ERROR records that no rule knows");
        findings.troubles.splice(..0, ["a", "b", "c", "d"].map(|rule| trouble(rule, Severity::Error)));
        assert_eq!(headline(&findings), "No incident found, but 4,800 errors");
        let lines: Vec<String> = troubles(&findings, Safe::new(true)).iter().map(ToString::to_string).collect();
        assert_eq!(lines.len(), 6);
        assert_eq!(lines[0], "1,200 x a, first at tikv.log:7: It failed.");
        assert_eq!(lines[4], "1 more rule, see events.csv");
        assert!(!is_well(&findings));
        findings.totals.records = 0;
        assert_eq!(headline(&findings), "No log record found");
    }
}
