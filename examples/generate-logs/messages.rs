//! What a store of v6.5 prints. Holes in angle brackets are explained in `template.rs`.

use crate::template::Message;

const fn line(
    weight: u32,
    level: &'static str,
    caller: &'static str,
    text: &'static str,
    fields: &'static [(&'static str, &'static str)],
) -> Message {
    Message { weight, level, caller, text, fields }
}

/// A region as protobuf text.
macro_rules! region {
    () => {
        "id: <r> start_key: <k> end_key: <e> region_epoch { conf_ver: 5 version: <v> } peers { id: <p> store_id: 1 } \
         peers { id: <q> store_id: 4 } peers { id: <o> store_id: 5 }"
    };
}

macro_rules! refusal {
    () => {
        "failed to get initial snapshot: failed to get the snapshot (region_id = <r>): Error during requesting raftstore: \
         message: \"read index not ready, reason can not read index due to merge, region <r>\" read_index_not_ready { reason: \
         \"can not read index due to merge\" region_id: <r> }"
    };
}

/// The first lines: who writes.
pub(crate) const STARTUP: &[Message] = &[
    line(1, "INFO", "lib.rs:84", "Welcome to TiKV", &[]),
    line(1, "INFO", "lib.rs:89", "Release Version:   6.5.3", &[]),
    line(1, "INFO", "lib.rs:89", "Edition:           Community", &[]),
    line(1, "INFO", "server.rs:422", "connect to PD cluster", &[("cluster_id", "7124381900214731553")]),
    line(
        1,
        "INFO",
        "node.rs:217",
        "put store to PD",
        &[(
            "store",
            "id: 1 address: \"10.0.1.11:20160\" version: \"6.5.3\" status_address: \"10.0.1.11:20180\" git_hash: \
            \"fd5f88ae1a4f63c2\" start_timestamp: 1658707200 deploy_path: \"/tidb-deploy/tikv-20160/bin\"",
        )],
    ),
    line(1, "INFO", "node.rs:476", "start raft store thread", &[("store_id", "1")]),
    line(1, "INFO", "server.rs:312", "TiKV is ready to serve", &[]),
];

/// Most of a healthy log.
pub(crate) const CHATTER: &[Message] = &[
    line(
        14,
        "INFO",
        "raft.rs:1120",
        "became follower at term <u>",
        &[("term", "<u>"), ("raft_id", "<p>"), ("region_id", "<r>")],
    ),
    line(
        10,
        "INFO",
        "raft.rs:1364",
        "received a message with higher term from <q>",
        &[
            ("msg type", "MsgRequestVote"),
            ("message_term", "<u>"),
            ("term", "<t>"),
            ("from", "<q>"),
            ("raft_id", "<p>"),
            ("region_id", "<r>"),
        ],
    ),
    line(
        6,
        "INFO",
        "raft.rs:1550",
        "starting a new election",
        &[("term", "<t>"), ("raft_id", "<p>"), ("region_id", "<r>")],
    ),
    line(
        4,
        "INFO",
        "raft.rs:1170",
        "became pre-candidate at term <t>",
        &[("term", "<t>"), ("raft_id", "<p>"), ("region_id", "<r>")],
    ),
    line(
        5,
        "INFO",
        "raft.rs:1144",
        "became candidate at term <u>",
        &[("term", "<u>"), ("raft_id", "<p>"), ("region_id", "<r>")],
    ),
    line(
        7,
        "INFO",
        "raft.rs:1299",
        "broadcasting vote request",
        &[
            ("to", "[<q>, <o>]"),
            ("log_index", "<i>"),
            ("log_term", "<t>"),
            ("term", "<u>"),
            ("type", "MsgRequestVote"),
            ("raft_id", "<p>"),
            ("region_id", "<r>"),
        ],
    ),
    line(
        6,
        "INFO",
        "raft.rs:2104",
        "received votes response",
        &[
            ("term", "<u>"),
            ("type", "MsgRequestVoteResponse"),
            ("approvals", "2"),
            ("rejections", "0"),
            ("from", "<o>"),
            ("vote", "true"),
            ("raft_id", "<p>"),
            ("region_id", "<r>"),
        ],
    ),
    line(
        5,
        "INFO",
        "raft.rs:1218",
        "became leader at term <u>",
        &[("term", "<u>"), ("raft_id", "<p>"), ("region_id", "<r>")],
    ),
    line(
        2,
        "INFO",
        "pd.rs:1498",
        "try to transfer leader",
        &[
            ("to_peers", "[]"),
            ("to_peer", "id: <q> store_id: 4"),
            ("from_peer", "id: <p> store_id: 1"),
            ("region_id", "<r>"),
        ],
    ),
    line(
        2,
        "INFO",
        "peer.rs:3583",
        "transfer leader",
        &[("peer", "id: <q> store_id: 4"), ("peer_id", "<p>"), ("region_id", "<r>")],
    ),
    line(
        8,
        "INFO",
        "size.rs:175",
        "approximate size over threshold, need to do split check",
        &[("threshold", "150994944"), ("size", "<z>"), ("region_id", "<r>")],
    ),
    line(
        2,
        "INFO",
        "apply.rs:1442",
        "execute admin command",
        &[
            (
                "command",
                "cmd_type: BatchSplit splits { requests { split_key: <e> new_region_id: <x> new_peer_ids: <p> new_peer_ids: <q> \
                 new_peer_ids: <o> } right_derive: true }",
            ),
            ("index", "<i>"),
            ("term", "<t>"),
            ("peer_id", "<p>"),
            ("region_id", "<r>"),
        ],
    ),
    line(
        1,
        "INFO",
        "apply.rs:2285",
        "split region",
        &[("keys", "key <e>"), ("region", region!()), ("peer_id", "<p>"), ("region_id", "<r>")],
    ),
    line(1, "INFO", "peer.rs:3676", "insert new region", &[("region", region!()), ("region_id", "<r>")]),
    line(2, "INFO", "peer.rs:262", "create peer", &[("peer_id", "<p>"), ("region_id", "<r>")]),
    line(
        1,
        "INFO",
        "raft.rs:2646",
        "switched to configuration",
        &[
            (
                "config",
                "Configuration { voters: Configuration { incoming: Configuration { voters: {<p>, <q>, <o>} }, outgoing: \
                 Configuration { voters: {} } }, learners: {}, learners_next: {}, auto_leave: false }",
            ),
            ("raft_id", "<p>"),
            ("region_id", "<r>"),
        ],
    ),
    line(2, "INFO", "region.rs:347", "begin apply snap data", &[("region_id", "<r>")]),
    line(2, "INFO", "region.rs:420", "apply new data", &[("time_takes", "<d>.<f>ms"), ("region_id", "<r>")]),
    line(
        1,
        "INFO",
        "snap.rs:584",
        "sent snapshot",
        &[("duration", "<d>.<f>ms"), ("size", "<z>"), ("snap_key", "<r>_<t>_<i>"), ("region_id", "<r>")],
    ),
    line(
        2,
        "INFO",
        "compact.rs:70",
        "compact range finished",
        &[("time_takes", "<d>.<f>ms"), ("cf", "write"), ("range_end", "Some(<e>)"), ("range_start", "Some(<k>)")],
    ),
    line(
        1,
        "INFO",
        "subscription_manager.rs:400",
        "backup stream: on_modify_observe",
        &[("op", "Start { region: Region { id: <r>, ver: <v>, conf_ver: 5, range: [<k>,<e>), peers: 1,4,5 } }")],
    ),
    line(
        1,
        "INFO",
        "subscription_manager.rs:400",
        "backup stream: on_modify_observe",
        &[("op", "Stop { region: Region { id: <r>, ver: <v>, conf_ver: 5, range: [<k>,<e>), peers: 1,4,5 } }")],
    ),
    line(
        1,
        "INFO",
        "subscription_track.rs:182",
        "stop listen stream from store",
        &[
            ("region_id", "<r>"),
            ("observer", "RegionSubscription(<r>, ObserveHandle { id: ObserveID(<i>), observing: true })"),
        ],
    ),
];

/// Errors that a client retries: 3 % of the lines.
pub(crate) const ROUTINE: &[Message] = &[
    line(
        5,
        "WARN",
        "endpoint.rs:703",
        "error-response",
        &[(
            "err",
            "Region error (will back off and retry) message: \"peer is not leader for region <r>, leader may Some(id: <q> store_id: 4)\" \
         not_leader { region_id: <r> leader { id: <q> store_id: 4 } }",
        )],
    ),
    line(
        3,
        "INFO",
        "scheduler.rs:546",
        "get snapshot failed",
        &[
            (
                "err",
                "Error(Request(message: \"peer is not leader for region <r>, leader may Some(id: <o> store_id: 5)\" not_leader { region_id: \
             <r> leader { id: <o> store_id: 5 } }))",
            ),
            ("tag", "prewrite"),
        ],
    ),
    line(
        2,
        "WARN",
        "endpoint.rs:703",
        "error-response",
        &[(
            "err",
            "Region error (will back off and retry) message: \"EpochNotMatch current epoch of region <r> is conf_ver: 5 version: <w>, but \
         you sent conf_ver: 5 version: <v>\" epoch_not_match { current_regions { id: <r> start_key: <k> end_key: <e> region_epoch { \
         conf_ver: 5 version: <w> } peers { id: <p> store_id: 1 } peers { id: <q> store_id: 4 } peers { id: <o> store_id: 5 } } }",
        )],
    ),
];

/// What matters in a calm log, over a handful of regions: 0.05 % of the lines.
pub(crate) const SIGNALS: &[Message] = &[
    line(
        4,
        "WARN",
        "errors.rs:155",
        "backup stream meet error",
        &[
            (
                "verbose_err",
                "Contextual { context: \"failed to get initial snapshot: failed to get the snapshot (region_id = <r>)\", inner_error: \
             RaftRequest(message: \"read index not ready, reason can not read index due to merge, region <r>\" read_index_not_ready { \
             reason: \"can not read index due to merge\" region_id: <r> }) }",
            ),
            ("err", refusal!()),
            ("context", concat!("during getting initial snapshot for region ", region!(), "; can retry = true")),
        ],
    ),
    line(1, "WARN", "subscription_manager.rs:183", "meet retryable error", &[("retry_time", "9"), ("err", refusal!())]),
    line(
        2,
        "INFO",
        "endpoint.rs:768",
        "flushing and refreshing checkpoint ts.",
        &[("task", "task1"), ("checkpoint_ts", "<c>")],
    ),
    line(1, "INFO", "gc_manager.rs:435", "gc_worker: auto gc starts", &[("safe_point", "<c>")]),
    line(1, "INFO", "gc_manager.rs:474", "gc_worker: auto gc finishes", &[("processed_regions", "<d>")]),
    line(
        1,
        "WARN",
        "util.rs:90",
        "aws request meet error.",
        &[
            ("uuid", "0c7d0b7e-55a1-4b6a-9f0e-1f7d1d<f>"),
            ("context", "upload_part"),
            ("retry?", "true"),
            (
                "err",
                "Request ID: None Body: <?xml version=1.0?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>",
            ),
        ],
    ),
];

/// A storm: few messages, many regions, 20 % of the lines.
pub(crate) const STORM: &[Message] = &[
    line(4, "WARN", "subscription_manager.rs:183", "meet retryable error", &[("retry_time", "9"), ("err", refusal!())]),
    line(
        3,
        "WARN",
        "endpoint.rs:476",
        "write to temp file too slow.",
        &[("len", "<i>"), ("region_id", "<r>"), ("time_cost", "5.<d>s")],
    ),
    line(
        2,
        "WARN",
        "errors.rs:155",
        "backup stream meet error",
        &[
            (
                "verbose_err",
                "Contextual { context: \"failed to get initial snapshot: failed to get the snapshot (region_id = <r>)\", inner_error: \
             RaftRequest(message: \"region <r> not found\" region_not_found { region_id: <r> }) }",
            ),
            (
                "err",
                "failed to get initial snapshot: failed to get the snapshot (region_id = <r>): Error during requesting raftstore: message: \
             \"region <r> not found\" region_not_found { region_id: <r> }",
            ),
            ("context", concat!("during getting initial snapshot for region ", region!(), "; can retry = false")),
        ],
    ),
    line(
        2,
        "WARN",
        "peer.rs:5688",
        "leader missing longer than max_leader_missing_duration. To check with pd and other peers whether \
        it's still valid",
        &[("expect", "2h"), ("peer_id", "<p>"), ("region_id", "<r>")],
    ),
];

/// A long line: a message that ends with an open value, what is repeated in it, what closes it, and the fields after it.
pub(crate) type LongMessage = (Message, &'static str, &'static str, &'static [(&'static str, &'static str)]);

/// Lines of 4 to 64 KiB.
pub(crate) const LONG: &[LongMessage] = &[
    (
        line(1, "INFO", "apply.rs:1442", "execute admin command", &[("command", "cmd_type: BatchSplit splits { ")]),
        "requests { split_key: <k> new_region_id: <r> new_peer_ids: <p> new_peer_ids: <q> new_peer_ids: <o> } ",
        "right_derive: true }",
        &[("index", "<i>"), ("term", "<t>"), ("peer_id", "<p>"), ("region_id", "<r>")],
    ),
    (
        line(
            1,
            "INFO",
            "scheduler.rs:546",
            "get snapshot failed",
            &[(
                "err",
                "Error(Request(message: \"EpochNotMatch current epoch of region <r> is conf_ver: 5 version: <w>, but you sent conf_ver: 5 \
             version: <v>\" epoch_not_match { ",
            )],
        ),
        concat!("current_regions { ", region!(), " } "),
        "}))",
        &[("tag", "prewrite")],
    ),
];
