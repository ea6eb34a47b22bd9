use super::*;

#[test]
fn the_page_has_every_option_and_section() {
    let mut page = Vec::new();
    write(&mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    for option in Options::command().get_opts() {
        let long = option.get_long().unwrap().replace('-', "\\-");
        assert!(page.contains(&format!("\\fB\\-\\-{long}\\fR")), "{long}");
    }
    let sections: Vec<_> = page.lines().filter_map(|line| line.strip_prefix(".SH ")).collect();
    assert_eq!(
        sections,
        [
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "OPTIONS",
            "\"EAL ARGUMENTS\"",
            "DOCTOR",
            "REPLAY",
            "HEALTH",
            "\"CONFIGURATION FILE\"",
            "SIGNALS",
            "\"EXIT STATUS\"",
            "ENVIRONMENT",
            "FILES",
            "EXAMPLES",
            "\"SEE ALSO\"",
        ]
    );
}
