//! Writes the file: records as they come, then the description, then the head.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use conntrack::Entry;
use crc32fast::Hasher;
use flowtracker_proto::table::Family;
use prost::Message as _;

use crate::checkpoint::format::{Description, HEAD, Head, Saved, VERSION};
use crate::lcore::family::TableKey;

/// Writes one file.
pub struct Writer<W> {
    out: W,
    /// Of what follows the head.
    crc: Hasher,
    records: [u64; 2],
    /// The record that is written.
    record: Vec<u8>,
}

impl<W: Write + Seek> Writer<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all(&[0; HEAD])?;
        Ok(Writer { out, crc: Hasher::new(), records: [0; 2], record: Vec::new() })
    }

    /// Adds an entry that was read at the instant `at_ns`. Entries of IPv4 come before those of IPv6.
    ///
    /// # Errors
    /// Those of the output.
    pub fn entry<K: TableKey>(&mut self, entry: &Entry<K>, at_ns: u64) -> io::Result<()> {
        debug_assert!(K::FAMILY == Family::Ipv6 || self.records[1] == 0, "IPv4 comes first");
        self.record.clear();
        Saved::new(entry, at_ns).write(&mut self.record);
        self.crc.update(&self.record);
        self.records[K::FAMILY as usize] += 1;
        self.out.write_all(&self.record)
    }

    /// Ends the file, and returns the number of its entries.
    ///
    /// # Errors
    /// Those of the output.
    pub fn finish(mut self, description: &Description) -> io::Result<(W, u64)> {
        let bytes = description.encode_to_vec();
        self.crc.update(&bytes);
        self.out.write_all(&bytes)?;
        let head = Head { version: VERSION, crc: 0, records: self.records, description: bytes.len() as u64 };
        let crc = checksum(head, &self.crc);
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&Head { crc, ..head }.to_bytes())?;
        self.out.flush()?;
        Ok((self.out, self.records.iter().sum()))
    }
}

/// Returns the checksum of a file with this head, whose other bytes have this checksum.
pub(super) fn checksum(head: Head, others: &Hasher) -> u32 {
    let mut crc = Hasher::new();
    crc.update(&Head { crc: 0, ..head }.to_bytes());
    crc.combine(others);
    crc.finalize()
}

/// Writes a new file in place of the one at `path`, or leaves the one that is there: the new file gets
/// its name when it is whole and on the disk. `fill` writes the entries, and returns the description.
/// With `aside` the file that is there is kept under that name. Returns the number of entries.
///
/// # Errors
/// Those of `fill` and of the file system.
pub fn replace(
    path: &Path,
    aside: Option<&Path>,
    fill: impl FnOnce(&mut Writer<BufWriter<File>>) -> io::Result<Description>,
) -> io::Result<u64> {
    let unfinished = beside(path, ".tmp");
    let written = write_whole(&unfinished, fill).and_then(|entries| {
        if let Some(aside) = aside {
            std::fs::rename(path, aside).or_else(|error| match error.kind() {
                io::ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            })?;
        }
        std::fs::rename(&unfinished, path)?;
        File::open(folder(path))?.sync_all()?;
        Ok(entries)
    });
    written.inspect_err(|_| {
        // It may not exist, and nothing depends on it.
        let _ = std::fs::remove_file(&unfinished);
    })
}

fn write_whole(
    path: &Path,
    fill: impl FnOnce(&mut Writer<BufWriter<File>>) -> io::Result<Description>,
) -> io::Result<u64> {
    // It says who talks to whom, which is nobody else's business.
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    let mut writer = Writer::new(BufWriter::with_capacity(1 << 16, file))?;
    let description = fill(&mut writer)?;
    let (out, entries) = writer.finish(&description)?;
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    Ok(entries)
}

/// Returns the folder of a file.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Returns the path with this at its end.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
