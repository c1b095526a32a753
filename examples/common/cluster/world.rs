//! The simulated cluster: who is in it, what time it is there, and where its records go. No story here.

use std::io;
use std::path::Path;

use crate::cluster::backup::Plan;
use crate::cluster::record::{Encoder, Fields, Head};
use crate::cluster::region::{Region, row_key};
use crate::cluster::sink::{Output, RawFile, Redaction, Source};
use crate::cluster::time::{DAY, HOUR, MINUTE, Ms, SECOND, Zone, tso};
use crate::cluster::version::Version;
use crate::random::Random;

/// What is done to a scenario, whatever its story.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Variant {
    /// Clocks of hosts are up to 5 s off.
    pub(crate) skew: bool,
    /// The log of the store at fault is not there.
    pub(crate) missing: bool,
    /// Logs are rotated.
    pub(crate) rotated: bool,
    /// Keys are hidden.
    pub(crate) redacted: bool,
}

/// One process and its log.
#[derive(Debug)]
pub(crate) struct Node {
    /// Store id; 0 for what is no store.
    pub(crate) id: u64,
    /// Address without port.
    pub(crate) host: String,
    /// How far its clock is ahead.
    pub(crate) skew: Ms,
    /// When it was last started, as far as the logs go.
    pub(crate) boot: Ms,
    /// Its log.
    pub(crate) log: Source,
    down: Vec<(Ms, Ms)>,
}

impl Node {
    /// It writes nothing from `from` until `until`.
    pub(crate) fn stop(&mut self, from: Ms, until: Ms) {
        self.down.push((from, until));
    }

    /// Whether it is down, and since when.
    pub(crate) fn down_since(&self, time: Ms) -> Option<Ms> {
        self.down.iter().find(|(from, until)| (*from..*until).contains(&time)).map(|(from, _)| *from)
    }

    fn add(&mut self, time: Ms, head: Head<'_>, fields: Fields) {
        if self.down_since(time).is_none() {
            self.log.add(time, head, fields);
        }
    }
}

/// The log backup task.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    /// Name.
    pub(crate) name: String,
    /// Start TSO.
    pub(crate) start: u64,
    /// Where it writes.
    pub(crate) storage: String,
}

/// An accepted update of a service safe point.
#[derive(Clone, Debug)]
pub(crate) struct Safepoint {
    /// When PD accepted it.
    pub(crate) time: Ms,
    /// Whose it is.
    pub(crate) service: String,
    /// The safe point.
    pub(crate) value: u64,
    /// When it expires, to the second, by PD's clock.
    pub(crate) expires: Ms,
}

/// Everything.
#[derive(Debug)]
pub(crate) struct World {
    /// Of all components.
    pub(crate) version: Version,
    /// For the story.
    pub(crate) random: Random,
    /// Of all hosts.
    pub(crate) zone: Zone,
    /// The logs begin.
    pub(crate) begin: Ms,
    /// The logs end.
    pub(crate) end: Ms,
    /// TiKV.
    pub(crate) stores: Vec<Node>,
    /// PD; the first leads.
    pub(crate) pds: Vec<Node>,
    /// TiDB; the first owns the advancer, the last runs GC.
    pub(crate) tidbs: Vec<Node>,
    /// `br`
    pub(crate) br: Source,
    /// Screens and other files that are no logs.
    pub(crate) files: Vec<RawFile>,
    /// The task.
    pub(crate) task: Task,
    /// When stores flush and when they cannot.
    pub(crate) plan: Plan,
    /// All updates.
    pub(crate) safepoints: Vec<Safepoint>,
    /// The global checkpoint in PD over time.
    pub(crate) checkpoints: Vec<(Ms, u64)>,
    /// The GC safe point over time.
    pub(crate) gc: Vec<(Ms, u64)>,
    /// Regions without a part in the story.
    pub(crate) background: Vec<Region>,
    output: Output,
    next_id: u64,
    next_table: u64,
    /// Log backup counts its subscriptions.
    pub(crate) observe_id: u64,
    /// PD's cluster id.
    pub(crate) cluster_id: u64,
}

const TASK_NAMES: &[&str] = &["task1", "pitr", "log-backup", "daily_pitr", "backup-eu-1"];

impl World {
    /// A cluster of `version` whose shape depends on `seed` alone.
    pub(crate) fn new(version: Version, seed: u64, variant: Variant) -> Self {
        let mut random = Random::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let zone = Zone(if random.below(3) == 0 { 8 * HOUR } else { 0 });
        let day = version.released() + random.between(20, 200) as i64;
        let begin = day * DAY + random.below(20) as Ms * HOUR + random.below(3_600_000) as Ms;
        let net = random.between(0, 9);
        let mut skews = Random::new(seed ^ 0x5eed);
        let mut node = |id: u64, host: String, port: u64, stem: &'static str, encoder: Encoder| {
            let skew = if variant.skew { skews.below(10_001) as Ms - 5_000 } else { 0 };
            let log = Source::new(format!("{host}/{stem}-{port}"), stem, encoder, zone, skew);
            Node { id, host, skew, boot: 0, log, down: Vec::new() }
        };
        let store_ids: &[u64] = match random.below(3) {
            0 => &[1, 4, 5],
            1 => &[1, 2, 3, 7],
            _ => &[1, 4, 5, 6, 9],
        };
        let mut stores = Vec::new();
        for (at, id) in store_ids.iter().enumerate() {
            stores.push(node(*id, format!("10.{net}.1.{}", 11 + at), 20160, "tikv", Encoder::Rust));
        }
        let mut pds = Vec::new();
        for at in 0..[1, 3][random.below(2) as usize] {
            pds.push(node(0, format!("10.{net}.1.{}", 1 + at), 2379, "pd", Encoder::Go));
        }
        let mut tidbs = Vec::new();
        for at in 0..random.between(1, 2) {
            tidbs.push(node(0, format!("10.{net}.2.{}", 1 + at), 4000, "tidb", Encoder::Go));
        }
        let name = TASK_NAMES[random.below(TASK_NAMES.len() as u64) as usize].to_owned();
        let start = tso(begin - random.between(1, 40) as Ms * HOUR - random.below(3_600_000) as Ms);
        let task = Task { storage: format!("s3://pitr-{net}/{name}"), name, start };
        let redaction = variant.redacted.then(|| {
            if version == Version::V85 && random.below(2) == 0 { Redaction::Marked } else { Redaction::Replaced }
        });
        let mut world = Self {
            version,
            zone,
            begin,
            end: begin + 3 * HOUR,
            stores,
            pds,
            tidbs,
            br: Source::new("br".to_owned(), "br", Encoder::Go, zone, 0),
            files: Vec::new(),
            task,
            plan: Plan::default(),
            safepoints: Vec::new(),
            checkpoints: Vec::new(),
            gc: Vec::new(),
            background: Vec::new(),
            output: Output { rotated: variant.rotated, redaction },
            next_id: random.between(2_000, 400_000) * 4,
            next_table: random.between(60, 300) | 1,
            observe_id: 1_000,
            cluster_id: 7_000_000_000_000_000_000 + random.below(300_000_000_000_000_000),
            random,
        };
        world.background = (0..4).flat_map(|_| world.new_regions(8)).collect();
        world
    }

    /// Neighbouring regions of one new table, leaders spread over the stores.
    pub(crate) fn new_regions(&mut self, count: u64) -> Vec<Region> {
        self.next_table += 2;
        let table = self.next_table;
        (0..count)
            .map(|n| {
                let key = |n: u64| row_key(table, (n > 0 && n < count).then(|| n * 40_001 + 1));
                let end = if n + 1 == count { row_key(table + 2, None) } else { key(n + 1) };
                self.region(key(n), end)
            })
            .collect()
    }

    /// Two neighbours that a merge can join.
    pub(crate) fn pair(&mut self) -> (Region, Region) {
        self.next_table += 4;
        let table = self.next_table;
        let left = self.region(row_key(table, Some(1)), row_key(table + 2, None));
        let mut right = self.region(row_key(table + 2, None), row_key(table + 4, None));
        // A merge needs both on the same stores.
        let (first, stores) = (right.id + 1, left.peers.iter().map(|(s, _)| *s));
        right.peers = stores.zip(first..).collect();
        right.leader = left.follower(left.leader, 1);
        (left, right)
    }

    fn region(&mut self, start: String, end: String) -> Region {
        let id = self.new_id(4);
        let mut on: Vec<u64> = self.stores.iter().map(|s| s.id).collect();
        while on.len() > 3 {
            on.remove(self.random.below(on.len() as u64) as usize);
        }
        let leader = on[self.random.below(3) as usize];
        Region {
            id,
            start,
            end,
            conf_ver: 5,
            version: self.random.between(17, 60),
            peers: on.into_iter().zip(id + 1..).collect(),
            leader,
            term: self.random.between(6, 14),
            index: self.random.between(1_000, 9_000),
        }
    }

    /// The first of `count` new ids from PD.
    pub(crate) fn new_id(&mut self, count: u64) -> u64 {
        self.next_id += count;
        self.next_id - count
    }

    /// A store by its id.
    pub(crate) fn store(&mut self, id: u64) -> &mut Node {
        let at = self.stores.iter().position(|s| s.id == id).unwrap_or(0);
        &mut self.stores[at]
    }

    /// All store ids.
    pub(crate) fn store_ids(&self) -> Vec<u64> {
        self.stores.iter().map(|s| s.id).collect()
    }

    /// `10.0.1.11:20160`
    pub(crate) fn address(&mut self, store: u64) -> String {
        format!("{}:20160", self.store(store).host)
    }

    /// Where `br` finds PD.
    pub(crate) fn pd_address(&self) -> String {
        format!("{}:2379", self.pds[0].host)
    }

    /// A record of a store.
    pub(crate) fn kv(&mut self, store: u64, time: Ms, head: Head<'_>, mut fields: Fields) {
        let thread = head.caller.bytes().fold(7, |sum, b| (sum * 31 + u64::from(b)) % 211) + 5;
        if let Some(thread) = self.version.thread_id(thread) {
            fields.push(("thread_id", thread));
        }
        self.store(store).add(time, head, fields);
    }

    /// A record of the leading PD.
    pub(crate) fn pd(&mut self, time: Ms, head: Head<'_>, fields: Fields) {
        self.pds[0].add(time, head, fields);
    }

    /// A record of the TiDB that owns the advancer.
    pub(crate) fn db(&mut self, time: Ms, head: Head<'_>, fields: Fields) {
        self.tidbs[0].add(time, head, fields);
    }

    /// A record of the TiDB that runs GC.
    pub(crate) fn gc_db(&mut self, time: Ms, head: Head<'_>, fields: Fields) {
        if let Some(node) = self.tidbs.last_mut() {
            node.add(time, head, fields);
        }
    }

    /// A record of any node.
    pub(crate) fn node(node: &mut Node, time: Ms, head: Head<'_>, fields: Fields) {
        node.add(time, head, fields);
    }

    /// A TSO that PD hands out at this moment.
    pub(crate) fn tso(&self, time: Ms) -> u64 {
        tso(time + self.pds[0].skew)
    }

    /// The written time of something that happens on a store.
    pub(crate) fn written(&mut self, store: u64, time: Ms) -> Ms {
        time + self.store(store).skew
    }

    /// A moment within `from` and `from + span`.
    pub(crate) fn around(&mut self, from: Ms, span: Ms) -> Ms {
        from + self.random.below(span.max(1) as u64) as Ms
    }

    /// One of these.
    pub(crate) fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.random.below(of.len() as u64) as usize].clone()
    }

    /// The global checkpoint as PD has it.
    pub(crate) fn checkpoint_at(&self, time: Ms) -> u64 {
        self.checkpoints.iter().rev().find(|(at, _)| *at <= time).map_or(self.task.start, |(_, ts)| *ts)
    }

    /// The GC safe point.
    pub(crate) fn gc_at(&self, time: Ms) -> u64 {
        self.gc.iter().rev().find(|(at, _)| *at <= time).map_or(0, |(_, ts)| *ts)
    }

    /// Until when some service holds back GC for `checkpoint`, by the last update of each.
    pub(crate) fn protected_until(&self, checkpoint: u64) -> Option<Ms> {
        let mut last: Vec<&Safepoint> = Vec::new();
        for update in &self.safepoints {
            last.retain(|s| s.service != update.service);
            last.push(update);
        }
        last.iter().filter(|s| s.value <= checkpoint).map(|s| s.expires).max()
    }

    /// The newest written time: the moment that a report speaks of.
    pub(crate) fn now(&self) -> Ms {
        let logs = self.stores.iter().chain(&self.pds).chain(&self.tidbs).map(|n| &n.log).chain([&self.br]);
        logs.filter_map(Source::last).max().unwrap_or(self.end)
    }

    /// Everything into files below `root`.
    pub(crate) fn write(&self, root: &Path) -> io::Result<()> {
        for node in self.stores.iter().chain(&self.pds).chain(&self.tidbs) {
            node.log.write(root, self.output)?;
        }
        self.br.write(root, Output::default())?;
        self.files.iter().try_for_each(|file| file.write(root))
    }
}

/// How far before a story the logs begin: some flushes and GC rounds of a healthy cluster.
pub(crate) const LEAD: Ms = 40 * MINUTE + 7 * SECOND;
