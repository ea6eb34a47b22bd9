use super::*;

fn names() -> String {
    run(Command::new("ip").args(["netns", "list"]))
}

#[test]
fn a_line_has_two_silent_ends_and_goes_away() {
    let line = Line::new();
    let own = format!("{PREFIX}{}-", std::process::id());
    assert_eq!(names().matches(&own).count(), 3);
    let links = run(line.middle.command("ip").args(["-brief", "link"]));
    for port in ["port0@", "port1@"] {
        assert!(links.lines().any(|l| l.starts_with(port) && l.contains(" UP ")), "{links}");
    }
    assert_eq!(run(line.middle.command("ip").args(["-brief", "-6", "address"])), "");
    assert_eq!(run(line.left.command("ip").args(["-brief", "-6", "address"])), "");
    let features = run(line.right.command("ethtool").args(["-k", "eth0"]));
    assert!(features.contains("tx-checksumming: off"), "{features}");
    drop(line);
    assert!(!names().contains(&own));
}

#[test]
fn a_line_with_ipv6_has_one_address_on_each_host_and_none_in_between() {
    let line = Line::with_ipv6();
    for (host, addr) in [(&line.left, LEFT_ADDR6), (&line.right, RIGHT_ADDR6)] {
        let addresses = run(host.command("ip").args(["-brief", "-6", "address"]));
        let words: Vec<&str> = addresses.split_whitespace().collect();
        assert!(
            matches!(words[..], [name, "UP", own] if name.starts_with("eth0") && own == format!("{addr}/64")),
            "{addresses}"
        );
    }
    assert_eq!(run(line.middle.command("ip").args(["-brief", "-6", "address"])), "");
}

#[test]
fn a_panic_leaves_nothing() {
    let own = std::panic::catch_unwind(|| {
        let line = Line::new();
        std::panic::panic_any([&line.left, &line.middle, &line.right].map(|n| n.name().to_owned()));
    })
    .expect_err("it panics")
    .downcast::<[String; 3]>()
    .expect("the names");
    assert!(own.iter().all(|name| !names().contains(name)));
}

#[test]
fn what_a_killed_test_left_is_swept() {
    // No process has this id: it is beyond the kernel's limit (PID_MAX_LIMIT, 2^22).
    let name = format!("{PREFIX}4194305-0-left");
    ip(&["netns", "add", &name]);
    sweep();
    assert!(!names().contains(&name));
}
