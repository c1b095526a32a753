//! Events in order, as often as somebody needs them, wherever they are kept.

use super::Event;

/// All events of a run, each once, in the order of `Event::order`. May be read several times; memory stays bounded.
pub trait EventStream: Sync {
    /// Hands all events to `each`, in order, some thousands at a time.
    ///
    /// # Errors
    /// Where a temporary file cannot be read back.
    fn for_each_batch(&self, each: &mut dyn FnMut(&[&Event])) -> std::io::Result<()>;

    /// Whether secrets were replaced when the events were made, so that nobody needs to look for them again.
    fn is_redacted(&self) -> bool {
        false
    }

    /// Hands every event to `each`, in order.
    ///
    /// # Errors
    /// Where a temporary file cannot be read back.
    fn for_each(&self, each: &mut dyn FnMut(&Event)) -> std::io::Result<()> {
        self.for_each_batch(&mut |batch| batch.iter().for_each(|event| each(event)))
    }
}

/// Events of a batch, about.
pub(super) const BATCH: usize = 8192;

impl EventStream for Vec<Event> {
    fn for_each_batch(&self, each: &mut dyn FnMut(&[&Event])) -> std::io::Result<()> {
        for chunk in self.chunks(BATCH) {
            each(&chunk.iter().collect::<Vec<_>>());
        }
        Ok(())
    }
}
