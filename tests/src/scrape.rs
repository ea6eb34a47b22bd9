//! The pages that the control service serves over HTTP, read by Prometheus' own Python client
//! (`make deps` installs it in the virtual environment).

use std::collections::BTreeMap;
use std::process::Command;

use serde::Deserialize;

use crate::process::run;

/// `Accept` of a client that reads the classic format.
pub const CLASSIC: &str = "text/plain;version=0.0.4";
/// `Accept` of a client that reads OpenMetrics.
pub const OPENMETRICS: &str = "application/openmetrics-text;version=1.0.0";

/// A page.
#[derive(Debug, Deserialize)]
pub struct Page {
    /// Status of HTTP.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: String,
    /// The body.
    pub text: String,
    /// The body's samples, if the page is `/metrics`.
    pub samples: Vec<Sample>,
}

/// A sample.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Sample {
    /// Name, with its suffix.
    pub name: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Value.
    pub value: f64,
}

impl Page {
    /// Requests `url` with `python`, which runs where the service can be reached.
    ///
    /// # Panics
    /// When there is no answer, or it cannot be read.
    pub fn get(python: &mut Command, url: &str, accept: &str) -> Self {
        let json = run(python.args(["-c", include_str!("scrape.py"), url, accept]));
        serde_json::from_str(&json).expect("a page as JSON")
    }

    /// Returns the value of the only sample of this name with these labels.
    ///
    /// # Panics
    /// When there is none, or more than one.
    #[must_use]
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |sample: &&Sample| {
            labels.iter().all(|(label, value)| sample.labels.get(*label).is_some_and(|v| v == value))
        };
        let found: Vec<_> = self.samples.iter().filter(|s| s.name == name).filter(has).collect();
        assert_eq!(found.len(), 1, "{name} {labels:?}: {found:?} in {}", self.text);
        found[0].value
    }

    /// Returns the sum of the samples of this name.
    #[must_use]
    pub fn sum(&self, name: &str) -> f64 {
        self.samples.iter().filter(|sample| sample.name == name).map(|sample| sample.value).sum()
    }
}
