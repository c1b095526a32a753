//! Facts of a task on a `br log status` screen.

use super::{Fact, FactKind};
use crate::record::{Record, gap_seconds, moment};
use crate::units::StoreId;
use std::sync::Arc;

/// The facts, and the stores that the screen's keys name.
pub(super) fn facts(record: &Record<'_>) -> (Vec<Fact>, Vec<StoreId>) {
    let mut facts = Vec::new();
    let mut stores = Vec::new();
    let mut add =
        |kind, role: &str, value: String| facts.push(Fact { kind, role: Arc::from(role), value: value.into() });
    let mut error_time = None;
    for field in &record.fields {
        let key = String::from_utf8_lossy(&field.key);
        let value = String::from_utf8_lossy(&field.value);
        if let Some(store) = key.split("[store=").nth(1).and_then(|rest| rest.trim_end_matches(']').parse().ok()) {
            stores.push(StoreId(store));
        }
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
                let time = moment(&value);
                error_time = error_time.into_iter().chain(time).min();
            }
            _ => {}
        }
    }
    if let Some(time) = error_time {
        add(FactKind::Text, "error-time", time.to_string());
    }
    (facts, stores)
}

fn add_time(add: &mut impl FnMut(FactKind, &str, String), role: &str, value: &str) {
    if let Some(time) = moment(value) {
        add(FactKind::Text, role, time.to_string());
    }
}
