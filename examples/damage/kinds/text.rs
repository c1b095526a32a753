//! A text on its way from clean to damaged: its records, and what is left of each.

use super::head::Head;

/// A record of the clean text.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// Its position in the clean text.
    #[allow(dead_code, reason = "what the test joins by")]
    pub(crate) index: usize,
    /// The part of the clean record that is left.
    pub(crate) left: String,
    /// Date, clock, offset: `2022/07/25`, `14:54:44.467`, `+00:00`; also where the record has lost them.
    pub(crate) stamp: Option<(String, String, String)>,
    /// Whether the text (or a prefix) still says when, and how exactly.
    pub(crate) time: TimeLeft,
}

/// What a damaged text still says of a record's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TimeLeft {
    /// Nothing.
    None,
    /// The second.
    Second,
    /// All of it.
    Whole,
}

/// A stretch of text that no line of another one joins: usually one record, several where they are glued.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) records: Vec<Record>,
}

/// A whole text.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) line_end: &'static str,
    pub(crate) start: &'static str,
}

impl Document {
    /// A clean text of these records.
    pub(crate) fn new<'t>(records: impl IntoIterator<Item = &'t str>) -> Self {
        let piece = |(index, text): (usize, &str)| {
            let stamp = Head::find(text).and_then(|head| head.stamp(text));
            let time = if stamp.is_some() { TimeLeft::Whole } else { TimeLeft::None };
            Piece { text: text.to_owned(), records: vec![Record { index, left: text.to_owned(), stamp, time }] }
        };
        Self { pieces: records.into_iter().enumerate().map(piece).collect(), line_end: "\n", start: "" }
    }

    /// The text as a file would hold it.
    pub(crate) fn render(&self) -> String {
        let lines: Vec<String> = self.pieces.iter().map(|piece| piece.text.replace('\n', self.line_end)).collect();
        format!("{}{}{}", self.start, lines.join(self.line_end), self.line_end)
    }

    /// Changes every record as one text.
    pub(crate) fn records(&mut self, mut change: impl FnMut(&str) -> String) {
        for piece in self.pieces.iter_mut().filter(|piece| !piece.records.is_empty()) {
            piece.text = change(&piece.text);
        }
    }

    /// Changes every line of every record.
    pub(crate) fn lines(&mut self, mut change: impl FnMut(&str) -> String) {
        self.records(|text| text.split('\n').map(&mut change).collect::<Vec<_>>().join("\n"));
    }

    /// Takes text away: what is left of a record is what the change leaves of it.
    pub(crate) fn lose(&mut self, mut change: impl FnMut(&str) -> String) {
        for piece in &mut self.pieces {
            if let [record] = &mut piece.records[..] {
                piece.text = change(&piece.text);
                record.left.clone_from(&piece.text);
                let has_time = Head::find(&record.left).is_some_and(|head| head.stamp(&record.left).is_some());
                if !has_time {
                    record.time = TimeLeft::None;
                }
            }
        }
    }

    /// Puts a prefix that says when before each record's first line, and `further` before its other lines.
    pub(crate) fn stamped(
        &mut self,
        exact: TimeLeft,
        mut prefix: impl FnMut(&(String, String, String)) -> (String, String),
    ) {
        for piece in &mut self.pieces {
            let [record] = &mut piece.records[..] else { continue };
            let Some(stamp) = &record.stamp else { continue };
            let (first, further) = prefix(stamp);
            piece.text = format!("{first}{}", piece.text.replace('\n', &format!("\n{further}")));
            record.time = record.time.max(exact);
        }
    }
}
