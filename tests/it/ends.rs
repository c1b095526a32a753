//! How processes end, and who it was: their last records, what the system and tools say of them.

use crate::screens::found;

/// A CI server puts its time before each line; what a process wrote over more lines is one record there as well.
#[test]
fn a_panic_behind_stamps_is_one() {
    let panic = "panic: runtime error: invalid memory address or nil pointer dereference\n[signal SIGSEGV: segmentation violation code=0x1 \
                 addr=0x8 pc=0x1a2b3c4]\n\ngoroutine 77 [running]:\ngithub.com/tikv/pd/server.(*Handler).Get(0xc000123400)\n\
                 \t/src/pd/server/handler.go:77 +0x1c\n";
    for gap in ["\n", "\n\n"] {
        let stamped: String = panic.lines().map(|line| format!("[2025-03-14T06:35:06.127Z] {line}{gap}")).collect();
        let report = found(&stamped);
        let event = report.row("events");
        assert_eq!((&*event["component"], &*event["time"]), ("pd", "2025-03-14T06:35:06.127Z"));
        assert_eq!((&*report.row("incidents")["cause"], &*report.row("sources")["records"]), ("bug", "1"));
    }
    let own = "[2025-03-14T06:35:06.127Z] ERROR: it failed\n";
    assert_eq!(found(own).row("sources")["records"], "1");
}
