//! What some tests need and not every machine has. A test that lacks it is skipped and says so on the terminal, past the
//! capture of cargo's tests, so that scripts/test.sh can count it; where `AEDR_REQUIRE` names it, the test fails.

use std::{
    collections::BTreeSet,
    env,
    io::{Write, stderr},
    sync::{LazyLock, Mutex},
    thread,
};

use aedr::engine::device::{ComputeDevice, DevicePreference};
use pollster::block_on;

/// Something that a machine may lack. The names are those of scripts/requirements.sh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// An adapter for wgpu; a software one counts.
    Gpu,
    /// One whose shaders know f16.
    F16,
    /// The reference data: weights, images and numbers of others, which cannot be passed on.
    Reference,
}

impl Requirement {
    /// How `AEDR_REQUIRE` calls it.
    fn name(self) -> &'static str {
        match self {
            Requirement::Gpu => "gpu",
            Requirement::F16 => "f16",
            Requirement::Reference => "reference",
        }
    }

    /// Tells that the running test, or a part of it, goes without this.
    ///
    /// # Panics
    /// If `AEDR_REQUIRE`, names separated by commas, has it.
    pub fn missing(self, why: &str) {
        let name = self.name();
        let required = env::var("AEDR_REQUIRE").unwrap_or_default();
        let is_required = required.split(',').any(|required| required.trim() == name);
        assert!(!is_required, "AEDR_REQUIRE names {name}, which this test lacks: {why}");
        // A test of many cases says it once.
        static SAID: LazyLock<Mutex<BTreeSet<(&str, String)>>> = LazyLock::new(Mutex::default);
        let test = thread::current().name().unwrap_or("a test").to_owned();
        if SAID.lock().unwrap().insert((name, test.clone())) {
            // Not `eprint!`, which is captured as long as a test passes.
            stderr().write_all(format!("SKIPPED without {name}: {test}: {why}\n").as_bytes()).unwrap();
        }
    }
}

/// The GPU, opened once: some drivers fail if two threads look for adapters at the same time. `None`: the test goes without.
pub fn gpu() -> Option<ComputeDevice> {
    static OPENED: LazyLock<Result<ComputeDevice, String>> =
        LazyLock::new(|| block_on(ComputeDevice::open(DevicePreference::Gpu)).map_err(|error| error.to_string()));
    OPENED.as_ref().map_err(|why| Requirement::Gpu.missing(why)).ok().cloned()
}
