//! Bytes to records: where a record starts and ends, its header, message and fields, in every form that logs arrive in.
//!
//! Two ways lead to the same `Record`. Clean text (`clean`) is recognised by its fixed header and read in place. Everything
//! else, whatever its damage, goes through `look` (what is this line?) and `recover` (undo what the copy did to it).

mod body;
mod clean;
mod console;
mod continuation;
mod escape;
mod foreign;
mod header;
mod java;
mod json;
mod lines;
mod look;
mod phrases;
mod plain;
mod prefix;
mod recover;
mod split;
mod status;
mod tools;

pub use body::Field;
pub use clean::{CLEAN_HEADER, clean_level, clean_message, clean_time, is_clean};
pub use escape::unescape;
pub(crate) use foreign::is_klog;
pub(crate) use look::begins_with_region;
pub use look::{Kind, Look, look};
pub use split::{MAX_RECORD, RawRecord, Sink, Tally, split};

pub(crate) use status::{duration_seconds, gap_seconds, moment};

use crate::units::{Component, Level, Timestamp};
use std::borrow::Cow;
use tools::{listed, safepoint, service, stores, upright};

/// One log entry, borrowed from the source where that is possible.
#[derive(Debug, Clone, Default)]
pub struct Record<'a> {
    /// When, where the record (or the prefix that a container put before it) says so.
    pub time: Option<Timestamp>,
    /// Whether `time` was written without an offset; it is then as if it were UTC.
    pub time_is_local: bool,
    /// Offset of the time, minutes east of UTC.
    pub zone_minutes: Option<i32>,
    /// Level, normalised.
    pub level: Option<Level>,
    /// Source file of the component, without the line number.
    pub caller: Cow<'a, [u8]>,
    /// Message, unescaped. Empty where the header is lost.
    pub message: Cow<'a, [u8]>,
    /// Whether the message was found where it belongs; otherwise conditions on the message look at the whole text.
    pub has_message: bool,
    /// Fields in order, keys may repeat.
    pub fields: Vec<Field<'a>>,
    /// The whole record, unescaped one level, with the damage undone.
    pub text: Cow<'a, [u8]>,
    /// What kind of record it is.
    pub kind: Kind,
    /// Who wrote it, where a row of a log search or a container's prefix says so.
    pub writer: Option<RowWriter>,
}

/// The process that wrote a record, as what stands before it on its line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowWriter {
    /// Component.
    pub component: Component,
    /// Its address, or its pod.
    pub instance: Box<str>,
}

impl From<(Component, &str)> for RowWriter {
    fn from((component, instance): (Component, &str)) -> Self {
        Self { component, instance: instance.into() }
    }
}

impl<'a> Record<'a> {
    /// The first field of a name.
    pub fn field(&self, key: &str) -> Option<&Field<'a>> {
        self.fields.iter().find(|field| *field.key == *key.as_bytes())
    }

    /// Reads a clean record: one whose first line starts with the fixed header.
    pub fn clean(raw: &'a [u8]) -> Self {
        clean::read(raw)
    }

    /// Reads any record that `split` found.
    pub fn read(raw: &'a [u8], kind: Kind) -> Self {
        match kind {
            Kind::Clean => clean::read(raw),
            Kind::StatusTask => status::read(raw),
            Kind::SafePoint => safepoint::read(raw),
            Kind::Listed => listed::read(raw),
            Kind::Service => service::read(raw),
            Kind::Store => stores::read(raw),
            Kind::Row => recover::read(&upright::abreast(raw), kind),
            _ => recover::read(raw, kind),
        }
    }
}
