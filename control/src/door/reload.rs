//! Files that are read again when they have changed: those of TLS, and the rules in the file of
//! `--config`.
//!
//! A change is applied when two looks in a row have found the same contents, so that a file that is
//! still being written is not read. A part that is invalid keeps its old value, which is logged once.
//! Each part is applied by itself: an invalid certificate does not hold back a new revocation list.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use flowtracker_tls::files::LONGEST;
use flowtracker_tls::rustls::time_provider::TimeProvider;

use crate::config::Config;
use crate::config_file;
use crate::door::Door;
use crate::door::access::Policy;
use crate::door::roles::{DefaultRole, Rule};
use crate::door::tls::TlsOptions;
use crate::door::tls::material::{Authorities, Crls, Pair, configs};

/// How often the files are read. A change is applied at the second reading.
pub const EVERY: Duration = Duration::from_millis(500);

/// The contents of the files, and what was parsed from them.
#[derive(Debug)]
pub struct Reload {
    tls: TlsOptions,
    /// The file that has the rules, if flags do not give them.
    rules_in: Option<PathBuf>,
    default_role: Option<DefaultRole>,
    clock: Arc<dyn TimeProvider>,
    /// What the files held when they were taken in last, and at the last look.
    taken: Contents,
    sighted: Contents,
    pair: Option<Pair>,
    authorities: Option<Authorities>,
    crls: Crls,
    rules: Vec<Rule>,
}

/// What each file holds, in the order of [`Reload::files`]; `None` for one that cannot be read.
type Contents = Vec<Option<Vec<u8>>>;

impl Reload {
    /// Reads the files that `config` names. Certificates are checked by `clock`.
    ///
    /// # Errors
    /// The option or the file that is wrong, and why.
    pub fn new(config: &Config, clock: Arc<dyn TimeProvider>) -> Result<Self, String> {
        let tls = config.tls.clone();
        match (&tls.tls_cert, &tls.tls_key) {
            (Some(_), None) => return Err("--tls-cert needs --tls-key".to_owned()),
            (None, Some(_)) => return Err("--tls-key needs --tls-cert".to_owned()),
            (None, None) if tls.client_ca.is_some() => {
                return Err("--client-ca needs --tls-cert and --tls-key".to_owned());
            }
            _ => {}
        }
        if tls.crl.is_some() && tls.client_ca.is_none() {
            return Err("--crl needs --client-ca".to_owned());
        }
        let mut new = Self {
            tls,
            rules_in: config.rules_in.clone(),
            default_role: config.roles.default_role,
            clock,
            taken: Contents::new(),
            sighted: Contents::new(),
            pair: None,
            authorities: None,
            crls: Crls::default(),
            rules: config.roles.role.clone(),
        };
        new.taken = new.contents();
        new.sighted = new.taken.clone();
        let wrong = new.take_in();
        wrong.into_iter().next().map_or(Ok(new), Err)
    }

    /// Applies what was read last.
    ///
    /// # Errors
    /// The parts do not make a TLS configuration; the previous one stays in force.
    pub fn apply(&self, door: &Door) -> Result<(), String> {
        if let Some(pair) = &self.pair {
            door.tls.set(configs(pair, self.authorities.as_ref(), &self.crls, &self.clock)?);
        }
        door.access.set(Policy {
            rules: self.rules.clone(),
            default: self.default_role,
            client_ca: self.authorities.is_some(),
            revoked: self.crls.revoked.clone(),
        });
        Ok(())
    }

    /// Looks at the files for as long as it is polled.
    pub async fn follow(mut self, door: &Door) {
        let mut every = tokio::time::interval(EVERY);
        loop {
            every.tick().await;
            self.look(door);
        }
    }

    /// Reads the files, and applies the valid parts of what has changed.
    pub fn look(&mut self, door: &Door) {
        let now = self.contents();
        let settled = now == self.sighted;
        self.sighted = now;
        if !settled || self.sighted == self.taken {
            return;
        }
        let changed: Vec<_> = self
            .files()
            .zip(self.sighted.iter().zip(&self.taken))
            .filter(|(_, (new, old))| new != old)
            .map(|((option, path), _)| format!("{option} {}", path.display()))
            .collect();
        self.taken.clone_from(&self.sighted);
        let mut wrong = self.take_in();
        wrong.extend(self.apply(door).err());
        for why in &wrong {
            tracing::warn!("{why}; what was there before stays in force");
        }
        if wrong.is_empty() {
            tracing::info!("read again: {}", changed.join(", "));
        }
    }

    /// Parses the files. A part that is invalid keeps its old value. Returns what is invalid.
    fn take_in(&mut self) -> Vec<String> {
        // A clock before 1970 counts as 1970.
        let now = self.clock.current_time().map_or(0, |now| now.as_secs());
        let now = Duration::from_secs(now);
        let mut wrong = Vec::new();
        let TlsOptions { tls_cert, tls_key, client_ca, crl } = &self.tls;
        let mut failed = |option: &str, why: String| wrong.push(format!("--{option}: {why}"));
        if let (Some(cert), Some(key)) = (tls_cert, tls_key) {
            match Pair::read(cert, key, now) {
                Ok(pair) => self.pair = Some(pair),
                Err(why) => failed("tls-cert", why),
            }
        }
        if let Some(path) = client_ca {
            match Authorities::read(path, now) {
                Ok(authorities) => self.authorities = Some(authorities),
                Err(why) => failed("client-ca", why),
            }
        }
        if let Some(path) = crl {
            match Crls::read(path) {
                Ok(crls) => self.crls = crls,
                Err(why) => failed("crl", why),
            }
        }
        if let Some(path) = &self.rules_in {
            match rules(path) {
                Ok(rules) => self.rules = rules,
                Err(why) => failed("config", why),
            }
        }
        wrong
    }

    fn files(&self) -> impl Iterator<Item = (&'static str, &PathBuf)> {
        self.tls.files().chain(self.rules_in.iter().map(|path| ("config", path)))
    }

    fn contents(&self) -> Contents {
        self.files().map(|(_, path)| contents(path)).collect()
    }
}

/// Reads a file, unless it is not a regular file or is too long.
fn contents(path: &Path) -> Option<Vec<u8>> {
    // Opening a pipe would block until it has a writer.
    std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    let mut text = Vec::new();
    File::open(path).ok()?.take(LONGEST + 1).read_to_end(&mut text).ok()?;
    Some(text)
}

/// Reads the rules in the file of `--config`.
fn rules(path: &Path) -> Result<Vec<Rule>, String> {
    let one_line = |why: clap::Error| {
        let why = why.to_string();
        why.lines().next().unwrap_or_default().trim_start_matches("error: --config ").to_owned()
    };
    let flags = config_file::read::<Config>(path).map_err(one_line)?;
    flags.iter().filter_map(|flag| flag.strip_prefix("--role=")).map(str::parse).collect()
}
