//! From records to files: order, clocks of the hosts, redaction, rotation.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::cluster::record::{Encoder, Fields, Head, Record};
use crate::cluster::time::{Ms, Zone, file_time, log_time};

/// How keys and user data are hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Redaction {
    /// `?` in their place.
    Replaced,
    /// Wrapped in angle quotation marks (v8.3 and later).
    Marked,
}

/// What is done to the files on the way out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Output {
    /// Several files for each log.
    pub(crate) rotated: bool,
    /// Hide keys.
    pub(crate) redaction: Option<Redaction>,
}

/// The log of one process.
#[derive(Debug)]
pub(crate) struct Source {
    folder: String,
    stem: &'static str,
    encoder: Encoder,
    zone: Zone,
    skew: Ms,
    /// With the true time.
    records: Vec<(Ms, Record)>,
    lost: bool,
}

impl Source {
    /// An empty log `folder/stem.log` of a host whose clock is `skew` ahead.
    pub(crate) fn new(folder: String, stem: &'static str, encoder: Encoder, zone: Zone, skew: Ms) -> Self {
        Self { folder, stem, encoder, zone, skew, records: Vec::new(), lost: false }
    }

    /// Adds a record; the order of calls is free.
    pub(crate) fn add(&mut self, time: Ms, head: Head<'_>, fields: Fields) {
        self.records.push((time, Record::new(self.encoder, head, fields)));
    }

    /// The file will not be there.
    pub(crate) fn lose(&mut self) {
        self.lost = true;
    }

    /// The last written time, as the host's clock had it.
    pub(crate) fn last(&self) -> Option<Ms> {
        if self.lost { None } else { self.records.iter().map(|(time, _)| time + self.skew).max() }
    }

    /// Lines of text, each with the time it shows.
    fn lines(&self, output: Output) -> Vec<(Ms, String)> {
        let mut lines: Vec<(Ms, String)> = self
            .records
            .iter()
            .map(|(time, record)| {
                let line = format!("[{}] {}\n", log_time(time + self.skew, self.zone), record.text(self.encoder));
                (time + self.skew, output.redaction.map_or_else(|| line.clone(), |r| redact(&line, r)))
            })
            .collect();
        lines.sort_by_key(|(time, _)| *time);
        lines
    }

    /// Writes the log into its folder below `root`.
    pub(crate) fn write(&self, root: &Path, output: Output) -> io::Result<()> {
        if self.lost || self.records.is_empty() {
            return Ok(());
        }
        let folder = root.join(&self.folder);
        fs::create_dir_all(&folder)?;
        let lines = self.lines(output);
        let pieces = if output.rotated && lines.len() > 30 { 3 } else { 1 };
        let each = lines.len().div_ceil(pieces);
        for (number, piece) in lines.chunks(each).enumerate() {
            let text: String = piece.iter().map(|(_, line)| line.as_str()).collect();
            if number + 1 == lines.len().div_ceil(each) {
                fs::write(folder.join(format!("{}.log", self.stem)), text)?;
                continue;
            }
            let closed = piece.last().map_or(0, |(time, _)| *time);
            let name = format!("{}-{}.log", self.stem, file_time(closed, self.zone));
            // TiDB and PD can compress what they rotate; TiKV never does.
            if self.encoder == Encoder::Go && number == 0 {
                let file = fs::File::create(folder.join(name + ".gz"))?;
                let mut packed = GzEncoder::new(file, Compression::fast());
                packed.write_all(text.as_bytes())?;
                packed.finish()?;
            } else {
                fs::write(folder.join(name), text)?;
            }
        }
        Ok(())
    }
}

/// A file that is no log: console output, a status screen, a kernel log.
#[derive(Debug)]
pub(crate) struct RawFile {
    /// Path below the root.
    pub(crate) path: PathBuf,
    /// Content.
    pub(crate) text: String,
}

impl RawFile {
    /// Writes it below `root`.
    pub(crate) fn write(&self, root: &Path) -> io::Result<()> {
        let path = root.join(&self.path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, &self.text)
    }
}

/// Hides every encoded table key.
fn redact(line: &str, how: Redaction) -> String {
    const KEY: &str = "748000";
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(KEY) {
        let length = rest[at..].bytes().take_while(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(b)).count();
        let (before, key) = (&rest[..at], &rest[at..at + length]);
        out.push_str(before);
        let inside = before.ends_with(|c: char| c.is_ascii_hexdigit());
        match how {
            _ if length < 18 || inside => out.push_str(key),
            Redaction::Replaced => out.push('?'),
            Redaction::Marked => {
                for text in ["\u{2039}", key, "\u{203a}"] {
                    out.push_str(text);
                }
            }
        }
        rest = &rest[at + length..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_hidden_and_ids_are_not() {
        let line = "region 7480001 start_key: 7480000000000000FF475F720000000000FA x";
        assert_eq!(redact(line, Redaction::Replaced), "region 7480001 start_key: ? x");
        assert_eq!(
            redact(line, Redaction::Marked),
            "region 7480001 start_key: \u{2039}7480000000000000FF475F720000000000FA\u{203a} x"
        );
    }
}
