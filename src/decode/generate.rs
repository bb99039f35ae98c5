//! The plain way to decode: sources in, hypotheses out, in order.
use super::{DecodeOptions, Generator, Hypothesis, Limits, Request, Session};
use crate::{Error, Result};
use std::sync::Arc;

/// Decodes all of `sources` (prompts, for decoder-only networks) in one session, `together` hypotheses at a time,
/// and returns the results in order: each the best hypothesis followed by its alternatives.
///
/// This is for tests, tools and short jobs; the engine adds workers, long sentences and isolation of failures.
pub fn generate(
    generator: &Arc<dyn Generator>,
    sources: &[Vec<u32>],
    options: &DecodeOptions,
    together: usize,
) -> Result<Vec<Result<Vec<Hypothesis>>>> {
    let options = Arc::new(options.clone());
    let max_new_tokens = options.max_new_tokens.unwrap_or(usize::MAX);
    let requests: Vec<Request> = (0..)
        .zip(sources)
        .map(|(id, source)| Request { id, source: source.clone(), options: options.clone(), max_new_tokens })
        .collect();
    let mut needed: Vec<(usize, usize)> = requests.iter().map(|r| Session::rows_needed(&**generator, r)).collect();
    needed.sort_unstable_by(|a, b| b.cmp(a));
    let sentences = together.max(1).div_ceil(options.beams.max(1));
    let limits = Limits {
        rows: needed.iter().take(sentences).map(|n| n.0).sum(),
        memory_rows: needed.iter().map(|n| n.1).max().unwrap_or(0) * sentences,
        hypotheses: together.max(1),
        step_tokens: 512,
    };
    let mut session = Session::new(generator.clone(), limits)?;
    let mut results: Vec<Option<Result<Vec<Hypothesis>>>> = requests.iter().map(|_| None).collect();
    let mut requests = requests.into_iter().peekable();
    loop {
        while let Some(request) = requests.next_if(|r| session.has_room(r)) {
            let id = request.id as usize;
            if let Err(error) = session.admit(request) {
                results[id] = Some(Err(error));
            }
        }
        if session.is_empty() {
            break;
        }
        for finished in session.step()? {
            results[finished.id as usize] = Some(finished.result);
        }
    }
    Ok(results.into_iter().map(|r| r.unwrap_or(Err(Error::Interrupted))).collect())
}
