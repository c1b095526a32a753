//! A small cluster with log backup, its logs over fourteen days, and what log rotation does to them.

use flate2::{Compression, write::GzEncoder};
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};
use tidescope::units::Timestamp;

pub(super) const HOUR: i64 = 3_600_000;
pub(super) const DAY: i64 = 24 * HOUR;
const MINUTE: i64 = 60_000;

/// Midnight before the first day.
pub(super) fn start() -> i64 {
    Timestamp::parse_rfc3339("2024-03-01T00:00:00Z").unwrap().0
}

/// As `--now` takes it.
pub(super) fn moment(time: i64) -> String {
    Timestamp(time).to_string()
}

fn tso(time: i64) -> i64 {
    time << 18
}

/// Lines of each log, in order.
#[derive(Default)]
pub(super) struct Script(BTreeMap<&'static str, Vec<(i64, String)>>);

pub(super) const STORES: [(u64, &str); 3] =
    [(1, "10.0.1.11/tikv-20160/tikv"), (4, "10.0.1.12/tikv-20160/tikv"), (5, "10.0.1.13/tikv-20160/tikv")];
const PD: &str = "10.0.1.1/pd-2379/pd";
const TIDB: &str = "10.0.2.1/tidb-4000/tidb";
const BR: &str = "br/br";
/// When the clock of store 4 is set back, and when it is put right.
const STEP_BACK: i64 = 11 * DAY + 6 * HOUR;
const STEP_FORTH: i64 = 11 * DAY + 12 * HOUR;
/// The day of which PD's log comes late.
const LATE: i64 = 9;

impl Script {
    /// What happens in these fourteen days:
    /// after day 3, around midnight: a merge begins at 23:59, the task fails at 00:04, and is resumed in time, 34 hours later;
    /// after day 6, 09:00: it fails again, nobody resumes it within a day, and GC goes on; after day 9, 12:00: store 5 falls
    /// silent; on day 12 from 06:00 to 12:00 the clock of store 4 is two hours behind; every hour: checkpoints and safe points.
    pub(super) fn fortnight() -> Self {
        let mut script = Self::default();
        script.begin();
        let (first, second) = (3 * DAY + 4 * MINUTE, 6 * DAY + 9 * HOUR);
        let resume = 4 * DAY + 10 * HOUR;
        for at in (HOUR..14 * DAY).step_by(HOUR as usize) {
            let down = |minute: i64| {
                let at = at + minute * MINUTE;
                (first..resume).contains(&at) || at >= second
            };
            // The pause guard holds back GC.
            let gc = match at {
                at if (first..resume).contains(&at) => (at - DAY).min(first - HOUR),
                at if (second..second + DAY).contains(&at) => (at - DAY).min(second - HOUR),
                at => at - DAY,
            };
            script.hour(start() + at, start() + gc, down, at < 9 * DAY + 12 * HOUR);
        }
        script.failure(start() + first, 36 * HOUR, 71_204);
        script.resume(start() + resume);
        script.failure(start() + second, DAY, 71_304);
        script.0.values_mut().for_each(|lines| lines.sort_by_key(|(at, _)| *at));
        script
    }

    fn line(&mut self, log: &'static str, at: i64, text: &str) {
        let behind = log == STORES[1].1 && (STEP_BACK..STEP_FORTH).contains(&(at - start()));
        let time = Timestamp(if behind { at - 2 * HOUR } else { at }).to_string();
        let head = format!("[{}/{}/{} {} +00:00]", &time[..4], &time[5..7], &time[8..10], &time[11..23]);
        self.0.entry(log).or_default().push((at, format!("{head} {text}\n")));
    }

    fn begin(&mut self) {
        let at = start() + 5 * MINUTE;
        for (store, log) in STORES {
            let address = format!("{}:20160", log.split('/').next().unwrap());
            self.line(log, at, r#"[INFO] [lib.rs:84] ["Welcome to TiKV"]"#);
            self.line(log, at + 900, &format!(r#"[INFO] [node.rs:217] ["put store to PD"] [store="id: {store} address: \"{address}\" version: \"6.2.0\""]"#));
            self.line(log, at + 990, &format!(r#"[INFO] [store.rs:1181] ["start store"] [takes=1.2s] [merge_count=0] [region_count=1203] [store_id={store}]"#));
            self.line(PD, at + 950, &format!(r#"[INFO] [grpc_service.go:526] ["put store ok"] [store="id:{store} address:\"{address}\" version:\"6.2.0\" "]"#));
        }
        self.line(
            TIDB,
            at,
            r#"[INFO] [printer.go:34] ["Welcome to TiDB."] ["Release Version"=v6.2.0] [Edition=Community]"#,
        );
        self.line(TIDB, at + 2_000, r#"[INFO] [advancer.go:209] ["meet task event"] [event=Add(pitr)]"#);
        self.br(at, "log start", "[storage=s3://pitr/log] ");
        self.line(BR, at + 1_500, &format!(r#"[INFO] [collector.go:77] ["log start"] [streamTaskInfo="{{taskName=pitr,startTs={},endTS=999999999999999999,tableFilter=*.*}}"] [pausing=false] [rangeCount=2]"#, tso(at)));
        self.line(BR, at + 1_600, r#"[INFO] [collector.go:77] ["log start success summary"] [total-ranges=0] [ranges-succeed=0] [ranges-failed=0] [total-take=203.1ms]"#);
    }

    fn br(&mut self, at: i64, command: &str, more: &str) {
        self.line(BR, at, r#"[INFO] [info.go:49] ["Welcome to Backup & Restore (BR)"] [release-version=v6.2.0]"#);
        self.line(BR, at + 1, &format!(r#"[INFO] [common.go:720] [arguments] [__command="br {command}"] [log-file=br.log] [pd="[10.0.1.1:2379]"] {more}[task-name=pitr]"#));
    }

    fn hour(&mut self, at: i64, gc: i64, down: impl Fn(i64) -> bool, store_5_speaks: bool) {
        let number = (at - start()) / HOUR;
        for (store, log) in STORES {
            if store == 5 && !store_5_speaks {
                continue;
            }
            self.line(
                log,
                at,
                &format!(r#"[INFO] [gc_manager.rs:435] ["gc_worker: auto gc starts"] [safe_point={}]"#, tso(gc)),
            );
            // Two of a kind a minute apart: one episode only where both are known.
            self.line(
                log,
                at + 20_000,
                &format!(r#"[WARN] [store.rs:99] ["something odd number {number} of store {store}"]"#),
            );
            if !down(0) {
                self.line(log, at + 30_000, &format!(r#"[INFO] [endpoint.rs:768] ["flushing and refreshing checkpoint ts."] [task=pitr] [checkpoint_ts={}]"#, tso(at - 3 * MINUTE)));
            }
        }
        self.line(PD, at, &format!(r#"[INFO] [grpc_service.go:1412] ["update service GC safe point"] [service-id=gc_worker] [expire-at=-9223372035202334705] [safepoint={}]"#, tso(gc)));
        self.line(PD, at + 1_000, r#"[INFO] [index.go:189] ["compact tree index"] [revision=3120441]"#);
        for minute in [0, 20, 40].into_iter().filter(|minute| !down(*minute)) {
            let at = at + minute * MINUTE;
            self.line(TIDB, at + 31_000, &format!(r#"[INFO] [advancer.go:334] ["uploading checkpoint for task"] [checkpoint={}] [task=pitr] [take=93.24ms]"#, tso(at - 3 * MINUTE)));
        }
        for store in [1, 4, 5].into_iter().filter(|_| !down(0)) {
            self.line(PD, at + 32_000 + store, &format!(r#"[INFO] [grpc_service.go:1412] ["update service GC safe point"] [service-id=backup-stream-pitr-{store}] [expire-at={}] [safepoint={}]"#, (at + 30 * MINUTE) / 1_000, tso(at - 3 * MINUTE)));
        }
    }

    /// A merge begins five minutes before, on every store; then store 5 gives up.
    fn failure(&mut self, at: i64, held_ms: i64, region: u64) {
        let into = region + 4;
        let peers = |region: u64| {
            format!(
                "peers {{ id: {} store_id: 1 }} peers {{ id: {} store_id: 4 }} peers {{ id: {} store_id: 5 }}",
                region + 1,
                region + 2,
                region + 3
            )
        };
        for (nth, (_, log)) in STORES.into_iter().enumerate() {
            let peer = region + 1 + nth as u64;
            self.line(log, at - 5 * MINUTE, &format!(r#"[INFO] [apply.rs:1409] ["execute admin command"] [command="cmd_type: PrepareMerge prepare_merge {{ min_index: 4408 target {{ id: {into} start_key: 7480000000000000FF435F720000000000FA end_key: 7480000000000000FF455F720000000000FA region_epoch {{ conf_ver: 5 version: 29 }} {} }} }}"] [index=4414] [term=10] [peer_id={peer}] [region_id={region}]"#, peers(into)));
            self.line(log, at + 8_000, &format!(r#"[INFO] [apply.rs:2480] ["execute CommitMerge"] [source_region="id: {region} start_key: 7480000000000000FF415F728000000000FF0000010000000000FA end_key: 7480000000000000FF435F720000000000FA region_epoch {{ conf_ver: 6 version: 34 }} {}"] [index=2991] [term=7] [entries=1] [commit=4414] [peer_id={}] [region_id={into}]"#, peers(region), into + 1 + nth as u64));
            self.line(log, at + 60, r#"[INFO] [endpoint.rs:326] ["backup stream watch event from etcd"] [event="PauseTask { task: \"pitr\" }"]"#);
        }
        let log = STORES[2].1;
        let error = format!(
            r#"failed to get initial snapshot: failed to get the snapshot (region_id = {region}): Error during requesting raftstore: message: \"read index not ready, reason can not read index due to merge, region {region}\" read_index_not_ready {{ reason: \"can not read index due to merge\" region_id: {region} }}"#
        );
        for try_ in 0..6 {
            self.line(log, at - 20_000 + try_ * 3_000, &format!(r#"[WARN] [errors.rs:142] ["backup stream meet error"] [err="{error}"] [context="during getting initial snapshot for region id: {region} region_epoch {{ conf_ver: 6 version: 34 }} {}; can retry = true"]"#, peers(region)));
        }
        self.line(log, at, &format!(r#"[ERROR] [errors.rs:142] ["backup stream meet fatal error"] [err_code=KV:LogBackup:RaftReq] [err="retry time exceeds: and error {error}"]"#));
        self.line(log, at + 3, r#"[INFO] [router.rs:438] ["backup stream unregister task"] [task=pitr]"#);
        self.line(PD, at + 20, &format!(r#"[INFO] [grpc_service.go:1412] ["update service GC safe point"] [service-id=pitr-5-pause-guard] [expire-at={}] [safepoint={}]"#, (at + held_ms) / 1_000, tso(at - HOUR) - 1));
        self.line(TIDB, at + 50, r#"[INFO] [advancer.go:209] ["meet task event"] [event=Pause(pitr)]"#);
    }

    fn resume(&mut self, at: i64) {
        self.br(at, "log resume", "");
        self.line(BR, at + 200, &format!(r#"[INFO] [collector.go:77] ["log resume"] [streamTaskInfo="{{taskName=pitr,startTs={},endTS=999999999999999999,tableFilter=*.*}}"]"#, tso(start())));
        self.line(BR, at + 210, r#"[INFO] [collector.go:77] ["log resume success summary"] [total-ranges=0] [ranges-succeed=0] [ranges-failed=0] [total-take=174.2ms]"#);
        self.line(TIDB, at + 220, r#"[INFO] [advancer.go:209] ["meet task event"] [event=Resume(pitr)]"#);
    }
}

/// The logs on the disk, as far as they are written.
pub(super) struct Disk {
    root: PathBuf,
    script: Script,
    written: BTreeMap<&'static str, usize>,
    /// Bytes of the next line that stand there already.
    half: usize,
    now: i64,
}

impl Disk {
    pub(super) fn new(root: &Path, script: Script) -> Self {
        Self { root: root.to_owned(), script, written: BTreeMap::new(), half: 0, now: start() }
    }

    /// Writes and rotates up to a time.
    pub(super) fn advance(&mut self, to: i64) {
        while self.now < to {
            let next = (self.now + 6 * HOUR).min(to);
            for log in [STORES[0].1, STORES[1].1, STORES[2].1, PD, TIDB, BR] {
                self.write(log, next);
            }
            self.now = next;
            let (day, hour) = ((next - start()) / DAY, (next - start()) % DAY / HOUR);
            match hour {
                // Store 1: renamed at noon, compressed a day later.
                12 => self.rename(STORES[0].1, day, true),
                // TiDB: copied and truncated; every fourth day the writer does not notice, and goes on where it was.
                6 => self.copy_and_truncate(TIDB, day),
                // Store 4: renamed right before the run, compressed at once.
                0 => {
                    self.rename(STORES[1].1, day, false);
                    self.compress(STORES[1].1, day);
                }
                _ => {}
            }
        }
        if (to - start()) / DAY == LATE + 2 {
            let path = self.path(PD, &rotated(LATE));
            fs::rename(self.late(), &path).unwrap();
            self.at_rest(&path);
        }
        self.half_a_line(STORES[2].1);
    }

    /// Where PD's log of one day is until it arrives, a day late.
    fn late(&self) -> PathBuf {
        self.root.with_extension("late")
    }

    fn path(&self, log: &str, end: &str) -> PathBuf {
        self.root.join(format!("{log}{end}"))
    }

    fn write(&mut self, log: &'static str, to: i64) {
        let lines = &self.script.0[log];
        let from = self.written.get(log).copied().unwrap_or_default();
        let end = lines.partition_point(|(at, _)| *at < to);
        let mut text: String = lines[from..end].iter().map(|(_, line)| line.as_str()).collect();
        if log == STORES[2].1 && !text.is_empty() {
            text.drain(..std::mem::take(&mut self.half));
        }
        self.written.insert(log, end);
        let is_late = log == PD && (self.now - start()) / DAY == LATE;
        let path = if is_late { self.late() } else { self.path(log, ".log") };
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// The writer is in the middle of a line.
    fn half_a_line(&mut self, log: &'static str) {
        let Some((_, line)) = self.script.0[log].get(self.written[log]) else { return };
        if self.half == 0 {
            self.half = line.len() / 2;
            let text = &line.as_bytes()[..self.half];
            OpenOptions::new().append(true).open(self.path(log, ".log")).unwrap().write_all(text).unwrap();
        }
    }

    /// Nobody writes to it any more: it looks as old as it is. Files that are written to look as young as they are.
    fn at_rest(&self, path: &Path) {
        let time = UNIX_EPOCH + Duration::from_millis(self.now as u64);
        OpenOptions::new().append(true).open(path).unwrap().set_modified(time).unwrap();
    }

    fn rename(&self, log: &str, day: i64, compress_the_last: bool) {
        let path = self.path(log, &rotated(day));
        if fs::rename(self.path(log, ".log"), &path).is_ok() {
            self.at_rest(&path);
        }
        if compress_the_last && day > 0 {
            self.compress(log, day - 1);
        }
    }

    fn compress(&self, log: &str, day: i64) {
        let plain = self.path(log, &rotated(day));
        let Ok(text) = fs::read(&plain) else { return };
        let packed = self.path(log, &format!("{}.gz", rotated(day)));
        let mut encoder = GzEncoder::new(fs::File::create(&packed).unwrap(), Compression::fast());
        encoder.write_all(&text).unwrap();
        encoder.finish().unwrap();
        fs::remove_file(plain).unwrap();
        self.at_rest(&packed);
    }

    fn copy_and_truncate(&self, log: &str, day: i64) {
        let path = self.path(log, ".log");
        let text = fs::read(&path).unwrap();
        let copy = self.path(log, &format!(".log.{}", day + 1));
        fs::write(&copy, &text).unwrap();
        self.at_rest(&copy);
        fs::File::create(&path).unwrap();
        if day % 4 == 1 {
            let file = OpenOptions::new().write(true).open(&path).unwrap();
            file.set_len(text.len() as u64).unwrap();
        }
    }
}

fn rotated(day: i64) -> String {
    format!("-2024-03-{:02}T00-00-00.000.log", day + 1)
}
