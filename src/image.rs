//! Images: bytes of a file → pixels ([`decode`], [`DecodedImage`]), what the file's format did to them ([`compression`]),
//! traces of JPEG's blocks in them ([`jpeg_grid`]), turning and mirroring ([`orientation`]), and writing PNG files ([`png`]).

pub mod compression;
mod container;
mod decode;
mod jpeg;
pub mod jpeg_grid;
mod limits;
pub mod orientation;
mod pixels;
pub mod png;
mod tiff;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use self::pixels::middle_start;
pub use self::{
    decode::{decode, recompressed},
    limits::{CROP_MULTIPLE, DecodeOptions},
    pixels::{DecodedImage, LeftOut, grey_from_rgb, level, value},
};
