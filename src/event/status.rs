//! Facts of a task on a `br log status` screen.

use super::{Fact, FactKind};
use crate::record::{Record, gap_seconds, moment};
use crate::units::{StoreId, Timestamp};
use std::sync::Arc;

/// The facts, and the stores that the screen's keys name.
pub(super) fn facts(record: &Record<'_>) -> (Vec<Fact>, Vec<StoreId>) {
    let mut facts = Vec::new();
    let mut stores = Vec::new();
    let mut add =
        |kind, role: &str, value: String| facts.push(Fact { kind, role: Arc::from(role), value: value.into() });
    let mut earliest: Option<(Timestamp, Option<&str>)> = None;
    for field in &record.fields {
        let key = String::from_utf8_lossy(&field.key);
        let value = String::from_utf8_lossy(&field.value);
        stores.extend(store_of(&key).and_then(|store| store.parse().ok()).map(StoreId));
        match &*key {
            "name" => add(FactKind::Task, "", value.into_owned()),
            "status" => add(FactKind::Status, "", value.into_owned()),
            "storage" => add(FactKind::Path, "storage", value.into_owned()),
            "start-ts" => add(FactKind::Ts, "start", value.into_owned()),
            "checkpoint-ts" => add(FactKind::Ts, "checkpoint", value.into_owned()),
            "pause-operator" | "pause-payload" => add(FactKind::Text, &key, value.into_owned()),
            "start" => add_time(&mut add, "start-time", &value),
            "end" => add_time(&mut add, "end-time", &value),
            "pause-time" => add_time(&mut add, "pause-time", &value),
            "checkpoint[global]" => {
                add_time(&mut add, "checkpoint-time", &value);
                if let Some(gap) = gap_seconds(&value) {
                    add(FactKind::Text, "gap", (gap * 1_000).to_string());
                }
            }
            key if key.starts_with("error-happen-at[") => {
                let error = moment(&value).map(|time| (time, std::str::from_utf8(&field.key).ok().and_then(store_of)));
                earliest = earliest.into_iter().chain(error).min_by_key(|(time, _)| *time);
            }
            _ => {}
        }
    }
    if let Some((time, store)) = earliest {
        add(FactKind::Text, "error-time", time.to_string());
        // Of several stores the one that failed first is what the event is about.
        if let Some(store) = store {
            add(FactKind::Store, "", store.to_owned());
            let code = record.field(&format!("error[store={store}]"));
            let code = code.map(|field| String::from_utf8_lossy(&field.value).into_owned());
            code.filter(|code| code.contains(':')).into_iter().for_each(|code| add(FactKind::Code, "", code));
        }
    }
    (facts, stores)
}

/// The store that a key is about: `error[store=7]`.
fn store_of(key: &str) -> Option<&str> {
    key.split_once("[store=").map(|(_, rest)| rest.trim_end_matches(']'))
}

fn add_time(add: &mut impl FnMut(FactKind, &str, String), role: &str, value: &str) {
    if let Some(time) = moment(value) {
        add(FactKind::Text, role, time.to_string());
    }
}
