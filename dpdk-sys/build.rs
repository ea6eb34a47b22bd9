//! Finds DPDK with pkg-config, compiles the C files and generates the bindings.
//!
//! The compiler flags come from pkg-config alone: DPDK's inline functions and struct layouts depend
//! on `rte_config.h` and on `-march`, and both must be the ones that the installed libraries were
//! built with.

use std::{env, path::PathBuf, process::Command};

/// The oldest release that is tested; its ethdev names (`RTE_ETH_*`) are the ones that `shim.c`
/// uses.
const OLDEST_DPDK: &str = "22.11";

/// The libraries of the functions below, sorted. The rest of DPDK is not linked; the EAL loads
/// drivers from its plugin directory.
const LIBRARIES: &[&str] = &[
    "rte_eal",
    "rte_ethdev",
    "rte_hash",
    "rte_mbuf",
    "rte_mempool",
    "rte_pdump",
    "rte_ring",
    "rte_telemetry",
];

/// The libraries that later releases have split from `rte_eal`, sorted. They are linked where
/// pkg-config names them: `rte_log` since DPDK 23.11.
const SPLIT_FROM_EAL: &[&str] = &["rte_log"];

/// Every exported DPDK function that is called, sorted. The right column names the caller in crate
/// `dpdk`.
const FUNCTIONS: &[&str] = &[
    "quirks_.*",                              // quirks.h lists them; quirks/, tests/quirks.rs
    "rte_eal_alarm_set",                      // quirks/interrupt.rs: submit
    "rte_eal_cleanup",                        // eal.rs: Drop of Eal
    "rte_eal_init",                           // eal.rs: Eal::init
    "rte_eal_process_type",                   // eal.rs: Eal::process_type
    "rte_eal_remote_launch",                  // lcore.rs: LcoreScope::launch
    "rte_eal_wait_lcore",                     // lcore.rs: end of Eal::scope
    "rte_eth_dev_adjust_nb_rx_tx_desc",       // port/configure.rs
    "rte_eth_dev_close",                      // port/mod.rs: Drop of Port
    "rte_eth_dev_set_vlan_offload",           // port/configure.rs
    "rte_eth_dev_start",                      // port/mod.rs: Port::start
    "rte_eth_dev_stop",                       // port/mod.rs: Port::stop
    "rte_eth_find_next_owned_by",             // eal.rs: Eal::ports
    "rte_eth_from_rings",                     // test_support.rs: RingPort::new
    "rte_eth_promiscuous_enable",             // port/mod.rs: Port::start
    "rte_eth_rx_queue_setup",                 // port/configure.rs
    "rte_eth_stats_get",                      // port/mod.rs: Port::stats
    "rte_eth_stats_reset",                    // port/mod.rs: Port::reset_stats
    "rte_eth_tx_queue_setup",                 // port/configure.rs
    "rte_free",                               // hash/words.rs: Drop of Words
    "rte_get_main_lcore",                     // eal.rs: Eal::main_lcore
    "rte_get_next_lcore",                     // eal.rs: Eal::lcores
    "rte_get_tsc_hz",                         // clock.rs: tsc_hz
    "rte_hash_add_key",                       // hash/mod.rs: RteHash::add
    "rte_hash_add_key_with_hash",             // hash/mod.rs: RteHash::add_with_hash
    "rte_hash_count",                         // hash/mod.rs: RteHash::count
    "rte_hash_del_key",                       // hash/mod.rs: RteHash::del
    "rte_hash_del_key_with_hash",             // hash/mod.rs: RteHash::del_with_hash
    "rte_hash_free",                          // hash/mod.rs: Drop of RteHash
    "rte_hash_get_key_with_position",         // hash/mod.rs: RteHash::key_at
    "rte_hash_hash",                          // hash/mod.rs: RteHash::hash
    "rte_hash_iterate",                       // hash/mod.rs: RteHash::iterate
    "rte_hash_lookup",                        // hash/mod.rs: RteHash::lookup
    "rte_hash_lookup_with_hash",              // hash/mod.rs: RteHash::lookup_with_hash
    "rte_hash_lookup_with_hash_bulk",         // hash/mod.rs: RteHash::lookup_bulk_with_hash
    "rte_hash_max_key_id",                    // hash/mod.rs: RteHash::max_key_id
    "rte_lcore_to_socket_id",                 // eal.rs: Eal::socket_of
    "rte_log_get_level",                      // log.rs: Hush
    "rte_log_register",                       // log.rs: Hush::driver
    "rte_log_set_level",                      // log.rs: Hush
    "rte_mempool_avail_count",                // mempool.rs: Mempool::available
    "rte_pdump_init",                         // eal.rs: Eal::allow_capture
    "rte_pdump_uninit",                       // eal.rs: Drop of Eal
    "rte_ring_create",                        // test_support.rs: RingPort::new
    "rte_strerror",                           // error.rs: Display of Error
    "rte_swx_table_learner_add",              // learner.rs: Learner::add_burst
    "rte_swx_table_learner_create",           // learner.rs: Learner::new
    "rte_swx_table_learner_delete",           // learner.rs: Learner::delete_burst
    "rte_swx_table_learner_footprint_get",    // learner.rs: Learner::new
    "rte_swx_table_learner_free",             // learner.rs: Drop of Learner
    "rte_swx_table_learner_lookup",           // learner.rs: Learner::each
    "rte_swx_table_learner_mailbox_size_get", // learner.rs: Learner::new
    "rte_swx_table_learner_rearm",            // learner.rs: Learner::refresh_burst
    "rte_tel_data_add_array_string",          // telemetry/encode.rs: fill
    "rte_tel_data_add_dict_container",        // telemetry/encode.rs: fill
    "rte_tel_data_add_dict_string",           // telemetry/encode.rs: fill
    "rte_tel_data_alloc",                     // telemetry/encode.rs: Container::new
    "rte_tel_data_free",                      // telemetry/encode.rs: Drop of Container
    "rte_tel_data_start_dict",                // telemetry/encode.rs: fill
    "rte_telemetry_register_cmd",             // telemetry/mod.rs: Eal::serve_telemetry
    "rte_zmalloc_socket",                     // hash/words.rs: Words::new
    "shim_.*",                                // shim.h and layout.h list them; crate dpdk, tests/layout.rs
];

/// The types of their parameters, sorted. bindgen follows no references, which would bring in every
/// type that rte_mbuf and rte_ring refer to. A type that is missing here and in `src/lib.rs` does
/// not compile.
const TYPES: &[&str] = &[
    "hash_sig_t",                   // hash/mod.rs: hashes are 32 bits
    "lcore_function_t",             // lcore.rs: run_job
    "rte_eal_alarm_callback",       // quirks/interrupt.rs: run_job
    "rte_eth_stats",                // port/mod.rs: Port::stats
    "rte_proc_type_t",              // eal.rs: Eal::process_type
    "rte_swx_hash_func_t",          // learner.rs: the default one
    "rte_swx_table_learner_params", // learner.rs: Learner::new
    "shim_.*",                      // shim.h and layout.h list them; crate dpdk, tests/layout.rs
    "telemetry_cb",                 // telemetry/mod.rs: run_answer
];

/// Constants, sorted.
const CONSTANTS: &[&str] = &[
    "QUIRKS_.*",            // tests/quirks.rs
    "RTE_EAL_PMD_PATH",     // eal.rs: plugin_directory
    "RTE_LOG_CRIT",         // log.rs: Hush
    "RTE_LOG_NOTICE",       // log.rs: test
    "RTE_MAX_ETHPORTS",     // eal.rs: Eal::ports; tests/layout.rs
    "RTE_MAX_LCORE",        // eal.rs: Eal::lcores; ids.rs: LcoreId::current
    "RTE_PKTMBUF_HEADROOM", // mempool.rs: MempoolConfig::data_room
    "RTE_VER_MONTH",        // eal.rs: RELEASE
    "RTE_VER_YEAR",         // eal.rs: RELEASE
];

fn main() {
    let sources = ["layout.c", "quirks.c", "shim.c"];
    for file in sources.iter().chain(&["build.rs", "layout.h", "quirks.h", "shim.h", "wrapper.h"]) {
        println!("cargo:rerun-if-changed={file}");
    }
    let library = pkg_config::Config::new()
        .atleast_version(OLDEST_DPDK)
        .cargo_metadata(false)
        .probe("libdpdk")
        .unwrap_or_else(|error| {
            panic!(
                "DPDK {OLDEST_DPDK} or later is needed. On Debian and Ubuntu: apt-get install libdpdk-dev \
                 pkg-config libclang-dev. pkg-config said:\n{error}"
            )
        });
    for path in &library.link_paths {
        println!("cargo:rustc-link-search=native={}", path.display());
    }

    let flags = cflags();
    let mut shim = cc::Build::new();
    shim.files(sources).warnings(true).extra_warnings(true).opt_level(3);
    for flag in &flags {
        shim.flag(flag);
    }
    shim.compile("flowtracker_dpdk_shim");
    // After the C files, so that a linker that reads its inputs once finds the symbols that they
    // refer to.
    let split = SPLIT_FROM_EAL.iter().filter(|&&name| library.libs.iter().any(|lib| lib == name));
    for name in LIBRARIES.iter().chain(split) {
        println!("cargo:rustc-link-lib=dylib={name}");
    }
    if env::var_os("CARGO_FEATURE_NET_RING").is_some() {
        println!("cargo:rustc-link-lib=dylib=rte_net_ring");
    }
    if env::var_os("CARGO_FEATURE_TABLE").is_some() {
        println!("cargo:rustc-link-lib=dylib=rte_table");
    }

    generate_bindings(&flags);
}

/// Returns the flags of `pkg-config --cflags libdpdk` in their order, because `-include
/// rte_config.h` is a pair.
///
/// The `pkg_config` crate returns include paths and defines only, so the program is run here.
fn cflags() -> Vec<String> {
    let program = env::var("PKG_CONFIG").unwrap_or_else(|_| "pkg-config".to_owned());
    let output = Command::new(&program)
        .args(["--cflags", "libdpdk"])
        .output()
        .unwrap_or_else(|error| panic!("cannot run {program}: {error}"));
    assert!(output.status.success(), "{program} --cflags libdpdk failed");
    String::from_utf8(output.stdout)
        .expect("pkg-config prints UTF-8")
        .split_whitespace()
        .map(str::to_owned)
        .collect()
}

/// Writes the bindings of the lists above to `OUT_DIR`.
fn generate_bindings(flags: &[String]) {
    for list in [FUNCTIONS, TYPES, CONSTANTS, LIBRARIES, SPLIT_FROM_EAL] {
        assert!(list.is_sorted(), "the lists in build.rs are kept sorted");
    }
    let mut builder = bindgen::Builder::default()
        .header("wrapper.h")
        .clang_args(flags)
        .default_enum_style(bindgen::EnumVariation::Consts)
        .prepend_enum_name(false)
        .layout_tests(true)
        .allowlist_recursively(false)
        .generate_comments(false)
        .use_core()
        .wrap_unsafe_ops(true);
    for name in FUNCTIONS {
        builder = builder.allowlist_function(name);
    }
    for name in TYPES {
        builder = builder.allowlist_type(name);
    }
    for name in CONSTANTS {
        builder = builder.allowlist_var(name);
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("bindings.rs");
    builder.generate().expect("bindgen reads wrapper.h").write_to_file(out).expect("OUT_DIR is writable");
}
