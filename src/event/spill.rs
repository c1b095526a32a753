//! Sorted runs of events in temporary files: written when memory is full, read back in order.

use super::{Event, Fact, KeyRange, RegionDescription};
use crate::units::{Component, FactKind, Level, PeerId, RegionId, Severity, StoreId, Timestamp, Tso};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::sync::Arc;

/// A sorted run in a temporary file, which has no name: however the program ends, nothing is left of it.
#[derive(Debug)]
pub(super) struct WrittenRun {
    file: File,
    /// Sources, rules, groups and roles: few, and in most events.
    names: Vec<Arc<str>>,
}

impl WrittenRun {
    /// Writes events that come in order.
    ///
    /// # Errors
    /// Where the temporary file cannot be written.
    pub(super) fn write<'e>(events: impl Iterator<Item = &'e Event>) -> io::Result<Self> {
        let mut out = BufWriter::with_capacity(1 << 20, tempfile::tempfile()?);
        let mut names = Names::default();
        let mut bytes = Vec::new();
        for event in events {
            bytes.clear();
            bytes = postcard::to_extend(&names.pack(event), bytes).map_err(io::Error::other)?;
            out.write_all(&(bytes.len() as u32).to_le_bytes())?;
            out.write_all(&bytes)?;
        }
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(Self { file, names: names.all })
    }

    /// Reads it from its start.
    pub(super) fn read(&self) -> Reading<'_> {
        let file = FileAt { file: &self.file, at: 0 };
        Reading { input: BufReader::with_capacity(1 << 17, file), names: &self.names, bytes: Vec::new() }
    }
}

/// A run while it is read.
pub(super) struct Reading<'r> {
    input: BufReader<FileAt<'r>>,
    names: &'r [Arc<str>],
    bytes: Vec<u8>,
}

/// Reads a file from its start without moving the position that other readers of it use.
struct FileAt<'f> {
    file: &'f File,
    at: u64,
}

impl Read for FileAt<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = std::os::unix::fs::FileExt::read_at(self.file, buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Reading<'_> {
    /// The next event.
    pub(super) fn next(&mut self) -> io::Result<Option<Event>> {
        let mut length = [0; 4];
        match self.input.read_exact(&mut length) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        self.bytes.resize(u32::from_le_bytes(length) as usize, 0);
        self.input.read_exact(&mut self.bytes)?;
        let packed: Packed = postcard::from_bytes(&self.bytes).map_err(io::Error::other)?;
        packed.unpack(self.names).map(Some).ok_or_else(|| io::Error::other("a name is missing in a temporary file"))
    }
}

/// Numbers for the names of a run.
#[derive(Default)]
struct Names {
    known: FxHashMap<Arc<str>, u32>,
    all: Vec<Arc<str>>,
}

type Place = (u32, u64, u64, Option<Timestamp>, bool);
type Kind = (u32, u32, Severity, bool, (Option<Component>, bool), Option<Level>);

/// An event as it is written: every part, in order, since postcard has no names to skip parts by.
#[derive(Serialize)]
struct PackedRef<'e>(
    Place,
    Kind,
    (Option<RegionId>, Option<StoreId>, Option<PeerId>, Option<&'e str>),
    (&'e [Box<str>], &'e [Tso], &'e [RegionId], &'e [StoreId], &'e str),
    Vec<(FactKind, u32, &'e str)>,
    Vec<(RegionId, Option<&'e KeyRange>, Option<(u64, u64)>, &'e [(PeerId, StoreId)])>,
    &'e [KeyRange],
);

/// The same as it is read.
#[derive(Deserialize)]
struct Packed(
    Place,
    Kind,
    (Option<RegionId>, Option<StoreId>, Option<PeerId>, Option<Box<str>>),
    (Vec<Box<str>>, Vec<Tso>, Vec<RegionId>, Vec<StoreId>, Box<str>),
    Vec<(FactKind, u32, Box<str>)>,
    Vec<(RegionId, Option<KeyRange>, Option<(u64, u64)>, Vec<(PeerId, StoreId)>)>,
    Vec<KeyRange>,
);

impl Names {
    fn number(&mut self, name: &Arc<str>) -> u32 {
        if let Some(number) = self.known.get(name) {
            return *number;
        }
        let number = self.all.len() as u32;
        self.all.push(Arc::clone(name));
        self.known.insert(Arc::clone(name), number);
        number
    }

    fn pack<'e>(&mut self, event: &'e Event) -> PackedRef<'e> {
        let facts = event.facts.iter().map(|fact| (fact.kind, self.number(&fact.role), &*fact.value)).collect();
        let described = event.descriptions.iter().map(|one| (one.id, one.range.as_ref(), one.epoch, &*one.peers));
        PackedRef(
            (self.number(&event.file), event.line, event.offset, event.time, event.time_is_local),
            (
                self.number(&event.rule),
                self.number(&event.group),
                event.severity,
                event.implicates,
                (event.component, event.shows_writer),
                event.level,
            ),
            (event.region, event.store, event.peer, event.task.as_deref()),
            (&event.codes, &event.tsos, &event.regions, &event.stores, &event.message),
            facts,
            described.collect(),
            &event.ranges,
        )
    }
}

impl Packed {
    fn unpack(self, names: &[Arc<str>]) -> Option<Event> {
        let name = |number: u32| names.get(number as usize).cloned();
        let Self(place, kind, subject, ids, facts, descriptions, ranges) = self;
        let fact = |(kind, role, value)| Some(Fact { kind, role: name(role)?, value });
        let described = |(id, range, epoch, peers)| RegionDescription { id, range, epoch, peers };
        Some(Event {
            file: name(place.0)?,
            line: place.1,
            offset: place.2,
            time: place.3,
            time_is_local: place.4,
            rule: name(kind.0)?,
            group: name(kind.1)?,
            severity: kind.2,
            implicates: kind.3,
            component: kind.4.0,
            shows_writer: kind.4.1,
            level: kind.5,
            region: subject.0,
            store: subject.1,
            peer: subject.2,
            task: subject.3,
            codes: ids.0,
            tsos: ids.1,
            regions: ids.2,
            stores: ids.3,
            message: ids.4,
            facts: facts.into_iter().map(fact).collect::<Option<_>>()?,
            descriptions: descriptions.into_iter().map(described).collect(),
            ranges,
        })
    }
}
