//! The integration tests, in one binary: the crate is large, and linking it once is quicker.

mod banding;
mod budget;
mod catalog;
mod common;
mod engine;
mod goldens;
mod images;
mod import;
mod program;
mod published;
mod weights;
