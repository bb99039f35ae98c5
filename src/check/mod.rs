//! Checks of a translation against its source: numbers, names, loops, omissions and the rest.
//!
//! [`check_segment`] looks at one sentence and costs some tens of microseconds; [`check_article`] looks at what only
//! shows across sentences. The tables that they read are built once, at first use.
mod consistent;
mod coverage;
pub(crate) mod glossary;
pub(crate) mod loops;
pub(crate) mod names;
pub(crate) mod number;
pub(crate) mod number_parse;
mod number_patch;
mod number_quantity;
mod number_tokens;
pub(crate) mod rates;
mod respell;
mod single;
pub(crate) mod surface;
mod terms;
mod tokens;
pub(crate) mod units;
pub(crate) mod wording;

pub use consistent::Spellings;
pub(crate) use coverage::coverage;
pub use glossary::Glossary;
pub use loops::find_loop;
pub(crate) use names::mend_acronyms;
pub use names::{NameCheck, check_names};
pub use number::{NumberCheck, bears_out, check_numbers};
pub use number_patch::patch_numbers;
pub use rates::CheckRates;
pub use respell::respell_names;
pub(crate) use tokens::restore_tokens;
pub(crate) use units::mend_units;
pub(crate) use wording::mend_wording;

use crate::lang::canonical::canonical;
use crate::lang::translit;
use crate::text::{Finding, FindingKind, Severity};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Nats a letter up to which a Latin word counts as a spelling of a Bengali one.
pub const NAME_LIMIT: f32 = 1.6;
/// Nats a letter from which it surely isn't one. What lies between is given the benefit of the doubt.
pub(crate) const NAME_REJECT: f32 = 1.9;

/// Which checks are made.
#[derive(Debug, Clone, Serialize)]
pub struct CheckOptions {
    /// Numbers, dates, units.
    pub numbers: bool,
    /// Names of persons, places, organizations.
    pub names: bool,
    /// Output that repeats itself.
    pub loops: bool,
    /// Length, script, punctuation, sentences, addresses, remains of the prompt.
    pub surface: bool,
    /// Terms that must be translated as given.
    #[serde(serialize_with = "glossary_terms")]
    pub glossary: Option<Arc<Glossary>>,
}

/// A glossary is serialized term by term.
fn glossary_terms<S: Serializer>(glossary: &Option<Arc<Glossary>>, serializer: S) -> Result<S::Ok, S::Error> {
    glossary.as_deref().serialize(serializer)
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self { numbers: true, names: true, loops: true, surface: true, glossary: None }
    }
}

/// What is wrong with one translated sentence, the worst first. [`Finding::segment`] is left to the caller.
pub fn check_segment(source: &str, output: &str, options: &CheckOptions) -> Vec<Finding> {
    let mut findings = Vec::new();
    if options.surface {
        surface::check_surface(source, output, &mut findings);
        tokens::check_tokens(source, output, &mut findings);
        single::check_single(source, output, &mut findings);
    }
    if output.trim().is_empty() || source.trim().is_empty() {
        return findings;
    }
    if options.loops {
        findings.extend(loops::check_loops(source, output));
    }
    if options.numbers {
        findings.extend(check_numbers(source, output).findings);
        units::check_units(source, output, &mut findings);
    }
    if options.surface {
        terms::check_terms(source, output, &mut findings);
    }
    if options.names {
        findings.extend(check_names(source, output).findings);
    }
    if let Some(glossary) = &options.glossary {
        findings.extend(glossary.check(source, output));
    }
    findings.sort_by_key(|f| std::cmp::Reverse(f.severity));
    findings
}

/// What only shows across the sentences of one article: a name spelled in two ways. `segments` are pairs of source and
/// output in order; [`Finding::segment`] is the place of the rarer spelling.
pub fn check_article<S: AsRef<str>>(segments: &[(S, S)], options: &CheckOptions) -> Vec<Finding> {
    if !options.names {
        return Vec::new();
    }
    // for each Bengali word: English spelling, how often, where first
    let mut spellings: BTreeMap<String, Vec<(String, usize, usize)>> = BTreeMap::new();
    for (i, (source, output)) in segments.iter().enumerate() {
        for (bengali, english) in check_names(source.as_ref(), output.as_ref()).pairs {
            let list = spellings.entry(bengali).or_default();
            match list.iter_mut().find(|(known, ..)| known.eq_ignore_ascii_case(&english)) {
                Some((_, count, _)) => *count += 1,
                None => list.push((english, 1, i)),
            }
        }
    }
    let mut findings = Vec::new();
    for (bengali, mut list) in spellings {
        list.sort_by_key(|(_, count, first)| (std::cmp::Reverse(*count), *first));
        let usual = list[0].0.clone();
        for (english, _, segment) in &list[1..] {
            let message = format!("{bengali} is {english} here and {usual} elsewhere in the article");
            let (kind, severity) = (FindingKind::NameInconsistent, Severity::Warning);
            findings.push(Finding { kind, severity, segment: Some(*segment), message });
        }
    }
    findings.sort_by_key(|f| f.segment);
    findings
}

/// How unlikely the Latin word is as a spelling of the Bengali one (or of it without its case ending), in nats a
/// letter: see [`NAME_LIMIT`].
pub fn name_distance(bengali: &str, latin: &str) -> f32 {
    translit::units(&canonical(bengali))
        .map_or(f32::INFINITY, |units| translit::distance(&units, &translit::latin(latin)))
}
