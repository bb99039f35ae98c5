//! From what a model wrote to the sentences of a summary: no chat around it, no Markdown, nothing twice, nothing cut.
use super::english::{is_ended, overlap, sentences};
use super::generator::Generated;
use regex::Regex;
use std::sync::LazyLock;

/// Openings that chat models put before the thing itself, up to the colon or the end of the sentence.
static PREAMBLE: LazyLock<Regex> = LazyLock::new(|| {
    let patterns = [
        r"(sure|certainly|of course|absolutely|okay|ok|great|alright|yes|no problem|happy to help)( thing| i can help)?\s*[.!,—]+",
        r"(here(’s|'s| is| are)|below (is|are)|the following (is|are)|this is)\b[^.\n]{0,100}\b(summar(y|ies)|headlines?|sentences?|points?|versions?|overview)\b[^.:\n]{0,80}[:.]",
        r"(an? |the |my |one |your )?(short |brief |concise |english |quick |final )*(summary|headline|title|answer|output|response|tl;dr)( (of|for|in) [^.:\n]{0,30}(article|news|story|text|passage|english|sentences?|words))?\s*[:—]",
        r"(as an ai\b|i('m| am) (an ai|happy|sorry)|i (can|will|have|would)\b[^.\n]{0,80}\b(help|summar))[^.\n]*[.:]",
        r"(in summary|to summari[sz]e|to sum up|in short|in conclusion|overall)\s*[,:]",
        r"assistant\s*:",
    ];
    Regex::new(&format!(r"(?i)^\s*(?:{})\s*", patterns.join("|"))).expect("a constant pattern")
});

/// Sentences about the conversation instead of the article.
static CHATTER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)^(i hope (this|that|it)|let me know|please let me know|feel free|would you like|do you (want|need)|if you (have|need|want|would like)\b.*(question|else|more|help|let me|know)|note that (this|the) summary|\(?note:|this summary (is|was|captures|provides|covers|includes|highlights)|(the|this) (summary|headline|response) (above|below|is)\b|i('m| am) (sorry|unable|an ai)|as an ai\b|i cannot\b|i can't\b|is there anything)",
    )
    .expect("a constant pattern")
});

/// List markers, headings and quotation marks at the start of a line.
static MARKER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\s*(?:>\s*|#{1,6}\s+|[-*•–]\s+|\(?\d{1,2}[.)]\s+)+").expect("a constant pattern"));

/// Markdown that marks words: `**bold**`, `__bold__`, `*word*`, `` `code` ``.
static EMPHASIS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\*\*|__|`+|\*(?P<word>[^*\s][^*\n]*)\*").expect("a constant pattern"));

/// Likeness from which a sentence only says again what an earlier one said.
const REPEATED: f64 = 0.85;

/// The sentences of a summary, in the order they were written. Empty where nothing usable was written.
pub fn summary_sentences(written: &Generated) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let text = without_markup(&written.text);
    let all = sentences(&strip_preamble(&text));
    let last = all.len().saturating_sub(1);
    for (i, sentence) in all.into_iter().enumerate() {
        let sentence = strip_preamble(&sentence).trim().to_string();
        if !sentence.chars().any(char::is_alphanumeric) || CHATTER.is_match(&sentence) || sentence.ends_with(':') {
            continue;
        }
        let cut = i == last && !written.finished && !is_ended(&sentence);
        if cut || found.iter().any(|earlier| overlap(earlier, &sentence) >= REPEATED) {
            continue;
        }
        found.push(if is_ended(&sentence) {
            sentence
        } else {
            format!("{}.", sentence.trim_end_matches([',', ';', '-']))
        });
    }
    found
}

/// One line for a headline: no full stop, no quotation marks around it. `None` where there is none.
pub fn headline(written: &Generated) -> Option<String> {
    let text = without_markup(&written.text);
    let text = strip_preamble(&text);
    let line =
        text.lines().map(|l| strip_preamble(l).trim().to_string()).find(|l| !l.is_empty() && !CHATTER.is_match(l))?;
    let first = sentences(&line).into_iter().next()?;
    if first.len() == line.len() && !written.finished && text.lines().count() == 1 {
        return None;
    }
    let bare = first.trim_matches(['"', '“', '”', '\'', '‘', '’', ' ']).trim_end_matches(['.', '।', ' ']);
    (!bare.is_empty()).then(|| bare.to_string())
}

/// The lines of a text without list markers, headings and emphasis.
fn without_markup(text: &str) -> String {
    let clean = |line: &str| EMPHASIS.replace_all(&MARKER.replace(line, ""), "${word}").trim().to_string();
    let lines: Vec<String> = text.lines().map(clean).filter(|l| !l.is_empty()).collect();
    lines.join("\n")
}

/// The text after "Sure! Here is a summary of the article:".
fn strip_preamble(text: &str) -> String {
    let mut rest = text.trim();
    while let Some(found) = PREAMBLE.find(rest) {
        if found.end() == 0 {
            break;
        }
        rest = rest[found.end()..].trim_start_matches([' ', '"', '\n']);
    }
    let mut letters = rest.chars();
    match letters.next() {
        Some(first) if rest.len() < text.trim().len() => first.to_uppercase().chain(letters).collect(),
        _ => rest.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tidy(text: &str) -> Vec<String> {
        summary_sentences(&Generated { text: text.into(), finished: true })
    }

    const CLEAN: [&str; 2] = ["The court granted bail to the former minister.", "Five cases remain."];

    #[test]
    fn chat_around_the_summary_goes() {
        for before in [
            "",
            "Sure! Here is a summary of the article:\n\n",
            "Here's a concise summary in two sentences: ",
            "Certainly! ",
            "**Summary:** ",
            "Summary: ",
            "Here are the 2 sentences you asked for:\n",
            "The following is a brief summary of the news article:\n",
            "Okay, here is the summary.\n",
            "In summary, ",
            "## Summary of the article:\n",
            "I can help summarize that.\n",
        ] {
            for after in [
                "",
                "\n\nI hope this helps!",
                "\nLet me know if you need anything else.",
                " This summary captures the main points.",
            ] {
                assert_eq!(tidy(&format!("{before}{}{after}", CLEAN.join(" "))), CLEAN, "{before:?} {after:?}");
            }
        }
    }

    #[test]
    fn lists_and_emphasis_become_sentences() {
        assert_eq!(tidy("1. The **court** granted bail to the former minister\n2. Five cases *remain*."), CLEAN);
        assert_eq!(tidy("* The court granted bail to the former minister.\n* Five cases remain."), CLEAN);
    }

    #[test]
    fn repetitions_and_the_cut_last_sentence_go() {
        let text = format!("{} {} {} The minister then", CLEAN[0], CLEAN[1], CLEAN[0]);
        assert_eq!(summary_sentences(&Generated { text, finished: false }), CLEAN);
        assert_eq!(summary_sentences(&Generated { text: "The minister then".into(), finished: false }), [""; 0]);
    }

    #[test]
    fn ordinary_sentences_are_left_alone() {
        for sentence in [
            "Great Britain: 14 people were killed in the fire.",
            "Overall losses reached Tk 5 crore.",
            "The title of the book: a mystery.",
            "Here is where the river meets the sea.",
            "Of the 20 injured, five died.",
            "No one was hurt in the 5 * 3 metre room.",
        ] {
            assert_eq!(tidy(sentence), [sentence]);
        }
    }

    #[test]
    fn a_headline_is_one_bare_line() {
        for text in [
            "Headline: \"Court grants bail to former minister.\"",
            "**Court grants bail to former minister**",
            "Sure! Here is a headline:\nCourt grants bail to former minister\nIt was Tuesday.",
        ] {
            let written = Generated { text: text.into(), finished: true };
            assert_eq!(headline(&written).as_deref(), Some("Court grants bail to former minister"), "{text}");
        }
        assert_eq!(headline(&Generated { text: "".into(), finished: true }), None);
    }
}
