//! How much a translation may cost.
use super::PipelineOptions;
use crate::Error;
use crate::decode::DecodeOptions;
use crate::error::SettingsError;
use serde::{Deserialize, Serialize};

/// How much a translation may cost: a choice of search and repair, both of which can also be set one by one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Quality {
    /// Greedy, as the model says it: what the checks doubt is reported and left alone.
    Draft,
    /// Greedy; what the checks doubt is translated again.
    Standard,
    /// A search over four hypotheses; what the checks doubt is translated again.
    #[default]
    Best,
}

/// Hypotheses of the widest search.
const BEAMS: usize = 4;

impl Quality {
    /// Sets the search. A model whose own default is a wider one keeps it where the best is wanted.
    pub fn search(self, decode: &mut DecodeOptions) {
        decode.beams = match self {
            Self::Draft | Self::Standard => 1,
            Self::Best => decode.beams.max(BEAMS),
        };
    }

    /// The name that `--quality` takes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Standard => "standard",
            Self::Best => "best",
        }
    }

    /// Sets whether doubtful sentences are translated again.
    pub fn repair(self, options: &mut PipelineOptions) {
        options.repair = self != Self::Draft;
    }
}

impl std::str::FromStr for Quality {
    type Err = Error;

    /// "draft", "standard" or "best".
    fn from_str(text: &str) -> Result<Self, Error> {
        let found = [Self::Draft, Self::Standard, Self::Best].into_iter().find(|quality| quality.name() == text);
        found.ok_or_else(|| SettingsError::Unknown("expected draft, standard or best".into()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quality_sets_search_and_repair() {
        for (quality, own, beams, repair) in [
            (Quality::Draft, 5, 1, false),
            (Quality::Standard, 5, 1, true),
            (Quality::Best, 1, 4, true),
            (Quality::Best, 5, 5, true),
        ] {
            let mut decode = DecodeOptions { beams: own, ..DecodeOptions::default() };
            let mut options = PipelineOptions::default();
            quality.search(&mut decode);
            quality.repair(&mut options);
            assert_eq!((decode.beams, options.repair), (beams, repair), "{quality:?}");
        }
    }
}
