//! Layer by layer down to the text: what every stream goes through, whatever it came from.

use super::budget::Budget;
use super::damage::{self, Damages};
use super::decode::Decompressor;
use super::export::Export;
use super::feed::Feed;
use super::sniff::{self, Kind};
use super::text::Text;
use super::utf16::Utf16;
use super::{Body, Limits, Problem, Status, tar, zip};
use std::io::Read;
use std::sync::Arc;

/// Most problems of one input that are told in full.
const MOST_PROBLEMS: usize = 10_000;

/// The reading of one input.
pub(super) struct Walk<'s> {
    sink: &'s mut dyn FnMut(&str, Body<'_>),
    limits: Limits,
    budget: Arc<Budget>,
    problems: Vec<Problem>,
    members: u64,
}

/// How deep a stream stands: in so many archives, compressed so often since the last of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Depth {
    archives: u32,
    layers: u32,
}

impl<'s> Walk<'s> {
    pub(super) fn new(sink: &'s mut dyn FnMut(&str, Body<'_>), limits: Limits) -> Self {
        Self { sink, limits, budget: Budget::new(limits), problems: Vec::new(), members: 0 }
    }

    pub(super) fn budget(&self) -> Arc<Budget> {
        Arc::clone(&self.budget)
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Notes a problem.
    pub(super) fn problem(&mut self, file: &str, status: Status, reason: impl Into<String>) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(Problem { file: file.to_owned(), status, reason: reason.into() });
        }
    }

    /// Hands on a source whose bytes are all in memory.
    pub(super) fn mapped(&mut self, file: &str, bytes: &[u8]) {
        (self.sink)(file, Body::Mapped(bytes));
    }

    /// Counts a member of an archive. False: there are too many, the archive ends here.
    pub(super) fn begin_member(&mut self, archive: &str) -> bool {
        self.members += 1;
        if self.members == self.limits.members + 1 {
            let text = format!("has more than {} members: limit reached, the rest is not read", self.limits.members);
            self.problem(archive, Status::Partial, text);
        }
        self.members <= self.limits.members
    }

    /// Hands on a member of an archive.
    pub(super) fn member(&mut self, label: &str, content: &mut (dyn Read + Send), depth: Depth) {
        let mut feed = Feed::new(content);
        self.stream(label, &mut feed, Depth { archives: depth.archives + 1, layers: 0 });
    }

    /// Hands on all sources in a stream.
    pub(super) fn stream(&mut self, file: &str, feed: &mut Feed<'_>, depth: Depth) {
        let mut damages = Damages::default();
        let kind = loop {
            match feed.peek(sniff::HEAD) {
                Ok(head) => break (!head.is_empty()).then(|| sniff::sniff(head)),
                Err(error) => {
                    damages.add(crate::error::without_number(&error));
                    if !damage::goes_on(&error) {
                        break None;
                    }
                }
            }
        };
        match kind {
            None => match damages.take() {
                Some(text) => self.problem(file, Status::Failed, text),
                None => self.text(file, feed, damages),
            },
            Some(Kind::Text) => self.text(file, feed, damages),
            Some(Kind::Utf16(endian)) => {
                let mut utf16 = Utf16::new(feed, endian);
                self.text(file, &mut Feed::new(&mut utf16), damages);
            }
            Some(Kind::Export) => {
                let mut export = Export::new(feed);
                self.text(file, &mut Feed::new(&mut export), damages);
            }
            Some(kind) => {
                if let Some(text) = damages.take() {
                    self.problem(file, Status::Partial, text);
                }
                self.container(file, feed, kind, depth);
            }
        }
    }

    /// Hands on the text of a plain file from a byte on.
    pub(super) fn tail(&mut self, file: &str, begin: u64, feed: &mut Feed<'_>) {
        let mut text = Text::new(feed, self.limits.source_bytes, Damages::default());
        (self.sink)(file, Body::Tail(begin, &mut text));
    }

    fn text(&mut self, file: &str, feed: &mut Feed<'_>, damages: Damages) {
        let mut text = Text::new(feed, self.limits.source_bytes, damages);
        (self.sink)(file, Body::Stream(&mut text));
    }

    fn container(&mut self, file: &str, feed: &mut Feed<'_>, kind: Kind, depth: Depth) {
        let most = self.limits.nesting;
        match kind {
            Kind::Compressed(_) if depth.layers >= most => {
                self.problem(file, Status::Skipped, format!("is compressed more than {most} times over"));
            }
            Kind::Compressed(format) => {
                let mut decompressor = Decompressor::new(format, feed, &self.budget);
                let mut inner = Feed::new(&mut decompressor);
                self.stream(file, &mut inner, Depth { layers: depth.layers + 1, ..depth });
            }
            Kind::Tar | Kind::Zip if depth.archives >= most => {
                self.problem(file, Status::Skipped, format!("is an archive within {most} others"));
            }
            Kind::Tar => tar::walk(self, file, feed, depth),
            Kind::Zip => zip::walk_stream(self, file, feed, depth),
            Kind::Other(why) => self.problem(file, Status::Skipped, why),
            Kind::Text | Kind::Utf16(_) | Kind::Export => {}
        }
    }
}
