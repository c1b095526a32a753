//! The files that a config names. What the nights themselves have written is no log.

use super::config::Config;
use crate::input::{self, Discovery};
use std::path::{Path, PathBuf, absolute};

/// Finds the files behind some of the config's inputs.
pub(super) fn find(config: &Config, patterns: &[String]) -> Discovery {
    // A store may work on the same machine, and need the memory.
    let mut found = input::discover(patterns, &input::Options { leave_no_trace: true, ..input::Options::default() });
    let own = own(config);
    let is_own = |name: &str| {
        let path = absolute(Path::new(name)).unwrap_or_default();
        own.iter().any(|own| path.starts_with(own))
    };
    found.inputs.retain(|input| !is_own(input.name()));
    found.problems.retain(|problem| !is_own(&problem.file));
    found
}

/// The output folder, by its name and by what that is a link to, and the files beside it.
fn own(config: &Config) -> Vec<PathBuf> {
    let metrics = config.metrics.iter().map(|metrics| &metrics.file);
    let files = metrics.chain(&config.mail).chain([&config.output, &config.file]);
    files.flat_map(|path| [absolute(path).ok(), path.canonicalize().ok()]).flatten().collect()
}
