//! Checks the TLS files of the link: whether they are valid, and for how long, whether others can read
//! the key, and whether the certificate has the name that the service expects.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use flowtracker_tls::certificate::{Certificate, date};
use flowtracker_tls::files;

use crate::doctor::case::Case;
use crate::doctor::check::Check;
use crate::start::control_tls::told;

const TOPIC: &str = "tls";
/// A certificate that expires sooner gets a warning.
const SOON: Duration = Duration::from_secs(30 * 24 * 3600);

pub(super) fn check(case: &Case) -> Vec<Check> {
    let Some(tls) = &case.config.tls else {
        return vec![Check::ok(TOPIC, format!("not used: {} has no TLS", case.config.control))];
    };
    if let Err(unfit) = tls.files.config() {
        return vec![Check::fail(TOPIC, told(&unfit), "name another file")];
    }
    let mut checks = Vec::new();
    for (file, flag) in [(&tls.files.ca, "--control-ca"), (&tls.files.cert, "--control-cert")] {
        if let Some(file) = file {
            checks.extend(in_time(case, flag, file));
        }
    }
    if tls.files.ca.is_none() {
        checks.push(Check::ok(TOPIC, "the system's CAs are trusted"));
    }
    if let Some(cert) = tls.cert() {
        checks.extend(name(case, cert));
    } else {
        let found = "this data plane has no certificate; a service with --client-ca refuses it";
        checks.push(Check::warn(TOPIC, found, "--control-cert FILE --control-key FILE"));
    }
    if let Some(key) = &tls.files.key {
        checks.push(secret(key));
    }
    checks
}

/// Checks when the certificates of a file end. A chain ends with the first of them.
fn in_time(case: &Case, flag: &str, file: &Path) -> Option<Check> {
    let read = files::certificates(file).ok()?;
    let each: Vec<_> = read.iter().filter_map(|der| Certificate::parse(der).ok()).collect();
    let first = each.iter().map(|certificate| certificate.not_after).min()?;
    let begun = each.iter().map(|certificate| certificate.not_before).max()?;
    let (now, shown) = (case.env.now, file.display());
    Some(if first < now {
        Check::fail(TOPIC, format!("{flag}: {shown} has expired, on {}", date(first)), "renew it")
    } else if begun > now {
        let found = format!("{flag}: {shown} does not hold before {}", date(begun));
        Check::fail(TOPIC, found, "look at this machine's clock")
    } else if first < now + SOON {
        Check::warn(TOPIC, format!("{flag}: {shown} expires soon, on {}", date(first)), "renew it")
    } else {
        Check::ok(TOPIC, format!("{flag}: {shown} holds until {}", date(first)))
    })
}

/// Checks that the certificate bears the name that this data plane gives itself.
fn name(case: &Case, cert: &Path) -> Option<Check> {
    let certificate = Certificate::parse(files::certificates(cert).ok()?.first()?).ok()?;
    let id = case.config.id();
    if certificate.names().any(|name| name == id) {
        return Some(Check::ok(TOPIC, format!("--control-cert: its name is {id}, as --id says")));
    }
    let names: Vec<_> = certificate.names().collect();
    let names = if names.is_empty() { "no name".to_owned() } else { names.join(", ") };
    let found = format!("--control-cert: it is for {names}, not for {id}, so that the service refuses it");
    Some(Check::fail(TOPIC, found, "--id NAME, or another certificate"))
}

/// Checks that nobody else may read the key.
fn secret(key: &Path) -> Check {
    let shown = key.display();
    match std::fs::metadata(key).map(|file| file.permissions().mode() & 0o077) {
        Ok(0) => Check::ok(TOPIC, format!("--control-key: {shown} is its owner's alone")),
        Ok(_) => Check::warn(
            TOPIC,
            format!("--control-key: others may read {shown}"),
            format!("chmod 600 {shown}"),
        ),
        Err(error) => Check::fail(TOPIC, format!("--control-key: {shown}: {error}"), "--control-key FILE"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::process::Command;

    use super::super::testing::{Fixture, all};
    use super::*;
    use crate::doctor::check::Verdict;

    /// Certificates that openssl has made, for two days.
    fn lab() -> tempfile::TempDir {
        let lab = tempfile::tempdir().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docker/certs.sh");
        let made = Command::new(script).arg(lab.path()).env("DAYS", "40").output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        lab
    }

    fn examine(lab: &tempfile::TempDir, id: &str, later: Duration) -> Vec<(Verdict, String)> {
        let mut fixture = Fixture::healthy();
        let path = |file: &str| lab.path().join(file).display().to_string();
        let end = files::certificates(&PathBuf::from(path("dataplane.pem"))).unwrap();
        fixture.env.now = Certificate::parse(&end[0]).unwrap().not_before + later;
        let line = format!(
            "-l 0 -- --id {id} --control https://127.0.0.1:1 --control-ca {} --control-cert {} --control-key {}",
            path("ca.pem"),
            path("dataplane.pem"),
            path("dataplane.key")
        );
        let checks = all(&fixture.examine(&line), TOPIC);
        checks.into_iter().map(|check| (check.verdict, check.found)).collect()
    }

    #[test]
    fn sound_certificates_have_no_findings() {
        let found = examine(&lab(), "dataplane", Duration::from_secs(1));
        assert!(found.len() == 4 && found.iter().all(|(verdict, _)| *verdict == Verdict::Ok), "{found:?}");
    }

    #[test]
    fn what_is_wrong_with_them_is_found() {
        let lab = lab();
        let day = Duration::from_secs(24 * 3600);
        let verdict_of = |found: &[(Verdict, String)], words: &str| {
            found
                .iter()
                .find(|(_, text)| text.contains(words))
                .unwrap_or_else(|| panic!("{words}: {found:?}"))
                .0
        };
        let found = examine(&lab, "dataplane", 11 * day);
        assert_eq!(verdict_of(&found, "dataplane.pem expires soon, on "), Verdict::Warn);
        assert_eq!(verdict_of(&found, "ca.pem holds until "), Verdict::Ok);
        let found = examine(&lab, "dataplane", 41 * day);
        assert_eq!(verdict_of(&found, "dataplane.pem has expired, on "), Verdict::Fail);
        let found = examine(&lab, "lab", day);
        assert_eq!(verdict_of(&found, "it is for dataplane, not for lab"), Verdict::Fail);
        let key = lab.path().join("dataplane.key");
        std::fs::set_permissions(key, PermissionsExt::from_mode(0o640)).unwrap();
        let found = examine(&lab, "dataplane", day);
        assert_eq!(verdict_of(&found, "others may read "), Verdict::Warn);
        std::fs::copy(lab.path().join("viewer.key"), lab.path().join("dataplane.key")).unwrap();
        let found = examine(&lab, "dataplane", day);
        assert_eq!(verdict_of(&found, "--control-key: "), Verdict::Fail);
        assert!(found[0].1.contains("is not the key of the certificate in "), "{found:?}");
    }
}
