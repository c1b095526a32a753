//! The differences as one page.

use super::text::{heading, numbers, side};
use super::{Change, Diff, SAFE, Subject};
use crate::safe::SafeText;
use askama::Template;
use std::io::{self, Write};

/// Rows of a subject at most; CSV has all.
const MOST: usize = 500;

#[derive(Template)]
#[template(path = "diff.html")]
struct Page {
    old: SafeText<'static>,
    new: SafeText<'static>,
    sections: Vec<Section>,
}

struct Section {
    heading: &'static str,
    rows: Vec<Row>,
    hidden: usize,
}

struct Row {
    turn: &'static str,
    name: SafeText<'static>,
    numbers: String,
    severity: &'static str,
    note: SafeText<'static>,
}

pub(super) fn write(diff: &Diff<'_>, mut out: impl Write) -> io::Result<()> {
    let row = |change: &Change| Row {
        turn: change.turn.as_str(),
        name: SAFE.line(&change.name).into_owned(),
        numbers: numbers(change),
        severity: change.severity.map_or("", crate::units::Severity::as_str),
        note: SAFE.line(&change.note).into_owned(),
    };
    let section = |subject: Subject| {
        let all = diff.changes.iter().filter(|change| change.subject == subject);
        let count = all.clone().count();
        Section {
            heading: heading(subject),
            rows: all.take(MOST).map(row).collect(),
            hidden: count.saturating_sub(MOST),
        }
    };
    let page = Page {
        old: SAFE.own(side(diff.old.0, diff.old.1)),
        new: SAFE.own(side(diff.new.0, diff.new.1)),
        sections: Subject::ALL.into_iter().map(section).filter(|section| !section.rows.is_empty()).collect(),
    };
    out.write_all(page.render().map_err(io::Error::other)?.as_bytes())
}
