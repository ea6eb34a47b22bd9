//! The choice between the two formats by the `Accept` header (RFC 9110, 12.5.1).

use axum::http::header::{ACCEPT, HeaderMap};

/// A format of `/metrics`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Prometheus' text format 0.0.4, which every scraper reads.
    Classic,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Format {
    /// Returns the format that suits the client best. OpenMetrics must be asked for by name. A
    /// client that accepts neither gets the classic format, which is more useful than a refusal.
    pub(crate) fn wanted(headers: &HeaderMap) -> Self {
        let (mut classic, mut openmetrics) = (Wish::default(), Wish::default());
        let lists = headers.get_all(ACCEPT).iter().filter_map(|list| list.to_str().ok());
        for range in lists.flat_map(|list| list.split(',')).filter_map(Range::parse) {
            match range.media.as_str() {
                "application/openmetrics-text" if range.version_is("1.0.0") => {
                    openmetrics.take(2, range.quality);
                }
                "text/plain" if range.version_is("0.0.4") => classic.take(2, range.quality),
                "text/*" => classic.take(1, range.quality),
                "*/*" => classic.take(0, range.quality),
                _ => {}
            }
        }
        if openmetrics.quality > 0.0 && openmetrics.quality >= classic.quality {
            Self::OpenMetrics
        } else {
            Self::Classic
        }
    }

    /// Returns its `Content-Type`.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Classic => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// How much a client wants a format.
#[derive(Debug, Default)]
struct Wish {
    /// How exactly the client named it: 2 by type and version, 1 by type, 0 by `*/*`.
    precision: u8,
    /// From 0, not at all, to 1.
    quality: f32,
}

impl Wish {
    /// Takes another range into account. The most exact name counts, and among equals the highest
    /// quality.
    fn take(&mut self, precision: u8, quality: f32) {
        if precision > self.precision {
            *self = Self { precision, quality };
        } else if precision == self.precision {
            self.quality = self.quality.max(quality);
        }
    }
}

/// A media range of the header.
struct Range {
    media: String,
    version: Option<String>,
    quality: f32,
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let media = parts.next()?.to_ascii_lowercase();
        let mut range = Self { media, version: None, quality: 1.0 };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let value = value.trim_matches('"');
            match name.to_ascii_lowercase().as_str() {
                "version" => range.version = Some(value.to_owned()),
                "q" => range.quality = value.parse().ok().filter(|q| (0.0..=1.0).contains(q))?,
                _ => {}
            }
        }
        Some(range)
    }

    /// Returns whether the range asks for this version or for none.
    fn version_is(&self, version: &str) -> bool {
        self.version.as_ref().is_none_or(|wanted| *wanted == version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_most_is_served() {
        use Format::{Classic, OpenMetrics};
        for (accept, format) in [
            ("", Classic),
            ("*/*", Classic),
            ("text/plain", Classic),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Classic),
            ("application/json", Classic),
            ("application/*", Classic),
            ("application/openmetrics-text", OpenMetrics),
            ("Application/OpenMetrics-Text; Version=\"1.0.0\"; charset=utf-8", OpenMetrics),
            ("application/openmetrics-text, */*", OpenMetrics),
            ("application/openmetrics-text;q=0.5, text/plain;q=0.4, */*;q=0.9", OpenMetrics),
            ("application/openmetrics-text;q=0.5, text/plain;q=0.5", OpenMetrics),
            ("application/openmetrics-text;q=0.5, text/plain", Classic),
            ("application/openmetrics-text;q=0.5, text/*;q=0.6", Classic),
            ("application/openmetrics-text;q=0.1, text/plain;q=0", OpenMetrics),
            ("application/openmetrics-text;q=0, text/plain;q=0", Classic),
            ("application/openmetrics-text;q=2", Classic),
            ("application/openmetrics-text;q=x", Classic),
            ("application/openmetrics-text;version=0.0.1", Classic),
            ("application/openmetrics-text;version=2.0.0", Classic),
            (";;,=,;q", Classic),
            // Prometheus 2.42, and 3 with its escaping.
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                 text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                OpenMetrics,
            ),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                 application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
                 text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
                OpenMetrics,
            ),
            // Prometheus with `scrape_protocols: [PrometheusText0.0.4]`.
            ("text/plain;version=0.0.4;q=0.6,*/*;q=0.5", Classic),
        ] {
            let mut headers = HeaderMap::new();
            if !accept.is_empty() {
                headers.insert(ACCEPT, accept.parse().unwrap());
            }
            assert_eq!(Format::wanted(&headers), format, "{accept}");
        }
    }

    #[test]
    fn headers_in_several_lines_are_one() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT, "text/plain;q=0.5".parse().unwrap());
        headers.append(ACCEPT, "application/openmetrics-text".parse().unwrap());
        assert_eq!(Format::wanted(&headers), Format::OpenMetrics);
    }
}
