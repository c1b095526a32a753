//! `tidescope rules`: the catalogue, and a user's own rules.

use super::{logs, print};
use crate::cli::Rules;
use crate::matching::Matcher;
use crate::outcome::Outcome;
use crate::rules::{Catalog, Rule};
use anyhow::{Context, anyhow};
use std::fmt::Write as _;

pub(super) fn run(command: &Rules) -> anyhow::Result<Outcome> {
    match command {
        Rules::List { rules } => list(&*logs::catalog(rules)?),
        Rules::Show { id, rules } => {
            let catalog = logs::catalog(rules)?;
            let rule =
                catalog.get(id).ok_or_else(|| anyhow!("there is no rule `{id}`{}", did_you_mean(&catalog, id)))?;
            print(page(rule).as_bytes())
        }
        Rules::Check { file } => check(file),
    }
}

fn list(catalog: &Catalog) -> anyhow::Result<Outcome> {
    let mut out = String::new();
    let width = catalog.rules().iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    for rule in catalog.rules() {
        let component = rule.component.map_or("any", crate::units::Component::as_str);
        let _ = writeln!(
            out,
            "{:width$}  {component:7} {:14} {:8} {:7}  {}",
            rule.id,
            rule.group,
            rule.severity,
            rule.kind.as_str(),
            first_sentence(&rule.meaning)
        );
    }
    print(out.as_bytes())
}

fn first_sentence(text: &str) -> &str {
    text.split_once(". ").map_or(text, |(first, _)| first).trim_end_matches('.')
}

/// Everything about a rule, for a person.
pub(super) fn page(rule: &Rule) -> String {
    let mut out = String::new();
    let component = rule.component.map_or("any component", crate::units::Component::as_str);
    let _ = writeln!(out, "{}  ({component}, {}, {}, {})", rule.id, rule.group, rule.severity, rule.kind.as_str());
    let mut say = |label: &str, text: &str| {
        if !text.is_empty() {
            let _ = writeln!(out, "\n{label}\n{}", wrapped(text));
        }
    };
    say("What it means", &rule.meaning);
    say("What to do", &rule.remedy);
    say("Code", rule.code.as_deref().unwrap_or_default());
    say("Versions", &rule.versions);
    let when = &rule.when;
    let conditions = [
        ("message is", &when.message),
        ("message starts with", &when.starts),
        ("message has", &when.message_has),
        ("record has", &when.has),
        ("one of", &when.any),
        ("none of", &when.none),
    ];
    let matches: Vec<String> = conditions
        .iter()
        .filter(|(_, texts)| !texts.is_empty())
        .map(|(label, texts)| format!("{label}: {}", texts.join(" | ")))
        .collect();
    say("Matches where", &matches.join("\n"));
    if let Some(example) = rule.examples.first() {
        let _ = writeln!(out, "\nExample\n  {}", example.replace('\n', "\n  "));
    }
    out
}

/// Lines of at most 100 columns, indented by two.
fn wrapped(text: &str) -> String {
    let mut out = String::new();
    for paragraph in text.lines() {
        let mut line = String::from(" ");
        for word in paragraph.split(' ') {
            if line.len() + word.len() > 98 && line.len() > 2 {
                let _ = writeln!(out, "{line}");
                line = String::from(" ");
            }
            line.push(' ');
            line.push_str(word);
        }
        let _ = writeln!(out, "{line}");
    }
    out.truncate(out.trim_end().len());
    out
}

fn check(file: &std::path::Path) -> anyhow::Result<Outcome> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).with_context(|| format!("{name} cannot be read"))?;
    let catalog = logs::catalog(&[file.to_owned()])?;
    let ids = Catalog::ids_in(&text);
    let matcher = Matcher::new(catalog);
    let mut out = String::new();
    for id in &ids {
        let Some(rule) = matcher.catalog().get(id) else { continue };
        for failure in crate::event::check(&matcher, rule) {
            let _ = writeln!(out, "{name}: {failure}");
        }
        if rule.examples.is_empty() {
            let _ = writeln!(out, "{name}: rule `{id}`: it has no example: give one, so that it is tested");
        }
    }
    if !matcher.signals().is_cheap() {
        let _ = writeln!(
            out,
            "{name}: note: a rule at INFO without message, starts (8 bytes or more) or caller makes every scan slower"
        );
    }
    let failed = out.lines().any(|line| !line.contains(": note: "));
    if !failed {
        let _ = writeln!(out, "{name}: {} rules are right", ids.len());
    }
    print(out.as_bytes())?;
    Ok(if failed { Outcome::Unusable } else { Outcome::Done })
}

/// The ids nearest to a wrong one.
pub(super) fn did_you_mean(catalog: &Catalog, wrong: &str) -> String {
    let mut near: Vec<(usize, &str)> =
        catalog.rules().iter().map(|rule| (distance(&rule.id, wrong), &*rule.id)).collect();
    near.sort_unstable();
    let close: Vec<_> =
        near.iter().take(3).filter(|(far, _)| *far <= wrong.len() / 2).map(|(_, id)| format!("`{id}`")).collect();
    if close.is_empty() {
        "; `tidescope rules list` shows all".to_owned()
    } else {
        format!("; did you mean {}?", close.join(", "))
    }
}

/// How many letters two words differ by.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(128).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut corner = at;
        row[0] = at + 1;
        for (column, wanted) in other.iter().enumerate() {
            let replaced = corner + usize::from(letter != *wanted);
            corner = row[column + 1];
            row[column + 1] = replaced.min(corner + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}
