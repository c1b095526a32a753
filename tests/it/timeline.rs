//! `timeline`: every record that speaks of something, whether a rule knows it or not.

use crate::harness::Sandbox;

fn lines(options: &[&str]) -> Vec<String> {
    let sandbox = Sandbox::with_testdata(&["merge-failed-task"]);
    let run = sandbox.run([&["timeline", "merge-failed-task"], options].concat()).with_status(0).silently();
    run.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn a_region_over_all_stores_in_the_order_of_time() {
    let lines = lines(&["--region", "94812"]);
    assert!(lines.len() > 80, "{}", lines.len());
    assert!(lines.iter().all(|line| line.contains("tikv.log") || line.contains("pd.log") || line.contains("br/")));
    for store in ["store 1 ", "store 4 ", "store 5 "] {
        assert!(lines.iter().any(|line| line.contains(store)), "{store}");
    }
    let times: Vec<&str> = lines.iter().map(|line| &line[..24]).collect();
    assert!(times.is_sorted(), "{times:#?}");
    let two = self::lines(&["--region", "94812", "--region", "94816"]);
    assert!(two.len() > lines.len());
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
    let region = ["--region", "94812"];
    let before = lines(&[&region[..], &["--until", "2022-07-25T14:54:22Z"]].concat());
    let after = lines(&[&region[..], &["--since", "2022-07-25 14:54:22.001"]].concat());
    assert!(!before.is_empty() && !after.is_empty());
    assert_eq!(before.len() + after.len(), lines(&region).len());
    assert!(lines(&["--region", "1"]).is_empty());
}
