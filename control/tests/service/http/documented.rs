//! The page about metrics, `docs/metrics.md`, and what is served.

use super::*;

/// Returns name, type and labels of every metric, as `docs/metrics.md` lists them.
fn documented() -> BTreeSet<(String, String, String)> {
    let page = include_str!("../../../docs/metrics.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `flowtracker_"));
    let row = |row: &str| {
        let mut cells = row.split('|').map(str::trim);
        let name = format!("flowtracker_{}", cells.next().unwrap().trim_end_matches('`'));
        let (kind, labels) = (cells.next().unwrap().to_owned(), cells.next().unwrap().replace('`', ""));
        assert!(cells.next().is_some_and(|meaning| !meaning.is_empty()), "{name} has a meaning");
        (name, kind, labels)
    };
    rows.map(row).collect()
}

/// Returns the same for every metric that is served.
fn served(page: &Page) -> BTreeSet<(String, String, String)> {
    let described = |(name, kind): (&str, &str)| {
        let samples = page.body.lines().filter(|line| !line.starts_with('#')).filter(|line| {
            let sample = line.split(['{', ' ']).next().unwrap();
            let suffix = sample.strip_prefix(name);
            suffix == Some("") || (kind == "histogram" && suffix == Some("_bucket"))
        });
        let labels: BTreeSet<_> = samples.map(|line| labels(line).join(", ")).collect();
        assert_eq!(labels.len(), 1, "{name}: {labels:?}");
        let labels = labels.first().unwrap().trim_start_matches("le, ");
        (name.to_owned(), kind.to_owned(), labels.to_owned())
    };
    page.types().into_iter().map(described).collect()
}

/// Returns the names of a sample's labels.
fn labels(sample: &str) -> Vec<&str> {
    let Some((_, labels)) = sample.split_once('{') else { return vec![] };
    labels.split('}').next().unwrap().split(',').map(|label| label.split('=').next().unwrap()).collect()
}

#[tokio::test]
async fn the_page_about_metrics_has_every_one_of_them() {
    let (service, addr) = start().await;
    let mut plane = Plane::fresh(&service).await;
    // A method has a count once it was called.
    service.client().await.list_dataplanes(ListDataplanesRequest {}).await.unwrap();
    let page = scrape(addr, &mut plane, figures(), &[]).await;
    let without_tls = documented().into_iter().filter(|(name, ..)| !name.contains("certificate"));
    assert_eq!(without_tls.collect::<BTreeSet<_>>(), served(&page));
    let called =
        "flowtracker_rpcs_total{method=\"flowtracker.v1.FlowTrackerService/ListDataplanes\",code=\"OK\"}";
    assert_eq!(page.sample(called), Some("1"));
}

/// Every metric that the page's queries and rules use is served.
#[test]
fn the_queries_on_the_page_name_metrics_that_exist() {
    let names: BTreeSet<_> = documented().into_iter().map(|(name, ..)| name).collect();
    let page = include_str!("../../../docs/metrics.md");
    let words = page.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let words = words.filter(|word| *word != Family::Ipv6.pipeline());
    for word in words.filter(|word| word.starts_with("flowtracker_") && !word.ends_with('_')) {
        let family =
            ["_bucket", "_sum", "_count"].iter().find_map(|suffix| word.strip_suffix(suffix)).unwrap_or(word);
        assert!(names.contains(family), "{word}");
    }
}
