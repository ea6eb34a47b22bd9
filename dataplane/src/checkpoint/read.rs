//! Reads a file, of which nothing is believed before all of it was checked.

use std::io::{self, BufRead as _, BufReader, Read, Seek, SeekFrom};

use crc32fast::Hasher;
use flowtracker_proto::table::Family;
use prost::Message as _;

use conntrack::{FlowKey, FlowKeyV6};

use crate::checkpoint::format::{Description, HEAD, Head, MAX_DESCRIPTION, Saved, VERSION, record_len};
use crate::checkpoint::write::checksum;
use crate::lcore::family::TableKey;

/// Why a file is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The file is another one.
    #[error("it is no checkpoint of flowtracker")]
    Foreign,
    /// The file has another form.
    #[error("it has version {0}; this program reads version {VERSION}")]
    Version(u32),
    /// Something is missing, or there is too much.
    #[error("it is torn: it has {found} bytes and needs {needed}")]
    Length {
        /// The length of the file.
        found: u64,
        /// The length that its head says.
        needed: u128,
    },
    /// Its bytes are not what was written.
    #[error("it is damaged: its checksum is wrong")]
    Checksum,
    /// Its checksum is right, but it does not mean anything.
    #[error("it is damaged: {0}")]
    Meaning(String),
    /// It was written by another data plane, or one with other ports or tables.
    #[error("{0}")]
    Other(String),
    /// It cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// A whole file.
pub struct Checkpoint<R> {
    source: BufReader<R>,
    head: Head,
    /// What it says besides the entries.
    pub description: Description,
}

impl<R: Read + Seek> Checkpoint<R> {
    /// Reads a file of `len` bytes, and checks all of it. The memory that this takes is that of the
    /// description, which is no longer than the file.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn read(source: R, len: u64) -> Result<Self, Refused> {
        let mut source = BufReader::with_capacity(1 << 16, source);
        let mut head = [0; HEAD];
        if len < HEAD as u64 {
            return Err(Refused::Foreign);
        }
        source.seek(SeekFrom::Start(0))?;
        source.read_exact(&mut head)?;
        let head = Head::from_bytes(&head).ok_or(Refused::Foreign)?;
        if head.version != VERSION {
            return Err(Refused::Version(head.version));
        }
        let needed = description_at(&head) + u128::from(head.description);
        if needed != u128::from(len) {
            return Err(Refused::Length { found: len, needed });
        }
        if head.description > MAX_DESCRIPTION {
            return Err(Refused::Meaning("its description is too long".to_owned()));
        }
        check_sum(&mut source, &head)?;

        // No overflow: it is less than the length of the file.
        source.seek(SeekFrom::Start(description_at(&head) as u64))?;
        let mut bytes = vec![0; head.description as usize];
        source.read_exact(&mut bytes)?;
        let description =
            Description::decode(&bytes[..]).map_err(|error| Refused::Meaning(error.to_string()))?;
        if let Some(fault) = description.fault() {
            return Err(Refused::Meaning(fault.to_owned()));
        }
        let mut checkpoint = Checkpoint { source, head, description };
        checkpoint.entries::<FlowKey>(|_| {})?;
        checkpoint.entries::<FlowKeyV6>(|_| {})?;
        Ok(checkpoint)
    }

    /// Passes the entries of a table to `each`, in the order in which they were written.
    ///
    /// # Errors
    /// When the file cannot be read any more. It was checked before.
    pub fn entries<K: TableKey>(&mut self, mut each: impl FnMut(Saved<K>)) -> Result<(), Refused> {
        let before = if K::FAMILY == Family::Ipv4 { 0 } else { self.head.records[0] };
        // No overflow: both are less than the length of the file.
        self.source.seek(SeekFrom::Start(HEAD as u64 + before * record_len::<FlowKey>() as u64))?;
        let mut record = vec![0; record_len::<K>()];
        for nth in 0..self.head.records[K::FAMILY as usize] {
            self.source.read_exact(&mut record)?;
            let saved = Saved::read(&record, self.description.at_ns).ok_or_else(|| {
                Refused::Meaning(format!("record {nth} of {} is no entry", K::FAMILY.table().pipeline))
            })?;
            each(saved);
        }
        Ok(())
    }
}

/// Returns where the description begins.
fn description_at(head: &Head) -> u128 {
    let [ipv4, ipv6] = head.records.map(u128::from);
    HEAD as u128 + ipv4 * record_len::<FlowKey>() as u128 + ipv6 * record_len::<FlowKeyV6>() as u128
}

/// Checks the checksum of a file whose head was read.
fn check_sum(source: &mut BufReader<impl Read>, head: &Head) -> Result<(), Refused> {
    let mut crc = Hasher::new();
    loop {
        let bytes = source.fill_buf()?;
        if bytes.is_empty() {
            break;
        }
        crc.update(bytes);
        let read = bytes.len();
        source.consume(read);
    }
    if checksum(*head, &crc) == head.crc { Ok(()) } else { Err(Refused::Checksum) }
}
