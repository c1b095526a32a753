//! Logs told twice, of clocks apart, of several clusters, and storms of them.

use super::*;

#[test]
fn the_same_text_twice_counts_once() {
    let mut cluster = failed();
    let mut twice = failed();
    for store in STORES {
        let name = log_of(store);
        let copy = format!("copy/{name}");
        for event in cluster.events().into_iter().filter(|event| *event.file == *name) {
            let time = event.time.map(|time| time.to_string()).unwrap_or_default();
            twice.log(&copy, &time, Record::of(event));
        }
        let hash = twice.source(&name).head_hash;
        twice.source(&copy).head_hash = hash;
        let hash = twice.source(&name).tail_hash;
        twice.source(&copy).tail_hash = hash;
    }
    let (one, two) = (cluster.correlate(), twice.correlate());
    assert_eq!(one.findings.incidents, two.findings.incidents);
    assert_eq!(one.findings.totals, two.findings.totals);
    let copies = two.findings.sources.iter().filter(|source| source.status == crate::event::ReadStatus::Skipped);
    assert_eq!(copies.count(), 3);
    let left_out = twice.events().iter().filter(|event| !two.is_counted(event)).count();
    assert!(left_out > 0 && twice.events().len() - left_out == cluster.events().len());
    cluster.options();
}

#[test]
fn a_clock_that_is_off_does_not_turn_cause_and_effect() {
    // Store 1 is 5 s behind: as written it gives up before the merge begins on the others.
    let mut cluster = Cluster::default();
    for event in failed().events() {
        let behind = *event.file == *log_of(1);
        let time = event.time.map(|time| if behind { time.plus_ms(-5_000) } else { time });
        let file = event.file.to_string();
        cluster.log(&file, &time.map(|time| time.to_string()).unwrap_or_default(), Record::of(event));
    }
    // Three more moments that store 1 and PD share.
    for (nth, minute) in [11, 21, 31].into_iter().enumerate() {
        let leader = tikv("raft-became-leader", "leader", Severity::Notice).region(7 + nth as u64);
        let changed = record("pd-leader-changed", "leader", Severity::Info, Component::Pd).region(7 + nth as u64);
        cluster.log(&log_of(1), &format!("2022-07-25T14:{}:55.020Z", minute - 1), leader).log(
            "pd/pd.log",
            &format!("2022-07-25T14:{minute}:00.000Z"),
            changed,
        );
    }
    let found = cluster.correlate().findings;
    let incident = only(&found);
    assert_eq!(incident.cause, Cause::RegionMerge);
    assert_eq!(incident.start, Some(at("2022-07-25T14:54:39.467Z")), "as written");
    let at_step = |rule: &str| incident.chain.iter().position(|step| &*step.rule == rule);
    assert!(at_step("merge-prepare-exec") < at_step("lb-fatal-raftreq-merge"));
    let store = found.stores.iter().find(|store| store.id == Some(StoreId(1))).unwrap();
    assert!(store.clock_skew_ms.is_some_and(|ms| (ms + 5_000).abs() < 300), "{:?}", store.clock_skew_ms);
    assert!(found.caveats.iter().any(|caveat| caveat.contains("The clock of store 1")), "{:?}", found.caveats);
}

#[test]
fn the_order_of_sources_changes_nothing() {
    let cluster = failed();
    let mut sources = cluster.sources();
    sources.reverse();
    let catalog = crate::rules::Catalog::embedded().unwrap();
    let options = crate::correlate::Options {
        episode_gap_ms: 60_000,
        gc_ttl_ms: 86_400_000,
        ..crate::correlate::Options::default()
    };
    let turned = crate::correlate::correlate(&cluster.events(), &sources, &[], &catalog, &options).unwrap();
    assert_eq!(turned.findings, cluster.correlate().findings);
}

/// Logs of several clusters, in a folder each.
fn together(clusters: &[(&str, &Cluster)]) -> Cluster {
    let mut all = Cluster::default();
    for (id, cluster) in clusters {
        let named = tikv("tikv-pd-cluster", "lifecycle", Severity::Info).fact(FactKind::Cluster, "", id);
        all.log(&format!("{id}/{}", log_of(1)), "2022-07-25T13:40:00Z", named);
        for event in cluster.events() {
            let time = event.time.map(|time| time.to_string()).unwrap_or_default();
            all.log(&format!("{id}/{}", event.file), &time, Record::of(event));
        }
    }
    all
}

#[test]
fn clusters_are_told_apart() {
    // The same stores, the same task, the same time: one failed, the other goes on, and its GC with it.
    let mut other = cluster();
    for hour in 15..20 {
        let value = at(&format!("2022-07-25T{hour}:00:00Z"));
        checkpoint(&mut other, &format!("2022-07-25T{hour}:03:00Z"), value);
        gc(&mut other, &format!("2022-07-25T{hour}:20:00Z"), Tso::from_time(value.plus_ms(-60_000)).0);
    }
    let mut both = together(&[("71", &failed()), ("72", &other)]);
    both.options().now = Some(at("2022-07-25T20:00:00Z"));
    let mut alone = failed();
    alone.options().now = Some(at("2022-07-25T20:00:00Z"));
    let (both, alone) = (both.correlate(), alone.correlate());
    let (incident, wanted) = (only(&both.findings), only(&alone.findings));
    assert_eq!(incident.cluster.as_deref(), Some("71"));
    assert_eq!(incident.summary, format!("Cluster 71: {}", wanted.summary));
    assert_eq!((&incident.id, incident.events, incident.verdict), (&wanted.id, wanted.events, wanted.verdict));
    let tasks: Vec<_> =
        both.findings.tasks.iter().map(|task| (task.cluster.as_deref(), task.status, task.verdict)).collect();
    assert_eq!(
        tasks,
        [(Some("71"), TaskStatus::Error, Verdict::Resume), (Some("72"), TaskStatus::Normal, Verdict::None)]
    );
    assert_eq!(both.findings.task_of(incident).map(|task| task.verdict), Some(Verdict::Resume));
    assert!(both.findings.caveats[0].contains("of 2 clusters (71, 72)"), "{:?}", both.findings.caveats);
    let mut count = 0;
    both.each_episode(&mut |episode| {
        count += episode.count;
        Ok(())
    })
    .unwrap();
    assert_eq!(count, both.findings.totals.events);
}

#[test]
fn a_storm_hides_nothing_and_fits_into_memory() {
    // More episodes than pages in memory, before and after the failure, each with a region of its own.
    let storm = |cluster: &mut Cluster, hour: u64| {
        for nth in 0..9_000u64 {
            let time = at("2022-07-25T14:00:00Z").plus_ms((hour * 3_600 + nth / 3) as i64 * 1_000);
            let leader = tikv("raft-became-leader", "leader", Severity::Notice).region(200_000 + hour * 10_000 + nth);
            cluster.log(&log_of(4), &time.to_string(), leader);
        }
    };
    let (calm, mut stormy) = (failed(), failed());
    storm(&mut stormy, 1);
    storm(&mut stormy, 4);
    let twice = together(&[("71", &stormy), ("72", &stormy)]).correlate();
    let (calm, stormy) = (calm.correlate(), stormy.correlate());
    let told =
        |found: &Findings| found.incidents.iter().map(|one| (one.id.clone(), one.chain.clone())).collect::<Vec<_>>();
    assert_eq!(told(&calm.findings), told(&stormy.findings));
    for correlation in [&stormy, &twice] {
        let (mut firsts, mut count) = (Vec::new(), 0);
        correlation
            .each_episode(&mut |episode| {
                firsts.push(episode.first);
                count += episode.count;
                Ok(())
            })
            .unwrap();
        assert_eq!(count, correlation.findings.totals.events);
        assert!(firsts.is_sorted() && firsts.len() > 18_000);
        assert!(correlation.findings.episodes.len() < firsts.len(), "the rest is on disk");
    }
    assert!(twice.each_episode(&mut |_| Err(std::io::Error::other("full"))).is_err(), "who is in trouble may leave");
}
