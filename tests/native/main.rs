//! The integration tests, in one binary: the crate is large, and linking it once is quicker. They stand in
//! folders named like the rooms that they test.

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

mod cli {
    mod calibrate;
    mod evaluate;
    mod program;
}
mod common;
mod corpus;
mod engine {
    mod banding;
    mod kernels;
}
mod evidence {
    mod control;
    mod evidence_map;
    mod grid_search;
    mod regions;
}
mod fuzz;
mod image {
    mod decoding;
}
mod method {
    mod bit_search;
    mod goldens;
    mod orientation;
}
mod provenance;
mod requirements;
mod rooms;
mod skipping;
#[path = "../fuzz/targets.rs"]
mod targets;
mod weights {
    mod catalog;
    mod import;
    mod packs;
    mod published;
}
