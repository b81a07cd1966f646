//! The integration tests, in one binary: the crate is large, and linking it once is quicker.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test that panics has failed, and says why"
)]

mod banding;
mod budget;
mod calibrate;
mod catalog;
mod common;
mod corpus;
mod engine;
mod evaluate;
mod evidence_map;
mod fuzz;
mod goldens;
mod grid_search;
mod images;
mod import;
mod program;
mod provenance;
mod published;
mod requirements;
mod rooms;
mod skipping;
#[path = "../fuzz/targets.rs"]
mod targets;
mod weights;
