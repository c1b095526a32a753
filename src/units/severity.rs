//! How bad an event is for the cluster and its backup: set by a rule, not by the log level.

use serde::{Deserialize, Serialize};

/// Severity, from harmless to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Part of the story, nothing wrong.
    Info,
    /// Worth knowing.
    Notice,
    /// May become a failure.
    Warning,
    /// Something failed.
    Error,
    /// A task, a store or data is lost, or about to be.
    Critical,
}

impl Severity {
    /// The word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Severity {
    type Err = String;
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Ok(match word {
            "info" => Self::Info,
            "notice" => Self::Notice,
            "warning" => Self::Warning,
            "error" => Self::Error,
            "critical" => Self::Critical,
            _ => {
                return Err(format!("`{word}` is no severity: use info, notice, warning, error or critical"));
            }
        })
    }
}
