//! What people do: pause, stop, restore.

use super::{healthy, live, moment, open, task};
use crate::cluster::gc::{self, Gc};
use crate::cluster::record::fields;
use crate::cluster::record::{Encoder, Fields, Record, info};
use crate::cluster::sink::RawFile;
use crate::cluster::time::{DAY, HOUR, MINUTE, Ms, SECOND, Zone, go_time, log_time};
use crate::cluster::truth::{Incident, Truth};
use crate::cluster::version::Version;
use crate::cluster::world::World;
use crate::cluster::writers::status::State;
use crate::cluster::writers::{br, lifecycle};

/// `br log pause`
pub(super) fn pause(world: &mut World) -> Truth {
    let time = moment(world);
    world.end = world.around(time + 30 * MINUTE, 6 * HOUR);
    world.plan.paused.push((time, world.end));
    live(world, &Gc::default(), |world| {
        br::log_pause(world, time);
        (State::Paused, vec![])
    });
    let incident = Incident { start: Some(time), ..open(world, "task-paused", "operator", "PAUSED") };
    Truth { incidents: vec![incident], task: Some(task(world, "PAUSED")), ..Truth::default() }
}

/// Its twin.
pub(super) fn pause_resumed(world: &mut World) -> Truth {
    let time = moment(world);
    let resumed = world.around(time + 10 * MINUTE, 2 * HOUR);
    world.end = resumed + 70 * MINUTE;
    world.plan.paused.push((time, resumed + SECOND));
    live(world, &Gc::default(), |world| {
        br::log_pause(world, time);
        br::log_resume(world, resumed);
        (State::Normal, vec![])
    });
    let paused = Incident {
        kind: "task-paused",
        cause: "operator",
        status: "recovered",
        task: world.task.name.clone(),
        ..Incident::default()
    };
    Truth { allowed: vec![paused], ..healthy(world) }
}

/// Chain 12: the warning names a GC safe point past TS 0.
pub(super) fn stop_noise(world: &mut World) -> Truth {
    let time = moment(world);
    world.end = time + 50 * MINUTE;
    world.plan.paused.push((time, world.end));
    br::log_start(world);
    crate::cluster::backup::run(world);
    gc::run(world, &Gc::default());
    br::log_stop(world, time);
    let mut stopped = task(world, "STOPPED");
    // Nobody looks at the status, and older advancers do not tell.
    if !world.version.advancer() {
        stopped.checkpoint = None;
    }
    Truth { noise: vec!["br log stop warns that GC passed TS 0".to_owned()], task: Some(stopped), ..Truth::default() }
}

const TABLES: &[(&str, &str)] = &[("app", "orders"), ("app", "order_items"), ("report", "daily"), ("crm", "contact")];

/// Some tables and their replicas, as statements.
fn replicas(world: &mut World) -> Vec<(String, String, u64)> {
    let count = world.random.between(1, 3) as usize;
    let skip = world.random.below(2) as usize;
    let chosen: Vec<_> = TABLES.iter().skip(skip).take(count).collect();
    chosen.into_iter().map(|(db, table)| ((*db).to_owned(), (*table).to_owned(), world.random.between(1, 2))).collect()
}

fn statement(db: &str, table: &str, count: u64) -> String {
    format!("ALTER TABLE `{db}`.`{table}` SET TIFLASH REPLICA {count}")
}

/// One record of Go: time, place, message, fields.
type Line = (Ms, &'static str, String, Fields);

/// The records of a DDL statement on a TiDB.
fn ddl(version: Version, time: Ms, job: u64, sql: &str, db: &str) -> Vec<Line> {
    let text = |state: &str, args: u64| {
        format!(
            "ID:{job}, Type:set tiflash replica, State:{state}, SchemaState:none, SchemaID:71, TableID:{}, RowCount:0, ArgLen:{args}, \
             start time: {}, Err:<nil>, ErrCount:0, SnapshotVersion:0",
            job - 20,
            go_time(time, Zone(0))
        )
    };
    let crucial =
        fields!["conn" => 71_203, "schemaVersion" => job - 50, "cur_db" => db, "sql" => sql, "user" => "root@10.9.3.9"];
    let mut lines = vec![(time, "session.go:3346", "CRUCIAL OPERATION".to_owned(), crucial)];
    for (after, caller, message, fields) in [
        (
            11,
            "ddl_worker.go:313",
            "add DDL jobs",
            fields!["batch count" => 1, "jobs" => format!("{}; ", text("none", 1))],
        ),
        (12, "ddl.go:588", "start DDL job", fields!["job" => text("none", 1), "query" => sql]),
        (
            104,
            "ddl_worker.go:617",
            "finish DDL job",
            fields!["worker" => "worker 1, tp general", "job" => text("synced", 0)],
        ),
        (121, "ddl.go:652", "DDL job is finished", fields!["jobID" => job]),
    ] {
        let (message, category) = version.tagged("ddl", message);
        let mut all: Fields = category.map(|c| ("category", c)).into_iter().collect();
        all.extend(fields);
        lines.push((time + after, caller, message, all));
    }
    lines
}

/// A new cluster, before anything is restored into it.
fn fresh(world: &mut World) -> Ms {
    for store in world.store_ids() {
        let time = world.around(world.begin, 4 * SECOND);
        world.store(store).stop(0, time);
        lifecycle::start_store(world, store, time);
    }
    for node in 0..world.tidbs.len() {
        lifecycle::start_tidb(world, node, world.begin + 20 * SECOND);
    }
    world.plan.paused.push((world.begin, Ms::MAX));
    world.begin + 45 * MINUTE
}

/// Chain 13. The tables are named by the log of the cluster that was backed up, and by statements that fail.
pub(super) fn tiflash_missing(world: &mut World) -> Truth {
    let time = fresh(world);
    let end = br::restore_point(world, time, None);
    world.end = end + 90 * MINUTE;
    let tables = replicas(world);
    let declared = world.begin - 9 * DAY;
    let mut upstream = String::new();
    for (at, (db, table, count)) in tables.iter().enumerate() {
        let sql = statement(db, table, *count);
        for (time, caller, message, fields) in
            ddl(world.version, declared + at as Ms * MINUTE, 118 + at as u64, &sql, db)
        {
            let line = format!(
                "[{}] {}\n",
                log_time(time, world.zone),
                Record::new(Encoder::Go, info(caller, &message), fields).text(Encoder::Go)
            );
            upstream.push_str(&line);
        }
    }
    world.files.push(RawFile { path: "upstream/10.200.2.1/tidb-4000/tidb.log".into(), text: upstream });
    for (at, (db, table, _)) in tables.iter().enumerate() {
        let conn = 611 + at as u64;
        let err = format!(
            "[planner:1815]Internal : No access path for table '{table}' is found with 'tidb_isolation_read_engines' = 'tiflash', valid \
             values can be 'tikv'. Please check tiflash replica or ensure the query is readonly."
        );
        let fields = fields!["conn" => conn,
            "connInfo" => format!("id:{conn}, addr:10.9.3.21:40611 status:10, collation:utf8mb4_general_ci, user:report"),
            "command" => "Query", "status" => "inTxn:0, autocommit:1",
            "sql" => format!("SELECT COUNT(*) FROM `{db}`.`{table}`"), "txn_mode" => "PESSIMISTIC", "err" => err];
        world.db(end + 6 * MINUTE + at as Ms * SECOND, info("conn.go:1149", "command dispatched failed"), fields);
    }
    gc::run(world, &Gc::default());
    let incident = Incident {
        kind: "restore-incomplete",
        cause: "tiflash-replica",
        status: "open",
        verdict: "set-tiflash-replica",
        start: Some(time),
        commands: tables.iter().map(|(db, table, count)| statement(db, table, *count)).collect(),
        ..Incident::default()
    };
    Truth { incidents: vec![incident], ..Truth::default() }
}

/// Its twin.
pub(super) fn tiflash_restored(world: &mut World) -> Truth {
    let time = fresh(world);
    let sqls: Vec<String> = replicas(world).iter().map(|(db, table, count)| statement(db, table, *count)).collect();
    let end = br::restore_point(world, time, Some(&sqls));
    world.end = end + 90 * MINUTE;
    for (at, sql) in sqls.iter().enumerate() {
        for (time, caller, message, fields) in ddl(world.version, end - 800 + at as Ms * 140, 130 + at as u64, sql, "")
        {
            world.db(time, info(caller, &message), fields);
        }
    }
    gc::run(world, &Gc::default());
    Truth { noise: vec!["BR sets the TiFlash replicas itself".to_owned()], ..Truth::default() }
}
