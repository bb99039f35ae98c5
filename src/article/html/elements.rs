//! What an element of a page is by its name, its classes and what it holds.
use scraper::ElementRef;

/// A table that arranges a page rather than data: it nests tables, headings or lists, or has one column.
pub(super) fn is_layout(table: ElementRef<'_>) -> bool {
    let (mut widest, mut cells, mut rows) = (0, 0, 0);
    let (mut lists, mut headed) = (false, false);
    for element in table.descendent_elements().skip(1) {
        match element.value().name() {
            "table" | "h1" | "h2" | "h3" | "h4" | "figure" | "article" | "section" => return true,
            "ul" | "ol" => lists = true,
            "tr" => {
                cells = 0;
                rows += 1;
            }
            name @ ("td" | "th") => {
                headed |= name == "th";
                cells += 1;
                widest = widest.max(cells);
            }
            _ => {}
        }
    }
    // A list may stand in a cell of data; beside a menu in a single row it is the page.
    widest < 2 || (lists && !headed && rows < 2)
}

/// Most characters of a caption; what is longer under such a name is a part of the page.
const CAPTION_CHARS: usize = 300;

/// Captions and credits that are marked by class only.
pub(super) fn is_caption_class(element: ElementRef<'_>) -> bool {
    let is = |class: &str| {
        let class = class.to_ascii_lowercase();
        let mut parts = class.split(['-', '_']);
        let has = |words: &[&str]| class.split(['-', '_']).any(|part| words.contains(&part));
        matches!(class.as_str(), "credit" | "credits" | "photographer" | "photocredit" | "imgcaption" | "photocaption")
            || (parts.any(|part| matches!(part, "caption" | "captions" | "cutline")) && !has(&["no", "has", "video"]))
            || (has(&["credit", "credits"]) && has(&["photo", "image", "img", "pic", "picture", "media"]))
    };
    !matches!(element.value().name(), "figcaption" | "caption" | "figure" | "body" | "article" | "main" | "td" | "th")
        && element.value().classes().any(is)
        // The frame that WordPress draws around a picture and its caption has other pictures' captions in it, too.
        && element.text().flat_map(str::chars).take(CAPTION_CHARS + 1).count() <= CAPTION_CHARS
}

/// A figure that shows a picture: what is written in it is its caption. Tables, quotations and code come in figures, too.
pub(super) fn is_picture(element: ElementRef<'_>) -> bool {
    let holds = |names: &[&str]| element.descendent_elements().skip(1).any(|e| names.contains(&e.value().name()));
    holds(&["img", "picture"])
        && !holds(&["table", "blockquote", "pre", "ul", "ol", "h1", "h2", "h3"])
        && element.text().flat_map(str::chars).take(CAPTION_CHARS + 1).count() <= CAPTION_CHARS
}

/// A link to a footnote, which says nothing of its own: EPUB and ARIA have a word for it, pandoc a class.
pub(super) fn is_note_reference(element: ElementRef<'_>) -> bool {
    let value = element.value();
    value.name() == "a"
        && (value.attr("epub:type") == Some("noteref")
            || matches!(value.attr("role"), Some("doc-noteref" | "doc-backlink"))
            || value.classes().any(|class| matches!(class, "footnote-ref" | "footnote-back")))
}

/// What a superscript behind `before` says: a degree sign, a power, the end of an ordinal. `None`: it is the mark of a
/// footnote and says nothing.
pub(super) fn superscript(element: ElementRef<'_>, before: &str) -> Option<String> {
    let text: String = element.text().collect();
    let text = text.trim();
    let last = before.chars().next_back();
    let behind_digit = last.is_some_and(char::is_numeric);
    let linked = element.descendent_elements().skip(1).any(|e| e.value().name() == "a");
    let bare = text.trim_start_matches(['[', '(']).trim_end_matches([']', ')', '।']);
    let digits = !bare.is_empty() && bare.chars().all(char::is_numeric);
    if text.is_empty()
        || (bare.len() < text.len() && (digits || bare.chars().count() == 1))
        || matches!(text, "*" | "†" | "‡")
    {
        return None;
    }
    if matches!(text, "০" | "0" | "o" | "O" | "º" | "˚" | "°" | "ও") && behind_digit {
        return Some("°".into());
    }
    if !digits {
        return (!linked || behind_digit).then(|| text.to_owned());
    }
    if linked {
        return None;
    }
    if behind_digit {
        return Some(format!("^{text}"));
    }
    const UNITS: &[&str] = &["মিটার", "মি", "কিমি", "কিলোমিটার", "সেমি", "ফুট", "মাইল", "m", "km", "cm", "mm", "ft"];
    let unit = before.rsplit(|c: char| c.is_whitespace() || c == '.').next().is_some_and(|word| UNITS.contains(&word));
    match text {
        "২" | "2" if unit => Some("²".into()),
        "৩" | "3" if unit => Some("³".into()),
        _ => None,
    }
}
