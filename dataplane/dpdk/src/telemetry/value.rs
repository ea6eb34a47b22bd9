//! The values that an answer is made of.

/// A part of an answer: one of the types that DPDK 22.11 can nest in a dictionary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Number(u64),
    /// A text. It is cut after 127 bytes.
    Text(String),
    /// A list of at most 512 numbers.
    Numbers(Vec<u64>),
    /// A list of at most 512 texts.
    Texts(Vec<String>),
    /// A dictionary.
    Dict(Dict),
}

/// Up to 256 named values, in the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dict(pub(super) Vec<(String, Value)>);

impl Dict {
    /// Makes an empty dictionary.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value. A name consists of letters, digits, `_` and `/`, at most 127 of them.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }
}

impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Dict {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(entries: I) -> Self {
        Self(entries.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Vec<u64>> for Value {
    fn from(numbers: Vec<u64>) -> Self {
        Self::Numbers(numbers)
    }
}

impl From<Vec<String>> for Value {
    fn from(texts: Vec<String>) -> Self {
        Self::Texts(texts)
    }
}

impl From<Dict> for Value {
    fn from(dict: Dict) -> Self {
        Self::Dict(dict)
    }
}
