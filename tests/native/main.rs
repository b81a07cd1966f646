//! The integration tests, in one binary: the crate is large, and linking it once is quicker.

mod banding;
mod common;
mod engine;
mod goldens;
mod images;
mod program;
mod published;
mod weights;
