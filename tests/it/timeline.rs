//! `timeline`: every record that speaks of something, whether a rule knows it or not.

use crate::harness::Sandbox;

fn lines(options: &[&str]) -> Vec<String> {
    let sandbox = Sandbox::with_testdata(&["merge-failed-task"]);
    let run = sandbox.run([&["timeline", "merge-failed-task"], options].concat()).with_status(0).silently();
    run.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn a_region_over_all_stores_in_the_order_of_time() {
    let lines = lines(&["--region", "94812", "-v"]);
    assert!(lines.len() > 80, "{}", lines.len());
    assert!(lines.iter().all(|line| line.contains("tikv.log") || line.contains("pd.log") || line.contains("br/")));
    for store in ["store 1 ", "store 4 ", "store 5 "] {
        assert!(lines.iter().any(|line| line.contains(store)), "{store}");
    }
    let times: Vec<&str> = lines.iter().map(|line| &line[..24]).collect();
    assert!(times.is_sorted(), "{times:#?}");
    let two = self::lines(&["--region", "94812", "--region", "94816", "-v"]);
    assert!(two.len() > lines.len());
}

/// Repeats on one line: the whole life fits on a screen, and no record is lost.
#[test]
fn the_life_of_a_region_fits_on_a_screen() {
    let lines = lines(&["--region", "94812"]);
    assert!(lines.len() <= 40, "{}", lines.len());
    let times: Vec<&str> = lines.iter().map(|line| &line[..24]).collect();
    assert!(times.is_sorted(), "{times:#?}");
    let at = |words: &[&str]| {
        let found = lines.iter().position(|line| words.iter().all(|word| line.contains(word)));
        found.unwrap_or_else(|| panic!("{words:?} is missing: {lines:#?}"))
    };
    let life = [
        at(&["add operator [source=94812] [target=94816]", "2 times"]),
        at(&["stores 1 4 5", "execute admin command", "merge-prepare-exec", "3 times"]),
        at(&["store 1 ", "became leader at term 8"]),
        at(&["store 1 ", "lb-modify-observe-start"]),
        at(&["store 1 ", "due to merge", "(33 times until 2022-07-25T14:54:43.956Z)"]),
        at(&["store 1 ", "backup stream meet fatal error"]),
        at(&["br ", "task task1 is ERROR"]),
        at(&["stores 1 4 5", "execute CommitMerge", "3 times"]),
        at(&["stores 1 4 5", "peer destroy itself"]),
    ];
    assert!(life.is_sorted(), "{life:?}");
    let count = |line: &String| {
        let times = line.split("  (").find_map(|part| part.split_once(" times")?.0.parse::<usize>().ok());
        times.unwrap_or(1)
    };
    assert_eq!(lines.iter().map(count).sum::<usize>(), self::lines(&["--region", "94812", "-v"]).len());
    // A key in the region finds the same story.
    let key = self::lines(&["--key", "7480000000000000FF455F728000000000FF0000010000000000FA"]);
    assert!(key.len() <= 40 && life.iter().all(|at| key.contains(&lines[*at])), "{key:#?}");
}

#[test]
fn a_store_a_task_a_level() {
    let store = lines(&["--store", "4"]);
    assert!(store.iter().any(|line| line.contains("10.0.1.12/tikv-20160/tikv.log:")));
    let elsewhere = store.iter().filter(|line| !line.contains("10.0.1.12/"));
    assert!(elsewhere.clone().count() > 0 && elsewhere.into_iter().all(|line| line.contains('4')), "{store:#?}");
    let task = lines(&["--task", "task1"]);
    assert!(!task.is_empty() && task.iter().any(|line| line.contains("uploading checkpoint")), "{task:#?}");
    let bad = lines(&["--level", "WARN"]);
    assert!(
        !bad.is_empty()
            && bad.iter().all(|line| line.contains("  WARN ") || line.contains("  ERROR") || line.contains("  FATAL"))
    );
    assert!(lines(&["--level", "ERROR"]).len() < bad.len());
}

#[test]
fn a_key_finds_the_regions_that_held_it_and_times_narrow_it_down() {
    let key = lines(&["--key", "7480000000000000FF455F728000000000FF0000010000000000FA"]);
    assert!(key.iter().any(|line| line.contains("initial snapshot")), "{key:#?}");
    let region = ["--region", "94812", "-v"];
    let before = lines(&[&region[..], &["--until", "2022-07-25T14:54:22Z"]].concat());
    let after = lines(&[&region[..], &["--since", "2022-07-25 14:54:22.001"]].concat());
    assert!(!before.is_empty() && !after.is_empty());
    assert_eq!(before.len() + after.len(), lines(&region).len());
    assert!(lines(&["--region", "1"]).is_empty());
}

/// A copy of a log is the same writer's.
#[test]
fn a_log_and_its_copy_have_one_writer() {
    let sandbox = Sandbox::new();
    let log = std::fs::read(crate::harness::project().join("testdata/merge-failed-task/10.0.1.11/tikv-20160/tikv.log"))
        .unwrap();
    sandbox.write("logs/tikv.log", &log);
    sandbox.write("logs/copy.log", &log);
    let run = sandbox.run(["timeline", "logs", "--region", "94812", "-v"]).with_status(0);
    let of_copy = run.stdout.lines().filter(|line| line.contains("copy.log")).count();
    assert!(of_copy > 20 && run.stdout.lines().all(|line| line.contains("  store 1 ")), "{}", run.stdout);
}
