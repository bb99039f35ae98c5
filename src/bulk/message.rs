//! What became of an entry, on its way to the writer.
use crate::bulk::input::filter::Reason;
use crate::bulk::options::BulkOptions;
use crate::bulk::output;
use crate::bulk::record::{ErrorRecord, Record};
use crate::bulk::report::Slow;
use crate::text::FindingKind;
use serde::{Deserialize, Serialize};

/// What became of an entry.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum What {
    Written(Box<Written>),
    Failed(ErrorRecord),
    Skipped(Reason),
}

/// A record as it goes into the output, and what the report wants to know of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Written {
    /// All formats are text.
    pub text: String,
    /// Its file, where each has its own.
    pub file: Option<String>,
    pub slow: Slow,
    pub findings: Vec<FindingKind>,
}

impl Written {
    /// The record in the output's format.
    pub fn new(record: &Record, slow: Slow, options: &BulkOptions) -> Self {
        let bytes = match options.csv_raw {
            true => options.format.raw_record(record, options.include_source),
            false => options.format.record(record, options.include_source),
        };
        let file = options.format.is_folder().then(|| {
            let end = options.compress.map_or(String::new(), |c| format!(".{}", c.extension()));
            format!("{}{end}", output::file_name(record, options.format.file_extension()))
        });
        let text = String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
        Self { text, file, slow, findings: record.findings.iter().map(|f| f.kind).collect() }
    }
}

impl What {
    /// Whether it goes where it belongs: what an earlier run has left comes from the disk.
    pub fn is_sound(&self) -> bool {
        match self {
            Self::Written(record) => record.file.as_deref().is_none_or(crate::bulk::store::journal::is_plain_name),
            _ => true,
        }
    }
}

/// …and whose turn it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Message {
    #[serde(skip)]
    pub slot: u64,
    pub n: u64,
    /// Digest of the input up to this entry.
    pub input: String,
    /// What it weighs at the gate.
    pub bytes: usize,
    /// Bytes of the input that were read up to it, for the time that is left.
    #[serde(skip)]
    pub consumed: u64,
    /// An earlier run has finished it.
    #[serde(skip)]
    pub kept: bool,
    pub what: What,
}
