//! `tidescope explain`: a code, a rule, a TSO or a pasted line, in plain words.

use super::rules::{did_you_mean, page};
use super::{logs, print};
use crate::cli::Explain;
use crate::event::{CODE_CLASSES, Facts, Place};
use crate::matching::Matcher;
use crate::outcome::Outcome;
use crate::record::{RawRecord, Record, Sink, split};
use crate::rules::{Catalog, Rule};
use crate::units::Tso;
use anyhow::anyhow;
use std::fmt::Write as _;
use std::sync::Arc;

pub(super) fn run(args: &Explain) -> anyhow::Result<Outcome> {
    let what = args.what.join(" ");
    let catalog = logs::catalog(&[])?;
    let word = what.trim();
    if let Ok(tso) = word.parse::<Tso>() {
        return print(tso_page(tso).as_bytes());
    }
    if let Some(rule) = catalog.get(word).or_else(|| by_code(&catalog, word)) {
        return print(page(rule).as_bytes());
    }
    if let Some(page) = code_page(&catalog, word) {
        return print(page.as_bytes());
    }
    if !word.contains([' ', '[', '{']) {
        return Err(anyhow!(
            "`{word}` is no code, rule, TSO or log line that is known{}",
            did_you_mean(&catalog, word)
        ));
    }
    let matcher = Matcher::new(catalog);
    let mut lines = Lines { matcher: &matcher, out: String::new() };
    split(what.as_bytes(), 0..what.len(), &mut lines);
    if lines.out.is_empty() {
        return Err(anyhow!("that is no log record: paste a whole line"));
    }
    print(crate::safe::Safe::new(true).text(&lines.out).as_bytes())
}

/// A code in another spelling: without its brackets, its case or its first part.
fn by_code<'c>(catalog: &'c crate::rules::Catalog, word: &str) -> Option<&'c crate::rules::Rule> {
    let word = word.trim_matches(['[', ']']).to_ascii_lowercase();
    let all = || catalog.rules().iter().filter(|rule| rule.code.is_some());
    let code = |rule: &crate::rules::Rule| rule.code.as_deref().unwrap_or_default().to_ascii_lowercase();
    all()
        .find(|rule| rule.is_about_code() && code(rule) == word)
        .or_else(|| all().find(|rule| code(rule) == word))
        .or_else(|| all().filter(|rule| rule.is_about_code()).find(|rule| code(rule).rsplit(':').next() == Some(&word)))
        .and_then(|rule| catalog.for_code(rule.code.as_deref()?))
}

/// Parts of TiDB whose codes only a client shows, besides the classes that events carry.
const MORE_CLASSES: [&str; 8] = ["admin", "brie", "distsql", "globalconn", "optimizer", "plugin", "storage", "xeval"];

/// What the numbers mean that stand in records of backups and restores.
const NUMBERS: [(&str, &str); 11] = [
    ("1049", "There is no such database."),
    ("1050", "The table exists already."),
    ("1054", "There is no such column: the table is of another version than the statement."),
    ("1062", "A row with this key exists already."),
    ("1064", "The statement cannot be parsed."),
    ("1146", "There is no such table."),
    ("8004", "A transaction is bigger than performance.txn-total-size-limit allows."),
    ("8027", "TiDB's schema is out of date, so it refuses to commit."),
    ("8223", "Index and rows of a table do not agree."),
    ("9005", "A region could not be read or written for a while."),
    ("9006", "A reader is older than the GC safe point."),
];

/// A code that events carry but that no rule is about: what it means, and the rules that look for it.
fn code_page(catalog: &Catalog, word: &str) -> Option<String> {
    let code = word.trim_matches(['[', ']']);
    let (part, number) = code.rsplit_once(':')?;
    let is_class = CODE_CLASSES.contains(&part) || MORE_CLASSES.contains(&part);
    let is_number = is_class && number.len() <= 5 && number.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = part == "CDC" && number.starts_with("Err");
    let named = |text: &str| text.contains(code) || (is_name && text == number);
    let mut rules: Vec<&Rule> = catalog
        .rules()
        .iter()
        .filter(|rule| [&rule.when.has, &rule.when.any].into_iter().flatten().any(|text| named(text)))
        .collect();
    let mut out = match NUMBERS.iter().find(|(known, _)| is_number && *known == number) {
        Some((_, meaning)) => format!("{code}\n\n  {meaning}\n"),
        None if is_number => {
            format!("{code}\n\n  Error {number} of TiDB (`{part}`): its documentation lists all error codes.\n")
        }
        None if is_name && !rules.is_empty() => format!("{code}\n\n  An error of TiCDC.\n"),
        None => return None,
    };
    if rules.is_empty() {
        let shown = format!("[{code}]");
        rules = catalog.rules().iter().filter(|rule| rule.examples.iter().any(|text| text.contains(&shown))).collect();
    }
    for rule in rules.iter().take(3) {
        let _ = writeln!(out, "\n  {}: {} {}", rule.id, rule.meaning, rule.remedy);
    }
    if rules.is_empty() {
        out.push_str("\n  No rule looks for it: paste the whole record to learn more.\n");
    }
    Some(out)
}

fn tso_page(tso: Tso) -> String {
    if tso.0 == 999_999_999_999_999_999 {
        return format!("{tso}\n\n  The default end of a log backup task: it has no end.\n");
    }
    let mut out = format!("{tso}\n\n  time     {}\n  logical  {}\n", tso.time(), tso.logical());
    if !tso.is_plausible() {
        out.push_str("\n  Not between 2015 and 2040: more likely an id than a TSO.\n");
    } else if tso.logical() == (1 << 18) - 1 {
        let _ = writeln!(
            out,
            "\n  One less than {}, the first TSO of the next millisecond: as a service safe point is set, checkpoint - 1.",
            Tso(tso.0 + 1)
        );
    }
    out
}

struct Lines<'m> {
    matcher: &'m Matcher,
    out: String,
}

impl Sink for Lines<'_> {
    fn record(&mut self, raw: RawRecord<'_>) {
        let record = Record::read(raw.bytes, raw.kind);
        let facts = Facts::of(&record);
        let codes = facts.codes().to_vec();
        let Some(index) = self.matcher.find(&record, &codes) else {
            let known: Vec<_> = codes.iter().filter_map(|code| self.matcher.catalog().for_code(code)).collect();
            self.out.push_str("No rule knows this record.\n");
            for rule in known {
                self.out.push_str(&page(rule));
            }
            return;
        };
        let rule = self.matcher.catalog().at(index);
        let event = facts.event(&record, rule, Place { file: Arc::from("-"), line: 1, offset: 0 });
        self.out.push_str(&page(rule));
        let mut say = |label: &str, text: String| {
            if !text.is_empty() {
                let _ = writeln!(self.out, "  {label:9}{text}");
            }
        };
        say("time", event.time.map(|time| time.to_string()).unwrap_or_default());
        say("regions", join(&event.regions));
        say("stores", join(&event.stores));
        say("task", event.task.as_deref().unwrap_or_default().to_owned());
        say("codes", event.codes.join(", "));
        for tso in &event.tsos {
            say("TSO", format!("{tso} = {}", tso.time()));
        }
        say("says", event.message.to_string());
        for code in &event.codes {
            if let Some(other) = self.matcher.catalog().for_code(code).filter(|other| other.id != rule.id) {
                let _ = writeln!(self.out, "\n{code}: {} {}", other.meaning, other.remedy);
            }
        }
    }
}

fn join<T: std::fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
