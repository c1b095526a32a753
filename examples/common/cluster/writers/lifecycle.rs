//! Processes that start and stop.

use std::fmt::Write;

use crate::cluster::record::fields;
use crate::cluster::record::info;
use crate::cluster::sink::RawFile;
use crate::cluster::time::{Ms, SECOND};
use crate::cluster::world::World;

fn git_hash(world: &World) -> String {
    let seed =
        world.version.text().bytes().fold(0x9e37_79b9_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    format!("{seed:016x}{:016x}{:08x}", seed.rotate_left(17), seed as u32)
}

/// A store is told to stop.
pub(crate) fn stop_store(world: &mut World, store: u64, time: Ms) {
    world.kv(store, time, info("signal_handler.rs:20", "receive signal 15, stopping server..."), fields![]);
}

/// A store starts: banner to readiness, 2 s; PD sees it.
pub(crate) fn start_store(world: &mut World, store: u64, time: Ms) {
    let version = world.version.text();
    let hash = git_hash(world);
    for (line, text) in [
        (84, "Welcome to TiKV".to_owned()),
        (89, format!("Release Version:   {version}")),
        (89, "Edition:           Community".to_owned()),
        (89, format!("Git Commit Hash:   {hash}")),
        (89, format!("Git Commit Branch: heads/refs/tags/v{version}")),
        (89, "Profile:           dist_release".to_owned()),
    ] {
        world.kv(store, time, info(&format!("lib.rs:{line}"), &text), fields![]);
    }
    let address = world.address(store);
    let config = format!(
        "{{\"log-level\":\"info\",\"server\":{{\"addr\":\"0.0.0.0:20160\",\"advertise-addr\":\"{address}\"}}}}"
    );
    world.kv(store, time + 200, info("server.rs:391", "using config"), fields!["config" => config]);
    let cluster = world.cluster_id;
    world.kv(store, time + 300, info("server.rs:422", "connect to PD cluster"), fields!["cluster_id" => cluster]);
    let boot = world.written(store, time) / SECOND;
    let host = world.store(store).host.clone();
    let rest = |colon: &str| {
        format!(
            "address:{colon}\"{address}\" version:{colon}\"{version}\" status_address:{colon}\"{host}:20180\" git_hash:{colon}\"{hash}\" \
             start_timestamp:{colon}{boot} deploy_path:{colon}\"/tidb-deploy/tikv-20160/bin\""
        )
    };
    let text = format!("id: {store} {}", rest(" "));
    world.kv(store, time + 1_000, info("node.rs:217", "put store to PD"), fields!["store" => text]);
    let text = format!("id:{store} {} ", rest(""));
    world.pd(time + 1_010, info("grpc_service.go:526", "put store ok"), fields!["store" => text]);
    world.kv(store, time + 1_050, info("node.rs:476", "start raft store thread"), fields!["store_id" => store]);
    let fields = fields!["takes" => "1.2s", "merge_count" => 0, "applying_count" => 0, "tombstone_count" => 12, "region_count" => 1203,
        "store_id" => store];
    world.kv(store, time + 1_200, info("store.rs:1181", "start store"), fields);
    let path = "/tidb-data/tikv-20160/log-backup-temp";
    world.kv(
        store,
        time + 1_900,
        info("endpoint.rs:150", "the endpoint of stream backup started"),
        fields!["path" => path],
    );
    world.kv(store, time + 2_100, info("server.rs:312", "TiKV is ready to serve"), fields![]);
    world.store(store).boot = time;
}

/// A TiDB starts.
pub(crate) fn start_tidb(world: &mut World, node: usize, time: Ms) {
    let version = format!("v{}", world.version.text());
    let hash = git_hash(world);
    let fields = fields!["Release Version" => version, "Edition" => "Community", "Git Commit Hash" => hash,
        "Git Branch" => format!("heads/refs/tags/{version}"), "UTC Build Time" => "2024-01-01 00:00:00", "GoVersion" => "go1.21",
        "Race Enabled" => false, "Check Table Before Drop" => false, "TiKV Min Version" => "6.2.0-alpha"];
    World::node(&mut world.tidbs[node], time, info("printer.go:34", "Welcome to TiDB."), fields);
    World::node(
        &mut world.tidbs[node],
        time + 2_900,
        info("server.go:250", "server is running MySQL protocol"),
        fields!["addr" => "0.0.0.0:4000"],
    );
}

/// A TiDB is told to stop.
pub(crate) fn stop_tidb(world: &mut World, node: usize, time: Ms) {
    World::node(
        &mut world.tidbs[node],
        time,
        info("signal_posix.go:54", "got signal to exit"),
        fields!["signal" => "terminated"],
    );
    let message = "setting tidb-server to report unhealthy (shutting-down)";
    World::node(&mut world.tidbs[node], time + 1, info("server.go:460", message), fields![]);
}

/// The kernel's word on processes that it killed: one line each, in the host's `dmesg.log`.
pub(crate) fn kernel_kills(world: &mut World, store: u64, times: &[Ms]) {
    let begin = world.begin;
    let mut text = String::new();
    for time in times {
        let up = (time - begin) as f64 / 1_000.0 + 1_203_456.0;
        let _ = writeln!(
            text,
            "[{up:.6}] Out of memory: Killed process {} (tikv-server) total-vm:48234567kB, anon-rss:33456789kB, file-rss:0kB, \
             shmem-rss:0kB, UID:1000 pgtables:70123kB oom_score_adj:0",
            4_000 + time % 9_000
        );
    }
    let path = format!("{}/dmesg.log", world.store(store).host).into();
    world.files.push(RawFile { path, text });
}
