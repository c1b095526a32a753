//! The page of hand-made findings.

use super::super::sample;
use super::super::tally::Tally;
use super::{Crowd, Frame, SCRIPT, SCRIPT_HASH, frame, write};
use crate::correlate::{Correlation, Findings};
use crate::report::tables::EventRow;
use crate::rules::Catalog;
use crate::safe::Safe;
use crate::units::{RegionId, StoreId};
use std::io::Write;
use std::process::Stdio;

fn page(findings: &Findings) -> String {
    let mut tally = Tally::of(findings);
    tally.crowd = Crowd::of(&findings.episodes, tally.frame.as_ref());
    let correlation = Correlation::default();
    for event in &sample::events() {
        tally.count(&EventRow { event, derived: correlation.derived(event) });
    }
    let mut out = Vec::new();
    write(findings, &tally, &Catalog::embedded().unwrap(), &sample::run(), &mut out, Safe::new(true)).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn page_of_the_failed_task() {
    insta::assert_snapshot!(page(&sample::failed().findings));
}

#[test]
fn page_of_the_refused_resume() {
    insta::assert_snapshot!(page(&sample::refused().findings));
}

#[test]
fn page_of_a_healthy_run() {
    insta::assert_snapshot!(page(&sample::healthy().findings));
}

#[test]
fn a_page_of_nothing() {
    let text = page(&Findings::default());
    assert!(text.contains("No log record found"), "{text}");
}

#[test]
fn nothing_in_a_log_becomes_markup() {
    let evil = "</script></title></svg>\"'><img src=x onerror=alert(1)>\u{202e}\u{1b}[2J password=hunter2".to_owned();
    let mut findings = sample::failed().findings;
    findings.tasks[0].name.clone_from(&evil);
    for incident in &mut findings.incidents {
        incident.task = Some(evil.clone());
        incident.summary.clone_from(&evil);
        incident.id.clone_from(&evil);
        incident.commands = vec![evil.clone()];
        for step in &mut incident.chain {
            step.what.clone_from(&evil);
            step.message.clone_from(&evil);
            step.rule = evil.as_str().into();
            step.place.file = evil.as_str().into();
        }
    }
    for episode in &mut findings.episodes {
        episode.summary.clone_from(&evil);
        episode.rule = evil.as_str().into();
    }
    findings.caveats = vec![evil.clone()];
    findings.sources[0].file = evil.as_str().into();
    findings.stores[0].address = Some(evil.clone());
    findings.unmatched[0].template = evil;
    let text = page(&findings);
    assert_eq!(text.matches("<script").count(), 1);
    assert_eq!(text.matches("</script").count(), 1);
    assert!(!text.contains("<img") && !text.contains("hunter2"));
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'));
}

/// More of everything than a page has room for.
fn storm() -> Findings {
    let mut findings = sample::failed().findings;
    let episode = findings.episodes[3].clone();
    let (region, store, source) =
        (findings.regions[0].clone(), findings.stores[0].clone(), findings.sources[0].clone());
    let message = "failed to get initial snapshot: read index not ready, region is merging; ".repeat(12);
    for at in 0..60_000u64 {
        let mut episode = episode.clone();
        let from = episode.first.unwrap().plus_ms(at as i64 * 650);
        (episode.first, episode.last) = (Some(from), Some(from.plus_ms(400)));
        episode.store = Some(StoreId(at % 90));
        episode.region = Some(RegionId(at % 5_000));
        episode.summary.clone_from(&message);
        episode.place.line = 1_000_000 + at;
        findings.episodes.push(episode);
    }
    for at in 0..5_000 {
        let mut region = region.clone();
        region.id = RegionId(at);
        findings.regions.push(region);
        let mut store = store.clone();
        store.id = Some(StoreId(at % 90));
        findings.stores.push(store);
        findings.sources.push(source.clone());
    }
    findings.incidents.extend(vec![findings.incidents[0].clone(); 500]);
    findings
}

#[test]
fn the_page_of_a_million_events_stays_small() {
    let text = page(&storm());
    assert!(text.len() < 3 << 20, "{}", text.len());
    assert!(text.contains("are drawn one by one"), "the reader is told what is left out");
}

#[test]
fn a_crowd_is_counted_the_same_in_any_parts() {
    let findings = storm();
    let frame = Frame::of(&findings);
    let whole = Crowd::of(&findings.episodes, frame.as_ref());
    let mut parts = Crowd::default();
    findings.episodes.chunks(7_001).for_each(|chunk| parts.add(Crowd::of(chunk, frame.as_ref())));
    assert_eq!(parts, whole);
    assert_eq!(whole.all, findings.episodes.len() as u64);
    let alone = frame::alone_in(&findings).len() as u64;
    assert_eq!(whole.all, alone + whole.shared + whole.outside);
    assert!(alone > 0 && whole.shared > 50_000);
}

/// What stands between the tags is hashed, so the line break after the first one too.
#[test]
fn the_browser_knows_our_script() {
    let mut command = std::process::Command::new("sha256sum");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("\n{SCRIPT}").as_bytes()).unwrap();
    let output = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let bits: String = output[..64].chars().map(|digit| format!("{:04b}", digit.to_digit(16).unwrap())).collect();
    let letters: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain("+/".chars()).collect();
    let six = |at| u8::from_str_radix(&format!("{:0<6}", &bits[at..bits.len().min(at + 6)]), 2).unwrap();
    let hash: String = (0..bits.len()).step_by(6).map(|at| letters[usize::from(six(at))]).collect();
    assert_eq!(SCRIPT_HASH, format!("sha256-{hash}="), "put it into SCRIPT_HASH");
}
