//! What others publish: which architecture a file is for, the names its tensors have here, and what it looks like if
//! it is for none.

mod config;
mod names;
mod shapes;

pub use config::architecture_from_diffusers;
pub(crate) use names::{Naming, Part};
pub(crate) use shapes::{Shapes, compare, from_shapes};
