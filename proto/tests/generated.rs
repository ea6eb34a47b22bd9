//! Law: the committed generated code is what the `.proto` files give today.
#![expect(clippy::print_stderr, reason = "a test that says how to cure its own failure")]

use std::path::{Path, PathBuf};

const PROTOS: [&str; 4] = [
    "flowtracker/v1/entry.proto",
    "flowtracker/v1/event.proto",
    "flowtracker/v1/flowtracker.proto",
    "flowtracker/v1/link.proto",
];

fn generate(out: &Path) {
    use prost::Message as _;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let descriptors = protox::compile(PROTOS.map(|p| root.join(p)), [root]).expect("the protos compile");
    let encoded = descriptors.encode_to_vec();
    std::fs::write(out.join("flowtracker.v1.bin"), &encoded).expect("write descriptor set");

    tonic_prost_build::configure()
        .out_dir(out)
        .compile_well_known_types(true)
        .extern_path(".google.protobuf.Timestamp", "crate::Timestamp")
        .compile_fds(descriptors)
        .expect("messages and services");
    pbjson_build::Builder::new()
        .register_descriptors(&encoded)
        .expect("descriptors")
        .out_dir(out)
        .build(&[".flowtracker.v1"])
        .expect("JSON mapping");
}

#[test]
fn committed_code_is_current() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/generated");
    let update = std::env::var_os("UPDATE_GENERATED").is_some();
    let fresh =
        if update { committed.clone() } else { PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("generated") };
    std::fs::create_dir_all(&fresh).expect("create output directory");
    generate(&fresh);
    if update {
        eprintln!("wrote {}", fresh.display());
        return;
    }
    for name in ["flowtracker.v1.rs", "flowtracker.v1.serde.rs", "flowtracker.v1.bin"] {
        let old = std::fs::read(committed.join(name)).expect("committed file");
        let new = std::fs::read(fresh.join(name)).expect("generated file");
        assert!(
            old == new,
            "{name} is stale: run `UPDATE_GENERATED=1 cargo test -p flowtracker-proto --test generated`"
        );
    }
}
