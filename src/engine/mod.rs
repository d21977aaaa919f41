//! The engine: brings each host of a project to its wanted state, or says what that would change.

mod files;
mod gate;
mod mask;
mod progress;
mod state;

pub use gate::Refusal;
pub use state::Settings;
