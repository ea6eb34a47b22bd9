//! The methods that are served, and what a caller needs for each. A method that is not named here is
//! refused.

use std::fmt;

use Need::{Admin, Dataplane, Nothing, Operator, Viewer};

/// What a caller needs for a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it is open to all.
    Nothing,
    /// To be a viewer, or more.
    Viewer,
    /// To be an operator, or more.
    Operator,
    /// To be an admin.
    Admin,
    /// To be a data plane.
    Dataplane,
}

impl Need {
    /// Number of methods.
    pub const COUNT: usize = 5;
    /// All methods.
    pub const ALL: [Self; Self::COUNT] = [Nothing, Viewer, Operator, Admin, Dataplane];

    /// Returns whether a call changes something.
    #[must_use]
    pub fn is_write(self) -> bool {
        matches!(self, Operator | Admin)
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Nothing => "nothing",
            Viewer => "viewer",
            Operator => "operator",
            Admin => "admin",
            Dataplane => "dataplane",
        })
    }
}

/// A method of a service.
#[derive(Debug, PartialEq, Eq)]
pub struct Method {
    /// Its service and name, as `grpcurl` wants them: `grpc.health.v1.Health/Check`.
    pub name: &'static str,
    /// What a caller needs.
    pub needs: Need,
}

/// All methods.
pub static METHODS: &[Method] = &[
    method("flowtracker.v1.FlowTrackerService/WatchEvents", Viewer),
    method("flowtracker.v1.FlowTrackerService/GetEntry", Viewer),
    method("flowtracker.v1.FlowTrackerService/ListEntries", Viewer),
    method("flowtracker.v1.FlowTrackerService/CreateEntry", Operator),
    method("flowtracker.v1.FlowTrackerService/UpdateEntry", Operator),
    method("flowtracker.v1.FlowTrackerService/DeleteEntry", Operator),
    method("flowtracker.v1.FlowTrackerService/FlushEntries", Operator),
    method("flowtracker.v1.FlowTrackerService/GetTable", Viewer),
    method("flowtracker.v1.FlowTrackerService/UpdateTable", Admin),
    method("flowtracker.v1.FlowTrackerService/GetIntrospection", Viewer),
    method("flowtracker.v1.FlowTrackerService/Load", Admin),
    method("flowtracker.v1.FlowTrackerService/Purge", Admin),
    method("flowtracker.v1.FlowTrackerService/ListDataplanes", Viewer),
    method("flowtracker.v1.FlowTrackerService/GetStats", Viewer),
    method("flowtracker.v1.FlowTrackerService/WhoAmI", Nothing),
    method("flowtracker.v1.DataplaneLinkService/Attach", Dataplane),
    method("grpc.health.v1.Health/Check", Nothing),
    method("grpc.health.v1.Health/Watch", Viewer),
    method("grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Viewer),
    method("grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", Viewer),
];

const fn method(name: &'static str, needs: Need) -> Method {
    Method { name, needs }
}

/// Returns the method that a request's path names.
#[must_use]
pub fn find(path: &str) -> Option<&'static Method> {
    let name = path.strip_prefix('/')?;
    METHODS.iter().find(|method| method.name == name)
}
