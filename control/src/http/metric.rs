//! A metric: its name, and how its samples are read from a subject and written.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::histogram::Histogram;

/// A label: name and value.
pub(super) type Label = (&'static str, String);

/// A count with its labels.
pub(super) type Labelled = (Vec<Label>, u64);

/// A metric of subjects of type `T`.
pub(super) struct Metric<T> {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) unit: Option<Unit>,
    pub(super) value: Value<T>,
}

/// How the samples of a metric are read.
pub(super) enum Value<T> {
    Counter(fn(&T) -> u64),
    /// A counter with one more label: the label's name, and the count for each of its values.
    Counters(&'static str, fn(&T) -> Vec<(&'static str, u64)>),
    /// A counter whose samples have all labels that they need besides those of the subject.
    Table(fn(&T) -> Vec<Labelled>),
    Gauge(fn(&T) -> u64),
    /// A point in time, Unix seconds; `None` when it is not known yet.
    Time(fn(&T) -> Option<f64>),
    /// Points in time with one more label, Unix seconds.
    Times(&'static str, fn(&T) -> Vec<(&'static str, f64)>),
    /// Text in labels; the value is always 1.
    Info(fn(&T) -> Vec<Label>),
    Histogram(fn(&T) -> Histogram),
}

impl<T> Value<T> {
    fn kind(&self) -> MetricType {
        match self {
            Self::Counter(_) | Self::Counters(..) | Self::Table(_) => MetricType::Counter,
            Self::Gauge(_) | Self::Time(_) | Self::Times(..) | Self::Info(_) => MetricType::Gauge,
            Self::Histogram(_) => MetricType::Histogram,
        }
    }

    /// Returns the samples of `subject`, each with the labels that it has besides those of its
    /// subject.
    fn samples(&self, subject: &T) -> Vec<(Vec<Label>, Sample)> {
        match self {
            Self::Counter(read) => vec![(vec![], Sample::Counter(read(subject)))],
            Self::Counters(label, read) => {
                let sample =
                    |(of, count): (&str, u64)| (vec![(*label, of.to_owned())], Sample::Counter(count));
                read(subject).into_iter().map(sample).collect()
            }
            Self::Table(read) => {
                read(subject).into_iter().map(|(labels, count)| (labels, Sample::Counter(count))).collect()
            }
            Self::Gauge(read) => vec![(vec![], Sample::Gauge(read(subject)))],
            Self::Time(read) => read(subject).map(|time| (vec![], Sample::Time(time))).into_iter().collect(),
            Self::Times(label, read) => {
                let sample = |(of, time): (&str, f64)| (vec![(*label, of.to_owned())], Sample::Time(time));
                read(subject).into_iter().map(sample).collect()
            }
            Self::Info(read) => vec![(read(subject), Sample::Gauge(1))],
            Self::Histogram(read) => vec![(vec![], Sample::Histogram(read(subject)))],
        }
    }
}

/// One value.
enum Sample {
    Counter(u64),
    Gauge(u64),
    Time(f64),
    Histogram(Histogram),
}

impl Sample {
    fn write(&self, to: &mut MetricEncoder<'_>) -> fmt::Result {
        match self {
            Self::Counter(count) => to.encode_counter::<NoLabelSet, _, u64>(count, None),
            Self::Gauge(value) => to.encode_gauge(value),
            Self::Time(seconds) => to.encode_gauge(seconds),
            Self::Histogram(Histogram { sum, count, buckets }) => {
                to.encode_histogram::<NoLabelSet>(*sum, *count, buckets, None)
            }
        }
    }
}

/// Writes each of `metrics` for all `subjects`; nothing of one that has no samples.
pub(super) fn encode<T>(
    to: &mut DescriptorEncoder<'_>,
    metrics: &[Metric<T>],
    subjects: &[(Vec<Label>, &T)],
) -> fmt::Result {
    for Metric { name, help, unit, value } in metrics {
        let all = |(labels, subject): &(Vec<Label>, &T)| {
            let all = |(more, sample): (Vec<Label>, Sample)| ([labels.as_slice(), &more].concat(), sample);
            value.samples(subject).into_iter().map(all).collect::<Vec<_>>()
        };
        let samples: Vec<_> = subjects.iter().flat_map(all).collect();
        if samples.is_empty() {
            continue;
        }
        let mut family = to.encode_descriptor(name, help, unit.as_ref(), value.kind())?;
        for (labels, sample) in samples {
            if labels.is_empty() {
                sample.write(&mut family)?;
            } else {
                sample.write(&mut family.encode_family(&labels)?)?;
            }
        }
    }
    Ok(())
}
