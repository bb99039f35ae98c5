//! Data that is too large, or not free, to lie in the repository. Tests that need it are ignored with the reason, and
//! `scripts/test-external` runs them.
use std::path::PathBuf;

/// A file in the folder that ANUBAD_TEST_DATA names.
pub fn data(name: &str) -> PathBuf {
    let folder = std::env::var_os("ANUBAD_TEST_DATA").expect("ANUBAD_TEST_DATA names the folder of the test data");
    let path = PathBuf::from(folder).join(name);
    assert!(path.is_file(), "{} is missing", path.display());
    path
}

/// The text of such a file.
pub fn text(name: &str) -> String {
    std::fs::read_to_string(data(name)).expect("UTF-8")
}
