//! The file of `--checkpoint`: can it be written where it is to be?

use crate::doctor::case::Case;
use crate::doctor::check::Check;

const TOPIC: &str = "checkpoint";

pub(super) fn check(case: &Case) -> Vec<Check> {
    let Some(path) = &case.config.options.checkpoint else { return Vec::new() };
    vec![match case.config.check_checkpoint() {
        Ok(()) => Check::ok(TOPIC, format!("{} is in a folder that exists", path.display())),
        Err(error) => Check::fail(TOPIC, error.to_string(), "--checkpoint FILE"),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::check::Verdict;
    use crate::doctor::testing::{Fixture, only};

    #[test]
    fn a_file_that_cannot_be_made_is_told() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let verdict = |path: std::path::PathBuf| {
            let line = format!("-l 0 -- --id lab --checkpoint {}", path.display());
            only(&Fixture::healthy().examine(&line), TOPIC).verdict
        };
        assert_eq!(verdict(folder.path().join("file")), Verdict::Ok);
        assert_eq!(verdict(folder.path().join("no/file")), Verdict::Fail);
        assert_eq!(verdict(folder.path().to_owned()), Verdict::Fail);
    }
}
