//! The files of a Marian model in a folder: by a configuration of Bergamot's (`config.*.yml`), or by their names as
//! Firefox has them.
use super::config::MarianConfig;
use super::network::MarianNative;
use super::shortlist::LexicalShortlist;
use super::yaml::{self, Value};
use crate::error::ModelError;
use crate::model::layers::Placement;
use crate::model::weights::marian::{MarianFile, read_packed, without_packing};
use crate::tokenizer::{SpmPair, Tokenizer};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where the parts of a model lie.
#[derive(Debug, Clone, PartialEq)]
pub struct MarianFiles {
    /// The weights.
    pub model: PathBuf,
    /// SentencePiece model of the source.
    pub source_vocabulary: PathBuf,
    /// Often the same file.
    pub target_vocabulary: PathBuf,
    /// Which pieces of the target go with which of the source.
    pub shortlist: Option<PathBuf>,
    /// What the configuration says of decoding.
    pub beams: Option<usize>,
    /// The exponent of length, by which Marian normalizes scores.
    pub length_penalty: Option<f32>,
}

/// Whether a folder holds a model of Marian's: weights under its names, and no config.json of the Hub's.
pub fn holds_marian(folder: &Path) -> bool {
    let names = file_names(folder).unwrap_or_default();
    !names.iter().any(|name| name == "config.json") && names.iter().any(|name| is_model(name))
}

/// `model.bnen.intgemm.alphas.bin`, `model.npz`, …, packed or not. PyTorch's and CTranslate2's weights are called otherwise.
fn is_model(name: &str) -> bool {
    let name = without_packing(name);
    let bin = name.ends_with(".bin") && name.starts_with("model.") && name != "model.bin";
    bin || name.ends_with(".npz")
}

fn file_names(folder: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(folder).map_err(|e| Error::io(folder, e))?;
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

impl MarianFiles {
    /// Finds the parts in `folder`.
    ///
    /// # Errors
    /// A part is missing, or there are several and nothing says which is meant; the error names them.
    pub fn find(folder: &Path) -> Result<Self> {
        let names = file_names(folder)?;
        let configs: Vec<&String> =
            names.iter().filter(|n| n.starts_with("config") && (n.ends_with(".yml") || n.ends_with(".yaml"))).collect();
        match configs[..] {
            [] => Self::by_name(folder, &names),
            [one] => Self::by_config(folder, &folder.join(one), &names),
            _ => Err(several(folder, "configurations", &configs)),
        }
    }

    fn by_name(folder: &Path, names: &[String]) -> Result<Self> {
        let pick =
            |fits: &dyn Fn(&str) -> bool| names.iter().filter(|name| fits(without_packing(name))).collect::<Vec<_>>();
        let missing = |what: &str| {
            Error::Model(ModelError::Missing(format!(
                "{}: no {what} in this folder; copy it from where the model comes from",
                folder.display()
            )))
        };
        let model = match pick(&is_model)[..] {
            [one] => one,
            [] => return Err(missing("model.*.bin or *.npz")),
            ref many => return Err(several(folder, "models", many)),
        };
        let vocabularies = pick(&|name| name.ends_with(".spm"));
        let (source, target) = match vocabularies[..] {
            [one] => (one, one),
            [a, b] if is_target(a) && !is_target(b) => (b, a),
            [a, b] if is_target(b) && !is_target(a) => (a, b),
            [] => return Err(missing("vocab.*.spm")),
            ref many => return Err(several(folder, "vocabularies", many)),
        };
        let shortlist = match pick(&|name| name.starts_with("lex") && name.ends_with(".bin"))[..] {
            [] => None,
            [one] => Some(folder.join(one)),
            ref many => return Err(several(folder, "shortlists", many)),
        };
        Ok(Self {
            model: folder.join(model),
            source_vocabulary: folder.join(source),
            target_vocabulary: folder.join(target),
            shortlist,
            beams: None,
            length_penalty: None,
        })
    }

    fn by_config(folder: &Path, path: &Path, names: &[String]) -> Result<Self> {
        let wrong = |what: String| {
            Error::Model(ModelError::damaged(format!("{}: {what}; correct it or remove it", path.display())))
        };
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        let keys = yaml::parse(&text).map_err(wrong)?;
        let list = |key: &str| -> Vec<String> {
            match keys.get(key) {
                Some(Value::List(list)) => list.clone(),
                Some(Value::Scalar(one)) => vec![one.clone()],
                None => Vec::new(),
            }
        };
        // Servers pack files that the configuration names unpacked, and the other way round.
        let place = |name: &str| {
            let same = |there: &&String| without_packing(there) == without_packing(name);
            let plain = !name.is_empty() && !name.contains(['/', '\\', ':']);
            let found = names.iter().find(|there| *there == name).or_else(|| names.iter().find(same));
            match found.filter(|_| plain) {
                Some(there) => Ok(folder.join(there)),
                None => Err(wrong(format!("it names {name:?}, which is not in this folder"))),
            }
        };
        let [model] = &list("models")[..] else { return Err(wrong("it should name one file under `models`".into())) };
        let vocabularies = list("vocabs");
        let (source, target) = match &vocabularies[..] {
            [one] => (one, one),
            [source, target] => (source, target),
            _ => return Err(wrong("it should name one or two files under `vocabs`".into())),
        };
        let shortlist = list("shortlist").first().filter(|name| !matches!(&name[..], "" | "false")).map(|n| place(n));
        Ok(Self {
            model: place(model)?,
            source_vocabulary: place(source)?,
            target_vocabulary: place(target)?,
            shortlist: shortlist.transpose()?,
            beams: number(&keys, "beam-size").filter(|beams| (1..=64).contains(beams)),
            length_penalty: number(&keys, "normalize").filter(|penalty: &f32| penalty.is_finite()),
        })
    }

    /// The tokenizer on the vocabularies.
    ///
    /// # Errors
    /// A vocabulary that is damaged, or lacks `</s>`.
    pub fn tokenizer(&self) -> Result<SpmPair> {
        let open = |path: &Path| Ok::<_, Error>((read_packed(path)?, path.display().to_string()));
        let (source, name) = open(&self.source_vocabulary)?;
        if self.source_vocabulary == self.target_vocabulary {
            return SpmPair::new((&source, &name), None);
        }
        let (target, target_name) = open(&self.target_vocabulary)?;
        SpmPair::new((&source, &name), Some((&target, &target_name)))
    }

    /// Loads the network; `whole_vocabulary`: without the shortlist.
    ///
    /// # Errors
    /// As [`MarianNative::load`], or parts that don't belong together.
    pub fn load(&self, tokenizer: &SpmPair, whole_vocabulary: bool, place: Placement) -> Result<MarianNative> {
        let file = MarianFile::open(&self.model)?;
        let config = MarianConfig::of(&file)?;
        for (path, there, wanted) in [
            (&self.source_vocabulary, tokenizer.source_size(), config.source_vocabulary),
            (&self.target_vocabulary, tokenizer.vocab_size(), config.target_vocabulary),
        ] {
            if there != wanted {
                return Err(Error::Model(ModelError::Mismatch(format!(
                    "{}: has {there} pieces, the model {} wants {wanted}; use the vocabulary that came with the model",
                    path.display(),
                    self.model.display()
                ))));
            }
        }
        let shortlist = match &self.shortlist {
            Some(path) if !whole_vocabulary => {
                let (source, target) = (config.source_vocabulary, config.target_vocabulary);
                let name = path.display().to_string();
                Some(LexicalShortlist::parse(&read_packed(path)?, &name, source, target)?)
            }
            _ => None,
        };
        MarianNative::load(file, tokenizer.end(), shortlist, place)
    }
}

/// `trgvocab.*.spm` as Firefox calls it, `target.spm`, or the vocabulary of English.
fn is_target(name: &str) -> bool {
    let parts: Vec<&str> = name.split('.').collect();
    name.starts_with("trg") || name.starts_with("target") || parts.contains(&"en") || parts.contains(&"trg")
}

fn number<T: std::str::FromStr>(keys: &BTreeMap<String, Value>, key: &str) -> Option<T> {
    match keys.get(key) {
        Some(Value::Scalar(text)) => text.parse().ok(),
        _ => None,
    }
}

fn several(folder: &Path, what: &str, names: &[&String]) -> Error {
    let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    Error::Model(ModelError::Ambiguous(format!(
        "{}: several {what} in this folder ({}); leave one",
        folder.display(),
        names.join(", ")
    )))
}
