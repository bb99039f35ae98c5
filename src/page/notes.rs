//! What the checks found, as footnotes that are numbered where they are first met.
use super::escape;
use crate::text::{Finding, Severity};
use std::fmt::Write;

/// Findings, and which of them have been referred to.
pub struct Notes<'a> {
    findings: &'a [Finding],
    /// Places in `findings`, in the order of their numbers; the flag: there is a reference to go back to.
    numbered: Vec<(usize, bool)>,
}

impl<'a> Notes<'a> {
    pub fn of(findings: &'a [Finding]) -> Self {
        Self { findings, numbered: Vec::new() }
    }

    /// References to the findings of a sentence.
    pub fn references(&mut self, segment: usize) -> String {
        let mut out = String::new();
        for (place, finding) in self.findings.iter().enumerate() {
            if finding.segment == Some(segment) {
                self.numbered.push((place, true));
                let n = self.numbered.len();
                let _ = write!(
                    out,
                    "<sup><a href=\"#note-{n}\" id=\"ref-{n}\" aria-label=\"Note {n}: {}\">{n}</a></sup>",
                    escape(&finding.message)
                );
            }
        }
        out
    }

    /// The list of all, those that belong to no sentence at its end.
    pub fn write(&mut self, out: &mut String) {
        let met: Vec<usize> = self.numbered.iter().map(|(place, _)| *place).collect();
        self.numbered.extend((0..self.findings.len()).filter(|place| !met.contains(place)).map(|place| (place, false)));
        if self.numbered.is_empty() {
            return;
        }
        out.push_str("<section class=\"notes\" aria-label=\"Notes\">\n<h2>Notes</h2>\n<ol>\n");
        for (index, (place, referred)) in self.numbered.iter().enumerate() {
            let finding = &self.findings[*place];
            let n = index + 1;
            let _ = write!(
                out,
                "<li id=\"note-{n}\"><strong>{}:</strong> {}",
                weight(finding.severity),
                escape(&finding.message)
            );
            if *referred {
                let _ = write!(out, " <a href=\"#ref-{n}\" aria-label=\"Back to the sentence\">↩</a>");
            }
            out.push_str("</li>\n");
        }
        out.push_str("</ol>\n</section>\n");
    }
}

fn weight(severity: Severity) -> &'static str {
    match severity {
        Severity::Serious => "Serious",
        Severity::Warning => "Check",
        Severity::Note => "Note",
    }
}
