use super::*;

const KNOWN: [&str; 6] = ["accounting", "capacity", "id", "permissions", "protocols", "timer-profiles"];

fn parse(text: &str) -> Result<Vec<(String, String, usize)>, String> {
    let file = ConfigFile::parse(Path::new("ft.toml"), text, &KNOWN)?;
    Ok(file.settings.into_iter().map(|s| (s.key, s.value, s.line)).collect())
}

#[test]
fn a_value_becomes_the_text_of_its_flag() {
    for (line, text) in [
        ("capacity = 65_536", "65536"),
        ("capacity = -1", "-1"),
        ("capacity = \"65536\"", "65536"),
        ("id = \"lab\"", "lab"),
        ("permissions = 0x3dfc", "0x3dfc"),
        ("permissions = 15868", "0x3dfc"),
        ("permissions = \"3dfc\"", "3dfc"),
        ("protocols = \"tcp,udp\"", "tcp,udp"),
        ("protocols = [\"tcp\", \"udp\"]", "tcp,udp"),
        ("timer-profiles = [30000, 60000]", "30000,60000"),
        ("timer-profiles = 30000", "30000"),
        ("accounting = \"off\"", "off"),
        ("accounting = false", "off"),
        ("accounting = true", "on"),
    ] {
        let key = line.split(' ').next().expect("a key").to_owned();
        assert_eq!(parse(line), Ok(vec![(key, text.to_owned(), 1)]), "{line}");
    }
}

#[test]
fn settings_keep_the_order_and_lines_of_the_file() {
    let text = "# a comment\ntimer-profiles = [\n  1000,\n  2000,\n]\n\nid = \"ä\" # b\ncapacity = 5\n";
    let lines: Vec<_> = parse(text).unwrap().into_iter().map(|(key, _, line)| (key, line)).collect();
    assert_eq!(lines, [("timer-profiles".to_owned(), 2), ("id".to_owned(), 7), ("capacity".to_owned(), 8)]);
    assert_eq!(parse(""), Ok(vec![]));
}

#[test]
fn what_is_wrong_is_told_with_its_key_and_line() {
    for (text, told) in [
        (
            "capacity = 5\nburts = 3",
            "--config ft.toml: line 2: unknown key `burts`: the keys are accounting,",
        ),
        ("timer_profiles = [1]", "line 1: unknown key `timer_profiles`: it is spelt `timer-profiles`"),
        ("[table]\ncapacity = 5", "line 1: unknown key `table`"),
        ("\ncapacity = true", "line 2: capacity: its value cannot be of type boolean"),
        ("capacity = 1.5", "line 1: capacity: its value cannot be of type float"),
        ("capacity = [1]", "line 1: capacity: its value cannot be of type array"),
        ("id = 5", "line 1: id: its value cannot be of type integer"),
        ("protocols = [[\"tcp\"]]", "line 1: protocols: its value cannot be of type array"),
        ("capacity.x = 1", "line 1: capacity: its value cannot be of type table"),
        ("capacity = 1\nid = lab", "--config ft.toml: line 2, column 6: "),
        ("capacity = 1\n\"é\" 5", "--config ft.toml: line 2, column 5: "),
        ("id = \"a\"\nid = \"b\"", "--config ft.toml: line 2, column 1: duplicate key"),
    ] {
        let error = parse(text).expect_err(text);
        assert!(error.contains(told), "{text:?}: {error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn an_unreadable_file_is_named() {
    let error = ConfigFile::read(Path::new("/nosuch/ft.toml"), &KNOWN).unwrap_err();
    assert!(error.starts_with("--config /nosuch/ft.toml: No such file"), "{error}");
}
