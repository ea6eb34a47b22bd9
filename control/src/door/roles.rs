//! Roles, and the rules that give them.

use std::fmt;
use std::str::FromStr;

use clap::Args;

use crate::door::methods::Need;
use crate::door::names;

/// Who has which role.
#[derive(Clone, Debug, Default, Args)]
pub struct RoleOptions {
    /// Role of some callers: `CN=NAME`, `DNS=NAME`, `uid=USER` or `gid=GROUP`, then a colon and
    /// viewer, operator, admin or dataplane; of several options the first that fits a caller counts
    #[arg(long, value_name = "WHO:ROLE")]
    pub role: Vec<Rule>,

    /// Role of callers whom no rule names: viewer, operator, admin, dataplane or none
    #[arg(long, value_name = "ROLE")]
    pub default_role: Option<DefaultRole>,
}

/// Prints the rules as flags that can be pasted back.
impl fmt::Display for RoleOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for rule in &self.role {
            write!(f, " --role={rule}")?;
        }
        if let Some(role) = self.default_role {
            write!(f, " --default-role={role}")?;
        }
        Ok(())
    }
}

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Read.
    Viewer,
    /// Read, and write entries.
    Operator,
    /// Read and write entries, change the table, detach and attach the program.
    Admin,
    /// Report to the service as a data plane, and nothing else.
    Dataplane,
}

impl Role {
    /// Returns its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
            Self::Dataplane => "dataplane",
        }
    }

    /// Returns whether it is enough for a method that needs this.
    #[must_use]
    pub fn is_enough(self, need: Need) -> bool {
        match need {
            Need::Nothing => true,
            Need::Viewer => self != Self::Dataplane,
            Need::Operator => matches!(self, Self::Operator | Self::Admin),
            Need::Admin => self == Self::Admin,
            Need::Dataplane => self == Self::Dataplane,
        }
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Viewer, Self::Operator, Self::Admin, Self::Dataplane];
        let found = all.into_iter().find(|role| role.name() == text);
        found.ok_or_else(|| format!("{text:?} is no role: they are viewer, operator, admin and dataplane"))
    }
}

/// The role of callers whom no rule names; `None` is `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefaultRole(pub Option<Role>);

impl FromStr for DefaultRole {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self(None));
        }
        text.parse().map(|role| Self(Some(role))).map_err(|why: String| why + ", or none")
    }
}

impl fmt::Display for DefaultRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.map_or("none", Role::name))
    }
}

/// Whom a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Whose certificate has this common name.
    CommonName(String),
    /// Whose certificate has this DNS name among its alternative names.
    DnsName(String),
    /// Processes of this user.
    User(u32),
    /// Processes in this group.
    Group(u32),
}

/// Gives a role to some callers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The callers.
    pub who: Who,
    /// The role that they get.
    pub role: Role,
    /// The rule as it was written.
    text: String,
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form =
            || format!("{text:?} is no rule: it must be CN=, DNS=, uid= or gid=, a name, a colon and a role");
        // A name may contain colons.
        let (who, role) = text.rsplit_once(':').ok_or_else(form)?;
        let (kind, name) = who.split_once('=').filter(|(_, name)| !name.is_empty()).ok_or_else(form)?;
        let who = match kind {
            "CN" => Who::CommonName(name.to_owned()),
            "DNS" => Who::DnsName(name.to_owned()),
            "uid" => Who::User(names::user(name)?),
            "gid" => Who::Group(names::group(name)?),
            _ => return Err(form()),
        };
        Ok(Self { who, role: role.parse()?, text: text.to_owned() })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_names_callers_and_a_role() {
        for (text, who, role) in [
            ("CN=alice:operator", Who::CommonName("alice".into()), Role::Operator),
            ("CN=a:b:viewer", Who::CommonName("a:b".into()), Role::Viewer),
            ("DNS=dp1.example:dataplane", Who::DnsName("dp1.example".into()), Role::Dataplane),
            ("uid=0:admin", Who::User(0), Role::Admin),
            ("uid=root:admin", Who::User(0), Role::Admin),
            ("gid=root:viewer", Who::Group(0), Role::Viewer),
        ] {
            let rule: Rule = text.parse().unwrap();
            assert_eq!((&rule.who, rule.role, rule.to_string()), (&who, role, text.to_owned()));
        }
        for (text, told) in [
            ("alice:admin", "must be CN=, DNS=, uid= or gid="),
            ("CN=:admin", "must be CN="),
            ("CN=alice", "must be CN="),
            ("OU=x:admin", "must be CN="),
            ("CN=alice:root", "\"root\" is no role"),
            ("CN=alice:none", "\"none\" is no role"),
            ("uid=no-such-user:admin", "no user \"no-such-user\""),
            ("gid=no-such-group:admin", "no group \"no-such-group\""),
        ] {
            let error = text.parse::<Rule>().unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
