//! What to do about an error that the library leaves to its caller to say, in the words of the command line.
use crate::Error;
use crate::bulk::BulkError;
use crate::error::{InputError, ModelError, SettingsError};

/// The error's own text with its remedy behind it.
pub(super) fn advised(error: &anyhow::Error) -> String {
    // The library's errors are complete; what caused them would only be said twice.
    match error.downcast_ref::<Error>() {
        Some(own) => match remedy(own) {
            Some(remedy) => format!("{own}; {remedy}"),
            None => own.to_string(),
        },
        None => format!("{error:#}"),
    }
}

/// A remedy to put behind the error's own text.
fn remedy(error: &Error) -> Option<&'static str> {
    match error {
        Error::Bulk(error) => of_bulk(error),
        Error::Input(error) => of_input(error),
        Error::Settings(error) => of_settings(error),
        Error::Model(ModelError::Computed(_)) => Some("run `anubad model verify`, or try --compute f32"),
        _ => None,
    }
}

fn of_bulk(error: &BulkError) -> Option<&'static str> {
    Some(match error {
        BulkError::Changed { complete: true, .. } => "start over with --fresh, or name another output",
        BulkError::Changed { complete: false, .. } => {
            "start over with --fresh, or keep what is there and go on with --resume-anyway"
        }
        BulkError::AllFailed { .. } => "put that right, then start over with --fresh",
        BulkError::Version(_) | BulkError::Damaged(_) => "start over with --fresh",
        BulkError::Foreign(_) => "move it away, name another output, or overwrite it with --fresh",
        BulkError::Link(_) => "remove it, or name another output",
        BulkError::Locked(_) => "wait for it, or name another output",
        BulkError::NothingToRetry(_) => "run without --retry-errors first",
        BulkError::Sentences { .. } | BulkError::Sentence(_) | BulkError::Defect(_) => return None,
    })
}

fn of_input(error: &InputError) -> Option<&'static str> {
    Some(match error {
        InputError::Encoding(_) => "--lossy reads it with the bad bytes replaced",
        InputError::Bijoy(_) => "--bijoy converts it",
        InputError::Furniture(_) => "--keep-furniture reads everything that is there",
        InputError::Feed(_) => "use `anubad bulk` for it",
        InputError::TooLarge(_) => {
            "split it, or use `anubad bulk` for a feed, a dump or a folder, or --lines for one sentence a line"
        }
        InputError::Empty(_)
        | InputError::Binary(_)
        | InputError::NoBengali(_)
        | InputError::Tool(_)
        | InputError::Address { .. }
        | InputError::Damaged { .. } => return None,
    })
}

fn of_settings(error: &SettingsError) -> Option<&'static str> {
    Some(match error {
        SettingsError::Offline(_) => "or leave --offline out",
        SettingsError::StandardOutput(_) => "leave --compress out, name an output with -o, or pipe",
        SettingsError::NoEarlierRun(_) => "name it with -o",
        SettingsError::Columns(_) => "name what to translate with --columns",
        SettingsError::NoTranslationModel(_) => "name one with --model",
        SettingsError::SummaryModel(_) => {
            "name one that does with --summary-model (`anubad model list`), or use --summary-method extractive"
        }
        SettingsError::Listen { .. } => "name another address and port with --listen",
        SettingsError::Unknown(_)
        | SettingsError::Missing(_)
        | SettingsError::Range(_)
        | SettingsError::Conflict(_)
        | SettingsError::Fields(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stops_a_run_has_a_remedy() {
        let changed = |complete| Error::from(BulkError::Changed { what: "out: other settings".into(), complete });
        assert!(remedy(&changed(false)).is_some_and(|r| r.contains("--resume-anyway")));
        assert!(remedy(&changed(true)).is_some_and(|r| !r.contains("--resume-anyway")));
        assert!(remedy(&BulkError::Foreign("out".into()).into()).is_some_and(|r| r.contains("--fresh")));
        assert_eq!(remedy(&Error::Interrupted), None);
    }

    /// The texts of the library name no flags of the program; these two places say what the program's user can do.
    #[test]
    fn the_flag_stands_behind_the_library_s_text() {
        let read = |text: &str, name: &str| {
            let options = crate::article::ReadOptions::default();
            advised(&crate::article::parse(text.as_bytes(), name, &options).unwrap_err().into())
        };
        let furniture = read("বিজ্ঞাপন\n\nশেয়ার করুন", "a.txt");
        assert!(furniture.ends_with("furniture; --keep-furniture reads everything that is there"), "{furniture}");
        let feed = read("<?xml version=\"1.0\"?><rss><channel>", "-");
        assert!(feed.ends_with("this is a feed, not one article; use `anubad bulk` for it"), "{feed}");
    }
}
