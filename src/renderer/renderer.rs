//! The report's picture: the page draws it as an SVG, and it is rendered here, because some browsers falsify a canvas when
//! it is read.

use std::sync::Arc;

use resvg::{
    render,
    tiny_skia::{Pixmap, Transform},
    usvg::{Options, Tree, fontdb::Database},
};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen::prelude::*;

/// Larger pictures are not drawn: the report's has a tenth of this.
const MOST_PIXELS: u64 = 50_000_000;

/// Fonts, and what is drawn with them.
#[derive(Debug, Default)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub struct Renderer(Database);

#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
impl Renderer {
    /// Without fonts, texts are left out.
    #[cfg_attr(target_arch = "wasm32", wasm_bindgen(constructor))]
    pub fn new() -> Renderer {
        Renderer::default()
    }

    /// Adds the bytes of a TrueType or OpenType file; what is none is passed over.
    pub fn add_font(&mut self, bytes: Vec<u8>) {
        self.0.load_font_data(bytes);
    }

    /// A PNG of an SVG at its own size. `family` is that of text which names none that is here.
    ///
    /// # Errors
    /// What is wrong with the drawing, in words.
    pub fn render(self, svg: &str, family: &str) -> Result<Vec<u8>, String> {
        let options = Options { fontdb: Arc::new(self.0), font_family: family.into(), ..Options::default() };
        let tree = Tree::from_str(svg, &options).map_err(|error| error.to_string())?;
        let size = tree.size().to_int_size();
        let (width, height) = (size.width(), size.height());
        if u64::from(width).saturating_mul(height.into()) > MOST_PIXELS {
            return Err(format!("{width} × {height} pixels are too many"));
        }
        let mut pixmap = Pixmap::new(width, height).ok_or_else(|| format!("{width} × {height} pixels are too many"))?;
        render(&tree, Transform::identity(), &mut pixmap.as_mut());
        pixmap.encode_png().map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawings_become_pictures_of_their_size_and_others_are_refused() {
        let svg =
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="3" height="2"><path d="M0 0h3v2H0z" fill="red"/></svg>"#;
        let made = Renderer::new().render(svg, "Inter").unwrap();
        let pixmap = Pixmap::decode_png(&made).unwrap();
        assert_eq!((pixmap.width(), pixmap.height()), (3, 2));
        assert!(pixmap.pixels().iter().all(|pixel| (pixel.red(), pixel.green(), pixel.alpha()) == (255, 0, 255)));
        assert!(Renderer::new().render("<svg", "Inter").is_err());
    }
}
