use super::{Identify, Instances};
use crate::correlate::Options;
use crate::correlate::testing::{Cluster, Record, record};
use crate::units::{Component, FactKind, PeerId, RegionId, Severity, StoreId};

fn info(rule: &str) -> Record {
    record(rule, "lifecycle", Severity::Info, Component::Tikv)
}

fn put_store(id: u64, address: &str) -> Record {
    info("tikv-put-store").store(id).fact(FactKind::Addr, "", address).fact(FactKind::Version, "", "6.2.0")
}

fn identify(cluster: &Cluster, options: &Options) -> Instances {
    let sources = cluster.sources();
    let mut identify = Identify::new(&sources);
    for event in cluster.events() {
        let source = sources.iter().position(|row| row.file == event.file).unwrap();
        identify.take(source, &event);
    }
    identify.decide(&sources, options)
}

fn of<'a>(found: &'a Instances, cluster: &Cluster, file: &str) -> &'a super::Instance {
    let at = cluster.sources().iter().position(|row| &*row.file == file).unwrap();
    found.at(found.of_source[at])
}

#[test]
fn a_put_store_record_names_its_writer() {
    let mut cluster = Cluster::default();
    cluster.log("a/tikv.log", "2022-07-25T13:40:01Z", put_store(1, "10.0.1.11:20160"));
    let found = identify(&cluster, &Options::default());
    let instance = of(&found, &cluster, "a/tikv.log");
    assert_eq!((instance.store, instance.address.as_deref()), (Some(StoreId(1)), Some("10.0.1.11:20160")));
    assert_eq!((instance.identified_by, instance.version.as_deref()), ("put store record", Some("6.2.0")));
}

#[test]
fn rotated_files_and_stderr_are_one_instance() {
    let mut cluster = Cluster::default();
    cluster
        .log("h/tikv-2022-07-25T14-54-44.467.log", "2022-07-25T13:40:01Z", put_store(1, "10.0.1.11:20160"))
        .log("h/tikv.log", "2022-07-25T14:54:45Z", info("tikv-ready"))
        .log("h/tikv_stderr.log", "2022-07-25T14:55:45Z", info("tikv-ready"));
    let found = identify(&cluster, &Options::default());
    assert_eq!(found.all.len(), 1);
    assert_eq!(found.all[0].store, Some(StoreId(1)));
    assert_eq!(found.all[0].sources.len(), 3);
}

#[test]
fn one_folder_with_two_stores_is_two_instances() {
    let mut cluster = Cluster::default();
    cluster.log("h/tikv.log", "2022-07-25T13:40:01Z", put_store(1, "10.0.1.11:20160")).log(
        "h/tikv.log.1",
        "2022-07-25T13:40:01Z",
        put_store(4, "10.0.1.12:20160"),
    );
    let found = identify(&cluster, &Options::default());
    assert_eq!(of(&found, &cluster, "h/tikv.log").store, Some(StoreId(1)));
    assert_eq!(of(&found, &cluster, "h/tikv.log.1").store, Some(StoreId(4)));
}

#[test]
fn pd_and_the_folder_name_identify_together() {
    let mut cluster = Cluster::default();
    let pd = record("pd-put-store", "lifecycle", Severity::Info, Component::Pd);
    cluster
        .log("pd.log", "2022-07-25T13:40:01Z", pd.clone().store(4).fact(FactKind::Addr, "", "10.0.1.12:20160"))
        .log(
            "pd.log",
            "2022-07-25T13:40:02Z",
            pd.store(7).fact(FactKind::Addr, "", "tc-tikv-0.tc-tikv-peer.x.svc:20160"),
        )
        .log("d/10.0.1.12/tidb-deploy/tikv-20160/log/tikv.log", "2022-07-25T14:00:00Z", info("tikv-ready"))
        .log("logs/tc-tikv-0/tikv.log", "2022-07-25T14:00:00Z", info("tikv-ready"));
    let found = identify(&cluster, &Options::default());
    assert_eq!(of(&found, &cluster, "d/10.0.1.12/tidb-deploy/tikv-20160/log/tikv.log").store, Some(StoreId(4)));
    let pod = of(&found, &cluster, "logs/tc-tikv-0/tikv.log");
    assert_eq!(pod.store, Some(StoreId(7)));
    assert!(!pod.identified_by.starts_with("inferred"));
    assert_eq!(of(&found, &cluster, "pd.log").store, None, "PD is no store");
}

#[test]
fn peers_identify_only_where_all_agree() {
    let seen = |peers: &[(u64, u64)]| {
        let mut cluster = Cluster::default();
        let peers_of_94812 = [(94813, 1), (94814, 4), (94815, 5)];
        let merge = record("merge-commit", "region-merge", Severity::Notice, Component::Tikv);
        cluster.log("x/tikv.log", "2022-07-25T14:00:00Z", info("tikv-ready")).log(
            "y/tikv.log",
            "2022-07-25T14:00:00Z",
            merge.describes(94812, ("74", "75"), 20, &peers_of_94812),
        );
        cluster.source("x/tikv.log").writer.peers =
            peers.iter().map(|(region, peer)| (RegionId(*region), PeerId(*peer))).collect();
        let found = identify(&cluster, &Options::default());
        let instance = of(&found, &cluster, "x/tikv.log").clone();
        (instance.store, instance.identified_by)
    };
    assert_eq!(seen(&[(94812, 94814), (7, 8)]), (Some(StoreId(4)), "inferred from peers"));
    assert_eq!(seen(&[(94812, 94814), (94812, 94813)]).0, None);
    assert_eq!(seen(&[(7, 8)]).0, None);
}

#[test]
fn the_user_comes_last() {
    let mut cluster = Cluster::default();
    cluster.log("10.0.1.11/tikv.log", "2022-07-25T14:00:00Z", info("tikv-ready")).log(
        "10.0.1.12/tikv.log",
        "2022-07-25T14:00:00Z",
        put_store(4, "10.0.1.12:20160"),
    );
    let options = Options {
        stores: vec![("10.0.1.11:20160".into(), StoreId(1)), ("10.0.1.12:20160".into(), StoreId(9))],
        ..Options::default()
    };
    let found = identify(&cluster, &options);
    assert_eq!(of(&found, &cluster, "10.0.1.11/tikv.log").store, Some(StoreId(1)));
    assert_eq!(of(&found, &cluster, "10.0.1.11/tikv.log").identified_by, "--store");
    assert_eq!(of(&found, &cluster, "10.0.1.12/tikv.log").store, Some(StoreId(4)));
}

#[test]
fn nothing_known_stays_unknown() {
    let mut cluster = Cluster::default();
    cluster.log("in/tikv.log", "2022-07-25T14:00:00Z", info("tikv-ready"));
    let found = identify(&cluster, &Options::default());
    let instance = of(&found, &cluster, "in/tikv.log");
    assert_eq!((instance.store, instance.address.as_deref(), instance.component), (None, None, Some(Component::Tikv)));
}
