//! Text that is, or holds, markup.

/// The text has tags in it.
pub fn looks_like_html(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["</", "<br", "<p>", "<p ", "<img ", "<div", "<!doctype html"].iter().any(|tag| lower.contains(tag))
}

/// The references of HTML as the characters that they stand for; tags stay as they are.
pub(crate) fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    // The parser of the HTML library knows all names; a `<` is kept from being markup.
    let guarded = text.replace('<', "&lt;");
    scraper::Html::parse_fragment(&guarded).root_element().text().collect()
}
