//! The field's own quantities: identifiers, timestamps, levels. They know nothing of files or rules.

mod component;
mod fact_kind;
mod ids;
mod level;
mod severity;
mod time;
mod tso;

pub use component::Component;
pub use fact_kind::FactKind;
pub use ids::{PeerId, RegionId, StoreId};
pub use level::Level;
pub use severity::Severity;
pub(crate) use time::{MONTHS, parse_naive, parse_offset};
pub use time::{Timestamp, hms};
pub use tso::Tso;
