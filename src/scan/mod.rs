//! All sources to events, in parallel. Small and large files, one thread or many, give the same events.

mod about;
mod clock;
mod context;
mod engine;
mod gather;
mod head;
mod part;
mod seek;
mod settings;
mod spool;
mod start;
mod stream;
mod template;
mod window;

pub use about::About;
pub use engine::scan;
pub(crate) use gather::zones;
pub use settings::{Context, Outcome, Progress, Settings};
pub use start::{Mark, Start};
pub use window::Window;
