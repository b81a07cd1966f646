//! Where in an image the evidence lies, for display on a page. All are plain objects, which a worker can post to its
//! page.

use js_sys::{Array, Float32Array, Object, Uint8Array};
use wasm_bindgen::prelude::*;

use super::errors::to_js;
use crate::{
    evidence::{
        color_scale::{CONTROL_SPAN, RATIO_SPAN, Scale},
        evidence_map::{self, CELL, EvidenceMap},
    },
    image::png::write_png,
    report::check_report::CheckReport,
};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = Object)]
    pub type Map;

    /// Pixels of a cell's side.
    #[wasm_bindgen(method, setter)]
    fn set_cell(this: &Map, pixels: u32);
    /// Cells in a row.
    #[wasm_bindgen(method, setter)]
    fn set_columns(this: &Map, cells: u32);
    /// `[left, top, width, height]` of the part that was checked, in pixels of the file.
    #[wasm_bindgen(method, setter)]
    fn set_placement(this: &Map, placement: &Array);
    #[wasm_bindgen(method, setter)]
    fn set_layers(this: &Map, layers: &Layers);
    #[wasm_bindgen(method, setter)]
    fn set_scales(this: &Map, scales: &Scales);

    /// The reconstructions, and maps.
    #[wasm_bindgen(extends = Object)]
    type Layers;

    #[wasm_bindgen(method, setter)]
    fn set_first(this: &Layers, layer: &Layer);
    #[wasm_bindgen(method, setter)]
    fn set_second(this: &Layers, layer: &Layer);
    #[wasm_bindgen(method, setter)]
    fn set_first_error(this: &Layers, layer: &Layer);
    #[wasm_bindgen(method, setter)]
    fn set_second_error(this: &Layers, layer: &Layer);
    #[wasm_bindgen(method, setter)]
    fn set_ratio(this: &Layers, layer: &Layer);
    /// Not of small images.
    #[wasm_bindgen(method, setter)]
    fn set_control(this: &Layers, layer: &Layer);

    #[wasm_bindgen(extends = Object)]
    type Layer;

    #[wasm_bindgen(method, setter)]
    fn set_png(this: &Layer, file: &Uint8Array);
    /// `[rows, columns]`, of maps.
    #[wasm_bindgen(method, setter)]
    fn set_values(this: &Layer, values: &Float32Array);

    /// Those of the maps.
    #[wasm_bindgen(extends = Object)]
    type Scales;

    #[wasm_bindgen(method, setter)]
    fn set_error(this: &Scales, scale: &LayerScale);
    #[wasm_bindgen(method, setter)]
    fn set_ratio(this: &Scales, scale: &LayerScale);
    #[wasm_bindgen(method, setter)]
    fn set_control(this: &Scales, scale: &LayerScale);

    #[wasm_bindgen(extends = Object)]
    type LayerScale;

    /// A PNG.
    #[wasm_bindgen(method, setter)]
    fn set_bar(this: &LayerScale, file: &Uint8Array);
    #[wasm_bindgen(method, setter)]
    fn set_low(this: &LayerScale, value: f32);
    #[wasm_bindgen(method, setter)]
    fn set_centre(this: &LayerScale, value: f32);
    #[wasm_bindgen(method, setter)]
    fn set_high(this: &LayerScale, value: f32);
}

pub fn evidence_map(map: &EvidenceMap, report: &CheckReport) -> Result<Map, JsValue> {
    let layer = |file: crate::Result<Vec<u8>>| -> Result<Layer, JsValue> {
        let layer: Layer = empty();
        layer.set_png(&Uint8Array::from(file.map_err(to_js)?.as_slice()));
        Ok(layer)
    };
    let picture = |rgb: &[u8]| layer(write_png(rgb, map.width, map.height));
    let layer_of = |scale: Scale, values: &[f32]| -> Result<Layer, JsValue> {
        let layer = layer(scale.map(values, map.columns))?;
        layer.set_values(&Float32Array::from(values));
        Ok(layer)
    };
    let with_bar = |scale: Scale| -> Result<LayerScale, JsValue> {
        let made: LayerScale = empty();
        made.set_bar(&Uint8Array::from(scale.bar().map_err(to_js)?.as_slice()));
        Ok(made)
    };
    let (high, centre) = (
        map.largest_error(),
        evidence_map::ratio_at_threshold(report.threshold, report.signal_kind, report.homogeneity),
    );
    let (errors, ratios) = (Scale::Error { high }, Scale::Ratio { centre });
    let layers: Layers = empty();
    layers.set_first(&picture(&map.reconstructions[0])?);
    layers.set_second(&picture(&map.reconstructions[1])?);
    layers.set_first_error(&layer_of(errors, &map.errors[0])?);
    layers.set_second_error(&layer_of(errors, &map.errors[1])?);
    layers.set_ratio(&layer_of(ratios, &map.ratios)?);
    let error_scale = with_bar(errors)?;
    error_scale.set_low(0.0);
    error_scale.set_high(high);
    let ratio_scale = with_bar(ratios)?;
    ratio_scale.set_low(centre / RATIO_SPAN);
    ratio_scale.set_centre(centre);
    ratio_scale.set_high(centre * RATIO_SPAN);
    let scales: Scales = empty();
    scales.set_error(&error_scale);
    scales.set_ratio(&ratio_scale);
    if let Some(control) = &map.control {
        let reach = CONTROL_SPAN * control.spread;
        let signals = Scale::Control { reach };
        layers.set_control(&layer_of(signals, &control.signals)?);
        let control_scale = with_bar(signals)?;
        control_scale.set_low(-reach);
        control_scale.set_centre(0.0);
        control_scale.set_high(reach);
        scales.set_control(&control_scale);
    }
    let made: Map = empty();
    made.set_cell(CELL as u32);
    made.set_columns(map.columns as u32);
    made.set_placement(&report.placement().into_iter().map(JsValue::from).collect());
    made.set_layers(&layers);
    made.set_scales(&scales);
    Ok(made)
}

/// An object whose properties are set afterwards, each before it is handed over.
fn empty<T: JsCast>() -> T {
    Object::new().unchecked_into()
}
