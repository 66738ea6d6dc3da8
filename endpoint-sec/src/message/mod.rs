//! Messages.
mod view;
pub use view::{MessageView, Outcome};
