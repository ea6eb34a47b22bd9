//! The report on figures that are easy to check by hand.

use roxmltree::{Document, Node, ParsingOptions};
use serde_json::Value;

use super::*;

/// Returns two scenarios with a peer. The medians are 20 and 10.4 (a ratio of 0.52), 10 and 4.4
/// (0.44); the target is half.
fn forwarding() -> Section {
    let half = || Versus { target: Some(Target::AtLeast(0.5)), ..Versus::new("testpmd io", Better::Higher) };
    Section {
        id: "forwarding",
        title: "Forwarding".to_owned(),
        text: "Frames a second.\n\nIn rounds.".to_owned(),
        unit: "Mpps",
        rows: vec![
            Row::new("1k flows", "testpmd io", vec![22.0, 20.0, 16.0]),
            Row::new("1k flows", "flowtracker", vec![11.0, 10.4, 9.6]).next_to(half()),
            Row::new("64k flows", "testpmd io", vec![10.0, 12.5, 8.0]),
            Row::new("64k flows", "flowtracker", vec![4.4, 5.0, 4.0]).next_to(half()),
        ],
        plot: true,
    }
}

/// Returns times and octets, where lower is better.
fn table() -> Section {
    let versus = Versus { target: Some(Target::AtLeast(2.0)), ..Versus::new("rte_hash", Better::Lower) };
    Section {
        id: "table",
        title: "The bare table".to_owned(),
        unit: "ns",
        rows: vec![
            Row::new("hit", "rte_hash", vec![44.0, 36.0]),
            Row {
                target: Some(Target::AtMost(16.0)),
                pages: "96 % THP".to_owned(),
                notes: vec!["source-bound".to_owned(), "18.2 M/s".to_owned()],
                ..Row::new("hit", "flowtracker", vec![20.0, 12.0]).next_to(versus)
            },
        ],
        plot: true,
        ..Section::default()
    }
}

fn report(sections: Vec<Section>) -> Report {
    let facts = vec![("CPU".to_owned(), "a fast one".to_owned()), ("rounds".to_owned(), "3".to_owned())];
    Report { title: "The lab".to_owned(), facts, sections }
}

/// Parses the page as XML, which a browser does not require; a page that parses has no open tag.
fn parsed(page: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    Document::parse_with_options(page, options).unwrap_or_else(|error| panic!("{error} in {page}"))
}

fn words(node: Node<'_, '_>) -> String {
    node.descendants().filter_map(|node| node.is_text().then(|| node.text()).flatten()).collect()
}

fn elements<'a, 'd>(node: Node<'a, 'd>, name: &'static str) -> impl Iterator<Item = Node<'a, 'd>> {
    node.descendants().filter(move |node| node.tag_name().name() == name)
}

/// Returns the cells of the line of a Markdown table that has both words.
fn line(text: &str, scenario: &str, contender: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| line.starts_with('|'));
    let mut cells = lines.map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()));
    let found = cells.find_map(|cells| {
        let cells: Vec<String> = cells.collect();
        (cells[0] == scenario && cells[1] == contender).then_some(cells)
    });
    found.unwrap_or_else(|| panic!("no line about {contender} with {scenario} in {text}"))
}

#[test]
fn ratios_are_of_medians_and_of_rounds() {
    let section = forwarding();
    let ratio = |row: usize| section.ratio(&section.rows[row], &section.rows[row].versus[0]);
    assert_eq!(ratio(1).of_medians, 10.4 / 20.0);
    assert_eq!(ratio(1).by_round.0, [0.5, 0.52, 0.6]);
    assert_eq!(ratio(3).of_medians, 4.4 / 10.0);
    assert_eq!(ratio(3).by_round.0, [4.4 / 10.0, 0.4, 0.5]);
}

#[test]
fn of_times_the_shorter_one_is_better() {
    let section = table();
    let ratio = section.ratio(&section.rows[1], &section.rows[1].versus[0]);
    assert_eq!(ratio.of_medians, 2.5);
    assert_eq!(ratio.by_round.0, [2.2, 3.0]);
}

#[test]
fn a_row_may_stand_next_to_one_of_another_scenario() {
    let mut section = forwarding();
    let versus =
        Versus { scenario: Some("1k flows".to_owned()), ..Versus::new("flowtracker", Better::Higher) };
    section.rows[3].versus = vec![versus];
    assert_eq!(section.ratio(&section.rows[3], &section.rows[3].versus[0]).of_medians, 4.4 / 10.4);
    let text = report(vec![section]).to_string();
    assert!(text.contains("× flowtracker (1k flows)"), "{text}");
    assert_eq!(line(&text, "64k flows", "flowtracker")[6..], ["0.42", "0.40–0.48"], "{text}");
}

#[test]
fn the_table_says_what_was_reached_and_what_was_missed() {
    let report = report(vec![forwarding(), table()]);
    let text = report.to_string();
    let reached = ["1k flows", "flowtracker", "10.40", "9.60–11.00", "0.52 ≥ 0.50", "0.50–0.60"];
    assert_eq!(line(&text, "1k flows", "flowtracker"), reached, "{text}");
    let missed = ["64k flows", "flowtracker", "4.40", "4.00–5.00", "**0.44 < 0.50**", "0.40–0.50"];
    assert_eq!(line(&text, "64k flows", "flowtracker"), missed, "{text}");
    let peer = ["64k flows", "testpmd io", "10.00", "8.00–12.50", "", ""];
    assert_eq!(line(&text, "64k flows", "testpmd io"), peer, "{text}");
    let ours = [
        "hit",
        "flowtracker",
        "16 ≤ 16",
        "12–20",
        "2.50 ≥ 2.00",
        "2.20–3.00",
        "96 % THP",
        "source-bound, 18.2 M/s",
    ];
    assert_eq!(line(&text, "hit", "flowtracker"), ours, "{text}");
    assert!(text.contains("- CPU: a fast one\n"), "{text}");
    assert!(text.contains("\nTargets missed: 1 of 2.\n"), "the first section: {text}");
    assert!(text.contains("\nAll 2 targets are reached.\n"), "the second section: {text}");
    let end = "\n## What was missed\n\nTargets missed: 1 of 4.\n\n\
               - Forwarding, 64k flows, flowtracker × testpmd io: 0.44 < 0.50\n";
    assert!(text.ends_with(end), "{text}");

    let page = report.html();
    let page = parsed(&page);
    let marked: Vec<String> = elements(page.root(), "td")
        .filter(|cell| cell.attribute("class").is_some_and(|class| class.split(' ').any(|c| c == "missed")))
        .map(words)
        .collect();
    assert_eq!(marked, ["0.44 < 0.50"]);
}

#[test]
fn a_report_says_when_nothing_was_missed() {
    let report = report(vec![table()]);
    let end = "\nNo target was missed, of 2.\n";
    assert!(report.to_string().ends_with(end), "{report}");
    assert!(report.html().contains(end.trim()));
    assert_eq!(report.json()["missed"].as_array().map(Vec::len), Some(0));
}

#[test]
fn targets_are_bounds_that_may_be_met() {
    let judged = |figure, decimals, target| {
        let Judged { text, missed } = Judged::new(figure, decimals, Some(target));
        (text, missed)
    };
    let (least, most) = (Target::AtLeast(5.0), Target::AtMost(36.0));
    assert_eq!(judged(5.0, 2, least), ("5.00 ≥ 5.00".to_owned(), false));
    assert_eq!(judged(4.75, 2, least), ("4.75 < 5.00".to_owned(), true));
    assert_eq!(judged(36.0, 0, most), ("36 ≤ 36".to_owned(), false));
    assert_eq!(judged(38.0, 0, most), ("38 > 36".to_owned(), true));
    // A target that is missed by little is shown as missed, and a bound is not rounded away.
    assert_eq!(judged(4.9996, 2, least), ("4.9996 < 5.00".to_owned(), true));
    assert_eq!(judged(0.2, 1, Target::AtLeast(0.125)), ("0.2 ≥ 0.125".to_owned(), false));
    assert_eq!(judged(0.1345, 2, Target::AtLeast(0.134)), ("0.135 ≥ 0.134".to_owned(), false));
    // A figure that could not be measured does not reach its target.
    assert_eq!(judged(f64::NAN, 2, least), ("no figure, ≥ 5.00".to_owned(), true));
    assert_eq!(judged(f64::INFINITY, 0, most), ("no figure, ≤ 36".to_owned(), true));
}

#[test]
fn a_target_of_a_row_is_on_its_median() {
    let mut section = table();
    section.rows[1].target = Some(Target::AtMost(15.5));
    let report = report(vec![section]);
    let text = report.to_string();
    assert_eq!(line(&text, "hit", "flowtracker")[2], "**16 > 15.5**", "{text}");
    assert!(text.ends_with("\n- The bare table, hit, flowtracker, ns: 16 > 15.5\n"), "{text}");
    let row = &report.json()["sections"][0]["rows"][1];
    assert_eq!((&row["target"]["at_most"], &row["reached"]), (&Value::from(15.5), &Value::from(false)));
}

#[test]
fn json_has_every_figure_in_full() {
    let json = report(vec![forwarding()]).json();
    assert_eq!(json["facts"]["CPU"], "a fast one");
    let section = &json["sections"][0];
    assert_eq!((&section["missed"], &section["targets"]), (&Value::from(1), &Value::from(2)));
    let expected = serde_json::json!({
        "scenario": "64k flows",
        "contender": "flowtracker",
        "rounds": [4.4, 5.0, 4.0],
        "median": 4.4,
        "range": [4.0, 5.0],
        "versus": [{
            "peer": "testpmd io",
            "scenario": "64k flows",
            "better": "higher",
            "ratio": 4.4 / 10.0,
            "range": [0.4, 0.5],
            "target": { "at_least": 0.5 },
            "reached": false,
        }],
        "pages": "",
        "notes": [],
    });
    assert_eq!(section["rows"][3], expected);
}

/// Returns every number in a value.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Number(number) => vec![number.as_f64().expect("a number")],
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        Value::Object(values) => values.values().flat_map(numbers).collect(),
        _ => Vec::new(),
    }
}

/// Returns true if a number is in a text, rounded to the number of decimals shown there.
fn shows(text: &str, figure: f64) -> bool {
    let numbers = text.split(|c: char| !c.is_ascii_digit() && c != '.');
    numbers.map(|word| word.trim_matches('.')).filter(|word| !word.is_empty()).any(|word| {
        word.parse().is_ok_and(|shown: f64| {
            let decimals = word.split_once('.').map_or(0, |(_, decimals)| decimals.len());
            (shown - figure).abs() <= 0.5001 * 0.1f64.powi(decimals as i32)
        })
    })
}

#[test]
fn the_page_has_every_figure_of_the_json() {
    let mut forwarding = forwarding();
    // Of five rounds, two are neither the median nor an end of the range.
    forwarding.rows[0].rounds.extend([21.0, 19.0]);
    let report = report(vec![forwarding, table()]);
    let (json, page) = (report.json(), report.html());
    let page = parsed(&page);
    let sections: Vec<Node<'_, '_>> = elements(page.root(), "section").collect();
    assert_eq!(sections.len(), 2);
    for (section, node) in json["sections"].as_array().expect("a list").iter().zip(sections) {
        assert_eq!(node.attribute("id"), section["id"].as_str());
        let body = elements(node, "tbody").next().expect("a table");
        let (rows, lines) = (section["rows"].as_array().expect("a list"), elements(body, "tr"));
        let lines: Vec<Node<'_, '_>> = lines.collect();
        assert_eq!(rows.len(), lines.len());
        for (row, line) in rows.iter().zip(lines) {
            // Cells are separated, or two numbers would become one.
            let line = elements(line, "td").map(words).collect::<Vec<_>>().join(" | ");
            let figures = numbers(row);
            assert!(figures.len() > 4, "{row}");
            for figure in figures {
                assert!(shows(&line, figure), "{figure} is not in {line}");
            }
            for word in ["scenario", "contender", "pages"] {
                assert!(line.contains(row[word].as_str().expect("a text")), "{word} is not in {line}");
            }
        }
    }
    for (name, fact) in &report.facts {
        let said = elements(page.root(), "tr").any(|row| words(row) == format!("{name}{fact}"));
        assert!(said, "{name}: {fact}");
    }
}

#[test]
fn a_plot_has_a_bar_per_row_and_takes_the_colours_of_the_page() {
    let page =
        report(vec![forwarding(), table(), Section { plot: false, id: "bare", ..forwarding() }]).html();
    let page = parsed(&page);
    let plots: Vec<Node<'_, '_>> = elements(page.root(), "svg").collect();
    assert_eq!(plots.len(), 2, "the third section wants none");
    for (plot, section) in plots.into_iter().zip([forwarding(), table()]) {
        let bars: Vec<Node<'_, '_>> = elements(plot, "rect").collect();
        assert_eq!(bars.len(), section.rows.len());
        // The taller bar has the larger median.
        let height =
            |bar: usize| bars[bar].attribute("height").expect("a height").parse::<f64>().expect("pixels");
        let expected = section.rows[1].figures().median() / section.rows[0].figures().median();
        assert!((height(1) / height(0) - expected).abs() < 0.02, "{} to {}", height(1), height(0));
        let labels: Vec<String> = elements(plot, "text").map(|word| words(word).trim().to_owned()).collect();
        let said = |word: &str| labels.iter().any(|label| label == word);
        assert!(said(section.unit), "{labels:?}");
        for row in &section.rows {
            assert!(said(&row.scenario), "{labels:?}");
            assert!(said(&number(row.figures().median(), section.decimals())), "{labels:?}");
        }
        assert!(elements(plot, "text").all(|word| word.attribute("fill") == Some("currentColor")));
    }
    // A contender has the same colour everywhere.
    let colours: BTreeSet<(String, &str)> = elements(page.root(), "span")
        .map(|key| {
            (words(key), elements(key, "i").next().and_then(|i| i.attribute("style")).expect("a colour"))
        })
        .collect();
    let names: Vec<&str> = colours.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["flowtracker", "rte_hash", "testpmd io"]);
    assert_eq!(colours.iter().map(|(_, colour)| colour).collect::<BTreeSet<_>>().len(), 3);
}

#[test]
fn the_page_needs_nothing_else() {
    let page = report(vec![forwarding(), table()]).html();
    for word in ["<script", "<link", "<img", "src=", "url(", "@import"] {
        assert!(!page.contains(word), "{word}");
    }
    let page = parsed(&page);
    let ids: Vec<&str> = page.root().descendants().filter_map(|node| node.attribute("id")).collect();
    let links: Vec<&str> = elements(page.root(), "a").filter_map(|a| a.attribute("href")).collect();
    assert_eq!(links, ["#forwarding", "#table"]);
    assert!(links.iter().all(|link| ids.contains(&&link[1..])), "{ids:?}");
}

#[test]
fn text_stays_text() {
    const SHARP: &str = "a <b> & \"c\" 'd' | e";
    let versus = Versus { target: Some(Target::AtLeast(9.0)), ..Versus::new(SHARP, Better::Higher) };
    let rows = vec![
        Row::new(SHARP, SHARP, vec![1.0]),
        Row {
            pages: SHARP.to_owned(),
            notes: vec![SHARP.to_owned()],
            ..Row::new(SHARP, "ours", vec![2.0]).next_to(versus)
        },
    ];
    let section = Section {
        id: "sharp",
        title: SHARP.to_owned(),
        text: SHARP.to_owned(),
        unit: SHARP,
        rows,
        plot: true,
    };
    let report = Report {
        title: SHARP.to_owned(),
        facts: vec![(SHARP.to_owned(), SHARP.to_owned())],
        sections: vec![section],
    };
    let page = report.html();
    let page = parsed(&page);
    assert_eq!(elements(page.root(), "b").count(), 0);
    for name in ["title", "h1", "h2", "th", "td", "a", "text", "span"] {
        assert!(elements(page.root(), name).any(|node| words(node).trim() == SHARP), "{name}");
    }
    let missed = elements(page.root(), "li").map(words).last().expect("a list of what was missed");
    assert_eq!(missed, format!("{SHARP}, {SHARP}, ours × {SHARP}: 2.00 < 9.00"));
    // An unescaped bar in a cell of Markdown would start another cell.
    let markdown = report.to_string();
    let lines: Vec<&str> = markdown.lines().filter(|line| line.starts_with('|')).collect();
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    assert_eq!(lines.len(), 4, "{markdown}");
    assert!(lines.iter().all(|line| cells(line) == cells(lines[1])), "{markdown}");
}

#[test]
fn what_was_not_measured_is_a_dash() {
    let mut section = forwarding();
    section.rows[0].rounds.clear();
    section.rows[3].rounds.clear();
    let mut nothing = forwarding();
    for row in &mut nothing.rows {
        row.rounds.clear();
    }
    // An infinite rate has no place on an axis.
    section.rows[2].rounds = vec![1.0, f64::INFINITY];
    let empty = Section { id: "empty", plot: true, ..Section::default() };
    let report = report(vec![section, nothing, empty]);
    let text = report.to_string();
    assert_eq!(line(&text, "1k flows", "testpmd io")[2..], ["–", "–", "", ""], "{text}");
    // Its peer has no figure, so whether it is fast enough is not known; the report must show that.
    let alone = line(&text, "1k flows", "flowtracker");
    assert_eq!(alone[2..], ["10.40", "9.60–11.00", "**no figure, ≥ 0.50**", "–"], "{text}");
    assert!(text.contains("\nTargets missed: 4 of 4.\n"), "{text}");

    let json = report.json();
    let row = &json["sections"][0]["rows"][0];
    assert_eq!((&row["median"], &row["range"]), (&Value::Null, &Value::Null));
    let page = report.html();
    let page = parsed(&page);
    assert_eq!(elements(page.root(), "svg").count(), 1, "nothing to draw in two of three");
    let plot = elements(page.root(), "svg").next().expect("a plot");
    assert_eq!(elements(plot, "rect").count(), 1);
}

#[test]
fn a_peer_that_is_not_there_is_no_figure() {
    let mut section = forwarding();
    section.rows[1].versus = vec![Versus::new("nobody", Better::Higher)];
    let text = report(vec![section]).to_string();
    assert_eq!(line(&text, "1k flows", "flowtracker")[4..6], ["–", "–"], "{text}");
}

#[test]
fn decimals_follow_the_smallest_figure() {
    let decimals = |figures: &[f64]| {
        let rows = figures.iter().map(|figure| Row::new("", "", vec![*figure])).collect();
        Section { rows, ..Section::default() }.decimals()
    };
    assert_eq!(decimals(&[36.0, 1200.0]), 0);
    assert_eq!(decimals(&[1200.5, 30_000.0]), 0);
    assert_eq!(decimals(&[120.5, 30_000.0]), 1);
    assert_eq!(decimals(&[8.38, 37.14]), 2);
    assert_eq!(decimals(&[0.25, 37.0]), 3);
    assert_eq!(decimals(&[0.025, 37.0]), 4);
}
