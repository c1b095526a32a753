//! What tools print and people paste beside their logs: answers of `pd-ctl`, rows of `kubectl`, TiUP and SQL clients, services of systemd,
//! command lines of `br`.

pub(super) mod command;
pub(super) mod listed;
pub(super) mod safepoint;
pub(super) mod service;
pub(super) mod stores;
pub(super) mod upright;

use super::body::Field;
use super::{Kind, Record};
use std::borrow::Cow;

/// A record of what a tool says, with its parts as fields for the rules.
fn told<const N: usize>(
    raw: &[u8],
    kind: Kind,
    message: String,
    fields: [(&'static str, String); N],
) -> Record<'static> {
    let field = |(key, value): (&'static str, String)| Field {
        key: Cow::Borrowed(key.as_bytes()),
        value: Cow::Owned(value.into_bytes()),
    };
    Record {
        message: Cow::Owned(message.into_bytes()),
        has_message: true,
        fields: fields.map(field).into(),
        text: Cow::Owned(raw.to_vec()),
        kind,
        ..Record::default()
    }
}
