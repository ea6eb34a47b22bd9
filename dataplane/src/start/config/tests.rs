use super::*;
use crate::start::cli;
use crate::start::options::shell_word;
use clap::CommandFactory as _;

fn config(options: &str) -> Result<Config, ConfigError> {
    let args = ["prog", "--"].into_iter().chain(options.split_whitespace()).map(Into::into);
    Config::new(&cli::parse(args).expect("the flags parse"))
}

#[test]
fn bad_values_are_named() {
    for (options, flag) in [
        ("--timer-profiles 5,5", "timer-profiles"),
        ("--timer-profiles 0", "timer-profiles"),
        ("--learn-profile 4", "learn-profile"),
        ("--learn-profile 99", "learn-profile"),
        ("--permissions 0x4000", "permissions"),
        ("--permissions-ipv6 0x4000", "permissions-ipv6"),
        ("--control ftp://x", "control"),
        ("--control unix:", "control"),
        ("--control 127.0.0.1:50051", "control"),
        ("--control http://127.0.0.1:99999", "control"),
        ("--id=", "id"),
    ] {
        let error = config(options).expect_err(options);
        assert_eq!(error.flag, flag, "{options}");
        assert!(error.to_string().starts_with(&format!("--{flag}: ")), "{error}");
    }
}

#[test]
fn options_of_tls_are_checked_by_a_start_that_dials() {
    let link = |options: &str| {
        let args = ["prog", "--"].into_iter().chain(options.split_whitespace()).map(Into::into);
        let line = cli::parse(args).expect("the flags parse");
        Config::with_link(&line).and_then(|config| config.check_files(&line))
    };
    for (options, why) in [
        (
            "--control-ca /x",
            "--control-ca: means nothing to http://127.0.0.1:50051: TLS needs --control https://",
        ),
        ("--control unix:/x --control-key /x", "--control-key: means nothing to unix:/x"),
        ("--control https://box:1 --control-ca /gone", "--control-ca: /gone: No such file"),
        ("--control https://box:1 --control-ca /dev/null", "--control-ca: /dev/null holds no certificate"),
        ("--control https://box:1 --control-cert /gone", "--control-key: the key of /gone is needed"),
        ("--control https://box:1 --control-key /gone", "--control-cert: the certificate of /gone is needed"),
        ("--control https://box:1 --control-server-name a..b", "--control-server-name: \"a..b\" is neither"),
    ] {
        let error = link(options).expect_err(options).to_string();
        assert!(error.starts_with(why), "{options}: {error}");
        // A replay dials nobody, and may be given the same file.
        assert!(config(options).is_ok(), "{options}");
    }
    assert_eq!(link("--control https://box:1"), Ok(()));
}

#[test]
fn a_checkpoint_needs_a_folder_that_exists() {
    let folder = tempfile::tempdir().unwrap();
    let checked =
        |path: &Path| config(&format!("--checkpoint {}", path.display())).unwrap().check_checkpoint();
    assert_eq!(checked(&folder.path().join("file")), Ok(()));
    assert_eq!(checked(Path::new("file")), Ok(()), "the folder of the process");
    let refused = |path: &Path| checked(path).unwrap_err().to_string();
    let gone = folder.path().join("gone/file");
    assert!(refused(&gone).starts_with("--checkpoint: "), "{}", refused(&gone));
    assert!(refused(&gone).ends_with("/gone: No such file or directory (os error 2)"), "{}", refused(&gone));
    assert!(refused(folder.path()).ends_with(" is no file"), "{}", refused(folder.path()));
}

#[test]
fn two_starts_have_two_secrets() {
    let (a, b) = (config("").unwrap(), config("").unwrap());
    assert!(a.secrets.ipv4 != b.secrets.ipv4 && a.secrets.ipv6 != b.secrets.ipv6);
    assert_ne!(a.instance, b.instance);
    // Neither secret reveals the other.
    assert!(!a.secrets.ipv6.windows(32).any(|part| part == a.secrets.ipv4));
    assert!(!a.id().is_empty());
    for shown in [a.to_string(), format!("{a:?}")] {
        assert!(!shown.contains(&format!("{:?}", a.secrets.ipv4)[1..20]), "{shown}");
    }
}

#[test]
fn the_table_of_ipv6_has_settings_of_its_own_and_shares_the_others() {
    let both = config("--capacity 99 --timer-profiles 7,5 --learn-profile 1").unwrap();
    let [v4, v6] = Family::ALL.map(|family| both.tracker(family));
    assert_eq!(Family::ALL.map(|family| both.capacity(family)), [99, 99]);
    assert_eq!((v4.permissions.bits(), v6.permissions.bits()), (0x3dfc, 0x3de4));
    assert_eq!((v4.profiles, v4.learn_profile), (v6.profiles, v6.learn_profile));
    assert!(both.to_string().contains("--capacity-ipv6=99"), "the effective value is shown");
    let own = config("--capacity 99 --capacity-ipv6 5 --permissions-ipv6 0x3fff").unwrap();
    assert_eq!(Family::ALL.map(|family| own.capacity(family)), [99, 5]);
    assert_eq!(own.tracker(Family::Ipv6).permissions.bits(), 0x3fff);
}

/// A table that is off takes the least memory, and its capacity is not looked at.
#[test]
fn shards_of_a_family_that_is_off_are_the_least() {
    let shares = |options: &str| Family::ALL.map(|family| config(options).unwrap().shares(family, 2));
    assert_eq!(shares("--capacity 5 --capacity-ipv6 8"), [Ok(vec![3, 2]), Ok(vec![4, 4])]);
    assert_eq!(shares("--families ipv4 --capacity 5 --capacity-ipv6 1"), [Ok(vec![3, 2]), Ok(vec![1, 1])]);
    let [v4, v6] = shares("--families ipv6 --capacity 1");
    assert_eq!(v4, Ok(vec![1, 1]));
    assert!(v6.unwrap_err().to_string().starts_with("--capacity-ipv6: 1 entries"));
}

#[test]
fn unix_paths_are_control_services_too() {
    let config = config("--control unix:/run/ft.sock --accounting off").unwrap();
    assert_eq!(config.control, ControlUri::Unix("/run/ft.sock".into()));
    assert!(!config.tracker.accounting);
}

#[test]
fn instructions_are_those_of_the_cpu_unless_told_otherwise() {
    for (options, features) in [
        ("", Features::detect()),
        ("--instructions native", Features::detect()),
        ("--instructions portable", Features::PORTABLE),
    ] {
        assert_eq!(config(options).unwrap().features(), features, "{options}");
    }
}

/// Writes a file for `--config` and returns its folder and path.
fn file(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ft.toml");
    std::fs::write(&path, text).unwrap();
    (folder, path.to_str().unwrap().to_owned())
}

#[test]
fn what_only_shows_together_is_told_with_its_place() {
    let (_folder, path) = file("timer-profiles = [5]\nlearn-profile = 1\n");
    let error = config(&format!("--config {path}")).unwrap_err();
    let told = format!("--config {path}: line 2: learn-profile: there is no profile 1");
    assert!(error.to_string().starts_with(&told), "{error}");
    // An error in a value that a flag overrides is not blamed on the file.
    let error = config(&format!("--config {path} --learn-profile 2")).unwrap_err();
    assert!(error.to_string().starts_with("--learn-profile: "), "{error}");
}

#[test]
fn the_effective_configuration_can_be_pasted_back() {
    let (_folder, path) = file("protocols = [\"tcp\", \"udp\"]\npermissions = 0x3dbc\n");
    for options in [
        "--id=lab".to_owned(),
        format!("--id=lab --config={path} --hash=jhash --accounting=off --rxq=2 --mbufs=4096"),
        "--id=lab --families=ipv6 --capacity-ipv6=77 --permissions-ipv6=0x3dfc --verify-keys=on".to_owned(),
        "--id=lab --control=https://box:1 --control-ca=/c --control-cert=/d --control-key=/k \
         --control-server-name=control"
            .to_owned(),
        "--id=lab --control=unix:/run/ft.sock --forward=drop --untracked=drop --timer-profiles=7,5 --hash=crc \
         --instructions=portable"
            .to_owned(),
    ] {
        let line = config(&options).unwrap().to_string();
        assert!(options.split(' ').all(|flag| line.split(' ').any(|shown| shown == flag)), "{line}");
        assert_eq!(config(&line).unwrap().to_string(), line);
    }
}

/// Law: every option is shown with its effective value.
#[test]
fn no_option_is_left_out_of_the_effective_configuration() {
    let (_folder, path) = file("");
    let line = config(&format!(
        "--config={path} --rxq=2 --mbufs=4096 --control-ca=x --control-cert=x --control-key=x --control-server-name=x \
         --checkpoint=x"
    ))
    .unwrap()
    .to_string();
    for option in Options::command().get_opts() {
        let long = option.get_long().unwrap();
        assert!(
            line.split(' ').any(|flag| flag.starts_with(&format!("--{long}="))),
            "{long} is not in {line}"
        );
    }
}

#[test]
fn odd_names_are_quoted_for_the_shell() {
    assert_eq!(shell_word("lab-1.example:2"), "lab-1.example:2");
    assert_eq!(shell_word("it's $1"), r"'it'\''s $1'");
}
