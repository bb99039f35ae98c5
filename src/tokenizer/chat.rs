//! Chat templates: a conversation to a prompt, through the model's own Jinja template.
//!
//! The environment is the one transformers gives a template: blocks trimmed, loop controls, Python's string methods,
//! `raise_exception`, `strftime_now` and a `tojson` that writes as Python does.
use crate::error::ModelError;
use minijinja::{
    Environment, ErrorKind, State, Value, context,
    syntax::SyntaxConfig,
    value::{Kwargs, Serde},
};
use serde::Serialize;

use super::Tokenizer;
use crate::{Error, Result};

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Message {
    /// `system`, `user` or `assistant`.
    pub role: String,
    /// The text, or what else the template takes (TranslateGemma: a list of objects).
    pub content: serde_json::Value,
}

impl Message {
    /// A turn of plain text.
    pub fn new(role: &str, text: &str) -> Self {
        Self { role: role.to_owned(), content: text.into() }
    }

    /// What the user says.
    pub fn user(text: &str) -> Self {
        Self::new("user", text)
    }

    /// TranslateGemma's turn: the text to translate with its two language codes.
    pub fn translate(text: &str, source: &str, target: &str) -> Self {
        let part = serde_json::json!({
            "type": "text", "source_lang_code": source, "target_lang_code": target, "text": text
        });
        Self { role: "user".into(), content: vec![part].into() }
    }
}

/// A compiled chat template. Cheap to share between threads.
pub struct ChatTemplate {
    environment: Environment<'static>,
    bos: String,
    eos: String,
}

const NAME: &str = "chat_template";
/// Longest template; the longest in use have some 20 kB.
const MAX_TEMPLATE: usize = 32 << 10;
/// Stack for reading one. The reader calls itself for every operator, thousands of times if the template is made so.
const STACK: usize = 64 << 20;

impl ChatTemplate {
    /// Compiles a template; `bos` and `eos` are the spellings of those tokens, empty where there are none.
    ///
    /// # Errors
    /// [`Error::Model`] with the template's line where it is no Jinja.
    pub fn new(source: &str, bos: &str, eos: &str) -> Result<Self> {
        if source.len() > MAX_TEMPLATE {
            let (found, most) = (source.len(), MAX_TEMPLATE);
            return Err(Error::Model(ModelError::Refused(format!(
                "the chat template has {found} bytes, more than {most}, which no model's has; it is not used"
            ))));
        }
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(|error| refuse("cannot be read", &error))?);
        // a template may loop for ever; no prompt needs this much
        environment.set_fuel(Some(2_000_000));
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", raise_exception);
        environment.add_function("strftime_now", strftime_now);
        environment.add_filter("tojson", to_json);
        let source = source.to_owned();
        let compile = move || environment.add_template_owned(NAME, source).map(|()| environment);
        let compiled = std::thread::Builder::new().stack_size(STACK).spawn(compile).map(std::thread::JoinHandle::join);
        let environment = match compiled {
            Ok(Ok(compiled)) => compiled.map_err(|error| refuse("cannot be read", &error))?,
            _ => {
                return Err(Error::Model(ModelError::Refused(
                    "the chat template cannot be read: too little memory, or a defect".into(),
                )));
            }
        };
        Ok(Self { environment, bos: bos.to_owned(), eos: eos.to_owned() })
    }

    /// The template of a tokenizer's model, where it has one.
    ///
    /// # Errors
    /// As [`ChatTemplate::new`].
    pub fn of(tokenizer: &dyn Tokenizer) -> Result<Option<Self>> {
        let spell = |id: Option<u32>| id.and_then(|id| tokenizer.piece(id)).unwrap_or_default();
        let template = tokenizer.chat_template();
        template.map(|source| Self::new(source, &spell(tokenizer.bos()), &spell(tokenizer.eos()))).transpose()
    }

    /// The prompt for `messages`; with `add_generation_prompt` the assistant's turn is opened at its end.
    ///
    /// # Errors
    /// [`Error::Model`] where the template refuses the conversation, with its own words.
    pub fn render(&self, messages: &[Message], add_generation_prompt: bool) -> Result<String> {
        self.render_with(messages, add_generation_prompt, &serde_json::Map::new())
    }

    /// As [`ChatTemplate::render`], with further variables such as Qwen 3's `enable_thinking`.
    ///
    /// # Errors
    /// As [`ChatTemplate::render`].
    pub fn render_with(
        &self,
        messages: &[Message],
        add_generation_prompt: bool,
        variables: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<String> {
        let own = context! { messages => Value::from(Serde(messages)), add_generation_prompt, bos_token => self.bos.as_str(), eos_token => self.eos.as_str() };
        let context = context! { ..own, ..Value::from(Serde(variables)) };
        let template = self.environment.get_template(NAME).map_err(|error| refuse("is gone", &error))?;
        template.render(context).map_err(|error| refuse("refused the conversation", &error))
    }

    /// The token ids of the prompt. Special tokens in the messages' own text are recognized too: take them out first
    /// where the text comes from outside.
    ///
    /// # Errors
    /// As [`ChatTemplate::render`] and [`Tokenizer::encode_with_specials`].
    pub fn encode(&self, tokenizer: &dyn Tokenizer, messages: &[Message]) -> Result<Vec<u32>> {
        tokenizer.encode_with_specials(&self.render(messages, true)?)
    }
}

fn refuse(what: &str, error: &minijinja::Error) -> Error {
    let place = error.line().map(|line| format!(", line {line}")).unwrap_or_default();
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned).replace('\n', " ");
    Error::Model(ModelError::damaged(format!(
        "the model's chat template {what}{place} ({detail}); choose another model or prompt"
    )))
}

fn raise_exception(message: String) -> std::result::Result<String, minijinja::Error> {
    Err(minijinja::Error::new(ErrorKind::InvalidOperation, message))
}

/// The date in strftime's notation. It is a fixed one: a prompt that changes with the clock would break the promise
/// that the same input gives the same output.
fn strftime_now(format: String) -> std::result::Result<String, minijinja::Error> {
    let date = jiff::civil::date(2025, 1, 1).at(0, 0, 0, 0);
    jiff::fmt::strtime::format(format.as_str(), date)
        .map_err(|error| minijinja::Error::new(ErrorKind::InvalidOperation, error.to_string()))
}

/// Python's `json.dumps(value, ensure_ascii=False, indent=…)`.
fn to_json(_state: &State, value: Value, options: Kwargs) -> std::result::Result<Value, minijinja::Error> {
    let indent: Option<usize> = options.get("indent")?;
    let failed = |error: serde_json::Error| minijinja::Error::new(ErrorKind::BadSerialization, error.to_string());
    let mut out = Vec::new();
    match indent {
        Some(width) => {
            let spaces = " ".repeat(width.min(16));
            let formatter = serde_json::ser::PrettyFormatter::with_indent(spaces.as_bytes());
            value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, formatter)).map_err(failed)?;
        }
        None => {
            value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, PythonJson)).map_err(failed)?;
        }
    }
    Ok(Value::from_safe_string(String::from_utf8_lossy(&out).into_owned()))
}

/// One line, with a space after every comma and colon.
struct PythonJson;

impl serde_json::ser::Formatter for PythonJson {
    fn begin_array_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W) -> std::io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_that_is_no_jinja_is_refused_with_its_line() {
        let error = ChatTemplate::new("a\n{% for %}", "", "").err().expect("refused").to_string();
        assert!(error.contains("line 2"), "{error}");
    }

    #[test]
    fn a_deep_template_is_read_and_a_longer_one_refused() {
        for (start, part, end) in [
            ("{{ ", "not ", "1 }}"),
            ("{{ 1", "+1", " }}"),
            ("{{ 1", "~1", " }}"),
            ("{{ ", "-", "1 }}"),
            ("{% if 0 %}", "{% elif 0 %}", "{% endif %}"),
            ("{{ 1", "|int", " }}"),
            ("{{ x", ".a", " }}"),
            ("{{ x", "[0]", " }}"),
            ("{{ 1", " if 1 else 1", " }}"),
            ("", "{% if 1 %}", ""),
            ("", "{% for x in y %}", ""),
            ("{{ ", "[", ""),
            ("{{ ", "(", ""),
            ("{{ ", "{1:", ""),
        ] {
            let most = (MAX_TEMPLATE - start.len() - end.len()) / part.len();
            let template = |n: usize| ChatTemplate::new(&format!("{start}{}{end}", part.repeat(n)), "", "");
            // Whether it is Jinja or not: what counts is that there is an answer.
            if let Ok(template) = template(most) {
                let _ = template.render(&[], false);
            }
            let error = template(most + 9).err().map(|e| e.to_string()).unwrap_or_default();
            assert!(error.contains("more than 32768"), "{part}: {error}");
        }
    }

    #[test]
    fn an_endless_template_ends() {
        let template =
            ChatTemplate::new("{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}", "", "");
        assert!(template.unwrap().render(&[], false).is_err());
    }

    #[test]
    fn the_date_does_not_come_from_the_clock() {
        let template = ChatTemplate::new("{{ strftime_now('%d %b %Y') }}", "", "").unwrap();
        assert_eq!(template.render(&[], false).unwrap(), "01 Jan 2025");
    }
}
