//! A listening socket, which the documentation calls a door.

/// Whom a door serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serves {
    /// Users, and data planes as well.
    All,
    /// Users.
    Users,
    /// Callers who may only read.
    Readers,
    /// Data planes.
    Links,
}

/// A listening socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// The option that opened it and its address, such as `listen 127.0.0.1:50051`.
    pub name: String,
    /// Whom it serves.
    pub serves: Serves,
}

impl Gate {
    /// Describes the door that an option has opened at an address.
    #[must_use]
    pub fn new(option: &str, address: impl std::fmt::Display, serves: Serves) -> Self {
        Self { name: format!("{option} {address}"), serves }
    }

    /// Returns its address or its path.
    #[must_use]
    pub fn address(&self) -> &str {
        self.name.split_once(' ').map_or(&self.name, |(_, address)| address)
    }
}
