//! The errors of the crate, each with what to do about it.

use std::io;

/// What can go wrong before there is anything to report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder cannot be opened, listed or read.
    #[error("cannot read {path}: {}", without_number(source))]
    Read {
        /// As given or found.
        path: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// A glob that matches nothing, or is none.
    #[error("nothing matches {pattern}")]
    NoMatch {
        /// As given.
        pattern: String,
    },
}

impl Error {
    /// The reason alone, for a place that names the path already.
    pub fn reason(&self) -> String {
        match self {
            Self::Read { source, .. } => without_number(source),
            Self::NoMatch { .. } => "nothing matches".into(),
        }
    }

    /// What to do about it, where there is something to do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Read { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => Some("check the path; a relative path starts at the current folder"),
                io::ErrorKind::PermissionDenied => Some("run as a user who may read it, or copy it first"),
                _ => None,
            },
            Self::NoMatch { .. } => Some("check the pattern: * stays within a folder name, ** crosses folders"),
        }
    }
}

/// The text of an error without the number that only programmers want: `Permission denied`.
pub(crate) fn without_number(error: &io::Error) -> String {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_named_with_its_reason_and_a_hint() {
        let error = Error::Read { path: "a.log".into(), source: io::Error::from_raw_os_error(libc::ENOENT) };
        assert_eq!(error.to_string(), "cannot read a.log: No such file or directory");
        assert_eq!(error.reason(), "No such file or directory");
        assert!(error.hint().is_some_and(|hint| hint.starts_with("check the path")));
    }
}
