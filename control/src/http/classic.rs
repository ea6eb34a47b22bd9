//! Prometheus' classic text format, 0.0.4, made from OpenMetrics text.
//!
//! The library writes OpenMetrics only. For counters, gauges and histograms without exemplars and
//! times, the two differ only in the lines that begin with `#`.

use std::fmt::Write as _;

/// Returns the same metrics in the classic format.
pub(crate) fn from_openmetrics(text: &str) -> String {
    let mut classic = String::with_capacity(text.len() + text.len() / 8);
    let mut help_text = "";
    for line in text.lines() {
        match line.splitn(4, ' ').collect::<Vec<_>>()[..] {
            ["#", "EOF"] | ["#", "UNIT", ..] => {}
            ["#", "HELP", _, text] => help_text = text,
            ["#", "TYPE", name, kind] => {
                // In the classic format a counter has the name of its samples.
                let suffix = if kind == "counter" { "_total" } else { "" };
                // Writing to a String does not fail.
                let _ = writeln!(classic, "# HELP {name}{suffix} {help_text}\n# TYPE {name}{suffix} {kind}");
            }
            _ => {
                classic.push_str(line);
                classic.push('\n');
            }
        }
    }
    classic
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_comments_differ() {
        let openmetrics = "\
# HELP a_bytes Bytes of a.
# TYPE a_bytes counter
# UNIT a_bytes bytes
a_bytes_total{of=\"# EOF\"} 7
# HELP b Some b's.
# TYPE b gauge
b 8
# HELP c_seconds Time of c.
# TYPE c_seconds histogram
# UNIT c_seconds seconds
c_seconds_sum 1.5
c_seconds_count 2
c_seconds_bucket{le=\"1.0\"} 1
c_seconds_bucket{le=\"+Inf\"} 2
# EOF
";
        let classic = "\
# HELP a_bytes_total Bytes of a.
# TYPE a_bytes_total counter
a_bytes_total{of=\"# EOF\"} 7
# HELP b Some b's.
# TYPE b gauge
b 8
# HELP c_seconds Time of c.
# TYPE c_seconds histogram
c_seconds_sum 1.5
c_seconds_count 2
c_seconds_bucket{le=\"1.0\"} 1
c_seconds_bucket{le=\"+Inf\"} 2
";
        assert_eq!(from_openmetrics(openmetrics), classic);
    }
}
