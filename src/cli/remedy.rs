//! What to do about an error that the library leaves to its caller to say, in the words of the command line.
use crate::Error;
use crate::bulk::BulkError;

/// A remedy to put behind the error's own text.
pub(super) fn remedy(error: &Error) -> Option<&'static str> {
    let Error::Bulk(error) = error else { return None };
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
}
