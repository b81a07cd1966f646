//! What signals say: measured samples of them ([`density`], [`condition`], [`calibration`]), the outcome for one model
//! ([`verdict`]) and for several ([`ranking`]), what the
//! orientation control says without an image of the generator ([`control`]), the search for the grid ([`grid_search`]), where in the image the
//! evidence lies ([`evidence_map`], [`regions`]), and how often all of that is right ([`evaluation`]).

pub mod calibration;
pub mod color_scale;
pub mod condition;
pub mod control;
pub mod density;
pub mod evaluation;
pub mod evidence_map;
pub mod grid_search;
#[cfg(not(target_arch = "wasm32"))]
pub mod image_edits;
pub mod ranking;
pub mod regions;
#[cfg(not(target_arch = "wasm32"))]
pub mod synthetic_positives;
pub mod verdict;
