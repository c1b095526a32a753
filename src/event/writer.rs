//! What program wrote a record, as far as the record itself shows it.

use crate::record::{Kind, Record};
use crate::units::Component;

/// The component of a record that matched a rule of `component`, and whether the record itself shows what kind of program it is.
pub(super) fn of(record: &Record<'_>, component: Option<Component>) -> (Option<Component>, bool) {
    match record.kind {
        // What `br` puts on the terminal, whatever error of another component it passes on.
        Kind::StatusTask | Kind::StatusJson | Kind::Banner => (Some(Component::Br), true),
        Kind::Console if record.text.starts_with(b"Error: ") => (Some(Component::Br), true),
        Kind::SafePoint => (component, true),
        _ if record.caller.ends_with(b".rs") => (component.or(Some(Component::Tikv)), true),
        // A rule's component that cannot be right here was refused when it was matched.
        _ if record.caller.ends_with(b".go") => (component.filter(|component| component.is_in_go()), true),
        _ => (component, false),
    }
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::record::{Kind, Record};
    use crate::units::Component::{Br, Pd, Tidb, Tikv};

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
}
