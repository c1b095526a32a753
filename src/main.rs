//! The command: parse, run, exit status.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = tidescope::cli::Cli::parse();
    tidescope::input::guard_mapped_reads();
    match tidescope::commands::run(&cli) {
        Ok(outcome) => ExitCode::from(outcome.code()),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::from(tidescope::Outcome::Unusable.code())
        }
    }
}

#[allow(clippy::print_stderr, reason = "the last word of a failed run")]
fn complain(error: &anyhow::Error) {
    eprintln!("tidescope: {}", &*tidescope::safe::Safe::new(true).text(&format!("{error:#}")));
}

/// A reader that went away, such as `head`, is no failure.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}
