//! Repeats of one record, folded into the line of the first: a retry by the second, a step that every replica writes.

use crate::event::Event;
use crate::report::{cut, cut_start, width};
use crate::safe::Safe;
use crate::units::{Component, FactKind, Level, StoreId, Timestamp};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// What is known of a record's writer.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Writer<'a> {
    pub(super) store: Option<StoreId>,
    pub(super) instance: Option<&'a str>,
}

/// Lines that are not over yet, oldest first.
#[derive(Debug)]
pub(super) struct Fold {
    safe: Safe,
    /// Whether every record is a line of its own.
    each: bool,
    /// Columns of the terminal, if it is one.
    columns: Option<usize>,
    open: VecDeque<Line>,
}

/// One line, for one or more records.
#[derive(Debug)]
struct Line {
    key: Key,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    count: u64,
    stores: BTreeSet<StoreId>,
    message: String,
    file: Arc<str>,
    line: u64,
}

/// What records of one line have in common. Numbers in the message may differ.
#[derive(Debug, PartialEq, Eq)]
struct Key {
    /// Stores write the same of one region; of others each is meant.
    who: Option<String>,
    level: Option<Level>,
    rule: Arc<str>,
    message: String,
}

impl Fold {
    /// Repeats come within this time, or follow each other.
    const GAP_MS: i64 = 60_000;
    /// Most lines that wait.
    const MOST: usize = 256;

    /// With every record on a line of its own, or repeats folded; cut to the columns of a terminal.
    pub(super) const fn new(safe: Safe, each: bool, columns: Option<usize>) -> Self {
        Self { safe, each, columns, open: VecDeque::new() }
    }

    /// Takes a record; gives the lines that are over by then.
    pub(super) fn take(&mut self, event: &Event, writer: Writer<'_>) -> impl Iterator<Item = String> + use<'_> {
        let new = Line::of(event, writer, self.safe);
        let newest = self.open.len().saturating_sub(1);
        let known = self.open.iter_mut().enumerate().find(|(at, line)| {
            let near = line.last.zip(new.last).is_some_and(|(last, time)| time.since(last) <= Self::GAP_MS);
            line.key == new.key && (near || *at == newest)
        });
        let now = new.last;
        match known.filter(|_| !self.each) {
            Some((_, line)) => line.repeat(&new),
            None => self.open.push_back(new),
        }
        let is_over = |line: &Line| line.last.zip(now).is_none_or(|(last, now)| now.since(last) > Self::GAP_MS);
        // The newest may go on after any time.
        let over = self.open.iter().take(self.open.len().saturating_sub(1)).take_while(|line| is_over(line)).count();
        let over = if self.each { self.open.len() } else { over.max(self.open.len().saturating_sub(Self::MOST)) };
        let columns = self.columns;
        self.open.drain(..over).map(move |line| line.text(columns))
    }

    /// The lines that are left.
    pub(super) fn finish(self) -> impl Iterator<Item = String> {
        self.open.into_iter().map(move |line| line.text(self.columns))
    }
}

impl Line {
    fn of(event: &Event, writer: Writer<'_>, safe: Safe) -> Self {
        let who = match (writer.store, writer.instance, event.component) {
            (Some(_), ..) => None,
            (None, Some(instance), _) => Some(instance.to_owned()),
            (None, None, component) => Some(component.map_or("-", Component::as_str).to_owned()),
        };
        let message = format!("{}{}", &*safe.line(&event.message), safe.own(others(event)));
        let key =
            Key { who, level: event.level, rule: Arc::clone(&event.rule), message: without_numbers(&event.message) };
        Self {
            key,
            first: event.time,
            last: event.time,
            count: 1,
            stores: writer.store.into_iter().collect(),
            message,
            file: safe.line(&event.file).to_string().into(),
            line: event.line,
        }
    }

    fn repeat(&mut self, other: &Self) {
        self.count += other.count;
        self.last = self.last.max(other.last);
        self.stores.extend(&other.stores);
    }

    /// Time, who wrote it, level, what it says, how often, which rule knows it, where it stands. Where room is short it is cut,
    /// and the rule left out.
    fn text(&self, columns: Option<usize>) -> String {
        const LEAST: usize = 24;
        let time = self.first.map_or_else(|| " ".repeat(24), |time| time.to_string());
        let stores: Vec<String> = self.stores.iter().map(ToString::to_string).collect();
        let who = match (&self.key.who, stores.as_slice()) {
            (Some(who), _) => who.clone(),
            (None, [only]) => format!("store {only}"),
            (None, several) => format!("stores {}", several.join(" ")),
        };
        let level = self.key.level.map_or("-", Level::as_str);
        let until = self.last.filter(|last| Some(*last) != self.first).map(|last| format!(" until {last}"));
        let count = match self.count {
            1 => String::new(),
            count => format!("  ({count} times{})", until.unwrap_or_default()),
        };
        let head = format!("{time}  {who:<12}  {level:<5}  ");
        let place = format!("{}:{}", self.file, self.line);
        let Some(columns) = columns else {
            let rule = if self.key.rule.is_empty() { String::new() } else { format!("  {}", self.key.rule) };
            return format!("{head}{}{count}{rule}  ({place})", self.message);
        };
        let tail = format!("{count}  ({})", cut_start(&place, LEAST + 4));
        let room = columns.saturating_sub(width(&head) + width(&tail)).max(LEAST);
        format!("{head}{}{tail}", cut(&self.message, room))
    }
}

/// The other regions and stores that a record names and its message does not: into which region, to which store.
fn others(event: &Event) -> String {
    let named = event.facts.iter().filter(|fact| {
        matches!(fact.kind, FactKind::Region | FactKind::Store)
            && !fact.role.is_empty()
            && !event.message.contains(&*fact.value)
    });
    let mut said: Vec<String> = named.map(|fact| format!(" [{}={}]", fact.role, fact.value)).collect();
    said.dedup();
    said.truncate(4);
    said.concat()
}

/// The message with each number as `#`.
fn without_numbers(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    for letter in message.chars() {
        let letter = if letter.is_ascii_digit() { '#' } else { letter };
        if letter != '#' || !out.ends_with('#') {
            out.push(letter);
        }
    }
    out
}
