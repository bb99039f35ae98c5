//! Chat templates render as jinja2 renders them under transformers' settings; golden file by scripts/golden/chat.py.
use std::path::Path;

use anubad::tokenizer::chat::{ChatTemplate, Message};

#[derive(serde::Deserialize)]
struct Case {
    name: String,
    template: String,
    messages: serde_json::Value,
    variables: serde_json::Map<String, serde_json::Value>,
    add_generation_prompt: bool,
    rendered: Option<String>,
    raises: Option<String>,
}

#[test]
fn templates_render_as_in_transformers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tokenizer/chat.json");
    let text = std::fs::read_to_string(path).unwrap();
    let cases: Vec<Case> = serde_json::from_str(&text).unwrap();
    assert!(cases.len() >= 20);
    for case in cases {
        let template = ChatTemplate::new(&case.template, "<bos>", "<eos>").unwrap();
        let turns = case.messages.as_array().unwrap().iter();
        let messages: Vec<Message> = turns
            .map(|turn| Message { role: turn["role"].as_str().unwrap().into(), content: turn["content"].clone() })
            .collect();
        let got = template.render_with(&messages, case.add_generation_prompt, &case.variables);
        match (case.rendered, case.raises) {
            (Some(rendered), _) => assert_eq!(got.unwrap(), rendered, "{}", case.name),
            (None, Some(words)) => {
                let error = got.unwrap_err().to_string();
                assert!(error.contains(&words) && !error.contains('\n'), "{}: {error}", case.name);
            }
            (None, None) => panic!("{} expects nothing", case.name),
        }
    }
}
