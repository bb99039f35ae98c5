//! How a decoder-only model is asked for a translation: its chat template, rendered once with marks where the text goes.
use crate::engine::{Chat, Prompt, Slot};
use crate::error::ModelError;
use crate::manifest::{Languages, Manifest, Prompt as Form};
use crate::tokenizer::Tokenizer;
use crate::tokenizer::chat::{ChatTemplate, Message};
use crate::{Error, Result};

/// What a chat model that nobody described is asked.
const USUAL: &str = "Translate the following Bengali text into English. Answer with the translation only.\n\n{text}";

/// Stand for the places in a conversation while it is rendered: characters of a private area, which no template touches.
const MARKS: [(&str, &str, Slot); 3] = [
    ("{text}", "\u{f0000}anubad:text\u{f0000}", Slot::Text),
    ("{terms}", "\u{f0000}anubad:terms\u{f0000}", Slot::Terms),
    ("{context}", "\u{f0000}anubad:context\u{f0000}", Slot::Context),
];

/// The prompt of a model, from its manifest and the chat template in its files. `name` is for errors.
///
/// Without a manifest a model with a chat template is asked in plain words (TranslateGemma, which shows by its template,
/// in its own way), and one without is given the bare sentence.
///
/// # Errors
/// The manifest wants a chat and the files have no template, or the template refuses or drops the text.
pub fn prompt(tokenizer: &dyn Tokenizer, manifest: Option<&Manifest>, name: &str) -> Result<Prompt> {
    let form = manifest.map(|m| m.prompt.clone()).unwrap_or_default();
    let wanted = form.bos.unwrap_or_else(|| tokenizer.adds_bos());
    let bos = tokenizer.bos().filter(|_| wanted);
    let template = ChatTemplate::of(tokenizer)?;
    let asks = form.structured || form.chat.is_some();
    if asks || (manifest.is_none() && template.is_some()) {
        let Some(template) = template else {
            return Err(Error::Model(ModelError::Missing(format!(
                "{name}: has no chat template in its files, and its manifest counts on one; use another file of the \
                 model, or write `prefix` and `suffix` into an anubad.toml beside it"
            ))));
        };
        let structured = form.structured || (!asks && takes_languages(tokenizer));
        let languages = manifest.map(|m| &m.languages);
        return Ok(Prompt::Chat(chat(&template, &form, structured, languages, bos)?));
    }
    Ok(Prompt::Text { bos, prefix: form.prefix, suffix: form.suffix })
}

/// Whether the template wants the text with its language codes in fields of their own.
fn takes_languages(tokenizer: &dyn Tokenizer) -> bool {
    tokenizer.chat_template().is_some_and(|template| template.contains("source_lang_code"))
}

fn chat(
    template: &ChatTemplate,
    form: &Form,
    structured: bool,
    languages: Option<&Languages>,
    bos: Option<u32>,
) -> Result<Chat> {
    let turns = |user: &str| {
        let system = form.system.iter().map(|text| Message::new("system", text));
        system.chain([Message::user(&marked(user))]).collect::<Vec<_>>()
    };
    let plain = if structured {
        let code = |side: Option<&std::collections::BTreeMap<String, String>>, language: &str| {
            side.and_then(|codes| codes.get(language)).filter(|code| !code.is_empty()).cloned()
        };
        let source = code(languages.map(|l| &l.source), "bn").unwrap_or_else(|| "bn".into());
        let target = code(languages.map(|l| &l.target), "en").unwrap_or_else(|| "en".into());
        vec![Message::translate(MARKS[0].1, &source, &target)]
    } else {
        turns(form.chat.as_deref().unwrap_or(USUAL))
    };
    let optional = |user: &Option<String>| user.as_deref().map(|user| rendered(template, &turns(user))).transpose();
    Ok(Chat {
        bos,
        plain: rendered(template, &plain)?,
        glossary: optional(&form.chat_glossary)?.zip(form.glossary_term.clone()),
        context: optional(&form.chat_context)?,
    })
}

fn marked(user: &str) -> String {
    MARKS.iter().fold(user.to_owned(), |text, (place, mark, _)| text.replace(place, mark))
}

/// The conversation as the template writes it, cut at the marks.
fn rendered(template: &ChatTemplate, turns: &[Message]) -> Result<Vec<Slot>> {
    // Qwen 3 would think aloud first.
    let quiet = serde_json::Map::from_iter([("enable_thinking".to_string(), false.into())]);
    let text = template.render_with(turns, true, &quiet)?;
    let mut slots = Vec::new();
    let mut rest = text.as_str();
    let next = |rest: &str| {
        let found = MARKS.iter().filter_map(|(_, mark, slot)| Some((rest.find(mark)?, mark.len(), slot)));
        found.min_by_key(|(at, ..)| *at).map(|(at, length, slot)| (at, length, slot.clone()))
    };
    while let Some((at, length, slot)) = next(rest) {
        if at > 0 {
            slots.push(Slot::Fixed(rest[..at].to_owned()));
        }
        slots.push(slot);
        rest = &rest[at + length..];
    }
    if !rest.is_empty() {
        slots.push(Slot::Fixed(rest.to_owned()));
    }
    if !slots.contains(&Slot::Text) {
        return Err(Error::Model(ModelError::Incapable(
            "the model's chat template leaves out the text that it is given; choose another model or prompt".into(),
        )));
    }
    Ok(slots)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GEMMA: &str = "{{ bos_token }}{% for m in messages %}<start_of_turn>{{ m.role }}\n{{ m.content | trim \
                         }}<end_of_turn>\n{% endfor %}{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}";

    fn template(source: &str) -> ChatTemplate {
        ChatTemplate::new(source, "<bos>", "<eos>").unwrap()
    }

    fn fixed(text: &str) -> Slot {
        Slot::Fixed(text.into())
    }

    #[test]
    fn a_conversation_is_cut_where_the_text_goes() {
        let form = Form {
            system: Some("Be exact.".into()),
            chat: Some("Translate:\n\n{text}".into()),
            chat_glossary: Some("Terms:\n{terms}\n\n{text}".into()),
            glossary_term: Some("{source} is {target}".into()),
            ..Form::default()
        };
        let chat = chat(&template(GEMMA), &form, false, None, Some(2)).unwrap();
        let start = "<bos><start_of_turn>system\nBe exact.<end_of_turn>\n<start_of_turn>user\n";
        let end = fixed("<end_of_turn>\n<start_of_turn>model\n");
        assert_eq!(chat.plain, [fixed(&format!("{start}Translate:\n\n")), Slot::Text, end.clone()]);
        let (slots, term) = chat.glossary.unwrap();
        assert_eq!(slots, [fixed(&format!("{start}Terms:\n")), Slot::Terms, fixed("\n\n"), Slot::Text, end]);
        assert_eq!((term.as_str(), chat.context, chat.bos), ("{source} is {target}", None, Some(2)));
    }

    #[test]
    fn structured_turns_carry_the_languages_of_the_manifest() {
        let source =
            "{% set p = messages[0].content[0] %}{{ p.source_lang_code }}>{{ p.target_lang_code }}: {{ p.text }}";
        let slots = chat(&template(source), &Form::default(), true, None, None).unwrap().plain;
        assert_eq!(slots, [fixed("bn>en: "), Slot::Text]);
    }

    #[test]
    fn thinking_is_switched_off_and_a_template_that_drops_the_text_is_refused() {
        let source = "{{ messages[0].content }}{% if enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}";
        let slots = chat(&template(source), &Form::default(), false, None, None).unwrap().plain;
        assert_eq!(slots.last(), Some(&fixed("<think>\n\n</think>\n\n")));
        let error = chat(&template("hello"), &Form::default(), false, None, None).unwrap_err().to_string();
        assert!(error.contains("leaves out the text"), "{error}");
    }
}
