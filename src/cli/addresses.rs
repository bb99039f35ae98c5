//! Feeds that are named by their addresses: fetched once, before the run, into files that it reads.
use crate::fetch::{self, FetchOptions};
use crate::{Error, Result};
use std::path::PathBuf;

/// Largest feed that is fetched.
const MOST: usize = 256 << 20;

/// Puts a file in the place of each address. The folder that holds them is gone when it is dropped; `None`: no address
/// was named.
pub fn fetch_all(inputs: &mut [PathBuf], offline: bool) -> Result<Option<tempfile::TempDir>> {
    if !inputs.iter().any(|input| fetch::is_address(&input.to_string_lossy())) {
        return Ok(None);
    }
    let folder =
        tempfile::Builder::new().prefix("anubad-feed-").tempdir().map_err(|e| Error::io(std::env::temp_dir(), e))?;
    let defaults = FetchOptions::default();
    let options = FetchOptions { offline: offline || defaults.offline, max_bytes: MOST, ..defaults };
    for (index, input) in inputs.iter_mut().enumerate() {
        let address = input.to_string_lossy().into_owned();
        if !fetch::is_address(&address) {
            continue;
        }
        let fetched = fetch::fetch(&address, &options)?;
        let path = folder.path().join(format!("{}-{}", index + 1, plain(&fetched.name())));
        std::fs::write(&path, &fetched.bytes).map_err(|e| Error::io(&path, e))?;
        *input = path;
    }
    Ok(Some(folder))
}

/// An address as a file name.
fn plain(address: &str) -> String {
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    let name: String =
        address.chars().map(|c| if c.is_alphanumeric() || matches!(c, '.' | '-') { c } else { '_' }).collect();
    // The end says what it is.
    name.chars().skip(name.chars().count().saturating_sub(100)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_stay_and_nothing_is_fetched_offline() {
        let mut files = [PathBuf::from("a.rss"), PathBuf::from("-")];
        assert!(fetch_all(&mut files, false).unwrap().is_none());
        let mut addresses = [PathBuf::from("https://a.example/rss")];
        assert!(fetch_all(&mut addresses, true).unwrap_err().to_string().contains("forbidden"));
        assert_eq!(plain("https://a.example/x/rss.xml?y=../z"), "a.example_x_rss.xml_y_.._z");
    }
}
