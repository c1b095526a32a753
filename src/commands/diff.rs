//! `tidescope diff`: what is new, gone, grown or shrunk between two report folders.

use super::write_to;
use crate::cli::{Diff as Args, DiffFormat};
use crate::outcome::Outcome;
use crate::report::diff::{Diff, Subject, Summary, Turn, compare};
use anyhow::Context;
use std::path::Path;

pub(super) fn run(args: &Args) -> anyhow::Result<Outcome> {
    let read = |folder: &Path| Summary::of(folder).with_context(|| folder.display().to_string());
    let (old, new) = (read(&args.old)?, read(&args.new)?);
    let (old_name, new_name) = (args.old.display().to_string(), args.new.display().to_string());
    let diff = Diff { old: (&old_name, &old), new: (&new_name, &new), changes: compare(&old, &new) };
    write_to(args.output.as_deref(), |out| {
        match args.format {
            DiffFormat::Text => diff.write_text(out),
            DiffFormat::Csv => diff.write_csv(out),
            DiffFormat::Html => diff.write_html(out),
        }?;
        Ok(())
    })?;
    let is_news = |least| {
        let mut incidents = diff.changes.iter().filter(|change| change.subject == Subject::Incident);
        incidents.any(|change| change.turn == Turn::New && change.is_open && change.severity >= Some(least))
    };
    Ok(if args.fail_on.is_some_and(is_news) { Outcome::Found } else { Outcome::Done })
}
