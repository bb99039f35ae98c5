//! What may be generated at all, decided anew at every step: for outputs that must follow a form.
use std::fmt;
use std::sync::Arc;

/// Says which tokens may follow what was generated so far.
///
/// It is asked once for each hypothesis and step, so that rows with guides and rows without stand in one batch, in
/// greedy search, sampling and beam search alike.
pub trait Guide: Send + Sync {
    /// Puts the tokens that may come next into `allowed` (empty when called). `generated` are the tokens so far, without
    /// the prompt. The end token is one of them where the output may end. Leaving it empty forbids everything, which
    /// ends a beam and lets greedy search go on as if there were no guide.
    fn allowed(&self, generated: &[u32], allowed: &mut Vec<u32>);
}

/// A guide as a decoding option of one job: shared, compared by identity, never written to a file.
#[derive(Clone)]
pub struct GuideHandle(pub Arc<dyn Guide>);

impl fmt::Debug for GuideHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guide")
    }
}

impl PartialEq for GuideHandle {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
