//! Chat templates render as jinja2 renders them under transformers' settings; golden file by scripts/golden/chat.py.
//! A chat model writes what llama.cpp writes; golden file by scripts/golden/llama_greedy.py.
use std::path::Path;

use anubad::assembly::{Model, ModelOptions};
use anubad::decode::{DecodeOptions, generate};
use anubad::hub::{ResolveOptions, resolve};
use anubad::model::layers::Compute;
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

#[derive(serde::Deserialize)]
struct Greedy {
    instruction: String,
    prompts: Vec<Prompt>,
}

#[derive(serde::Deserialize)]
struct Prompt {
    text: String,
    prompt_tokens: usize,
    /// llama.cpp with the weights as f32, and (of some) with the file as it is.
    answer: Vec<u32>,
    #[serde(default)]
    quantized: Option<Vec<u32>>,
}

/// How many of the prompts are answered token for token as in llama.cpp (with f32 weights, with the file's own).
fn equal_answers(file: &str, golden: &Greedy, compute: Compute) -> (usize, usize) {
    let resolved = resolve(file, &ResolveOptions::default()).unwrap();
    let options = ModelOptions { compute, whole_vocabulary: true, ..ModelOptions::default() };
    let model = Model::open(&resolved, &options).unwrap();
    let template = ChatTemplate::of(&*model.tokenizer).unwrap().unwrap();
    let render = |prompt: &Prompt| {
        let message = Message::user(&format!("{}{}", golden.instruction, prompt.text));
        let ids = template.encode(&*model.tokenizer, &[message]).unwrap();
        assert_eq!(ids.len(), prompt.prompt_tokens, "{}", prompt.text);
        ids
    };
    let prompts: Vec<Vec<u32>> = golden.prompts.iter().map(render).collect();
    let decode = DecodeOptions { max_new_tokens: Some(48), loop_guard: false, ..DecodeOptions::default() };
    let results = generate(&model.generator, &prompts, &decode, 8).unwrap();
    let ends = &model.generator.spec().eos;
    let (mut floats, mut quantized) = (0, 0);
    for (result, prompt) in results.into_iter().zip(&golden.prompts) {
        let mut tokens = result.unwrap().swap_remove(0).tokens;
        tokens.pop_if(|last| ends.contains(last));
        floats += usize::from(tokens == prompt.answer);
        quantized += usize::from(Some(tokens) == prompt.quantized);
    }
    println!("{}: {floats} as with f32 weights, {quantized} as with the file's own", compute.name());
    (floats, quantized)
}

#[test]
#[ignore = "needs ANUBAD_SMOLLM2=SmolLM2-135M-Instruct.Q4_1.gguf: scripts/test-external"]
fn external_chat_model_writes_what_llama_cpp_writes() {
    let file = std::env::var("ANUBAD_SMOLLM2").expect("ANUBAD_SMOLLM2 names the weights");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/smollm2_greedy.json");
    let golden: Greedy = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(golden.prompts.len(), 100);
    let (equal, _) = equal_answers(&file, &golden, Compute::F32);
    assert!(equal >= 95, "{equal} of 100");
    equal_answers(&file, &golden, Compute::Int8);
}
