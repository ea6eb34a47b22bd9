use super::*;

fn config() -> Config {
    let text = "current-context = \"lab\"\n[contexts.lab]\nserver = \"https://lab:1\"\ncacert = \"/lab/ca\"\n\
                [contexts.other]\nserver = \"https://other:1\"\n";
    Config::parse(std::path::Path::new("/c.toml"), text).unwrap()
}

fn settings(place: &Place, environment: &[(&str, &str)], config: &Config) -> Settings {
    let variable =
        |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    Settings::of(place, variable, config).unwrap()
}

#[test]
fn flags_come_before_the_environment_and_that_before_the_current_context() {
    let flag = Place { server: Some("http://flag:1".to_owned()), ..Place::default() };
    let chosen = Place { context: Some("other".to_owned()), ..Place::default() };
    let variables: &[_] = &[("FLOWTRACKER_SERVER", "http://variable:1")];
    for (place, environment, config, server, message) in [
        (flag.clone(), variables, config(), "http://flag:1", "--server http://flag:1"),
        (Place::default(), variables, config(), "http://variable:1", "FLOWTRACKER_SERVER=http://variable:1"),
        (Place::default(), &[], config(), "https://lab:1", "/c.toml: contexts.lab.server https://lab:1"),
        (
            Place::default(),
            &[("FLOWTRACKER_SERVER", "")],
            config(),
            "https://lab:1",
            "/c.toml: contexts.lab.server https://lab:1",
        ),
        // A context that is named on the command line is a flag as well.
        (
            chosen.clone(),
            variables,
            config(),
            "https://other:1",
            "/c.toml: contexts.other.server https://other:1",
        ),
        (Place::default(), &[], Config::default(), DEFAULT_SERVER, "--server http://127.0.0.1:50051"),
        (
            Place { server: Some(String::new()), ..Place::default() },
            &[],
            Config::default(),
            DEFAULT_SERVER,
            "--server http://127.0.0.1:50051",
        ),
    ] {
        let settings = settings(&place, environment, &config);
        assert_eq!(settings.get(Field::Server).value, server);
        assert_eq!(settings.named(Field::Server), message);
    }
    // Each setting is looked for by itself.
    let settings = settings(&flag, &[("FLOWTRACKER_CERT", "/e/cert")], &config());
    assert_eq!(settings.get(Field::CaCert).value, "/lab/ca");
    assert_eq!(settings.place(Field::Cert), "FLOWTRACKER_CERT");
    assert!(!settings.is_set(Field::Key));
}

fn target(place: &Place) -> Result<Target, String> {
    let settings = settings(place, &[], &Config::default());
    Target::new(&settings, Duration::from_secs(1)).map_err(|failure| failure.message().unwrap_or_default())
}

#[test]
fn tls_is_chosen_by_the_scheme_or_else_by_certificates() {
    let at = |server: &str, cacert: Option<&str>| Place {
        server: Some(server.to_owned()),
        cacert: cacert.map(str::to_owned),
        ..Place::default()
    };
    for (place, tls) in [
        (at("https://box:1", None), true),
        (at("https://box:1", Some("/ca")), true),
        (at("box:1", Some("/ca")), true),
        (at("box:1", None), false),
        (at("http://box:1", None), false),
        (at("unix:/s", None), false),
    ] {
        assert_eq!(target(&place).unwrap().tls.is_some(), tls, "{place:?}");
    }
    for server in ["http://box:1", "unix:/s"] {
        assert_eq!(
            target(&at(server, Some("/ca"))).unwrap_err(),
            format!("--cacert means nothing to {server}: TLS needs https://HOST:PORT")
        );
    }
    // In the environment it may be meant for another server.
    let elsewhere = settings(&at("http://box:1", None), &[("FLOWTRACKER_CACERT", "/ca")], &Config::default());
    assert!(Target::new(&elsewhere, Duration::from_secs(1)).unwrap().tls.is_none());
    let name = Place { server_name: Some("a b".to_owned()), ..at("https://box", None) };
    assert_eq!(
        target(&name).unwrap_err(),
        "--server-name a b: \"a b\" is neither a host name nor an address"
    );
}
