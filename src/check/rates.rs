//! How well a whole set of translations keeps to its sources: rates for reports.
use super::{CheckOptions, check_names, check_numbers, check_segment, find_loop};
use crate::text::{Finding, FindingKind, Severity};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Counts over segments. Names are those that are surely names: places, and parts of persons' names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CheckRates {
    /// Segments counted.
    pub segments: usize,
    /// Firm numbers of the sources, and those that the translations keep.
    pub numbers: usize,
    /// Numbers that the translations keep.
    pub numbers_kept: usize,
    /// Certain names of the sources, and those that the translations keep.
    pub names: usize,
    /// Names that the translations keep.
    pub names_kept: usize,
    /// Segments with a loop.
    pub loops: usize,
    /// Segments with a serious finding, and with a finding of any weight above a note.
    pub serious: usize,
    /// Segments with a finding above a note.
    pub doubtful: usize,
    /// Segments by the kinds of their findings above a note.
    pub kinds: BTreeMap<String, usize>,
}

impl CheckRates {
    /// Counts one more segment.
    pub fn add(&mut self, source: &str, output: &str, options: &CheckOptions) {
        let (numbers, names) = (check_numbers(source, output), check_names(source, output));
        self.segments += 1;
        self.numbers += numbers.expected;
        self.numbers_kept += numbers.kept;
        self.names += names.expected;
        self.names_kept += names.kept;
        let findings = check_segment(source, output, options);
        let at_least = |severity| findings.iter().any(|f| f.severity >= severity);
        self.loops += usize::from(find_loop(output).is_some() && findings.iter().any(|f| f.kind == FindingKind::Loop));
        self.serious += usize::from(at_least(Severity::Serious));
        self.doubtful += usize::from(at_least(Severity::Warning));
        let mut kinds: Vec<String> = findings.iter().filter(|f| f.severity > Severity::Note).map(kind_name).collect();
        kinds.sort_unstable();
        kinds.dedup();
        for kind in kinds {
            *self.kinds.entry(kind).or_default() += 1;
        }
    }

    /// Counts all segments of two lists of equal length.
    pub fn of<S: AsRef<str>, O: AsRef<str>>(sources: &[S], outputs: &[O], options: &CheckOptions) -> Self {
        let mut rates = Self::default();
        for (source, output) in sources.iter().zip(outputs) {
            rates.add(source.as_ref(), output.as_ref(), options);
        }
        rates
    }
}

/// The kind as JSON has it.
fn kind_name(finding: &Finding) -> String {
    match serde_json::to_value(finding.kind) {
        Ok(serde_json::Value::String(name)) => name,
        _ => finding.kind.name().replace(' ', "_"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_is_kept_and_what_is_not() {
        let sources = ["ঢাকায় ৫ জন নিহত।", "তিনি ভারতে গেছেন।", "সে বলল।"];
        let outputs = ["Five killed in Dhaka.", "He has gone to Nepal.", "He said said said said said."];
        let rates = CheckRates::of(&sources, &outputs, &CheckOptions::default());
        assert_eq!((rates.segments, rates.numbers, rates.numbers_kept), (3, 1, 1));
        assert_eq!((rates.names, rates.names_kept), (2, 1));
        assert_eq!((rates.loops, rates.serious), (1, 2));
        assert_eq!(rates.kinds.get("loop"), Some(&1), "{rates:?}");
    }
}
