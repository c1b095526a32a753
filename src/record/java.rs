//! What logback, log4j and Spark put behind the time: `[main] WARN  org.tikv.raw.RawKVClient - text`, `ERROR DAGIterator: text`.

use crate::units::Level;

/// A record behind its time.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Java<'t> {
    pub(super) level: Level,
    /// The class that wrote it, without its package.
    pub(super) class: &'t [u8],
    pub(super) message: &'t [u8],
}

/// Longest thread or class that is looked at.
const LONGEST: usize = 160;

/// The form of logback and log4j: thread before or behind the level, a class with its package, a dash.
pub(super) fn logback(text: &[u8]) -> Option<Java<'_>> {
    let (level, rest) = level(without_brackets(text))?;
    let (class, rest) = class(without_brackets(rest))?;
    let message = without_brackets(rest).strip_prefix(b"- ")?;
    class.contains(&b'.').then(|| Java { level, class: last(class), message })
}

/// Spark's form.
pub(super) fn spark(text: &[u8]) -> Option<Java<'_>> {
    let (level, rest) = level(text)?;
    let (class, rest) = class(rest)?;
    let message = rest.strip_prefix(b": ")?;
    class.first()?.is_ascii_uppercase().then(|| Java { level, class: last(class), message })
}

/// What follows a thread in brackets, or empty ones, if there are any.
fn without_brackets(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii_start();
    let end = text.strip_prefix(b"[").and_then(|rest| rest.iter().take(LONGEST).position(|byte| *byte == b']'));
    end.map_or(text, |end| text[end + 2..].trim_ascii_start())
}

fn level(text: &[u8]) -> Option<(Level, &[u8])> {
    let text = text.trim_ascii_start();
    let end = text.iter().take(9).position(|byte| *byte == b' ')?;
    let word = Some(&text[..end]).filter(|word| word.iter().all(u8::is_ascii_uppercase))?;
    Some((Level::parse(word)?, text[end..].trim_ascii_start()))
}

fn class(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"._$".contains(byte);
    let end = text.iter().take(LONGEST).take_while(|byte| is_name(byte)).count();
    (end > 0).then(|| text.split_at(end))
}

fn last(class: &[u8]) -> &[u8] {
    class.rsplit(|byte| *byte == b'.').next().unwrap_or(class)
}

#[cfg(test)]
mod tests {
    use super::{Java, logback, spark};
    use crate::units::Level;

    #[test]
    fn records_of_java() {
        let java = |level, class: &'static str, message: &'static str| {
            Some(Java { level, class: class.as_bytes(), message: message.as_bytes() })
        };
        for (text, want) in [
            (" [w-3] WARN  org.tikv.raw.RawKVClient - it failed", java(Level::Warn, "RawKVClient", "it failed")),
            (" WARN [main] org.tikv.PDClient - x", java(Level::Warn, "PDClient", "x")),
            (" INFO  org.tikv.cdc.CDCClient      [] - a - b", java(Level::Info, "CDCClient", "a - b")),
            (" WARN  it is slow - x", None),
            (" WARN  org.tikv.PDClient: x", None),
            (" INFO mod.rs:26: it started", None),
        ] {
            assert_eq!(logback(text.as_bytes()), want, "{text}");
        }
        assert_eq!(spark(b" ERROR DAGIterator: it failed"), java(Level::Error, "DAGIterator", "it failed"));
        assert!(
            [&b" ERROR it failed: x"[..], b" Error DAGIterator: x", b" ERROR dag: x"]
                .map(spark)
                .iter()
                .all(Option::is_none)
        );
    }
}
