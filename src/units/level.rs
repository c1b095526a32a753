//! The level a component gave its record. Not the severity: BR logs its failures at INFO.

use serde::{Deserialize, Serialize};

/// Level of a record, normalised over all components and versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// Finest detail.
    Trace,
    /// Detail for developers.
    Debug,
    /// Normal operation.
    Info,
    /// Something unexpected.
    Warn,
    /// Something failed.
    Error,
    /// The process gives up. Also DPANIC, PANIC and CRITICAL.
    Fatal,
}

impl Level {
    /// Reads a level word in any spelling that a component or a log viewer writes.
    pub fn parse(word: &[u8]) -> Option<Self> {
        let mut upper = [0u8; 11];
        let word = word.get(..word.len().min(12))?;
        let upper = upper.get_mut(..word.len())?;
        upper.copy_from_slice(word);
        upper.make_ascii_uppercase();
        Some(match &*upper {
            b"TRACE" | b"TRCE" => Self::Trace,
            b"DEBUG" | b"DEBG" => Self::Debug,
            b"INFO" | b"INFORMATION" | b"NOTICE" => Self::Info,
            b"WARN" | b"WARNING" => Self::Warn,
            b"ERROR" | b"ERRO" => Self::Error,
            b"FATAL" | b"CRITICAL" | b"CRIT" | b"PANIC" | b"DPANIC" => Self::Fatal,
            _ => return None,
        })
    }

    /// The word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
        }
    }

    /// WARN and worse: the records that the level gate lets through.
    pub const fn is_high(self) -> bool {
        matches!(self, Self::Warn | Self::Error | Self::Fatal)
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Level;

    #[test]
    fn every_spelling_is_normalised() {
        for (word, level) in [
            ("WARN", Level::Warn),
            ("warning", Level::Warn),
            ("ERRO", Level::Error),
            ("CRITICAL", Level::Fatal),
            ("DPANIC", Level::Fatal),
            ("Information", Level::Info),
        ] {
            assert_eq!(Level::parse(word.as_bytes()), Some(level), "{word}");
        }
        assert_eq!(Level::parse(b"INFORMATIVE"), None);
        assert_eq!(Level::parse(b"INFORMATIONS"), None);
        assert_eq!(Level::parse(b""), None);
    }
}
