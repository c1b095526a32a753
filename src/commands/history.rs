//! `tidescope history`: what the nights have counted.

use super::print;
use crate::cli::{Counted, History, HistoryFormat};
use crate::nightly::{Question, history, state::Kind, state::State};
use crate::outcome::Outcome;
use anyhow::Context;

pub(super) fn run(args: &History) -> anyhow::Result<Outcome> {
    let state = State::look(&args.output)?.with_context(|| {
        format!("{} holds no state: give the `output` folder of `tidescope nightly`", args.output.display())
    })?;
    let by = args.by.map(|what| match what {
        Counted::Rule => Kind::Rule,
        Counted::Code => Kind::Code,
        Counted::Store => Kind::Store,
        Counted::Region => Kind::Region,
        Counted::Template => Kind::Template,
    });
    let csv = args.format == HistoryFormat::Csv;
    print(history(&state, &Question { by, name: args.name.clone(), nights: args.nights, csv })?.as_bytes())
}
