//! What program wrote a record, as far as the record itself shows it.

use crate::record::{Kind, Record, is_klog};
use crate::search::AnyOf;
use crate::units::Component;
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// The component of a record that matched a rule of `component`, and whether the record itself shows what kind of program it is.
pub(super) fn of(record: &Record<'_>, component: Option<Component>) -> (Option<Component>, bool) {
    match record.kind {
        // What `br` puts on the terminal, whatever error of another component it passes on.
        Kind::StatusTask | Kind::StatusJson | Kind::Banner | Kind::Command => (Some(Component::Br), true),
        Kind::Console if record.text.starts_with(b"Error: ") => (of_code(&record.text).or(Some(Component::Br)), true),
        Kind::SafePoint | Kind::Store | Kind::Listed => (component, true),
        Kind::Os => (component, component == Some(Component::Os)),
        // What writes so is in Go: TiDB Operator, Kubernetes.
        Kind::Foreign if is_klog(&record.text) => (component, true),
        _ if record.writer.is_some() => (record.writer.as_ref().map(|writer| writer.component), true),
        Kind::Panic => (component.or_else(|| of_stack(&record.text)), false),
        _ if record.caller.ends_with(b".rs") => (component.or(Some(Component::Tikv)), true),
        // A rule's component that cannot be right here was refused when it was matched.
        _ if record.caller.ends_with(b".go") => {
            let known = component.filter(|component| component.is_in_go());
            (known.or_else(|| of_stack(&record.text)).or_else(|| of_code(&record.text)), true)
        }
        _ => {
            let quoted = of_code(&record.text);
            (component.or(quoted), quoted.is_some())
        }
    }
}

/// The program whose own errors have the code that a record quotes: no other one hands those of TiCDC on.
fn of_code(text: &[u8]) -> Option<Component> {
    static CODE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("[CDC:Err"));
    CODE.find(text).map(|_| Component::Cdc)
}

/// The program whose functions stand in the stack of a panic. PD's client is part of other programs too.
fn of_stack(text: &[u8]) -> Option<Component> {
    const FUNCTIONS: [(&[u8], Component); 19] = [
        (b"tidb-server/main.go", Component::Tidb),
        (b"/br/cmd/br/", Component::Br),
        (b"/br/pkg/restore", Component::Br),
        (b"/br/pkg/backup", Component::Br),
        (b"/br/pkg/task.", Component::Br),
        (b"/br/pkg/stream.", Component::Br),
        (b"/cmd/tidb-lightning/", Component::Br),
        (b"/cmd/pd-server/", Component::Pd),
        (b"logutil.LogPanic", Component::Pd),
        (b"/pd/pkg/schedule", Component::Pd),
        (b"/pd/server.", Component::Pd),
        (b"/pd/server/", Component::Pd),
        (b"/pd/v4/server", Component::Pd),
        // Who moves the checkpoint is a TiDB.
        (b"streamhelper.(*CheckpointAdvancer)", Component::Tidb),
        // Statements run in a TiDB, which may have been cut off below.
        (b"/tidb/server.", Component::Tidb),
        (b"/tidb/pkg/server.", Component::Tidb),
        (b"/planner/core.", Component::Tidb),
        (b"/tidb/executor.", Component::Tidb),
        (b"/tidb/pkg/executor.", Component::Tidb),
    ];
    static WORDS: LazyLock<AnyOf> = LazyLock::new(|| AnyOf::new(&FUNCTIONS.map(|(name, _)| name)));
    let first = WORDS.each(text).map(|found| found.pattern().as_usize()).min();
    first.map(|at| FUNCTIONS[at].1)
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::record::{Kind, Record};
    use crate::units::Component::{Br, Cdc, Pd, Tidb, Tikv};

    #[test]
    fn the_source_file_or_the_form_shows_it() {
        let record = |caller: &str, kind| {
            let text = format!("[2022/07/25 14:54:44.467 +00:00] [WARN] [{caller}:1] [x]");
            let text = if kind == Kind::Console { "Error: x".to_owned() } else { text };
            Record::read(Box::leak(text.into_boxed_str()).as_bytes(), kind)
        };
        for (caller, kind, rule, want) in [
            ("a.rs", Kind::Clean, None, (Some(Tikv), true)),
            ("a.go", Kind::Clean, None, (None, true)),
            ("a.go", Kind::Clean, Some(Pd), (Some(Pd), true)),
            ("a", Kind::Clean, Some(Tidb), (Some(Tidb), false)),
            ("", Kind::Console, Some(Tikv), (Some(Br), true)),
        ] {
            assert_eq!(of(&record(caller, kind), rule), want, "{caller} {kind:?}");
        }
    }

    #[test]
    fn a_code_shows_it() {
        let error = "[CDC:ErrReachMaxTry]reach maximum try: 6";
        for (text, kind, want) in [
            (format!("Error: {error}"), Kind::Console, (Some(Cdc), true)),
            (
                format!("[2022/07/25 14:54:44.467 +00:00] [WARN] [a.go:1] [x] [error=\"{error}\"]"),
                Kind::Clean,
                (Some(Cdc), true),
            ),
            (error.to_owned(), Kind::Fragment, (Some(Cdc), true)),
        ] {
            assert_eq!(of(&Record::read(text.as_bytes(), kind), None), want, "{text}");
        }
    }

    #[test]
    fn a_stack_shows_it() {
        for (frame, want) in [
            ("main.runRestoreCommand(0x1)\n\t/src/tidb/br/cmd/br/restore.go:80 +0x739", Some(Br)),
            (
                "github.com/pingcap/tidb/br/pkg/task.RunBackup()\n\t/src/a.go:1\nmain.main()\n\t/src/cmd/tidb-server/main.go:7",
                Some(Tidb),
            ),
            ("main.main()\n\t/src/main.go:3", None),
            ("github.com/pingcap/tidb/pkg/executor.(*X).Next(0x1)\n\t/src/a.go:1", Some(Tidb)),
            ("github.com/tikv/pd/server.(*Handler).Get(0x1)\n\t/src/a.go:1", Some(Pd)),
            ("github.com/tikv/pd/client.(*client).Get(0x1)\n\t/src/a.go:1", None),
        ] {
            let text = format!("panic: x\n\ngoroutine 1 [running]:\n{frame}");
            assert_eq!(of(&Record::read(text.as_bytes(), Kind::Panic), None).0, want, "{frame}");
        }
        for (function, want) in [("pkg/utils/logutil.LogPanic", Some(Pd)), ("client.(*client).GetStore", None)] {
            let text = format!(
                "[2022/07/25 14:54:44.467 +00:00] [FATAL] [log.go:87] [panic] [recover={{}}] [stack=\"github.com/tikv/pd/{function}\\n\\t/a.go:7\"]"
            );
            assert_eq!(of(&Record::clean(text.as_bytes()), None), (want, true), "{function}");
        }
    }
}
