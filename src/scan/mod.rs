//! All sources to events, in parallel. Small and large files, one thread or many, give the same events.

mod about;
mod clock;
mod context;
mod engine;
mod head;
mod part;
mod seek;
mod start;
mod stream;
mod template;
mod window;

pub use about::About;
pub(crate) use engine::zones;
pub use engine::{Context, Outcome, Progress, Settings, scan};
pub use start::{Mark, Start};
pub use window::Window;
