//! What a line is, judged by the line alone. So any part of a file can be read without what stands before it.

use super::clean::is_clean;
use super::phrases::PHRASES;
use super::plain::{plain, raw_offset};
use super::tools::{command, listed, safepoint, service, stores, upright};
use super::{console, foreign, header, json, prefix, recover, status};
use crate::units::Level;
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// What a line looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// A record starts in it, at this byte of the line.
    Start(Kind, usize),
    /// A record that has lost its header; a continuation where the record before it is unfinished.
    Fragment,
    /// Prompts, banners, progress bars, elisions: never part of a record.
    Noise,
    /// Nothing but white space.
    Blank,
    /// Anything else: a continuation, or no record at all.
    Other,
}

/// Kinds of records: how they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Kind {
    /// Unified format, fixed header at the start of the line.
    Clean,
    /// Unified format behind a prefix, without time, or damaged.
    #[default]
    Header,
    /// One JSON object a line: TiKV, Go, containers, log viewers.
    Json,
    /// Older and other programs' formats: TiKV 2.x, RocksDB, klog, journald.
    Foreign,
    /// Kernel and system log.
    Os,
    /// A task of a `br log status` screen.
    StatusTask,
    /// A task of `br log status --json`.
    StatusJson,
    /// A GC safe point as `pd-ctl service-gc-safepoint` or `mysql.tidb` has it.
    SafePoint,
    /// A store as `pd-ctl store` answers it.
    Store,
    /// A row of `kubectl get pods` or `tiup cluster display` about what does not run.
    Listed,
    /// A service as `systemctl status` shows it.
    Service,
    /// A row of `information_schema.cluster_log`, a line for each column.
    Row,
    /// A message on the console: `Error: ...`.
    Console,
    /// A banner that names something worth knowing, but is no record: `Detail BR log in ...`.
    Banner,
    /// A command line of `br`, which is no record either.
    Command,
    /// A panic of Go or Rust, with its stack.
    Panic,
    /// A report printed by `tikv-ctl`.
    Report,
    /// A record without header.
    Fragment,
}

impl Kind {
    /// Whether it counts as a record.
    pub const fn counts(self) -> bool {
        !matches!(self, Self::Banner | Self::Command)
    }
}

/// Judges a line (without its line end).
pub fn look(line: &[u8]) -> Look {
    if is_clean(line) {
        return Look::Start(Kind::Clean, 0);
    }
    match judge(&plain(line)) {
        Look::Start(kind, at) => Look::Start(kind, raw_offset(line, at)),
        other => other,
    }
}

/// Judges a line without colours and invisible characters.
fn judge(line: &[u8]) -> Look {
    let text = prefix::trim_marks(line);
    if text.is_empty() {
        return if line.iter().all(u8::is_ascii_whitespace) || is_framed(line) { Look::Blank } else { Look::Other };
    }
    if status::is_task(line) || status::prefixed_task(line).is_some() {
        return Look::Start(Kind::StatusTask, 0);
    }
    if let Some(at) = status::flat_task(line) {
        return Look::Start(Kind::StatusTask, at);
    }
    if safepoint::is_row(text) {
        return Look::Start(Kind::SafePoint, line.len() - text.len());
    }
    if service::begins(text) {
        return Look::Start(Kind::Service, line.len() - text.len());
    }
    if upright::begins(text) {
        return Look::Start(Kind::Row, line.len() - text.len());
    }
    // Markdown escapes the bracket.
    let list = text.strip_prefix(b"\\").filter(|list| list.starts_with(b"[{\"")).unwrap_or(text);
    if let Some(kind) = json_kind(list) {
        return Look::Start(kind, line.len() - list.len());
    }
    // A record in a string of an object that has many lines.
    let is_member = text.len() < line.len() && json::is_member(text);
    if is_member && header::whole(line, true).is_some() {
        return Look::Fragment;
    }
    if let Some(header) = header::whole(line, true) {
        return Look::Start(Kind::Header, behind(line, header.start));
    }
    if is_deep(line) {
        return if is_fragment(text) { Look::Fragment } else { Look::Other };
    }
    let inner = prefix::strip(line);
    let text = prefix::trim_marks(&line[inner.at..]);
    // An empty line of a container is no header that a copy cut.
    if text.is_empty() && inner.time.is_some() {
        return Look::Other;
    }
    let at = if inner.at > 0 { 0 } else { line.len() - text.len() };
    // Indented and without a prompt it is what somebody advises, not what was typed.
    if let Some(begins) = command::find(text).filter(|begins| *begins > 0 || !line.starts_with(b"  ")) {
        return Look::Start(Kind::Command, if inner.at > 0 { 0 } else { at + begins });
    }
    if console::is_noise(text) {
        // A progress bar ends without a line end; what comes next stands right behind it.
        let end = if inner.at == 0 { console::progress_end(text) } else { None };
        return match end.map(|end| (end, look(&text[end..]))) {
            Some((end, Look::Start(kind, at))) => Look::Start(kind, line.len() - text.len() + end + at),
            _ => Look::Noise,
        };
    }
    if let Some(kind) = json_kind(text) {
        return Look::Start(kind, at);
    }
    // Before a header without time is looked for: an address as a link looks like the source file of one.
    if let Some(kind) = console::start(text) {
        return Look::Start(kind, at);
    }
    // What TiDB Operator quotes of a pod that has failed.
    static QUOTES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(", errMsg "));
    if let Some(quoted) = QUOTES.find(text).map(|at| at + QUOTES.needle().len())
        && let Some(kind) = console::start(&text[quoted..])
    {
        return Look::Start(kind, line.len() - text.len() + quoted);
    }
    if let Some(header) = header::find(line) {
        return Look::Start(Kind::Header, behind(line, header.start));
    }
    if let Some(start) = header::cut(line) {
        return Look::Start(Kind::Header, behind(line, start));
    }
    if starts_with_level(text) || is_summary_head(text) {
        return Look::Start(Kind::Header, at);
    }
    if listed::is_row(line) {
        return Look::Start(Kind::Listed, 0);
    }
    if foreign::is_foreign(text) {
        return Look::Start(Kind::Foreign, at);
    }
    if let Some(start) = foreign::within(text) {
        return Look::Start(Kind::Foreign, line.len() - text.len() + start);
    }
    if inner.is_os || foreign::is_kernel(text) || foreign::is_container_end(text) {
        return Look::Start(Kind::Os, 0);
    }
    if is_fragment(text) { Look::Fragment } else { Look::Other }
}

/// Whether a line, in a frame or not, is indented as only the values of a table are: whatever it begins with, it goes on with one.
pub(super) fn is_deep(line: &[u8]) -> bool {
    let line = line.strip_prefix(prefix::bar(line).unwrap_or(b">")).unwrap_or(line);
    line.iter().take(DEEP).all(|byte| *byte == b' ') && line.len() > DEEP
}

/// Whether the edge of a frame begins the line: no text does with such a bar.
fn is_framed(line: &[u8]) -> bool {
    prefix::bar(line).is_some_and(|bar| !bar.is_ascii())
}

/// The values of a status screen begin behind the longest key, `checkpoint[global]` at least.
const DEEP: usize = 20;

/// What stands before a header at the start of a line is a prefix, and belongs to the record.
fn behind(line: &[u8], header: usize) -> usize {
    if prefix::is_short(&line[..header]) { 0 } else { header }
}

fn json_kind(text: &[u8]) -> Option<Kind> {
    match text.first()? {
        // In a web page's source.
        b'{' if text.starts_with(b"{&quot;") || text.starts_with(b"{&#34;") => json_kind(&recover::unmarked_up(text)),
        b'{' if has_any(text, RECORD) => text.get(1..4)?.contains(&b'"').then_some(Kind::Json),
        b'{' if safepoint::is_answer(text) || stores::is_answer(text) => Some(Kind::Json),
        b'{' if text.starts_with(b"{\"") && object_kind(text) == Some(Kind::StatusJson) => Some(Kind::StatusJson),
        b'[' if text.starts_with(b"[{\"") && has_any(text, TASK) => Some(Kind::StatusJson),
        b'[' if text.starts_with(b"[{\"") && has_any(text, &[b"\":\"[20", b"\": \"[20"]) => Some(Kind::Json),
        _ => None,
    }
}

/// Members that an object has that is a record, or the start of one in any member (or of a stage of Online Unsafe Recovery, as
/// `pd-ctl unsafe remove-failed-stores show` answers), and those that a task of `br log status --json` has.
const RECORD: &[&[u8]] = &[
    b"\"level\"",
    b"\"log\"",
    b"\"message\"",
    b"\"msg\"",
    b"\"MESSAGE\"",
    b"\"line\"",
    b"\"_msg\"",
    b"\"textPayload\"",
    b"\"[20",
    b"\"Unsafe recovery ",
];
const TASK: &[&[u8]] = &[b"\"start_ts\"", b"\"last_errors\"", b"\"estimate_qps\""];

/// What an object of many lines is, if it is a record at all.
pub(super) fn object_kind(text: &[u8]) -> Option<Kind> {
    if has_any(text, &TASK[1..]) && has_any(text, &[b"\"name\""]) {
        return Some(Kind::StatusJson);
    }
    has_any(text, RECORD).then_some(Kind::Json)
}

fn has_any(text: &[u8], words: &[&[u8]]) -> bool {
    let head = &text[..text.len().min(64 << 10)];
    words.iter().any(|word| memchr::memmem::find(head, word).is_some())
}

/// `[WARN] ...`, `[info] ...`: a header that has lost its time.
fn starts_with_level(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\\").unwrap_or(text);
    let Some(inner) = text.strip_prefix(b"[") else { return false };
    let Some(end) = inner.iter().take(9).position(|byte| *byte == b']') else { return false };
    Level::parse(&inner[..end]).is_some()
}

/// `["Table backup summary:`: a summary of BR whose figures manuals set on lines of their own.
fn is_summary_head(text: &[u8]) -> bool {
    text.starts_with(b"[\"") && text.trim_ascii_end().ends_with(b"ummary:")
}

/// Whether a line without header still is a record: brackets in a row, an error field, a code in brackets.
fn is_fragment(text: &[u8]) -> bool {
    begins_with_region(text)
        || PHRASES.fragment.tells(text)
        || has_fields(text)
        || is_failed_import(text)
        || json::has_members(text)
        || text.trim_ascii_end().ends_with(b"\"]")
}

/// A row of `SHOW IMPORT JOBS`, whatever its message: the phase, then the state.
fn is_failed_import(text: &[u8]) -> bool {
    const PHASES: [&[u8]; 5] =
        [b"global-sorting", b"importing", b"validating", b"resolving-conflicts", b"collecting-conflicts"];
    let mut cells = text.split(|byte| *byte == b'|').map(<[u8]>::trim_ascii);
    cells.any(|cell| PHASES.contains(&cell)) && cells.next() == Some(b"failed")
}

/// `[region 94812] 94815 text`: a message of raft.
pub(crate) fn begins_with_region(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"[region ") else { return false };
    let digits = |text: &[u8]| text.iter().take(20).take_while(|byte| byte.is_ascii_digit()).count();
    let rest = &rest[digits(rest)..];
    rest.strip_prefix(b"] ").is_some_and(|rest| digits(rest) > 0 && rest[digits(rest)..].starts_with(b" "))
}

/// `] [region_id=94812]`, `"] ["safe point"=4`, however blanks and backslashes suffered.
fn has_fields(text: &[u8]) -> bool {
    memchr::memchr_iter(b']', text).any(|at| {
        let rest = &text[at + 1..];
        let gap = rest.iter().take(6).take_while(|byte| b" \t\\".contains(byte)).count();
        let Some(inner) = rest[gap..].strip_prefix(b"[") else { return false };
        let quoted = at > 0
            && (text[at - 1] == b'"' || text[..at].ends_with("\u{201d}".as_bytes()) || text[..at].ends_with(b"&quot;"));
        let key =
            inner.iter().take(48).take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.\\".contains(byte)).count();
        quoted || (key > 1 && inner.get(key) == Some(&b'='))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tools_print_behind_a_fence_or_not() {
        for (line, want) in [
            ("``` SQL state [HY000]; error code [1105]; nested exception is java.sql.SQLException: x", Kind::Panic),
            ("fatal: [10.0.1.11]: FAILED! => {\"msg\": \"the TiKV port 20160 is not up\"}", Kind::Console),
            ("[10.0.1.11]: Ansible UNREACHABLE! => playbook: start.yml; message: {}", Kind::Console),
            ("000123.sst is corrupted: Corruption: block checksum mismatch: x", Kind::Report),
            ("``` Debugger::scan_mvcc: Not Found \"x\"", Kind::Console),
        ] {
            assert_eq!(look(line.as_bytes()), Look::Start(want, 0), "{line}");
        }
        assert_eq!(look(b"```sql"), Look::Noise);
    }

    #[test]
    fn what_markdown_and_listings_make_of_lines() {
        let start = |kind| Look::Start(kind, 0);
        for (line, want) in [
            (r#"\[{"name":"task1","start_ts":1}\]"#, Look::Start(Kind::StatusJson, 1)),
            ("#1 <", start(Kind::StatusTask)),
            ("#1 < #2", Look::Other),
            ("2025-02-19 07:39:15   45012822 0650-ab.log", Look::Other),
            ("2025-02-19 07:39:15 tikv 45012822 keys", start(Kind::Foreign)),
        ] {
            assert_eq!(look(line.as_bytes()), want, "{line}");
        }
    }

    #[test]
    fn lines_of_every_kind() {
        let start = |kind| Look::Start(kind, 0);
        for (line, want) in [
            ("[2022/07/25 14:54:44.467 +00:00] [INFO] [a.rs:1] [x]", start(Kind::Clean)),
            ("> [2022/07/25 14:54:44.467 +00:00] [INFO] [a.rs:1] [x]", start(Kind::Header)),
            ("\\[2022/07/25 14:54:44.467 +00:00] \\[INFO] \\[a.rs:1]", start(Kind::Header)),
            ("[2022/07/25 14:54:44.467 +00:00][2][WARN] [db/column_family.cc:805] x", start(Kind::Header)),
            (r#"{"log":"[2022/07/25 14:54:44.467 +00:00] [INFO] x\n","stream":"stderr"}"#, start(Kind::Json)),
            ("{&quot;level&quot;:&quot;WARN&quot;,&quot;message&quot;:&quot;x&quot;}", start(Kind::Json)),
            (r#"[{"name":"task1","start_ts":1}]"#, start(Kind::StatusJson)),
            ("> #1 <", start(Kind::StatusTask)),
            ("cluster a/b, wait pipe message failed, errMsg Error: it is away", Look::Start(Kind::Console, 46)),
            ("cluster a/b, wait pipe message failed, errMsg panic: it broke", Look::Start(Kind::Panic, 46)),
            ("[info] pd2 is not etcd leader", start(Kind::Header)),
            ("Error: no such task", start(Kind::Console)),
            (">Error: no such task", start(Kind::Console)),
            (">=4.0.0", Look::Other),
            ("Error: store 1 at [10.0.1.11:20160](http://10.0.1.11:20160/): no such task", start(Kind::Console)),
            ("| 7 | s3://b/*.csv | `app`.`orders` | 104 | importing | failed   | 1GB | NULL | EOF |", Look::Fragment),
            ("| 7 | s3://b/*.csv | `app`.`orders` | 104 | importing | running  | 1GB | NULL |     |", Look::Other),
            ("ERROR 9005 (HY000) at line 7 in file: 'a.sql': Region is unavailable", start(Kind::Console)),
            ("ERROR: 1105 (HY000): rpc error", start(Kind::Console)),
            ("ERROR 1213: Deadlock found when trying to get lock", start(Kind::Console)),
            ("region: 94812, error: StringError(\"invalid conf_ver\")", start(Kind::Console)),
            ("region: 94812 is healthy", Look::Other),
            ("    Failed! [500] \"region has no leader\"", Look::Start(Kind::Console, 4)),
            ("thread 'raftstore-4' panicked 'clock' at \"../time.rs:276\"", start(Kind::Panic)),
            ("GC safepoint 433193092308795392 exceed TS 433177834291200000", Look::Fragment),
            ("err=\"pessimistic lock retry limit reached\"", Look::Fragment),
            ("    [\"Full backup summary:", Look::Start(Kind::Header, 4)),
            ("SQL Error [9005] [HY000]: Region is unavailable", start(Kind::Console)),
            ("Error Code: 9001. PD server timeout", start(Kind::Console)),
            ("SQL Error [1062] [23000]: Duplicate entry", Look::Other),
            ("ERROR 1064 (42000): You have an error in your SQL syntax", Look::Other),
            ("[CDC:ErrKafkaAsyncSendMessage]kafka: message was too large", Look::Fragment),
            ("\u{25CF} Total 1 Tasks. > #1 <    name: t1  status: \u{25CF} PAUSE", Look::Start(Kind::StatusTask, 19)),
            ("panic: runtime error", start(Kind::Panic)),
            ("thread 'main' panicked at 'x', a.rs:1", start(Kind::Panic)),
            ("2019/08/13 03:27:49.382 INFO mod.rs:26: text", start(Kind::Foreign)),
            ("Mar 14 16:55:03 localhost kernel: Out of memory: Kill process 1 (tidb-server)", start(Kind::Os)),
            ("[1203456.789012] Out of memory: Killed process 4242 (tikv-server)", start(Kind::Os)),
            (r#""download file failed"] [region="x"]"#, Look::Fragment),
            ("[root@tidb ~]# ls backup", Look::Noise),
            ("[root@tidb ~]# br log status", Look::Noise),
            ("[root@tidb ~]# br log status --pd=pd:2379", Look::Start(Kind::Command, 15)),
            ("> $ tiup br log status --pd pd:2379", start(Kind::Command)),
            ("br log status --pd pd:2379", start(Kind::Command)),
            ("    br log resume --task-name=task1 --pd pd:2379", Look::Other),
            ("$ grep ERROR tikv.log", Look::Noise),
            ("......", Look::Noise),
            ("\u{250c}\u{2500} Logs(a/b) \u{2500}\u{2510}", Look::Noise),
            ("\u{2514}\u{2500}TableFullScan_5", Look::Other),
            ("\u{2502} [2022/07/25 14:54:44.467 +00:00] [INFO] [a.rs:1] [x] \u{2502}", start(Kind::Header)),
            ("\u{2502}     \u{2502}", Look::Blank),
            ("| tikv_gc_safe_point | 20220725-14:46:50.118 +0000 |", Look::Start(Kind::SafePoint, 2)),
            ("Full restore <---/.....> 5.52%", Look::Noise),
            ("Full restore <---/.....> 5.52%panic: x", Look::Start(Kind::Panic, 30)),
            ("..........> 61.38%panic: x", Look::Start(Kind::Panic, 18)),
            ("`Error: no such task`", start(Kind::Console)),
            ("I0725 14:54:44.467123       9 backup.go:93] Error: no such task", start(Kind::Console)),
            ("`panic: x", start(Kind::Panic)),
            ("`Error: x` is what it says", Look::Other),
            ("error[E0277]: it does not hold", Look::Other),
            (
                "Full restore <.> 1%\rFull restore <--.> 9.1% {\"level\":\"warn\",\"msg\":\"x\"}",
                Look::Start(Kind::Json, 44),
            ),
            ("   ", Look::Blank),
            ("             at /rust/lib.rs:1", Look::Other),
            ("success", Look::Other),
            (r#"wait for next tick","category":"advancer","error":"unexpected"#, Look::Fragment),
            (r#"tick"",""category"":""advancer"",""error"":""unexpected"#, Look::Fragment),
            (r#"it says "a", "b" and "c": d"#, Look::Other),
            (r#"Info: {"sink-uri":"kafka://b","sort-dir":"","state":"normal"}"#, Look::Other),
            (r#"x":{"a":"b"},"error":"unexpected"}"#, Look::Fragment),
            ("failed to get the snapshot (region_id = 94812): it was merged", Look::Fragment),
            ("raft entry is too large, region 94812, entry size 8616655; execute over it", Look::Fragment),
            ("rpc error: code = Unavailable desc = error reading from server: EOF", Look::Fragment),
            ("[region 94812] 94815 leader missing", Look::Fragment),
            ("the region 94812 was merged", Look::Other),
            ("Error 9005: Region is unavailable", start(Kind::Console)),
            ("ALERT: mysql_drv_query() returned error 9005", start(Kind::Console)),
            ("java.sql.SQLException: Region is unavailable", start(Kind::Panic)),
            ("Exception in thread \"main\" java.sql.SQLException: Region is unavailable", start(Kind::Panic)),
            ("An Exception: this", Look::Other),
            ("### Cause: java.sql.SQLException: Region is unavailable", start(Kind::Panic)),
            ("no update; nested exception is java.sql.SQLException: Write conflict", start(Kind::Panic)),
            ("Cause: a slow disk", Look::Other),
            ("Poco::Exception. Code: 1000, e.code() = 0", start(Kind::Panic)),
            ("    Failed! [500] \"no leader\"", Look::Start(Kind::Console, 4)),
            ("Failed: 3, passed: 5", Look::Other),
            ("The data of `app`.`t` is not equal", start(Kind::Console)),
            ("The data of both tables is not equal", Look::Other),
            ("bin/tikv-server: error while loading shared libraries: libnuma.so.1: no", start(Kind::Console)),
            ("We saw an error while loading shared libraries: libnuma.so.1", Look::Other),
            ("scripts/run_tidb.sh: line 9: 28413 Killed     bin/tidb-server", start(Kind::Console)),
            ("scripts/run_tidb.sh: line 9: cd: logs: No such file", Look::Other),
            ("error: Found argument '--db' which wasn't expected", start(Kind::Console)),
        ] {
            assert_eq!(look(line.as_bytes()), want, "{line}");
        }
    }
}
