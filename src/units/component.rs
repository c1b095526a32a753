//! The programs whose logs are read.

use serde::{Deserialize, Serialize};

/// The program that wrote a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Component {
    /// Storage node.
    Tikv,
    /// Backup & Restore, `br`.
    Br,
    /// SQL node; runs the checkpoint advancer.
    Tidb,
    /// Placement driver.
    Pd,
    /// Columnar storage node.
    Tiflash,
    /// Change data capture.
    Cdc,
    /// The operating system: kernel, systemd.
    Os,
}

impl Component {
    /// The word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tikv => "tikv",
            Self::Br => "br",
            Self::Tidb => "tidb",
            Self::Pd => "pd",
            Self::Tiflash => "tiflash",
            Self::Cdc => "cdc",
            Self::Os => "os",
        }
    }

    /// How prose calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tikv => "TiKV",
            Self::Br => "BR",
            Self::Tidb => "TiDB",
            Self::Pd => "PD",
            Self::Tiflash => "TiFlash",
            Self::Cdc => "TiCDC",
            Self::Os => "the system",
        }
    }

    /// What a word of a name or a table's cell stands for: `tikv`, `TiKV`, `ticdc`.
    pub fn of_word(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "tikv" | "rocksdb" | "raftdb" => Self::Tikv,
            "tidb" => Self::Tidb,
            "pd" => Self::Pd,
            "tiflash" => Self::Tiflash,
            "br" | "brbackup" | "brrestore" => Self::Br,
            "cdc" | "ticdc" => Self::Cdc,
            "dmesg" | "messages" | "syslog" | "kern" | "journal" => Self::Os,
            _ => return None,
        })
    }

    /// Whether an instance of it is a store, with a store id.
    pub const fn is_store(self) -> bool {
        matches!(self, Self::Tikv | Self::Tiflash)
    }

    /// Whether it is written in Go; the source files of its records end with `.go`.
    pub const fn is_in_go(self) -> bool {
        matches!(self, Self::Br | Self::Tidb | Self::Pd | Self::Cdc)
    }
}

impl std::fmt::Display for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
