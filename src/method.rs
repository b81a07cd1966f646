//! The method: an image is reconstructed twice ([`reconstruction`]), and the two losses and its homogeneity give the
//! signal ([`signal`]). What the autoencoder is comes from [`crate::weights`]; what a signal says, from
//! [`crate::evidence`].

#[cfg(not(target_arch = "wasm32"))]
pub mod bit_search;
pub mod distance;
pub mod homogeneity;
pub mod input;
pub mod orientation_control;
pub mod reconstruction;
pub mod signal;
