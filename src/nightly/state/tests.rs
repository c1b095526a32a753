use super::*;
use crate::event::{SourceRow, test_event};
use crate::input::Stamp;
use crate::units::{StoreId, Timestamp};

fn run(started: i64) -> Run {
    Run {
        id: 0,
        started: Timestamp(started),
        folder: Some("x".into()),
        staged: true,
        summary: Summary::default(),
        owed: None,
    }
}

fn source(id: i64) -> KnownSource {
    KnownSource {
        id,
        name: "a/tikv.log".into(),
        head: Head { len: 9, hash: u64::MAX },
        inode: u64::MAX - 1,
        offset: 7,
        newlines: 2,
        seen: crate::units::Timestamp(1),
        marks: Vec::new(),
        row: SourceRow { records: 4, ..SourceRow::default() },
    }
}

#[test]
fn what_a_run_leaves_is_there_for_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let stamp = Stamp { device: 1, inode: u64::MAX, size: 2, modified_ns: 3 };
    let sources = Sources {
        files: vec![KnownFile { name: "a/tikv.log".into(), stamp, settled: true }],
        sources: vec![source(3)],
    };
    let memory: Vec<Memo> = (0..9_000)
        .map(|at| Memo { source: at, read: Timestamp(at), event: test_event("lb-fatal-error", "log-backup") })
        .collect();
    let tallies = [Tally { kind: Kind::Rule, name: "x".into(), run: 0, count: 5 }];
    let totals = Totals::from([(("x".into(), Some(StoreId(1))), 3), (("y".into(), None), 2)]);
    let mut state = State::open(folder.path()).unwrap();
    let id = state
        .commit(&Commit {
            run: &run(5),
            sources: Some(&sources),
            memory: Some(&memory),
            incidents: None,
            voices: &BTreeSet::from(["store 1".to_owned()]),
            tallies: &tallies,
            totals: &totals,
        })
        .unwrap();
    drop(state);
    let mut state = State::open(folder.path()).unwrap();
    assert_eq!(state.sources().unwrap(), sources);
    assert_eq!(state.memory().unwrap(), memory);
    assert_eq!(state.last_run().unwrap().map(|last| (last.id, last.staged)), Some((id, true)));
    assert_eq!(state.voices(id).unwrap().len(), 1);
    assert_eq!(state.tallies(Kind::Rule, 0).unwrap()[0].count, 5);
    state.published(id, "y").unwrap();
    let last = state.last_run().unwrap().unwrap();
    assert_eq!((last.folder.as_deref(), last.staged), (Some("y"), false));
}

#[test]
fn what_is_no_state_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE mine (x)").unwrap();
    let error = format!("{:#}", State::open(folder.path()).unwrap_err());
    assert!(error.contains("another program") && error.contains("state.sqlite"), "{error}");
    std::fs::write(&path, "no database at all, but a text of some length that is none").unwrap();
    assert!(State::open(folder.path()).is_err());
}

#[test]
fn a_newer_form_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let state = State::open(folder.path()).unwrap();
    state.db.pragma_update(None, "user_version", 99).unwrap();
    drop(state);
    let error = format!("{:#}", State::open(folder.path()).unwrap_err());
    assert!(error.contains("newer"), "{error}");
}

#[test]
fn an_older_form_is_brought_to_that_of_today() {
    let folder = tempfile::tempdir().unwrap();
    let old = Connection::open(folder.path().join(FILE)).unwrap();
    old.execute_batch(MIGRATIONS[0]).unwrap();
    old.pragma_update(None, "application_id", APPLICATION).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    let rows = "INSERT INTO run (id, started, staged, summary) VALUES (1, 5, 0, '{}'), (2, 6, 0, '{}');
        INSERT INTO tally VALUES ('rule-store', 'a@1', 1, 3), ('rule-store', 'a@1', 2, 4), ('rule-store', 'b@', 2, 1),
            ('rule', 'a', 1, 3);";
    old.execute_batch(rows).unwrap();
    drop(old);
    let look = format!("{:#}", State::look(folder.path()).unwrap_err());
    assert!(look.contains("older"), "{look}");
    let state = State::open(folder.path()).unwrap();
    assert_eq!(state.totals().unwrap(), [("a".into(), "1".into(), 7), ("b".into(), String::new(), 1)]);
    assert_eq!((state.runs().unwrap().len(), state.tallies(Kind::Rule, 0).unwrap().len()), (2, 1));
    drop(state);
    assert!(State::look(folder.path()).unwrap().is_some());
}

#[test]
fn a_look_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    assert!(State::look(folder.path()).unwrap().is_none());
    drop(State::open(folder.path()).unwrap());
    let files =
        || std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    let (before, bytes) = (files(), std::fs::read(folder.path().join(FILE)).unwrap());
    let state = State::look(folder.path()).unwrap().unwrap();
    assert!(state.runs().unwrap().is_empty());
    drop(state);
    assert_eq!((files(), std::fs::read(folder.path().join(FILE)).unwrap()), (before, bytes));
}
