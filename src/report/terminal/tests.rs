//! What the answer says of hand-made findings.

use super::super::layout::width;
use super::super::sample;
use super::{MOST_LINES, Style, answer};
use crate::correlate::{Findings, IncidentStatus, Verdict};
use crate::rules::Catalog;
use crate::safe::Safe;
use crate::units::{StoreId, Timestamp};
use std::path::Path;

fn style() -> Style<'static> {
    Style {
        width: 120,
        colour: false,
        safe: Safe::new(true),
        clock: Timestamp::parse_rfc3339("2022-07-26T02:20:00Z"),
        report: Some(Path::new("tidescope-report")),
        duration_ms: Some(4_100),
    }
}

fn say(findings: &Findings, style: &Style<'_>) -> String {
    answer(findings, &Catalog::embedded().unwrap(), style)
}

#[test]
fn answer_of_the_failed_task() {
    insta::assert_snapshot!(say(&sample::failed().findings, &style()));
}

#[test]
fn answer_in_eighty_columns_a_day_late() {
    let clock = Timestamp::parse_rfc3339("2022-07-27T09:00:00Z");
    insta::assert_snapshot!(say(&sample::failed().findings, &Style { width: 80, clock, ..style() }));
}

#[test]
fn answer_of_the_refused_resume() {
    insta::assert_snapshot!(say(&sample::refused().findings, &style()));
}

#[test]
fn answer_of_a_healthy_run() {
    let text = say(&sample::healthy().findings, &style());
    assert_eq!(text.lines().count(), 3, "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn answer_of_what_has_recovered() {
    let mut findings = sample::failed().findings;
    findings.incidents.remove(0);
    findings.tasks.clear();
    insta::assert_snapshot!(say(&findings, &style()));
}

#[test]
fn colours_change_nothing_else() {
    let findings = sample::failed().findings;
    let coloured = say(&findings, &Style { colour: true, ..style() });
    assert!(coloured.contains('\u{1b}'));
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain += before;
        rest = after.split_once('m').unwrap().1;
    }
    assert_eq!(plain + rest, say(&findings, &style()));
}

#[test]
fn a_screen_is_enough_for_any_incident() {
    let mut findings = sample::failed().findings;
    let incident = findings.incidents[0].clone();
    findings.incidents[0].chain = incident.chain.iter().cycle().take(60).cloned().collect();
    findings.incidents[0].commands = vec![incident.commands[0].clone(); 30];
    findings.incidents[0].summary = incident.summary.repeat(9);
    findings.incidents[0].verdict = Verdict::Investigate;
    findings.incidents.extend(vec![incident; 40]);
    findings.incidents[3].status = IncidentStatus::Recovered;
    findings.caveats = vec!["x y ".repeat(400); 30];
    for width_of in [0, 80, 100, 5_000] {
        let text = say(&findings, &Style { width: width_of, ..style() });
        assert!(text.lines().count() <= MOST_LINES, "{text}");
        assert!(text.lines().all(|line| width(line) <= width_of.clamp(80, 120)), "{text}");
    }
}

#[test]
fn trouble_over_time_is_drawn_for_each_store() {
    let mut findings = sample::failed().findings;
    let episode = findings.episodes[3].clone();
    findings.episodes = (0..40)
        .map(|at| {
            let mut episode = episode.clone();
            let from = episode.first.unwrap().plus_ms(at * at * 10_000);
            episode.first = Some(from);
            episode.last = Some(from.plus_ms(30_000));
            episode.store = Some(StoreId(if at % 3 == 0 { 4 } else { 1 }));
            episode
        })
        .collect();
    findings.incidents[0].chain.truncate(3);
    insta::assert_snapshot!(say(&findings, &style()));
}
