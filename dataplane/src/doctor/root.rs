//! The file system as the checks see it: `/`, or a folder that takes its place in a test.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::start::eal_args::numbers;

/// The folder that the checks take for `/`.
#[derive(Clone, Debug)]
pub struct Root(PathBuf);

impl Default for Root {
    fn default() -> Self {
        Self("/".into())
    }
}

impl Root {
    /// Makes a root that takes `folder` for `/`.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// Returns the real path of an absolute `path`. A relative one stays as it is.
    pub(super) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        path.strip_prefix("/").map_or_else(|_| path.to_owned(), |below| self.0.join(below))
    }

    /// Returns the text of a file, without the white space at its ends.
    pub(super) fn read(&self, path: impl AsRef<Path>) -> Option<String> {
        Some(fs::read_to_string(self.path(path)).ok()?.trim().to_owned())
    }

    /// Returns the contents of a file that holds one value.
    pub(super) fn value<T: FromStr>(&self, path: impl AsRef<Path>) -> Option<T> {
        self.read(path)?.parse().ok()
    }

    /// Returns the value of `name` in a file of lines such as `MemFree:  4 kB`.
    pub(super) fn field(&self, path: impl AsRef<Path>, name: &str) -> Option<String> {
        let text = self.read(path)?;
        text.lines().find_map(|line| {
            let (before, value) = line.split_once(':')?;
            before.trim_end().ends_with(name).then(|| value.trim().to_owned())
        })
    }

    /// Returns the sorted names in a folder, or none if there is no such folder.
    pub(super) fn names(&self, path: impl AsRef<Path>) -> Vec<String> {
        let entries = fs::read_dir(self.path(path)).into_iter().flatten().flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort_unstable();
        names
    }

    /// Returns the last part of the path that a symbolic link points to: sysfs names drivers and
    /// groups in this way.
    pub(super) fn link(&self, path: impl AsRef<Path>) -> Option<String> {
        let target = fs::read_link(self.path(path)).ok()?;
        Some(target.file_name()?.to_string_lossy().into_owned())
    }

    /// Returns `true` when there is such a file or folder.
    pub(super) fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.path(path).exists()
    }

    /// Returns the CPUs that a file lists, or none if there is no such file.
    pub(super) fn cpus(&self, path: impl AsRef<Path>) -> BTreeSet<u32> {
        self.read(path).and_then(|text| numbers(&text)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_name() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("meminfo"), "Node 0 MemTotal: 8 kB\nNode 0 MemFree:   5 kB\n").unwrap();
        let root = Root::at(folder.path());
        assert_eq!(root.field("/meminfo", "MemFree").as_deref(), Some("5 kB"));
        assert_eq!(root.field("/meminfo", "Mem"), None);
    }
}
