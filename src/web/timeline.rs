//! The stages of checks on the worker's performance timeline, where browsers' profilers show them: `aedr:encode_first` and
//! so on.

use wasm_bindgen::JsCast;
use web_sys::{Performance, WorkerGlobalScope};

use crate::method::reconstruction::Stage;

/// The stages of a check. The last ends when this is dropped.
pub struct Timeline {
    /// None where there is no worker: Node runs the module, too.
    performance: Option<Performance>,
    stage: Option<Stage>,
}

impl Timeline {
    pub fn new() -> Self {
        let scope = js_sys::global().dyn_into::<WorkerGlobalScope>().ok();
        Timeline { performance: scope.and_then(|scope| scope.performance()), stage: None }
    }

    /// Ends the previous stage, if this is another.
    pub fn reach(&mut self, stage: Stage) {
        if self.stage != Some(stage) {
            self.end();
            self.stage = Some(stage);
            if let Some(performance) = &self.performance {
                // A name that cannot be marked is not shown.
                let _ = performance.mark(&entry(stage));
            }
        }
    }

    fn end(&mut self) {
        let (Some(performance), Some(stage)) = (&self.performance, self.stage.take()) else { return };
        let name = entry(stage);
        // Entries stay until they are cleared. Only the last one of each stage is kept.
        performance.clear_measures_with_measure_name(&name);
        let _ = performance.measure_with_start_mark(&name, &name);
        performance.clear_marks_with_mark_name(&name);
    }
}

impl Drop for Timeline {
    fn drop(&mut self) {
        self.end();
    }
}

fn entry(stage: Stage) -> String {
    format!("aedr:{}", stage.name())
}
