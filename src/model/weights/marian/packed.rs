//! Files that lie packed on their servers: `.gz` and `.zst`.
use crate::error::ModelError;
use crate::{Error, Result};
use std::io::Read;
use std::path::Path;

/// Unpacked bytes for each packed one at most, beyond the first 64 MB: weights and shortlists shrink to a fifth at best.
const RATIO: u64 = 60;

/// A name without `.gz` or `.zst`.
pub fn without_packing(name: &str) -> &str {
    name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(name)
}

/// The bytes of a file, unpacked where its name ends in `.gz` or `.zst`.
///
/// # Errors
/// The file cannot be read, or is damaged, or unpacks to far more than such a file can hold.
pub fn read_packed(path: &Path) -> Result<Vec<u8>> {
    let file = std::fs::File::open(path).map_err(|e| Error::io(path, e))?;
    let size = file.metadata().map_err(|e| Error::io(path, e))?.len();
    let limit = size.saturating_mul(RATIO).saturating_add(64 << 20);
    let mut bytes = Vec::new();
    let name = path.display().to_string();
    let read = match name.rsplit('.').next() {
        Some("gz") => flate2::read::MultiGzDecoder::new(file).take(limit).read_to_end(&mut bytes),
        Some("zst") => zstd::Decoder::new(file).and_then(|zstd| zstd.take(limit).read_to_end(&mut bytes)),
        _ => return std::fs::read(path).map_err(|e| Error::io(path, e)),
    };
    match read {
        Ok(_) if (bytes.len() as u64) < limit => Ok(bytes),
        Ok(_) => Err(Error::Model(ModelError::damaged(format!(
            "{name}: unpacks to more than {RATIO} times its size; download it again"
        )))),
        Err(e) => {
            Err(Error::Model(ModelError::damaged_by(format!("{name}: cannot be unpacked ({e}); download it again"), e)))
        }
    }
}
