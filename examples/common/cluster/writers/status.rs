//! The screen of `br log status`, as text in the width of a terminal or as JSON.

use std::fmt::Write;

use serde::Serialize;

use crate::cluster::sink::RawFile;
use crate::cluster::time::{Ms, go_date, go_seconds, go_time, tso_time};
use crate::cluster::version::Version;
use crate::cluster::world::World;
use crate::cluster::writers::br;
use crate::cluster::writers::task::LastError;

/// What the task is said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It runs.
    Normal,
    /// Paused by a person or the lag limit.
    Paused,
    /// Paused by a store that gave up.
    Error,
}

impl State {
    fn text(self) -> &'static str {
        match self {
            Self::Normal => "\u{25cf} NORMAL",
            Self::Paused => "\u{25cf} PAUSE",
            Self::Error => "\u{25cb} ERROR",
        }
    }
}

/// Takes the screen at `time` into `br/log-status.txt`; `br` logs its own run.
pub(crate) fn screen(world: &mut World, time: Ms, state: State, errors: &[LastError]) {
    br::begin(world, time, "log status", crate::cluster::record::fields![]);
    let errors: Vec<LastError> =
        errors.iter().map(|e| LastError { time: world.written(e.store, e.time), ..e.clone() }).collect();
    let shown = time + 80;
    let json = world.version >= Version::V62 && world.random.below(4) == 0;
    let text = if json { as_json(world, shown, &errors) } else { as_text(world, shown, state, &errors) };
    let name = if json { "br/log-status.json" } else { "br/log-status.txt" };
    world.files.push(RawFile { path: name.into(), text });
}

fn as_text(world: &mut World, now: Ms, state: State, errors: &[LastError]) -> String {
    let old = world.version == Version::V61;
    let zone = world.zone;
    let date = |time: Ms| if old { go_time(time, zone) } else { go_date(time, zone) };
    let since = |time: Ms| format!("{}; gap={}", date(time), go_seconds(now - time));
    let checkpoint = tso_time(world.checkpoint_at(now));
    let mut rows = vec![
        ("name".to_owned(), world.task.name.clone()),
        ("status".to_owned(), state.text().to_owned()),
        ("start".to_owned(), date(tso_time(world.task.start))),
        ("end".to_owned(), date(tso_time(999_999_999_999_999_999))),
        ("storage".to_owned(), world.task.storage.clone()),
        ("speed(est.)".to_owned(), if state == State::Normal { "8214.33 ops/s" } else { "0.00 ops/s" }.to_owned()),
        ("checkpoint[global]".to_owned(), since(checkpoint)),
    ];
    if old {
        for store in &world.stores {
            rows.push((format!("checkpoint[store={}]", store.id), since(checkpoint)));
        }
    }
    for error in errors {
        let store = error.store;
        rows.push((format!("error[store={store}]"), error.code.to_owned()));
        rows.push((format!("error-happen-at[store={store}]"), since(error.time)));
        rows.push((format!("error-message[store={store}]"), error.message.clone()));
    }
    let width = world.pick(&[80, 100, 132, 4_000]);
    let longest = rows.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
    let mut out = "\u{25cf} Total 1 Tasks.\n> #1 <\n".to_owned();
    for (key, value) in rows {
        let _ = write!(out, "{key:>longest$}: ");
        let room = width - longest - 2;
        let pieces: Vec<String> =
            value.as_bytes().chunks(room).map(|b| String::from_utf8_lossy(b).into_owned()).collect();
        out.push_str(&pieces.join(&format!("\n{}", " ".repeat(longest + 2))));
        out.push('\n');
    }
    out
}

/// A task as `br log status --json` prints it, members in this order.
#[derive(Serialize)]
struct TaskJson<'a> {
    name: &'a str,
    start_ts: u64,
    end_ts: u64,
    table_filter: [&'a str; 1],
    progress: Vec<ProgressJson>,
    storage: &'a str,
    checkpoint: u64,
    estimate_qps: u64,
    last_errors: Vec<StoreErrorJson<'a>>,
}

#[derive(Serialize)]
struct ProgressJson {
    store_id: u64,
    checkpoint: u64,
}

#[derive(Serialize)]
struct StoreErrorJson<'a> {
    store_id: u64,
    last_error: ErrorJson<'a>,
}

#[derive(Serialize)]
struct ErrorJson<'a> {
    happen_at: Ms,
    error_code: &'a str,
    error_message: &'a str,
    store_id: u64,
}

fn as_json(world: &World, now: Ms, errors: &[LastError]) -> String {
    let checkpoint = world.checkpoint_at(now);
    let task = TaskJson {
        name: &world.task.name,
        start_ts: world.task.start,
        end_ts: 999_999_999_999_999_999,
        table_filter: ["*.*"],
        progress: world.stores.iter().map(|s| ProgressJson { store_id: s.id, checkpoint }).collect(),
        storage: &world.task.storage,
        checkpoint,
        estimate_qps: 0,
        last_errors: errors
            .iter()
            .map(|e| StoreErrorJson {
                store_id: e.store,
                last_error: ErrorJson {
                    happen_at: e.time,
                    error_code: e.code,
                    error_message: &e.message,
                    store_id: e.store,
                },
            })
            .collect(),
    };
    let text = serde_json::to_string(&[task]).unwrap_or_default();
    // Go escapes what could end a script.
    text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026") + "\n"
}
