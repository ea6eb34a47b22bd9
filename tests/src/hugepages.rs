//! Hugepages for a test that needs memory which other DPDK processes can map.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::run;

const COUNT: &str = "/proc/sys/vm/nr_hugepages";

/// Folders are `fttest-huge-PID-PAGES` in the temporary folder. The name of a leftover one shows
/// its owner and its number of pages.
const PREFIX: &str = "fttest-huge-";

/// Hugepages of 2 MiB with a mount of their own. Dropping it gives them back.
#[derive(Debug)]
pub struct Hugepages {
    folder: PathBuf,
    pages: u64,
}

impl Hugepages {
    /// Takes `pages` of 2 MiB. Needs root.
    ///
    /// # Panics
    /// When the machine does not have them.
    #[must_use]
    pub fn take(pages: u64) -> Self {
        Self::ask(pages).unwrap_or_else(|| panic!("the kernel does not find {pages} free hugepages of 2 MiB"))
    }

    /// Takes `pages` of 2 MiB as [`Self::take`] does, or returns `None` when the machine does not
    /// have them.
    #[must_use]
    pub fn ask(pages: u64) -> Option<Self> {
        sweep();
        let before = count();
        let folder = std::env::temp_dir().join(format!("{PREFIX}{}-{pages}", std::process::id()));
        fs::create_dir(&folder).expect("a temporary folder");
        set_count(before + pages);
        if count() != before + pages {
            set_count(before);
            let _ = fs::remove_dir(&folder);
            return None;
        }
        // From here on, dropping `taken` undoes the steps.
        let taken = Self { folder, pages };
        let options = format!("pagesize=2M,size={}M", 2 * pages);
        run(Command::new("mount").args(["-t", "hugetlbfs", "-o", &options, "none"]).arg(&taken.folder));
        Some(taken)
    }

    /// Returns the folder of the mount, for DPDK's `--huge-dir`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Hugepages {
    fn drop(&mut self) {
        give_back(&self.folder, self.pages);
    }
}

/// Unmounts the folder, which frees the pages of its files, and takes `pages` off the machine's
/// count.
fn give_back(folder: &Path, pages: u64) {
    let _ = Command::new("umount").arg(folder).output();
    if fs::remove_dir(folder).is_ok() {
        // Other processes may have taken pages meanwhile, so the count is lowered and not restored.
        set_count(count().saturating_sub(pages));
    }
}

/// Gives back the pages of tests that were killed before they could do so.
fn sweep() {
    for entry in fs::read_dir(std::env::temp_dir()).expect("a temporary folder").flatten() {
        let name = entry.file_name();
        let owner =
            name.to_str().and_then(|name| name.strip_prefix(PREFIX)).and_then(|rest| rest.split_once('-'));
        if let Some((pid, pages)) = owner
            && !Path::new("/proc").join(pid).exists()
            && let Ok(pages) = pages.parse()
        {
            give_back(&entry.path(), pages);
        }
    }
}

fn count() -> u64 {
    fs::read_to_string(COUNT).expect("Linux with hugepages").trim().parse().expect("a number")
}

fn set_count(pages: u64) {
    // A refusal shows in the count, which is read again.
    let _ = fs::write(COUNT, pages.to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// This is a single test because the number of hugepages is global to the machine.
    #[test]
    fn hugepages_are_given_back_by_the_owner_or_the_next_one() {
        let before = count();
        let own = Hugepages::take(2);
        assert_eq!(count(), before + 2);
        let mounts = || fs::read_to_string("/proc/self/mounts").expect("mounts");
        let folder = own.folder().to_str().expect("UTF-8").to_owned();
        assert!(mounts().contains(&folder));
        drop(own);
        assert_eq!(count(), before);
        assert!(!mounts().contains(&folder) && !Path::new(&folder).exists());

        // No process has this id: it is beyond the kernel's limit (PID_MAX_LIMIT, 2^22).
        let left = std::env::temp_dir().join(format!("{PREFIX}4194305-3"));
        fs::create_dir(&left).expect("a temporary folder");
        set_count(before + 3);
        sweep();
        assert_eq!(count(), before);
        assert!(!left.exists());
    }
}
