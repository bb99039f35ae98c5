//! From what a model wrote to the sentences of a summary: no chat around it, no Markdown, nothing twice, nothing cut.
use super::english::{capitalized, is_ended, overlap, sentences, words};
use super::generator::Generated;
use regex::Regex;
use std::collections::HashSet;
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

/// Sentences about the article instead of its matter, up to what they say of it.
static ABOUT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)^(?:the|this) (?:news |given |following |above )?(?:article|passage|text|news story|summary)(?: (?:also|then|further|mainly|primarily|briefly))?\s+(?:(?P<that>(?:says|states|reports|mentions|notes|claims|explains|adds|reveals|argues|suggests|describes|highlights|concludes|emphasi[sz]es) that)|is about|talks|deals|ends|begins|starts|sheds|delves|gives|tells|touches|(?:say|state|report|mention|note|claim|explain|add|reveal|argue|suggest|describe|highlight|conclude|emphasi[sz]e|discusse|provide|focuse|explore|examine|cover|outline|present|detail|summari[sz]e|offer|recount|include)(?:s|d|ed))\b\s*",
    )
    .expect("a constant pattern")
});

/// List markers, headings and quotation marks at the start of a line.
static MARKER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\s*(?:>\s*|#{1,6}\s+|[-*•–]\s+|\(?\d{1,2}[.)]\s+)+").expect("a constant pattern"));

/// Markdown that marks words: `**bold**`, `__bold__`, `*word*`, `` `code` ``.
static EMPHASIS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\*\*|__|`+|\*(?P<word>[^*\s][^*\n]*)\*").expect("a constant pattern"));

/// Fewest words of a sentence: less is a title or a name that the model threw in.
const LEAST_WORDS: usize = 3;
/// Words that come twice in a row within one sentence: the model goes round in circles.
const CIRCLE: usize = 5;
/// Words in a row that two sentences of a summary may not share.
const COPIED: usize = 8;
/// Likeness from which a sentence only says again what an earlier one said.
const REPEATED: f64 = 0.85;

/// The sentences of a summary, in the order they were written. Empty where nothing usable was written.
pub fn summary_sentences(written: &Generated) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let text = without_markup(&written.text);
    let all = sentences(&strip_preamble(&text));
    let last = all.len().saturating_sub(1);
    for (i, sentence) in all.into_iter().enumerate() {
        let sentence = said_by_the_article(strip_preamble(&sentence).trim());
        if sentence.split_whitespace().count() < LEAST_WORDS
            || !sentence.chars().any(char::is_alphanumeric)
            || CHATTER.is_match(&sentence)
            || sentence.ends_with(':')
        {
            continue;
        }
        let cut = i == last && !written.finished && !is_ended(&sentence);
        if cut || found.iter().any(|earlier| says_again(earlier, &sentence)) {
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

/// "… is a highlight of the article", but not "the article of the treaty".
static OF_THE_ARTICLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\bthe (?:news )?article(?:['’]s\b|[.,;]|$| (?:also|is|was|does|did|has|provides)\b)")
        .expect("a constant pattern")
});

/// Whether a sentence speaks of the article instead of its matter ("The article discusses …").
pub fn is_about_the_article(sentence: &str) -> bool {
    ABOUT.is_match(sentence) || OF_THE_ARTICLE.is_match(sentence)
}

/// "The article says that it rained." → "It rained."
fn said_by_the_article(sentence: &str) -> String {
    match ABOUT.captures(sentence) {
        Some(found) if found.name("that").is_some() => {
            capitalized(sentence[found.get_match().end()..].trim_start_matches([',', ' ']))
        }
        _ => sentence.to_string(),
    }
}

/// Whether a sentence only says again what an earlier one said, or a long stretch of it word for word.
fn says_again(earlier: &str, sentence: &str) -> bool {
    let (before, now) = (words(earlier), words(sentence));
    let runs: HashSet<&[String]> = before.windows(COPIED).collect();
    overlap(earlier, sentence) >= REPEATED || now.windows(COPIED).any(|run| runs.contains(run))
}

/// Whether a sentence says the same words over again ("the film was a success, and the film was a success").
pub fn goes_in_circles(sentence: &str) -> bool {
    let words = words(sentence);
    let mut seen = HashSet::new();
    words.windows(CIRCLE).any(|run| !seen.insert(run))
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
    if rest.len() < text.trim().len() { capitalized(rest) } else { rest.to_string() }
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
    fn the_matter_is_told_and_not_the_article() {
        assert_eq!(tidy("The article also mentions that the river is rising."), ["The river is rising."]);
        for sentence in [
            "The article discusses the river.",
            "This passage provides a summary of the flood.",
            "The article is about a flood.",
        ] {
            assert!(is_about_the_article(sentence), "{sentence}");
        }
        for sentence in [
            "The report said five people died.",
            "The article of the treaty was signed.",
            "Article 39 protects speech.",
        ] {
            assert!(!is_about_the_article(sentence), "{sentence}");
        }
    }

    #[test]
    fn a_long_stretch_is_not_said_twice() {
        let text = "The market has been very bullish, and the main index of the exchange has been falling. \
            The market has been positive, and the main index of the exchange has been falling.";
        assert_eq!(tidy(text).len(), 1);
    }

    #[test]
    fn circles_and_scraps() {
        assert!(goes_in_circles("The movie was a literary festival, and the movie was a literary festival."));
        assert!(!goes_in_circles("The court granted bail in one case and the court refused it in another."));
        assert_eq!(tidy("Bhenali. The court granted bail to the former minister. Five cases remain."), CLEAN);
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
