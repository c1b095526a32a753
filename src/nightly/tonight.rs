//! What is there tonight, and how much of it is new: files that are as they were are not opened.

use super::heads::{self, HEAD, Seen};
use super::identity::{Hints, Identity, identify};
use super::state::{Head, KnownFile, Sources};
use crate::input::{Discovery, Input, Problem, Stamp, Status};
use crate::scan::Start;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A file that was changed more recently may be in the middle of a line, or of being compressed.
const AT_REST: Duration = Duration::from_secs(3_600);

/// A text that is to be read.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    /// The input that it is in.
    pub(super) input: usize,
    /// The known text that it goes on with.
    pub(super) known: Option<usize>,
    /// How it begins.
    pub(super) head: Head,
    /// Where it goes on.
    pub(super) start: Start,
}

/// What is there tonight.
#[derive(Debug)]
pub(super) struct Tonight {
    /// Everything found.
    pub(super) inputs: Vec<Input>,
    /// Texts to read, by name.
    pub(super) readings: BTreeMap<Arc<str>, Reading>,
    /// Where each known text is now, as far as it is still there: input and name.
    pub(super) places: BTreeMap<usize, (usize, Arc<str>)>,
    /// Inputs of which something was not taken: they are looked into again.
    pub(super) unsettled: FxHashSet<usize>,
    /// Inputs that were opened.
    pub(super) opened: FxHashSet<usize>,
    /// What cannot be read, and what is a copy of something else.
    pub(super) problems: Vec<Problem>,
    /// Known texts that are shorter than what was read of them, with their length now.
    pub(super) cut: BTreeMap<usize, u64>,
    /// Bytes that were read to find this out.
    pub(super) bytes: u64,
}

impl Tonight {
    /// Compares what was found with what is known.
    pub(super) fn find(found: Discovery, known: &Sources, clock: SystemTime) -> Self {
        let mut tonight = Self {
            inputs: found.inputs,
            readings: BTreeMap::new(),
            places: BTreeMap::new(),
            unsettled: FxHashSet::default(),
            opened: FxHashSet::default(),
            problems: found.problems,
            cut: BTreeMap::new(),
            bytes: 0,
        };
        tonight.unchanged(known);
        let looked: Vec<(Vec<Seen>, Vec<Problem>)> = tonight
            .inputs
            .par_iter()
            .enumerate()
            .filter(|(at, _)| tonight.opened.contains(at))
            .map(|(at, input)| heads::look(at, input))
            .collect();
        let mut seen = Vec::new();
        for (texts, problems) in looked {
            tonight.bytes += texts.iter().map(|text| text.head.len() as u64).sum::<u64>();
            tonight.fail(problems);
            seen.extend(texts);
        }
        tonight.assign(&seen, known, clock);
        tonight
    }

    /// Finds the files that are as they were, under the same name or another.
    fn unchanged(&mut self, known: &Sources) {
        let mut by_number: FxHashMap<(u64, u64), &KnownFile> = FxHashMap::default();
        let mut by_name: FxHashMap<&str, &KnownFile> = FxHashMap::default();
        for file in known.files.iter().filter(|file| file.settled) {
            by_number.insert((file.stamp.device, file.stamp.inode), file);
            by_name.insert(&file.name, file);
        }
        let mut now: FxHashMap<&str, usize> = FxHashMap::default();
        for (at, input) in self.inputs.iter().enumerate() {
            let Some(stamp) = input.stamp() else { continue };
            let same =
                |file: &&&KnownFile| (file.stamp.size, file.stamp.modified_ns) == (stamp.size, stamp.modified_ns);
            // Some file systems number anew at every mount.
            let file = by_number.get(&(stamp.device, stamp.inode)).filter(same);
            match file.or_else(|| by_name.get(input.name()).filter(same)) {
                Some(file) => {
                    now.insert(&file.name, at);
                }
                None => {
                    self.opened.insert(at);
                }
            }
        }
        for (at, source) in known.sources.iter().enumerate() {
            let (file, member) = match source.name.split_once("!/") {
                Some((file, _)) => (file, &source.name[file.len()..]),
                None => (source.name.as_str(), ""),
            };
            if let Some(input) = now.get(file) {
                let name = format!("{}{member}", self.inputs[*input].name());
                self.places.insert(at, (*input, Arc::from(name)));
            }
        }
    }

    fn assign(&mut self, seen: &[Seen], known: &Sources, clock: SystemTime) {
        let inodes: Vec<u64> = self.inputs.iter().map(|input| input.stamp().unwrap_or_default().inode).collect();
        let unchanged: FxHashSet<usize> = self.places.keys().copied().collect();
        let found = identify(seen, &known.sources, &Hints { inodes: &inodes, unchanged: &unchanged });
        for (text, identity) in seen.iter().zip(found) {
            let grows = !self.inputs[text.input].stamp().is_some_and(|stamp| at_rest(stamp, clock));
            let mut start = Start { grows, ..Start::default() };
            let source = match identity {
                Identity::Copy(of) => {
                    self.copy(text, &of);
                    continue;
                }
                Identity::New => None,
                Identity::Known(at) => Some(at),
            };
            if let Some(at) = source {
                let source = &known.sources[at];
                (start.offset, start.newlines) = (source.offset, source.newlines);
                start.zone_minutes = source.row.zone_minutes;
                let was_cut = text.len.filter(|len| *len < source.offset && inodes[text.input] == source.inode);
                if let Some(len) = was_cut {
                    self.cut.insert(at, len);
                }
                if text.len.is_some_and(|len| len <= source.offset) {
                    self.places.entry(at).or_insert((text.input, Arc::clone(&text.name)));
                    continue;
                }
            }
            // What is known by less than a full head gets to be known by more of it.
            let head = match source.map(|at| known.sources[at].head) {
                Some(head) if head.len == HEAD as u64 => head,
                _ => text.known_by(),
            };
            let reading = Reading { input: text.input, known: source, head, start };
            self.readings.insert(Arc::clone(&text.name), reading);
        }
    }

    fn copy(&mut self, text: &Seen, of: &str) {
        // How long a compressed copy is shows when it is read, as soon as the other one is.
        if text.len.is_none() {
            self.unsettled.insert(text.input);
        }
        let reason = format!("the same text as {of}");
        self.problems.push(Problem { file: text.name.to_string(), status: Status::Skipped, reason });
    }

    /// Notes problems; a file that could not be read is tried again next time.
    pub(super) fn fail(&mut self, problems: Vec<Problem>) {
        for problem in problems {
            if problem.status != Status::Skipped {
                let of = |input: &Input| {
                    problem
                        .file
                        .strip_prefix(input.name())
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with("!/"))
                };
                self.unsettled.extend(self.inputs.iter().position(of));
            }
            self.problems.push(problem);
        }
    }
}

fn at_rest(stamp: Stamp, clock: SystemTime) -> bool {
    let modified = UNIX_EPOCH + Duration::from_nanos(stamp.modified_ns.max(0).cast_unsigned());
    clock.duration_since(modified).is_ok_and(|age| age >= AT_REST)
}
