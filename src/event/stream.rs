//! Events in order, as often as somebody needs them, wherever they are kept.

use super::Event;

/// All events of a run, each once, in the order of `Event::order`. May be read several times; memory stays bounded.
pub trait EventStream: Sync {
    /// Hands every event to `each`, in order.
    ///
    /// # Errors
    /// Where a temporary file cannot be read back.
    fn for_each(&self, each: &mut dyn FnMut(&Event)) -> std::io::Result<()>;
}

impl EventStream for Vec<Event> {
    fn for_each(&self, each: &mut dyn FnMut(&Event)) -> std::io::Result<()> {
        self.iter().for_each(each);
        Ok(())
    }
}
