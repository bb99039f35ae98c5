//! The tokenizer of a model folder in Hub layout, whatever its kind.
use crate::error::ModelError;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::Value;

use super::{
    IndicTransTokenizer, JsonTokenizer, SentencePiece, Tokenizer,
    convert::{self, NllbLanguages},
    json::{Frame, Named, Parts},
    languages::{Codes, M2M100, spell},
    mapped::{Dictionary, MappedTokenizer, Side},
    normalize::{self, Normalization},
    sentencepiece::ModelFile,
};
use crate::{Error, Result};

/// What the user of a folder may settle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderOptions {
    /// Language of the source, in any family's spelling: `bn`, `ben_Beng`, `bn_IN`.
    pub source: String,
    /// Language of the output, likewise.
    pub target: String,
    /// Text before every sentence, such as MADLAD's `<2en> `; special tokens in it are recognized.
    pub prefix: String,
    /// Normal forms that the model was trained on.
    pub normalize: Vec<Normalization>,
}

impl Default for FolderOptions {
    fn default() -> Self {
        Self { source: "bn".into(), target: "en".into(), prefix: String::new(), normalize: Vec::new() }
    }
}

/// The tokenizer of `folder`, Bengali to English where the model has a choice.
///
/// # Errors
/// As [`from_folder_with`].
pub fn from_folder(folder: &Path) -> Result<Arc<dyn Tokenizer>> {
    from_folder_with(folder, &FolderOptions::default())
}

/// The tokenizer of `folder`: chosen by the files that lie there, by the class in `tokenizer_config.json` and the
/// model type in `config.json`.
///
/// # Errors
/// [`Error::Model`] where files are missing (all are named), damaged, or lack a language.
pub fn from_folder_with(folder: &Path, options: &FolderOptions) -> Result<Arc<dyn Tokenizer>> {
    let folder = Folder::open(folder)?;
    let tokenizer: Arc<dyn Tokenizer> = match folder.family()? {
        Family::Marian => Arc::new(folder.marian(options)?),
        Family::M2m100 => Arc::new(folder.m2m100(options)?),
        Family::IndicTrans => Arc::new(IndicTransTokenizer::new(folder.indictrans(options)?)),
        Family::Json(kind) => Arc::new(folder.json(kind, options)?),
    };
    Ok(normalize::before(tokenizer, &options.normalize))
}

/// How the pieces are looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Marian,
    M2m100,
    IndicTrans,
    Json(Kind),
}

/// What goes around a sentence where the tokenizers crate does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Nllb,
    MBart,
    MBart50,
    T5,
    /// What the file's own post-processor says.
    Plain,
}

struct Folder {
    path: PathBuf,
    config: Value,
    tokenizer_config: Value,
}

impl Folder {
    fn open(path: &Path) -> Result<Self> {
        if !path.is_dir() {
            let source = std::io::Error::from(std::io::ErrorKind::NotFound);
            return Err(Error::io(path, source));
        }
        let read = |name: &str| read_json(&path.join(name));
        Ok(Self {
            path: path.to_path_buf(),
            config: read("config.json")?.unwrap_or_default(),
            tokenizer_config: read("tokenizer_config.json")?.unwrap_or_default(),
        })
    }

    fn has(&self, name: &str) -> bool {
        self.path.join(name).is_file()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Fails with the names of those files that are not there.
    fn need(&self, kind: &str, names: &[&str]) -> Result<()> {
        let missing: Vec<&str> = names.iter().copied().filter(|name| !self.has(name)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Error::Model(ModelError::Missing(format!(
            "{}: the {kind} tokenizer needs {}; copy the missing files into the folder or run `anubad model pull`",
            self.path.display(),
            missing.join(", ")
        ))))
    }

    fn family(&self) -> Result<Family> {
        // "NllbTokenizerFast" and "NllbTokenizer" are one
        let class = text(&self.tokenizer_config, "tokenizer_class").trim_end_matches("Fast").to_owned();
        let model = text(&self.config, "model_type");
        let family = match class.as_str() {
            "MarianTokenizer" => Family::Marian,
            "M2M100Tokenizer" => Family::M2m100,
            "IndicTransTokenizer" => Family::IndicTrans,
            "NllbTokenizer" => Family::Json(Kind::Nllb),
            "MBartTokenizer" => Family::Json(Kind::MBart),
            "MBart50Tokenizer" => Family::Json(Kind::MBart50),
            "T5Tokenizer" | "MT5Tokenizer" => Family::Json(Kind::T5),
            _ => match model {
                "marian" => Family::Marian,
                "IndicTrans" | "RotaryIndicTrans" => Family::IndicTrans,
                _ if self.has("dict.SRC.json") => Family::IndicTrans,
                "m2m_100" if self.has("vocab.json") => Family::M2m100,
                "m2m_100" => Family::Json(Kind::Nllb),
                "mbart" => Family::Json(Kind::MBart50),
                "t5" | "mt5" | "umt5" => Family::Json(Kind::T5),
                _ => Family::Json(Kind::Plain),
            },
        };
        match family {
            Family::Marian => self.need("Marian", &["source.spm", "target.spm", "vocab.json"])?,
            Family::M2m100 => self.need("M2M-100", &["vocab.json", "sentencepiece.bpe.model"])?,
            Family::IndicTrans => {
                self.need("IndicTrans2", &["dict.SRC.json", "dict.TGT.json", "model.SRC", "model.TGT"])?;
            }
            Family::Json(_) if self.has("tokenizer.json") => {}
            Family::Json(Kind::Nllb) => self.need("NLLB", &["sentencepiece.bpe.model"])?,
            Family::Json(Kind::MBart | Kind::MBart50) => self.need("mBART", &["sentencepiece.bpe.model"])?,
            Family::Json(Kind::T5) => self.need("T5", &["spiece.model"])?,
            Family::Json(Kind::Plain) if self.has("vocab.json") && self.has("merges.txt") => {}
            Family::Json(Kind::Plain) => {
                let kind = if model.is_empty() { "model's" } else { model };
                self.need(kind, &["tokenizer.json"])?;
            }
        }
        Ok(family)
    }

    fn marian(&self, options: &FolderOptions) -> Result<MappedTokenizer> {
        let path = self.file("vocab.json");
        let source = Arc::new(Dictionary::open(&path)?);
        let separate = self.tokenizer_config["separate_vocabs"].as_bool().unwrap_or(false);
        let target = match separate {
            true => Arc::new(Dictionary::open(&self.file("target_vocab.json"))?),
            false => source.clone(),
        };
        let (unk, eos) = (source.need("<unk>", &path)?, source.need("</s>", &path)?);
        let pad = target.id("<pad>");
        // models with many targets want a code such as >>eng<< in front, and have its token
        let code = [options.target.clone(), three_letters(&options.target)]
            .into_iter()
            .find_map(|code| source.id(&format!(">>{code}<<")));
        let frame = Frame {
            before: code.into_iter().collect(),
            after: vec![eos],
            prefix: options.prefix.clone(),
            forced_bos: None,
        };
        let silent = [target.id("</s>"), pad, target.id("<unk>")].into_iter().flatten().collect();
        Ok(MappedTokenizer {
            size: source.len().max(target.len()),
            source: Side { model: Arc::new(SentencePiece::open(&self.file("source.spm"))?), dictionary: source },
            target: Side { model: Arc::new(SentencePiece::open(&self.file("target.spm"))?), dictionary: target },
            frame,
            unk,
            bos: None,
            eos,
            pad,
            silent,
        })
    }

    fn m2m100(&self, options: &FolderOptions) -> Result<MappedTokenizer> {
        let path = self.file("vocab.json");
        let mut dictionary = Dictionary::open(&path)?;
        let (unk, eos) = (dictionary.need("<unk>", &path)?, dictionary.need("</s>", &path)?);
        let (bos, pad) = (dictionary.id("<s>"), dictionary.id("<pad>"));
        let first = dictionary.len() as u32;
        let mut silent: Vec<u32> = [Some(unk), Some(eos), bos, pad].into_iter().flatten().collect();
        for (id, code) in (first..).zip(M2M100.split(' ')) {
            dictionary.insert(format!("__{code}__"), id);
            silent.push(id);
        }
        let token = |code: &str| dictionary.need(&format!("__{}__", spell(code, Codes::Short)), &path);
        let frame = Frame {
            before: vec![token(&options.source)?],
            after: vec![eos],
            prefix: options.prefix.clone(),
            forced_bos: Some(token(&options.target)?),
        };
        let madeup = self.tokenizer_config["num_madeup_words"].as_u64().unwrap_or(8).min(1024) as usize;
        let model = Arc::new(SentencePiece::open(&self.file("sentencepiece.bpe.model"))?);
        let dictionary = Arc::new(dictionary);
        Ok(MappedTokenizer {
            size: dictionary.len() + madeup,
            source: Side { model: model.clone(), dictionary: dictionary.clone() },
            target: Side { model, dictionary },
            frame,
            unk,
            bos,
            eos,
            pad,
            silent,
        })
    }

    fn indictrans(&self, options: &FolderOptions) -> Result<MappedTokenizer> {
        let path = self.file("dict.SRC.json");
        let source = Dictionary::open(&path)?;
        let target = Dictionary::open(&self.file("dict.TGT.json"))?;
        let (unk, eos) = (source.need("<unk>", &path)?, source.need("</s>", &path)?);
        let tag = |code: &str| source.need(spell(code, Codes::Flores), &path);
        let frame = Frame {
            before: vec![tag(&options.source)?, tag(&options.target)?],
            after: vec![eos],
            prefix: options.prefix.clone(),
            forced_bos: None,
        };
        let special = |name: &str| target.id(name);
        let silent = ["<s>", "<pad>", "</s>", "<unk>"].into_iter().filter_map(special).collect();
        let (bos, pad) = (source.id("<s>"), source.id("<pad>"));
        let side = |model: &str, dictionary: Dictionary| -> Result<Side> {
            Ok(Side { model: Arc::new(SentencePiece::open(&self.file(model))?), dictionary: Arc::new(dictionary) })
        };
        Ok(MappedTokenizer {
            size: source.len().max(target.len()),
            source: side("model.SRC", source)?,
            target: side("model.TGT", target)?,
            frame,
            unk,
            bos,
            eos,
            pad,
            silent,
        })
    }

    fn json(&self, kind: Kind, options: &FolderOptions) -> Result<JsonTokenizer> {
        let mut tokenizer = match self.has("tokenizer.json") {
            true => JsonTokenizer::open(&self.file("tokenizer.json"))?,
            false => JsonTokenizer::from_parts(self.converted(kind)?, &self.path.display().to_string())?,
        };
        let named = self.named(&tokenizer)?;
        let token = |code: &str| {
            tokenizer.id(code).ok_or_else(|| {
                Error::Model(ModelError::Incapable(format!(
                    "{}: the tokenizer has no language {code:?}; name one it has",
                    self.path.display()
                )))
            })
        };
        let eos = named.eos.or(tokenizer.id("</s>"));
        let languages = match kind {
            Kind::Nllb => Some(Codes::Flores),
            Kind::MBart | Kind::MBart50 => Some(Codes::MBart),
            Kind::T5 | Kind::Plain => None,
        };
        let mut frame = match languages {
            None => tokenizer.frame().clone(),
            Some(codes) => {
                let source = token(spell(&options.source, codes))?;
                let forced_bos = Some(token(spell(&options.target, codes))?);
                let legacy = self.tokenizer_config["legacy_behavior"].as_bool().unwrap_or(false) || kind == Kind::MBart;
                let (mut before, mut after) = (vec![source], eos.into_iter().collect::<Vec<_>>());
                if legacy {
                    after.append(&mut before);
                }
                Frame { before, after, prefix: String::new(), forced_bos }
            }
        };
        frame.prefix = options.prefix.clone();
        if kind == Kind::T5 && frame.prefix.is_empty() && self.config["model_type"] == "t5" {
            // MADLAD calls itself T5 and has a token for each target language; no other T5 asks for one.
            let ask = format!("<2{}>", spell(&options.target, Codes::Short));
            frame.prefix = tokenizer.id(&ask).map(|_| format!("{ask} ")).unwrap_or_default();
        }
        tokenizer.set_frame(frame);
        tokenizer.set_named(named);
        Ok(tokenizer)
    }

    /// What a tokenizer.json would say, from the other files.
    fn converted(&self, kind: Kind) -> Result<Parts> {
        let path = self.file(if kind == Kind::T5 { "spiece.model" } else { "sentencepiece.bpe.model" });
        let name = path.display().to_string();
        let model = || {
            let bytes = std::fs::read(&path).map_err(|error| Error::io(&path, error))?;
            ModelFile::parse(&bytes, &name)
        };
        match kind {
            Kind::T5 => convert::t5(&model()?, self.extra_ids(), &name),
            Kind::MBart => convert::mbart(&model()?, 25, &name),
            Kind::MBart50 => convert::mbart(&model()?, 52, &name),
            Kind::Nllb => {
                let listed = strings(&self.tokenizer_config["extra_special_tokens"]);
                let listed: Vec<String> = listed.into_iter().filter(|code| !code.starts_with('<')).collect();
                let languages =
                    if listed.is_empty() { NllbLanguages::Published } else { NllbLanguages::Listed(listed) };
                convert::nllb(&model()?, languages, &name)
            }
            Kind::Plain => {
                let prefix = self.tokenizer_config["add_prefix_space"].as_bool().unwrap_or(false);
                convert::byte_level(&self.file("vocab.json"), &self.file("merges.txt"), prefix)
            }
        }
    }

    /// T5's sentinels: counted where they are listed, else as configured, else 100 for T5 itself.
    fn extra_ids(&self) -> usize {
        let config = &self.tokenizer_config;
        let listed = ["additional_special_tokens", "extra_special_tokens"]
            .map(|key| strings(&config[key]).iter().filter(|token| token.starts_with("<extra_id_")).count());
        let configured = config["extra_ids"].as_u64().map(|count| count.min(1000) as usize);
        let default = if text(&self.config, "model_type") == "t5" { 100 } else { 0 };
        listed.into_iter().max().filter(|count| *count > 0).or(configured).unwrap_or(default)
    }

    /// Begin, end and padding: by name in tokenizer_config.json, else by number in config.json.
    fn named(&self, tokenizer: &JsonTokenizer) -> Result<Named> {
        let find = |name: &str| {
            let token = &self.tokenizer_config[format!("{name}_token")];
            let content = token.as_str().or(token["content"].as_str());
            let id = self.config[format!("{name}_token_id")].as_u64().and_then(|id| u32::try_from(id).ok());
            content.and_then(|content| tokenizer.id(content)).or(id)
        };
        let chat_template = self.chat_template()?;
        Ok(Named { bos: find("bos"), eos: find("eos"), pad: find("pad"), chat_template })
    }

    /// The chat template: a file of its own, or in JSON of its own, or in tokenizer_config.json, where it may be one of
    /// several.
    fn chat_template(&self) -> Result<Option<String>> {
        let path = self.file("chat_template.jinja");
        if path.is_file() {
            return std::fs::read_to_string(&path).map(Some).map_err(|error| Error::io(&path, error));
        }
        if let Some(json) = read_json(&self.file("chat_template.json"))?
            && let Some(template) = json["chat_template"].as_str()
        {
            return Ok(Some(template.to_owned()));
        }
        let template = &self.tokenizer_config["chat_template"];
        let named = template.as_array().into_iter().flatten().find(|one| one["name"] == "default");
        Ok(named.map_or(template, |one| &one["template"]).as_str().map(str::to_owned))
    }
}

fn read_json(path: &Path) -> Result<Option<Value>> {
    match std::fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).map(Some).map_err(|error| {
            Error::Model(ModelError::damaged_by(
                format!("{} is not JSON ({error}); download the file again", path.display()),
                error,
            ))
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(path, error)),
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// The strings of a list whose members are strings or objects with `content`.
fn strings(value: &Value) -> Vec<String> {
    let members = value.as_array().into_iter().flatten();
    members.filter_map(|member| member.as_str().or(member["content"].as_str())).map(str::to_owned).collect()
}

/// ISO 639-3, which Marian's language codes use.
fn three_letters(code: &str) -> String {
    spell(code, Codes::Flores).split('_').next().unwrap_or_default().to_owned()
}
