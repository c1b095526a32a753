//! Names that millions of rows repeat, kept once.

use crate::event::Row;
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// Names of sources, rules, groups and roles.
#[derive(Debug, Default)]
pub struct Names(FxHashSet<Arc<str>>);

impl Names {
    /// The one copy of a name.
    pub(super) fn get(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return Arc::clone(known);
        }
        let name: Arc<str> = Arc::from(name);
        self.0.insert(Arc::clone(&name));
        name
    }

    /// Lets a row share its names with the others.
    pub(super) fn share(&mut self, row: &mut Row) {
        let mut share = |name: &mut Arc<str>| *name = self.get(name);
        match row {
            Row::Event(event) => {
                [&mut event.file, &mut event.rule, &mut event.group].into_iter().for_each(&mut share);
                event.facts.iter_mut().for_each(|fact| share(&mut fact.role));
            }
            Row::Source(source) => share(&mut source.file),
            Row::Unmatched(template) => share(&mut template.file),
        }
    }
}
