//! The integration tests, in one binary: the crate is large, and linking it once is quicker.

mod banding;
mod budget;
mod calibrate;
mod catalog;
mod common;
mod corpus;
mod engine;
mod evaluate;
mod fuzz;
mod goldens;
mod images;
mod import;
mod local;
mod program;
mod provenance;
mod published;
mod scan;
#[path = "../fuzz/targets.rs"]
mod targets;
mod weights;
