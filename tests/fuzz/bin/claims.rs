#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| aedr_fuzz::provenance(bytes));
