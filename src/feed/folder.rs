//! A folder tree: every file that has a known extension, in the order of its path.
use super::format::Packing;
use super::{BadEntry, Format, Place, ReadOptions, Sink, open};
use std::ops::ControlFlow;
use std::path::Path;

/// Files of other kinds (pictures, style sheets) are left aside.
pub(super) fn is_ours(name: &str) -> bool {
    Packing::by_name(name).is_some_and(|p| p != Packing::Gzip && p != Packing::Bzip2 && p != Packing::Zstd)
        || name.to_ascii_lowercase().ends_with(".tgz")
        || name.to_ascii_lowercase().contains(".tar.")
        || Format::by_name(name).is_some_and(|f| f != Format::List)
}

/// Hidden files and folders, and what archivers leave behind.
pub(super) fn is_hidden(name: &str) -> bool {
    name.starts_with('.') || name == "__MACOSX"
}

/// Reads the files below `folder`, sorted by name, folder by folder. Links to folders are not followed.
pub(super) fn read(folder: &Path, options: &ReadOptions, depth: u8, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let walk = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter();
    let walk = walk.filter_entry(|e| e.depth() == 0 || !is_hidden(&e.file_name().to_string_lossy()));
    let mut aside = 0u64;
    for found in walk {
        match found {
            Ok(file) if file.path().is_file() => {
                if options.format.is_none() && !is_ours(&file.file_name().to_string_lossy()) {
                    tracing::debug!("{}: not a format that is read; left aside", file.path().display());
                    aside += 1;
                    continue;
                }
                open::read_path(file.path(), options, depth, sink)?;
            }
            Ok(_) => {}
            Err(error) => {
                let file = error.path().unwrap_or(folder).display().to_string();
                let reason = format!("the folder cannot be read: {error}");
                sink(Err(BadEntry { place: Place { file, ..Place::default() }, reason }))?;
            }
        }
    }
    if aside > 0 {
        tracing::warn!(
            "{}: {aside} files of other kinds were left aside (RUST_LOG=debug lists them)",
            folder.display()
        );
    }
    ControlFlow::Continue(())
}
