//! A test that lacks what it needs is seen to be skipped, or fails where `AEDR_REQUIRE` says so. Each case runs one test of
//! this binary in a process of its own, which lacks it on purpose.

use std::{env, process::Command};

use crate::common::repository;

/// Whether the test passed, and all that it wrote.
fn run(test: &str, required: &str, environment: &[(&str, &str)]) -> (bool, String) {
    let output = Command::new(env::current_exe().unwrap())
        .args([test, "--exact"])
        .env("AEDR_REQUIRE", required)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    assert!(text.contains("running 1 test"), "{test} is not there: {text}");
    (output.status.success(), text)
}

fn assert_visible(name: &str, test: &str, environment: &[(&str, &str)]) {
    for required in ["", "another"] {
        let (passed, text) = run(test, required, environment);
        let skipped = text.lines().filter(|line| line.contains(&format!("SKIPPED without {name}: {test}: "))).count();
        assert!(passed && skipped == 1, "{name}, with AEDR_REQUIRE={required}: {text}");
    }
    for required in [name, &format!("another, {name}")] {
        let (passed, text) = run(test, required, environment);
        assert!(!passed && text.contains(&format!("AEDR_REQUIRE names {name}")), "AEDR_REQUIRE={required}: {text}");
    }
}

#[test]
fn tests_without_the_reference_data() {
    let nowhere = repository("tests/native/nowhere").display().to_string();
    assert_visible("reference", "weights::published::published_homogeneities_follow", &[("AEDR_REFERENCE", &nowhere)]);
}

/// A test that asks several times says it once. Elsewhere than on Linux drivers cannot be hidden so.
#[test]
#[cfg(target_os = "linux")]
fn tests_without_a_gpu() {
    // Where the loaders of Vulkan and of EGL look for drivers.
    let hidden =
        ["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "__EGL_VENDOR_LIBRARY_FILENAMES"].map(|name| (name, "/dev/null"));
    assert_visible("gpu", "engine::kernels::squared_differences", &hidden);
}
