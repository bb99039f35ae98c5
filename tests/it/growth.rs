//! Shapes that made a reader's work grow with the square or the cube of their size: at megabytes each of them took
//! minutes to hours. What is handed out is bounded by what was read, whatever the shape; where the readers count their
//! own work (CSV), their unit tests bound the count.
use anubad::feed::{ReadOptions, read_bytes, to_article};

const SIZES: [usize; 2] = [10_000, 200_000];

/// `part` as often as fits, between a beginning and an end.
fn filled(size: usize, start: &str, part: &str, end: &str) -> String {
    format!("{start}{}{end}", part.repeat(size / part.len()))
}

fn numbered(size: usize, part: impl Fn(usize) -> String) -> String {
    let mut out = String::new();
    for i in 0.. {
        if out.len() >= size {
            break;
        }
        out.push_str(&part(i));
    }
    out
}

/// Reads and converts a file of each size; what comes out is no larger than a few times what went in.
fn grows_with_its_size(name: &str, shape: impl Fn(usize) -> String) {
    for size in SIZES {
        let text = shape(size);
        let mut given = 0;
        for entry in read_bytes(name, text.as_bytes(), &ReadOptions::default()).into_iter().flatten() {
            given += entry.body.len() + serde_json::to_string(&entry.meta.extra).unwrap().len();
            if let Ok((_, article)) = to_article(entry) {
                given += article.blocks.iter().map(|b| b.text.len()).sum::<usize>();
                given += article.title.map_or(0, |title| title.len());
            }
        }
        assert!(given <= 8 * text.len() + 4096, "{name}: {given} bytes out of {}", text.len());
    }
}

const WORDS: &str = "ঢাকায় আজ বৃষ্টি হয়েছে। ";

#[test]
fn tables() {
    for part in ["x\",\"\n", "\"\n", "a,\"b\n", "\"a\n\"b\n", "\"\"\n", ",,,\n", "\",\"\n"] {
        grows_with_its_size("f.csv", |size| filled(size, "title,body\n", part, ""));
        grows_with_its_size("f.csv", |size| filled(size, "title,body\n", part, "\"\n"));
    }
    grows_with_its_size("f.csv", |size| filled(size, "", "a,", "body\n1,2\n"));
    grows_with_its_size("f.csv", |size| format!("{}body\n{}\n", "a,".repeat(4000), filled(size, "", "x,", "y")));
}

#[test]
fn pages_of_one_tag() {
    let names = [
        "a",
        "abbr",
        "article",
        "b",
        "blockquote",
        "body",
        "button",
        "caption",
        "center",
        "col",
        "colgroup",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
        "font",
        "form",
        "frameset",
        "h1",
        "h2",
        "head",
        "html",
        "i",
        "iframe",
        "label",
        "legend",
        "li",
        "main",
        "marquee",
        "math",
        "menu",
        "nobr",
        "object",
        "ol",
        "optgroup",
        "option",
        "p",
        "plaintext",
        "pre",
        "q",
        "rb",
        "rp",
        "rt",
        "rtc",
        "ruby",
        "script",
        "section",
        "select",
        "span",
        "strong",
        "style",
        "sub",
        "summary",
        "svg",
        "table",
        "tbody",
        "td",
        "template",
        "textarea",
        "tfoot",
        "th",
        "thead",
        "title",
        "tr",
        "tt",
        "u",
        "ul",
        "xmp",
    ];
    for name in names {
        let tag = format!("<{name}>");
        grows_with_its_size("f.html", |size| filled(size, "<!doctype html><body>", &tag, WORDS));
    }
    for pair in
        ["<b><p>", "<a><div>", "<table><tr>", "<li><ul>", "<p><nobr>", "<select><option>", "<td><table>", "</p>"]
    {
        grows_with_its_size("f.html", |size| filled(size, "<!doctype html><body>", pair, WORDS));
    }
}

#[test]
fn pages_that_make_others_work() {
    let page = |title: usize, headings: usize| {
        let title = "বৃষ্টি ".repeat(title / 20);
        format!(
            "<html><head><title>{title}</title></head><body>{}<p>{WORDS}</p>",
            "<h1>বৃষ্টি হয়েছে</h1>".repeat(headings)
        )
    };
    grows_with_its_size("f.html", |size| page(size / 2, size / 80));
    grows_with_its_size("f.html", |size| format!("<body><p {}>{WORDS}", numbered(size, |i| format!("a{i}=1 "))));
    grows_with_its_size("f.html", |size| numbered(size, |i| format!("<body a{i}=1 b{i}=2>")) + WORDS);
    for part in ["<!--", "<![CDATA[", "<a x=\"", "<a x='\">", "&amp", "&#", "<", "</", "<?", "<!"] {
        grows_with_its_size("f.html", |size| filled(size, "<html><body>", part, WORDS));
    }
}

#[test]
fn titles_and_other_texts() {
    for part in ["<div>", "<rt>", "<b>", "<a x=1>", "&amp;", "<!--", "<p>"] {
        grows_with_its_size("f.jsonl", |size| {
            let title = filled(size, "", part, "বৃষ্টি");
            serde_json::json!({ "title": title, "body": WORDS }).to_string() + "\n"
        });
    }
    grows_with_its_size("f.jsonl", |size| {
        let title = format!("<p {}>বৃষ্টি", numbered(size, |i| format!("a{i}=1 ")));
        serde_json::json!({ "title": title, "body": WORDS }).to_string() + "\n"
    });
    for part in ["> ", "- ", "* ", "[", "![", "`", "**a", "_", "<", "|", "\t", "1. ", "[a](", "\\", "&", "# "] {
        grows_with_its_size("f.md", |size| filled(size, WORDS, part, ""));
        grows_with_its_size("f.md", |size| filled(size, WORDS, &format!("{part}\n"), ""));
    }
    for part in ["<a>", "<item>", "<item><title>", "<![CDATA[", "&a;", "<!ENTITY a 'b'>", "<item a='1'/>"] {
        grows_with_its_size("f.rss", |size| filled(size, "<rss><channel>", part, ""));
    }
    for part in ["[", "{\"a\":", "[{\"body\":\"x\"},"] {
        grows_with_its_size("f.json", |size| filled(size, "", part, ""));
    }
    grows_with_its_size("f.txt", |size| filled(size, "", WORDS, ""));
}
