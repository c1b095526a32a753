//! The mixes: which messages, how often, over which regions.

use crate::clock::Clock;
use crate::messages::{CHATTER, LONG, ROUTINE, SIGNALS, STARTUP, STORM};
use crate::random::Random;
use crate::regions::{self, Region};
use crate::template::{Message, Notation, Template};
use clap::ValueEnum;

/// What the log is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Raft chatter and 0.05 % implicating signals, nothing else.
    Quiet,
    /// Raft chatter, 3 % routine region errors, 0.05 % implicating signals.
    Calm,
    /// 20 % signals: few messages, many regions.
    Storm,
    /// The bytes of calm, cut into rotated files of 4 MiB.
    Many,
    /// Calm as TiKV writes it with `log.format = "json"`.
    Json,
    /// Calm with one line in a hundred of 4 to 64 KiB.
    Long,
}

/// 2022-07-25T00:00:00Z
const START: u64 = 1_658_707_200;
/// Lines are counted in parts of this many.
const WHOLE: u64 = 1 << 20;

/// Messages of one list, drawn by weight with one look at a table.
struct Mix {
    templates: Vec<Template>,
    table: Vec<u16>,
    /// Only the first so many regions are named.
    regions: u64,
}

impl Mix {
    fn new(messages: &[Message], notation: Notation, regions: u64) -> Self {
        let total: u32 = messages.iter().map(|m| m.weight).sum();
        let mut table = Vec::with_capacity(total as usize);
        for (index, message) in messages.iter().enumerate() {
            table.extend(std::iter::repeat_n(index as u16, message.weight as usize));
        }
        Self { templates: messages.iter().map(|m| Template::new(m, notation)).collect(), table, regions }
    }
}

/// A long line: a head, a piece as often as the length asks for, a tail.
struct Long {
    head: Template,
    piece: Template,
    tail: Template,
}

/// An endless log of one store.
pub(crate) struct Stream {
    clock: Clock,
    random: Random,
    regions: Vec<Region>,
    startup: std::vec::IntoIter<Template>,
    mixes: [Mix; 3],
    long: Vec<Long>,
    /// Of [`WHOLE`] lines, so many are signals, so many routine errors, so many long; the rest is chatter.
    shares: [u64; 3],
    /// Mean time between two lines.
    step: u64,
}

impl Stream {
    /// A stream whose first `size` bytes span about `hours`.
    pub(crate) fn new(kind: Kind, seed: u64, size: u64, hours: u64) -> Self {
        let notation = if kind == Kind::Json { Notation::Json } else { Notation::Text };
        let storm = kind == Kind::Storm;
        let signals = if storm {
            Mix::new(STORM, notation, regions::COUNT)
        } else {
            Mix::new(SIGNALS, notation, regions::HANDFUL)
        };
        let per_mille = |n: u64| WHOLE * n / 100_000;
        let mut stream = Self {
            clock: Clock::new(START),
            random: Random::new(seed),
            regions: regions::all(),
            startup: STARTUP.iter().map(|m| Template::new(m, notation)).collect::<Vec<_>>().into_iter(),
            mixes: [signals, Mix::new(ROUTINE, notation, regions::COUNT), Mix::new(CHATTER, notation, regions::COUNT)],
            long: LONG
                .iter()
                .map(|(message, piece, tail, fields)| Long {
                    head: Template::new(message, notation),
                    piece: Template::piece(piece),
                    tail: Template::closing(tail, fields),
                })
                .collect(),
            shares: [
                per_mille(if storm { 20_000 } else { 50 }),
                if kind == Kind::Quiet { 0 } else { per_mille(3_000) },
                if kind == Kind::Long { per_mille(1_000) } else { 0 },
            ],
            step: 0,
        };
        stream.step = stream.step_for(seed, size, hours);
        stream
    }

    /// The time as of the last line.
    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Writes the next line.
    pub(crate) fn line(&mut self, out: &mut Vec<u8>) {
        if let Some(template) = self.startup.next() {
            template.write(out, &self.clock, &self.regions[0], &mut self.random);
            return;
        }
        self.clock.advance(self.random.below(2 * self.step + 1));
        self.body(out);
    }

    fn body(&mut self, out: &mut Vec<u8>) {
        let draw = self.random.bits();
        let share = draw % WHOLE;
        let [signals, routine, long] = self.shares;
        if share >= WHOLE - long {
            return self.long_line(out);
        }
        let mix = &self.mixes[usize::from(share >= signals) + usize::from(share >= signals + routine)];
        let template = &mix.templates[mix.table[(draw >> 24) as usize % mix.table.len()] as usize];
        let region = &self.regions[self.random.below(mix.regions) as usize];
        template.write(out, &self.clock, region, &mut self.random);
    }

    fn long_line(&mut self, out: &mut Vec<u8>) {
        let length = self.random.between(4 << 10, 64 << 10) as usize;
        let kind = &self.long[self.random.below(self.long.len() as u64) as usize];
        let mut at = self.random.below(regions::COUNT) as usize;
        let begin = out.len();
        kind.head.write(out, &self.clock, &self.regions[at], &mut self.random);
        // The head ends with the quote and bracket of its last field: the pieces go in front of them.
        out.truncate(out.len() - 3);
        while out.len() - begin < length {
            at = (at + 1) % self.regions.len();
            kind.piece.fill(out, &self.clock, &self.regions[at], &mut self.random);
        }
        kind.tail.fill(out, &self.clock, &self.regions[at], &mut self.random);
    }

    /// Measures the mean line on a copy of the random numbers.
    fn step_for(&mut self, seed: u64, size: u64, hours: u64) -> u64 {
        const SAMPLE: u64 = 20_000;
        let random = std::mem::replace(&mut self.random, Random::new(!seed));
        let mut out = Vec::new();
        let mut bytes = 0;
        for _ in 0..SAMPLE {
            self.body(&mut out);
            bytes += out.len() as u64;
            out.clear();
        }
        self.random = random;
        hours * 3_600_000_000_000 / (size * SAMPLE / bytes).max(1)
    }
}
