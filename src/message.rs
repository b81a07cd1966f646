//! What a check has to say in words: the module's own text is English; the code and the values let others phrase it in
//! their language.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One thing that a person should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
// The package's types have always called it so.
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "Remark"))]
pub struct Message {
    /// Stable across versions.
    pub code: String,
    /// One plain sentence, in English.
    pub message: String,
    /// The numbers in it, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<BTreeMap<String, u64>>"))]
    pub values: BTreeMap<String, u64>,
}

impl Message {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Message { code: code.into(), message: message.into(), values: BTreeMap::new() }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<u64>) -> Self {
        self.values.insert(name.into(), value.into());
        self
    }
}
