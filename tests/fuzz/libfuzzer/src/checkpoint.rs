#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| flowtracker_fuzz::checkpoint::target(data));
