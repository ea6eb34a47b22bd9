use super::*;
use crate::start::options::{REPLAY, Switch};
use conntrack::Protocols;
use conntrack::shard::Tracked;

fn line(args: &str) -> Result<CommandLine, clap::Error> {
    parse(args.split(' ').map(OsString::from))
}

#[test]
fn eal_arguments_and_options_are_kept_apart() {
    let line =
        line("prog -l 0,1 --vdev net_null0 -- --id lab --protocols udp,tcp --permissions 3de6").unwrap();
    assert_eq!(line.eal, ["-l", "0,1", "--vdev", "net_null0"]);
    assert_eq!(line.options.id.as_deref(), Some("lab"));
    assert_eq!(line.options.protocols, Protocols::TcpUdp);
    assert_eq!(line.options.permissions, 0x3de6);
    assert_eq!(line.options.timer_profiles, [30_000, 60_000, 90_000, 120_000]);
}

#[test]
fn each_family_is_tracked_unless_told_otherwise() {
    for (args, families) in [
        ("prog --", Tracked::Both),
        ("prog -- --families ipv6,ipv4", Tracked::Both),
        ("prog -- --families ipv4", Tracked::Ipv4),
        ("prog -- --families=ipv6", Tracked::Ipv6),
    ] {
        assert_eq!(line(args).unwrap().options.families, families, "{args}");
    }
    let options = line("prog --").unwrap().options;
    assert_eq!((options.permissions, options.permissions_ipv6), (0x3dfc, 0x3de4));
    assert_eq!((options.capacity, options.capacity_ipv6), (1_048_576, None));
}

#[test]
fn keys_are_verified_with_a_word_or_without() {
    for (args, verify) in [
        ("prog --", Switch::Off),
        ("prog -- --verify-keys", Switch::On),
        ("prog -- --verify-keys --id lab", Switch::On),
        ("prog -- --verify-keys=on", Switch::On),
        ("prog -- --verify-keys=off", Switch::Off),
    ] {
        assert_eq!(line(args).unwrap().options.verify_keys, verify, "{args}");
    }
    assert_eq!(with_file("verify-keys = true", "").unwrap().options.verify_keys, Switch::On);
    assert_eq!(
        with_file("verify-keys = true", "--verify-keys=off").unwrap().options.verify_keys,
        Switch::Off
    );
}

#[test]
fn an_action_is_the_first_argument_or_none() {
    let action = |args: &str| {
        let mut args: Vec<OsString> = args.split(' ').map(OsString::from).collect();
        (take_action(&mut args), args.len())
    };
    assert_eq!(action("prog doctor -l 0"), (Action::Doctor, 3));
    assert_eq!(action("prog replay a.pcap"), (Action::Replay, 2));
    assert_eq!(action("prog health"), (Action::Health, 1));
    assert_eq!(action("prog -l 0 -- --id doctor"), (Action::Run, 6));
    assert_eq!(action("prog --man"), (Action::Manual, 1));
    assert_eq!(action("prog"), (Action::Run, 1));
}

fn replay_line(args: &str) -> Result<ReplayLine, clap::Error> {
    parse_replay(args.split(' ').map(OsString::from))
}

#[test]
fn a_replay_has_a_file_and_the_options_that_need_no_ports() {
    let line = replay_line("prog a.pcap").unwrap();
    assert_eq!((line.capture.to_str(), line.drain), (Some("a.pcap"), false));
    assert_eq!(line.line.options.id.as_deref(), Some("replay"));
    let line = replay_line("prog --drain --id=lab a.pcap --protocols tcp,udp").unwrap();
    assert!(line.drain);
    assert_eq!(line.line.options.id.as_deref(), Some("lab"));
    assert_eq!(line.line.options.protocols, Protocols::TcpUdp);

    // Every option belongs to one of the two kinds.
    for option in Options::command().get_opts() {
        let long = option.get_long().unwrap();
        let value = match long {
            "forward" | "untracked" => "drop",
            "hash" => "crc",
            "instructions" => "portable",
            "protocols" => "tcp",
            "accounting" | "verify-keys" => "off",
            "families" => "ipv6",
            "rss" => "l4",
            "config" => continue,
            _ => "64",
        };
        match replay_line(&format!("prog a.pcap --{long}={value}")) {
            Ok(_) => assert!(REPLAY.contains(&long), "{long}"),
            Err(error) => {
                assert!(!REPLAY.contains(&long), "{long}: {error}");
                assert!(one_line(&error).starts_with(&format!("--{long} means nothing to a replay")));
                assert_eq!(error.exit_code(), 2);
            }
        }
    }
}

#[test]
fn only_a_replay_drains() {
    assert!(line("prog -- --drain").unwrap_err().to_string().contains("--drain"));
    assert!(with_file("drain = true", "").unwrap_err().contains("unknown key `drain`"));
}

#[test]
fn a_replay_takes_the_file_of_a_data_plane_with_ports() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ft.toml");
    std::fs::write(&path, "control = \"unix:/run/x\"\nburst = 8\nid = \"lab\"\ncapacity = 64\n").unwrap();
    let line = replay_line(&format!("prog --config {} a.pcap --capacity=65", path.display())).unwrap();
    assert_eq!(line.line.options.id.as_deref(), Some("lab"));
    assert_eq!(line.line.options.capacity, 65);
}

#[test]
fn the_help_of_a_replay_shows_what_it_takes() {
    let help = replay_line("prog --help").unwrap_err().to_string();
    for long in REPLAY.iter().chain(&["drain"]) {
        assert!(help.contains(&format!("--{long}")), "{long}: {help}");
    }
    assert!(!help.contains("--rxq") && !help.contains("EAL"), "{help}");
    assert!(line("prog --help").unwrap_err().to_string().contains("replay FILE"));
}

#[test]
fn a_second_double_dash_is_ours_to_refuse() {
    assert!(line("prog -- -- x").is_err());
}

#[test]
fn a_forgotten_double_dash_is_pointed_out() {
    for args in ["--id lab", "-l 0 --capacity=5"] {
        let error = line(&format!("prog {args}")).expect_err(args);
        assert!(error.to_string().contains("behind `--`"), "{error}");
        assert_eq!(error.exit_code(), 2);
    }
}

#[test]
fn bad_options_are_named() {
    for (args, flag) in [
        ("--capacity 0", "--capacity"),
        ("--capacity many", "--capacity"),
        ("--capacity-ipv6 0", "--capacity-ipv6"),
        ("--families ipv5", "--families"),
        ("--families=", "--families"),
        ("--families ipv4,ipv4", "--families"),
        ("--permissions-ipv6 xyz", "--permissions-ipv6"),
        ("--verify-keys=maybe", "--verify-keys"),
        ("--protocols icmp", "--protocols"),
        ("--forward back", "--forward"),
        ("--untracked maybe", "--untracked"),
        ("--hash md5", "--hash"),
        ("--instructions avx", "--instructions"),
        ("--timer-profiles 1,x", "--timer-profiles"),
        ("--permissions 0xzz", "--permissions"),
        ("--accounting 1", "--accounting"),
        ("--burst 257", "--burst"),
        ("--burst 0", "--burst"),
        ("--rxq 0", "--rxq"),
        ("--mbufs 1", "--mbufs"),
        ("--no-such-flag", "--no-such-flag"),
    ] {
        let error = line(&format!("prog -l 0 -- {args}")).expect_err(args);
        assert!(error.to_string().contains(flag), "{args}: {error}");
        assert_eq!(error.exit_code(), 2, "{args}");
    }
}

/// Parses `prog -- --config FILE options`, where FILE contains `text`.
fn with_file(text: &str, options: &str) -> Result<CommandLine, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ft.toml");
    std::fs::write(&path, text).unwrap();
    line(format!("prog -- --config {} {options}", path.display()).trim_end())
        .map_err(|error| one_line(&error).replace(path.to_str().unwrap(), "FILE"))
}

#[test]
fn a_file_gives_what_the_flags_do_not() {
    let text = "capacity = 64\nburst = 8\nprotocols = [\"tcp\", \"udp\"]\naccounting = false\n";
    let line = with_file(text, "--burst 16").unwrap();
    assert_eq!((line.options.capacity, line.options.burst), (64, 16));
    assert_eq!((line.options.protocols, line.options.accounting), (Protocols::TcpUdp, Switch::Off));
    assert_eq!(line.options.rxd, 1024, "what neither says is the default");
    let kept: Vec<_> = line.file.unwrap().settings.into_iter().map(|setting| setting.key).collect();
    assert_eq!(kept, ["capacity", "protocols", "accounting"]);
}

#[test]
fn the_example_of_the_guide_is_a_good_file() {
    let guide = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guide.md"));
    let example = guide.split("```").find_map(|block| block.strip_prefix("toml\n")).expect("an example");
    let line = with_file(example, "").unwrap();
    crate::start::config::Config::new(&line).unwrap();
    assert_eq!(line.file.unwrap().settings.len(), 7);
}

#[test]
fn a_flag_that_repeats_the_default_wins_too() {
    let line = with_file("capacity = 64\ntimer-profiles = [5]\n", "--capacity=1048576").unwrap();
    assert_eq!(line.options.capacity, 1_048_576);
    assert_eq!(line.options.timer_profiles, [5]);
}

#[test]
fn every_option_but_config_is_a_key() {
    for option in Options::command().get_opts() {
        let key = option.get_long().unwrap();
        let error = with_file(&format!("{key} = 1.5"), "").unwrap_err();
        let told = if key == "config" { "unknown key `config`" } else { "cannot be of type float" };
        assert!(error.contains(told), "{key}: {error}");
    }
}

#[test]
fn a_bad_value_of_a_file_is_told_like_that_of_a_flag() {
    for (text, told) in [
        (
            "id = \"a\"\nburst = 257",
            "--config FILE: line 2: invalid value '257' for '--burst <N>': 257 is not in 1..=256",
        ),
        ("rxd = -1", "line 1: invalid value '-1' for '--rxd <N>'"),
        ("forward = \"back\"", "invalid value 'back' for '--forward <MODE>' [possible values: pair, drop]"),
        ("accounting = \"1\"", "invalid value '1' for '--accounting <on|off>'"),
        ("protocols = [\"icmp\"]", "invalid value 'icmp' for '--protocols <LIST>'"),
        ("timer-profiles = [1, \"x\"]", "invalid value 'x' for '--timer-profiles <MS,MS,…>'"),
        ("permissions = -1", "for '--permissions <HEX>'"),
        ("families = [\"ipv4\", \"arp\"]", "invalid value 'ipv4,arp' for '--families <LIST>'"),
        ("verify-keys = 1", "invalid value '1' for '--verify-keys[=<on|off>]'"),
    ] {
        let error = with_file(text, "").expect_err(text);
        assert!(error.contains(told), "{text}: {error}");
        assert!(!error.contains('\n'), "{error}");
    }
    // Whether a file is wrong does not depend on the flags.
    assert!(with_file("burst = 257", "--burst 1").unwrap_err().contains("line 1"));
}

#[test]
fn an_error_is_one_line() {
    for (args, told) in [
        ("-- --burst 0", "invalid value '0' for '--burst <N>': 0 is not in 1..=256"),
        ("-- --no-such-flag", "unexpected argument '--no-such-flag' found"),
        ("-- --burts 5", "unexpected argument '--burts' found; tip: a similar argument exists: '--burst'"),
        ("-- --hash md5", "invalid value 'md5' for '--hash <NAME>' [possible values: keyed, crc, jhash]"),
        ("-- --id", "a value is required for '--id <NAME>' but none was supplied"),
        ("-- --burst 1 --burst 2", "the argument '--burst <N>' cannot be used multiple times"),
        ("--id lab", "--id is an option of flowtracker: put it behind `--`, which ends the EAL arguments"),
    ] {
        assert_eq!(one_line(&line(&format!("prog {args}")).expect_err(args)), told);
    }
}
