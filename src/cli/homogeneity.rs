//! `aedr homogeneity`: each image's homogeneity.

use std::path::PathBuf;

use aedr::{Result, method::homogeneity::homogeneity};

use super::{
    console::{print_error, print_line},
    files::decode_file,
};

/// False if an image could not be decoded.
pub fn run(images: &[PathBuf]) -> Result<bool> {
    let mut all = true;
    for path in images {
        let value = decode_file(path).and_then(|image| homogeneity(&image.grey, image.width as usize));
        all &= match value {
            Ok(value) => print_line(format_args!("{}\t{value:.6}", path.display())),
            Err(error) => {
                print_error(&path.display().to_string(), &error);
                false
            }
        };
    }
    Ok(all)
}
