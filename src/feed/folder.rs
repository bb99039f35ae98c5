//! A folder tree: every file that has a known extension, in the order of its path.
use super::format::Packing;
use super::{BadEntry, Format, Place, ReadOptions, Sink, open};
use std::ops::ControlFlow;
use std::path::Path;

/// Files of other kinds (pictures, style sheets) are left aside.
pub(super) fn is_ours(name: &str) -> bool {
    // A list names files of this machine: it is followed only where the user named it, whatever it is packed in.
    if Format::by_name(name) == Some(Format::List) {
        return false;
    }
    Packing::by_name(name).is_some_and(|p| p != Packing::Gzip && p != Packing::Bzip2 && p != Packing::Zstd)
        || name.to_ascii_lowercase().ends_with(".tgz")
        || name.to_ascii_lowercase().contains(".tar.")
        || Format::by_name(name).is_some()
}

/// Hidden files and folders, and what archivers leave behind.
pub(super) fn is_hidden(name: &str) -> bool {
    name.starts_with('.') || name == "__MACOSX"
}

/// A link that leads out of the folder: who put it there may read less than who reads the folder.
fn leads_out(link: &Path, folder: &Path) -> bool {
    match (link.canonicalize(), folder.canonicalize()) {
        (Ok(target), Ok(folder)) => !target.starts_with(folder),
        _ => true,
    }
}

/// Reads the files below `folder`, sorted by name, folder by folder. Links to folders are not followed, nor are those
/// to files outside of it.
pub(super) fn read(folder: &Path, options: &ReadOptions, depth: u8, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let walk = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter();
    let walk = walk.filter_entry(|e| e.depth() == 0 || !is_hidden(&e.file_name().to_string_lossy()));
    let (mut aside, mut taken) = (0u64, 0u64);
    for found in walk {
        match found {
            Ok(file) if file.path_is_symlink() && file.path().is_file() && leads_out(file.path(), folder) => {
                tracing::warn!(
                    "{}: a link to a file outside of the folder; left aside (name the file itself to have it read)",
                    crate::error::shown(&file.path().display().to_string())
                );
            }
            Ok(file) if file.path().is_file() => {
                if options.format.is_none() && !is_ours(&file.file_name().to_string_lossy()) {
                    options.aside.add(&file.path().display().to_string());
                    aside += 1;
                    continue;
                }
                taken += 1;
                open::read_found(file.path(), options, depth, sink)?;
            }
            Ok(_) => {}
            Err(error) => {
                taken += 1;
                let file = error.path().unwrap_or(folder).display().to_string();
                let reason = format!("the folder cannot be read: {error}");
                sink(Err(BadEntry { place: Place { file, ..Place::default() }, reason }))?;
            }
        }
    }
    if taken == 0 {
        let reason = match aside {
            0 => "there is no file in the folder".into(),
            n => format!(
                "none of the {n} files in the folder has a name that says a format (.xml, .jsonl, .html, .txt, ...); \
                 or name the format (input-format)"
            ),
        };
        let file = folder.display().to_string();
        return sink(Err(BadEntry { place: Place { file, ..Place::default() }, reason }));
    }
    ControlFlow::Continue(())
}
