//! Progress, reported to a JavaScript function.

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::timeline::Timeline;
use crate::method::reconstruction::{Progress, Stage};

/// `function(fraction, stage)` gives (a promise of) whether to continue.
pub struct Callback {
    function: Function,
    thrown: Option<JsValue>,
    timeline: Timeline,
}

impl Callback {
    pub fn new(function: Function) -> Self {
        Callback { function, thrown: None, timeline: Timeline::new() }
    }

    /// Ends the last stage; gives what the function threw.
    pub fn end(self) -> Option<JsValue> {
        self.thrown
    }

    async fn call(&self, fraction: f64, stage: Stage) -> Result<bool, JsValue> {
        let answer = self.function.call2(&JsValue::NULL, &fraction.into(), &stage.name().into())?;
        let answer = match answer.dyn_into::<Promise>() {
            Ok(promise) => JsFuture::from(promise).await?,
            Err(value) => value,
        };
        Ok(answer.as_bool() != Some(false))
    }
}

impl Progress for Callback {
    async fn report(&mut self, fraction: f64, stage: Stage) -> bool {
        self.timeline.reach(stage);
        match self.call(fraction, stage).await {
            Ok(go_on) => go_on,
            Err(thrown) => {
                self.thrown = Some(thrown);
                false
            }
        }
    }
}
