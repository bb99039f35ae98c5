//! An article as the texts that a model is given, and where their translations belong.
use crate::article::Article;
use crate::article::{Segment, segment};
use crate::lang::normalize;
use std::ops::Range;

/// An article cut into segments, each with the text that is given to the model.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The Bengali article.
    pub article: Article,
    /// Its sentences.
    pub segments: Vec<Segment>,
    /// For each segment its normalized text; `None`: it needs no translation.
    pub texts: Vec<Option<String>>,
}

/// Cuts an article into sentences and normalizes those that are to be translated.
pub fn prepare(article: Article) -> Prepared {
    let segments = segment::segments(&article);
    Prepared::of(article, segments)
}

impl Prepared {
    /// An article whose sentences are known.
    pub fn of(article: Article, segments: Vec<Segment>) -> Self {
        let text = |s: &Segment| segment::needs_translation(&s.text).then(|| normalize::canonical(&s.text));
        let texts = segments.iter().map(text).collect();
        Self { article, segments, texts }
    }

    /// Segments in runs that share a block (the title is a run of its own), in order: (block, segments).
    pub fn runs(&self) -> Vec<(Option<usize>, Range<usize>)> {
        let mut runs: Vec<(Option<usize>, Range<usize>)> = Vec::new();
        for (index, segment) in self.segments.iter().enumerate() {
            match runs.last_mut() {
                Some((block, range)) if *block == segment.block => range.end = index + 1,
                _ => runs.push((segment.block, index..index + 1)),
            }
        }
        runs
    }

    /// The segments in waves that end where a block ends: the first ones small, so that the first paragraph is there soon,
    /// each later one at least twice as large, so that batches are full.
    pub fn waves(&self, first: usize) -> Vec<Range<usize>> {
        let mut waves: Vec<Range<usize>> = Vec::new();
        let mut target = first;
        let mut start = 0;
        for (_, run) in self.runs() {
            if run.end - start >= target {
                waves.push(start..run.end);
                start = run.end;
                target *= 4;
            }
        }
        if start < self.segments.len() {
            waves.push(start..self.segments.len());
        }
        waves
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::{Block, BlockKind};

    #[test]
    fn waves_cover_everything_and_end_with_blocks() {
        let block =
            |n: usize| Block { kind: BlockKind::Paragraph, text: "বাক্য এক। ".repeat(n), range: 0..0 };
        let article =
            Article {
                title: Some("শিরোনাম".into()), blocks: (1..9).map(block).collect(), ..Article::default()
            };
        let prepared = prepare(article);
        let waves = prepared.waves(4);
        assert_eq!(waves.first().unwrap().start, 0);
        assert_eq!(waves.last().unwrap().end, prepared.segments.len());
        assert!(waves.windows(2).all(|w| w[0].end == w[1].start));
        let ends: Vec<usize> = prepared.runs().iter().map(|r| r.1.end).collect();
        assert!(waves.iter().all(|w| ends.contains(&w.end)));
    }
}
