//! The `br` command: its log, and what it leaves on the console.

use crate::cluster::record::fields;
use crate::cluster::record::{Encoder, Fields, Record, error, info, warn};
use crate::cluster::sink::RawFile;
use crate::cluster::time::{DAY, MINUTE, Ms, Zone, go_date, go_duration, go_time, log_time, tso_time};
use crate::cluster::version::Version;
use crate::cluster::world::World;
use crate::cluster::writers::{advancer, pd, task};

fn log(world: &mut World, time: Ms, head: crate::cluster::record::Head<'_>, fields: Fields) {
    world.br.add(time, head, fields);
}

/// What every command writes first; 10 ms.
pub(crate) fn begin(world: &mut World, time: Ms, command: &str, more: Fields) {
    let version = format!("v{}", world.version.text());
    let fields = fields!["release-version" => version, "git-hash" => "706c3fa3c526cdba5b3e9f066b1a568fb96c56e3",
        "git-branch" => format!("heads/refs/tags/{version}"), "go-version" => "go1.21", "utc-build-time" => "2024-01-01 00:00:00",
        "race-enabled" => false];
    log(world, time, info("info.go:49", "Welcome to Backup & Restore (BR)"), fields);
    let pd = world.pd_address();
    let mut fields = fields!["__command" => format!("br {command}"), "log-file" => "br.log", "pd" => format!("[{pd}]")];
    fields.extend(more);
    log(world, time + 1, info("common.go:720", "arguments"), fields);
    log(world, time + 2, info("conn.go:168", "new mgr"), fields!["pdAddrs" => pd]);
    log(
        world,
        time + 3,
        info("client.go:402", "[pd] create pd client with endpoints"),
        fields!["pd-address" => format!("[{pd}]")],
    );
    let cluster = world.cluster_id;
    log(world, time + 5, info("base_client.go:105", "[pd] init cluster id"), fields!["cluster-id" => cluster]);
    let stores = world.stores.len();
    log(
        world,
        time + 8,
        info("conn.go:142", "checked alive KV stores"),
        fields!["aliveStores" => stores, "totalStores" => stores],
    );
}

fn task_argument(world: &World) -> Fields {
    fields!["task-name" => world.task.name]
}

/// BR asks PD to keep the data from `ts` on; the logs of PD may begin later.
fn safepoint(world: &mut World, time: Ms, id: &str, ttl: Ms, ts: u64) {
    let at = go_time(tso_time(ts), Zone(0));
    let text = format!("{{ID={id},TTL={},BackupTime=\"{at}\",BackupTS={ts}}}", go_duration(ttl));
    log(world, time, info("stream.go:383", "set stream safePoint"), fields!["safePoint" => text]);
    if time >= world.begin {
        pd::safepoint(world, time + 3, id, ttl, ts - 1);
    }
}

/// The line that names the command, and the summary of its success.
fn done(world: &mut World, time: Ms, command: &str, more: Fields) {
    let (name, start) = (&world.task.name, world.task.start);
    let info_text = format!("{{taskName={name},startTs={start},endTS=999999999999999999,tableFilter=*.*}}");
    let mut fields = fields!["streamTaskInfo" => info_text];
    fields.extend(more);
    log(world, time, info("collector.go:77", command), fields);
    let fields =
        fields!["total-ranges" => 0, "ranges-succeed" => 0, "ranges-failed" => 0, "total-take" => "187.402118ms"];
    log(world, time + 10, info("collector.go:77", &format!("{command} success summary")), fields);
}

/// `br log start`, before the logs of the others begin.
pub(crate) fn log_start(world: &mut World) {
    let start = world.task.start;
    let time = tso_time(start) - 130 - world.pds[0].skew;
    let mut more = fields!["storage" => world.task.storage];
    more.extend(task_argument(world));
    begin(world, time, "log start", more);
    let id = format!("br-{:08x}-92b4-4f0e-b1c7-3d6f18e2a940", start & 0xffff_ffff);
    safepoint(world, time + 140, &id, 30 * MINUTE, start);
    done(world, time + 180, "log start", fields!["pausing" => false, "rangeCount" => 2]);
}

/// `br log pause`, 2 s before the stores see it.
pub(crate) fn log_pause(world: &mut World, time: Ms) {
    let more = task_argument(world);
    begin(world, time, "log pause", more);
    let checkpoint = world.checkpoint_at(time);
    let id = format!("{}_pause_safepoint", world.task.name);
    safepoint(world, time + 120, &id, DAY, checkpoint);
    done(world, time + 160, "log pause", fields![]);
    task::paused(world, time + 170, None);
}

/// `br log resume`, in time.
pub(crate) fn log_resume(world: &mut World, time: Ms) {
    let more = task_argument(world);
    begin(world, time, "log resume", more);
    let checkpoint = world.checkpoint_at(time);
    let id = format!("{}_pause_safepoint", world.task.name);
    safepoint(world, time + 120, &id, 30 * MINUTE, checkpoint);
    done(world, time + 160, "log resume", fields![]);
    task::resumed(world, time + 170);
}

/// `br log resume`, too late.
pub(crate) fn log_resume_refused(world: &mut World, time: Ms) {
    let more = task_argument(world);
    begin(world, time, "log resume", more);
    let checkpoint = world.checkpoint_at(time);
    let collected = world.gc_at(time);
    let date = go_time(tso_time(checkpoint), world.zone);
    let code = "[BR:Backup:ErrBackupGCSafepointExceeded]backup GC safepoint exceeded";
    let exceeded = format!("GC safepoint {collected} exceed TS {checkpoint}");
    let text = format!("the global checkpoint ts: {checkpoint}({date}) has been gc. : {exceeded}: {code}");
    let verbose = format!(
        "{code}\n{exceeded}\ngithub.com/pingcap/tidb/br/pkg/utils.CheckGCSafePoint\n\tgithub.com/pingcap/tidb/br/pkg/utils/safe_point.go:78\n\
         github.com/pingcap/tidb/br/pkg/task.RunStreamResume\n\tgithub.com/pingcap/tidb/br/pkg/task/stream.go:817"
    );
    let summary = info("collector.go:73", "log resume failed summary");
    let fields = fields!["total-ranges" => 1, "ranges-succeed" => 0, "ranges-failed" => 1, "unit-name" => "log resume",
        "error" => text, "errorVerbose" => verbose];
    let console = format!(
        "[{}] {}\n",
        log_time(time + 101, world.zone),
        Record::new(Encoder::Go, summary, fields.clone()).text(Encoder::Go)
    );
    log(world, time + 101, summary, fields);
    let stack = "main.streamCommand\n\tgithub.com/pingcap/tidb/br/cmd/br/stream.go:217\nmain.main\n\tgithub.com/pingcap/tidb/br/cmd/br/main.go:58";
    let message = if world.version >= Version::V81 { "failed to run stream command" } else { "failed to stream" };
    let fields = fields!["command" => "log resume", "error" => text, "errorVerbose" => verbose, "stack" => stack];
    log(world, time + 102, error("stream.go:513", message), fields);
    let fields = fields!["error" => text, "errorVerbose" => verbose, "stack" => stack];
    log(world, time + 106, error("main.go:60", "br failed"), fields);
    let text = format!("Detail BR log in br.log \n{console}Error: {text}\n");
    world.files.push(RawFile { path: "br/resume-console.txt".into(), text });
}

/// `br log stop` of older versions warns as if the checkpoint were lost; nothing is.
pub(crate) fn log_stop(world: &mut World, time: Ms) {
    let more = task_argument(world);
    begin(world, time, "log stop", more);
    let collected = world.gc_at(time);
    let text = format!(
        "failed to check gc safePoint, ts 0: GC safepoint {collected} exceed TS 0: [BR:Backup:ErrBackupGCSafepointExceeded]backup GC \
         safepoint exceeded"
    );
    log(world, time + 130, warn("stream.go:711", "failed to remove safe point"), fields!["error" => text]);
    done(world, time + 160, "log stop", fields![]);
    advancer::task_event(world, time + 170, "Del");
}

/// `br restore point` to its end; gives the moment of the end. `sqls`: the statements that the version runs itself.
pub(crate) fn restore_point(world: &mut World, time: Ms, sqls: Option<&[String]>) -> Ms {
    let full = world.tso(time - 12 * 60 * MINUTE);
    let to = world.tso(time - 3 * 60 * MINUTE);
    let date = |ts: u64| go_date(tso_time(ts), world.zone);
    let (from_date, to_date) = (date(full), date(to));
    let storage = world.task.storage.clone();
    let more =
        fields!["full-backup-storage" => format!("{storage}-full"), "restored-ts" => to_date, "storage" => storage];
    begin(world, time, "restore point", more);
    let message = if world.version >= Version::V75 { "start point in time restore" } else { "start restore on point" };
    let fields = fields!["restore-from" => full, "restore-to" => to, "log-min-ts" => full - (1 << 32), "log-max-ts" => to + (1 << 32)];
    log(world, time + 1_900, info("stream.go:1108", message), fields);
    let end = time + 7 * MINUTE;
    let fields = fields!["total-ranges" => 64, "ranges-succeed" => 64, "ranges-failed" => 0, "split-region" => "4.811s",
        "restore-ranges" => 44, "total-take" => "6m52.66s", "Size" => 8_201_934_812_u64, "BackupTS" => full, "total-kv" => 41_208_117,
        "total-kv-size" => "21.33GB", "average-speed" => "51.7MB/s", "restore-data-size(after-compressed)" => "8.202GB"];
    log(world, end, info("collector.go:77", "Full Restore success summary"), fields);
    let end = end + 12 * MINUTE;
    if let Some(sqls) = sqls {
        let list: Vec<String> = sqls.iter().map(|s| crate::cluster::record::escaped(s)).collect();
        let fields = fields!["sqls" => format!("[{}]", list.join(","))];
        log(world, end - 900, info("stream.go:1293", "Generating SQLs for restoring TiFlash Replica"), fields);
    }
    let fields = fields!["total-take" => "12m21.18s", "restore-from" => full, "restore-to" => to, "restore-from" => from_date,
        "restore-to" => to_date, "total-kv-count" => 12_203_456, "total-size" => "3.412GB", "average-speed" => "4.604MB/s"];
    log(world, end, info("collector.go:77", "restore log success summary"), fields);
    end
}
