//! What others publish: which architecture a file is for, and the names its tensors have here.

mod config;
mod names;

pub use config::architecture_from_diffusers;
pub(crate) use config::from_shapes;
pub(crate) use names::canonical_name;
