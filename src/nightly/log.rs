//! The log of the run itself, on standard error: a line of text or a JSON object for each thing that happens.

use crate::safe::Safe;
use crate::units::Timestamp;
use serde_json::{Map, Value};
use std::fmt::Write as _;
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

/// Names of files and texts of errors may hold secrets.
const SAFE: Safe = Safe::new(true);

/// The log.
#[derive(Debug, Clone, Copy)]
pub struct Log {
    /// Whether lines are JSON.
    pub json: bool,
    /// Whether only warnings and errors are written.
    pub quiet: bool,
}

impl Log {
    /// Something went as it should.
    pub(super) fn info(self, message: &str, fields: &[(&str, Value)]) {
        if !self.quiet {
            self.write("INFO", message, fields);
        }
    }

    /// Somebody should know.
    pub fn warn(self, message: &str, fields: &[(&str, Value)]) {
        self.write("WARN", message, fields);
    }

    /// The run failed.
    pub fn error(self, message: &str, fields: &[(&str, Value)]) {
        self.write("ERROR", message, fields);
    }

    fn write(self, level: &str, message: &str, fields: &[(&str, Value)]) {
        let line = if self.json { json(level, message, fields) } else { text(level, message, fields) };
        // Who closed standard error does not want to know.
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    }
}

/// The computer's clock.
pub(super) fn clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn text(level: &str, message: &str, fields: &[(&str, Value)]) -> String {
    let mut line = format!("{} {level} {message}", clock());
    for (key, value) in fields {
        let _ = match value {
            Value::String(text) if text.contains([' ', '"', '=']) => write!(line, " {key}={text:?}"),
            Value::String(text) => write!(line, " {key}={text}"),
            value => write!(line, " {key}={value}"),
        };
    }
    // One line, whatever a file is called.
    format!("{}\n", &*SAFE.line(&line))
}

fn json(level: &str, message: &str, fields: &[(&str, Value)]) -> String {
    let mut object = Map::new();
    object.insert("time".into(), clock().to_string().into());
    object.insert("level".into(), level.into());
    object.insert("message".into(), (*SAFE.line(message)).into());
    for (key, value) in fields {
        let value = match value {
            Value::String(text) => (*SAFE.line(text)).into(),
            value => value.clone(),
        };
        object.insert((*key).into(), value);
    }
    format!("{}\n", Value::Object(object))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_lines() {
        let fields = [("file", Value::from("a b\n\u{1b}[31m.log")), ("bytes", Value::from(7))];
        let line = text("INFO", "read", &fields);
        assert!(line.ends_with("bytes=7\n") && line.matches('\n').count() == 1 && !line.contains('\u{1b}'), "{line}");
        let object: Value = serde_json::from_str(&json("WARN", "read", &fields)).unwrap();
        assert_eq!((&object["level"], &object["bytes"]), (&Value::from("WARN"), &Value::from(7)));
    }
}
