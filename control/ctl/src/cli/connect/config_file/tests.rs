use super::*;

const FILE: &str = "/etc/x/config.toml";

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(Path::new(FILE), text)
}

#[test]
fn a_context_is_a_server_with_the_certificates_for_it() {
    let config = parse(
        "current-context = \"lab\"\n[contexts.lab]\nserver = \"https://lab:1\"\ncacert = \"lab/ca.pem\"\n\
         cert = \"/abs/a.pem\"\nkey = \"../a.key\"\nserver-name = \"control\"\n[contexts.here]\nserver = \"unix:/s\"\n",
    )
    .unwrap();
    let lab = config.choose(None).unwrap().unwrap();
    for (key, value) in [
        (Field::Server, "https://lab:1"),
        (Field::CaCert, "/etc/x/lab/ca.pem"),
        (Field::Cert, "/abs/a.pem"),
        (Field::Key, "/etc/x/../a.key"),
        (Field::ServerName, "control"),
    ] {
        assert_eq!(lab.value(key).as_deref(), Some(value));
    }
    assert_eq!(config.choose(Some("here")).unwrap().unwrap().name, "here");
    assert_eq!(
        config.choose(Some("gone")).unwrap_err(),
        "--context: there is no context \"gone\"; there are here, lab"
    );
    assert_eq!(parse("").unwrap().choose(None), Ok(None));
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_key() {
    for (text, why) in [
        ("\ncurrent = \"x\"", "line 2: unknown key `current`: the keys are current-context, contexts"),
        ("current-context = 5", "line 1: current-context: must be a string"),
        ("contexts = 5", "line 1: contexts: must be a table of contexts"),
        ("[contexts]\nlab = 5", "line 2: contexts.lab: must be a table"),
        (
            "[contexts.lab]\nurl = \"x\"",
            "line 2: unknown key `contexts.lab.url`: the keys are server, cacert",
        ),
        ("[contexts.lab]\nserver = 5", "line 2: contexts.lab.server: must be a string"),
        ("[contexts.lab]\nserver = \"\"", "line 2: contexts.lab.server: must be a string that is not empty"),
        ("[contexts.lab]\nserver = \"ftp://x\"", "line 2: contexts.lab.server: must be http://HOST:PORT"),
        ("[contexts.lab]\ncert = \"x\"", "line 1: contexts.lab.server: is missing"),
        (
            "[contexts.lab]\nserver = \"https://a\"\nserver-name = \"a b\"",
            "line 3: contexts.lab.server-name: \"a b\" is neither",
        ),
        (
            "[contexts.lab]\nserver = \"http://a\"\ncacert = \"x\"",
            "line 3: contexts.lab.cacert: means nothing to http://a",
        ),
        ("a\n", "line 1: "),
        ("[contexts.lab]\nserver = \"https://a\"\nserver = \"https://a\"", "line 3: "),
    ] {
        let error = parse(text).expect_err(text);
        assert!(error.starts_with(&format!("{FILE}: {why}")), "{text}: {error}");
    }
    let missing = parse("current-context = \"gone\"").unwrap();
    assert_eq!(
        missing.choose(None).unwrap_err(),
        format!("{FILE}: current-context: there is no context \"gone\", nor any other")
    );
}

#[test]
fn what_the_users_file_says_wins_over_the_systems() {
    let mut config = parse(
        "current-context = \"a\"\n[contexts.a]\nserver = \"unix:/a\"\n[contexts.b]\nserver = \"unix:/b\"",
    )
    .unwrap();
    config.add(parse("[contexts.b]\nserver = \"unix:/mine\"\n[contexts.c]\nserver = \"unix:/c\"").unwrap());
    let servers: Vec<_> = config.contexts.iter().filter_map(|context| context.value(Field::Server)).collect();
    assert_eq!(servers, ["unix:/a", "unix:/mine", "unix:/c"]);
    assert_eq!(config.current(), Some("a"));
    config.add(parse("current-context = \"c\"").unwrap());
    assert_eq!(config.current(), Some("c"));
}

#[test]
fn another_current_context_leaves_the_rest_of_the_file_alone() {
    for (before, after) in [
        ("", "current-context = \"new\"\n"),
        ("# mine\n[contexts.a]\n", "current-context = \"new\"\n# mine\n[contexts.a]\n"),
        (
            "# mine\ncurrent-context = 'old' # why\n[contexts.a]\n",
            "# mine\ncurrent-context = \"new\" # why\n[contexts.a]\n",
        ),
    ] {
        assert_eq!(with_current(before, "new").unwrap(), after);
    }
    assert!(with_current("a", "new").is_err());
}
