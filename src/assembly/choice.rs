//! Which model is used when none is named: the best one that is here, by what was published of it.
use crate::hub::HubConfig;
use crate::hub::pull::find_cached;
use crate::hub::url;
use crate::manifest::{DEFAULT_MODEL, Manifest, Registry, Task};

/// The word for [`choose`] where a model is named.
pub const AUTO: &str = "auto";

/// A model and why it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub id: String,
    /// One line for a person.
    pub why: String,
}

/// Whether a model can be used without a download.
pub fn is_installed(config: &HubConfig, manifest: &Manifest) -> bool {
    manifest.embedded()
        || manifest.hub().is_some_and(|source| find_cached(config, source).is_some())
        || url::find(config, manifest).is_some()
}

/// The best model for Bengali to English among those that are installed: by published quality, the faster of two that are
/// as good; the built-in one where no other is. `memory` is what the machine has, in megabytes.
pub fn choose(registry: &Registry, memory: Option<u64>, installed: &dyn Fn(&Manifest) -> bool) -> Choice {
    let mut known: Vec<(f64, &Manifest)> = translators(registry)
        .filter(|manifest| !manifest.embedded() && manifest.fits(memory) && installed(manifest))
        .filter_map(|manifest| Some((manifest.published()?, manifest)))
        .collect();
    let size = |manifest: &Manifest| manifest.parameters.unwrap_or(f64::INFINITY);
    known.sort_by(|a, b| b.0.total_cmp(&a.0).then(size(a.1).total_cmp(&size(b.1))));
    match known.as_slice() {
        [] => Choice {
            id: DEFAULT_MODEL.into(),
            why: "the built-in model, since no installed one has a published quality".into(),
        },
        [(bleu, best), rest @ ..] => {
            let others = if rest.is_empty() { String::new() } else { format!(" of {} installed", known.len()) };
            let why = format!("the best{others} by published quality: BLEU {bleu:.1} on FLORES-200 devtest");
            Choice { id: best.id.clone(), why }
        }
    }
}

/// The smallest model that was published to be better than the built-in one, may be used for anything, and fits.
#[cfg_attr(not(feature = "cli"), allow(dead_code))] // the program uses it
pub fn better_than_built_in(registry: &Registry, memory: Option<u64>) -> Option<&Manifest> {
    let own = registry.find(DEFAULT_MODEL)?.published()?;
    translators(registry)
        .filter(|m| !m.embedded() && m.fits(memory) && m.license.commercial == Some(true) && !m.license.gated)
        .filter(|manifest| manifest.published().is_some_and(|bleu| bleu > own))
        .min_by_key(|manifest| manifest.smallest().unwrap_or(u32::MAX))
}

fn translators(registry: &Registry) -> impl Iterator<Item = &Manifest> {
    let wanted = |m: &&Manifest| {
        let languages = &m.languages;
        m.task.covers(Task::Translate) && languages.source.contains_key("bn") && languages.target.contains_key("en")
    };
    registry.entries().iter().map(|entry| &entry.manifest).filter(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(here: &[&str], memory: Option<u64>) -> Choice {
        let registry = Registry::built_in().unwrap();
        choose(&registry, memory, &|m| m.embedded() || here.contains(&m.id.as_str()))
    }

    #[test]
    fn the_best_installed_model_is_taken() {
        assert_eq!(chosen(&[], None).id, DEFAULT_MODEL);
        let best = chosen(&["opus-mt-bn-en", "nllb-200-distilled-600m", "m2m100-418m"], None);
        assert_eq!(best.id, "nllb-200-distilled-600m");
        assert!(best.why.contains("of 3 installed") && best.why.contains("32.8"), "{}", best.why);
        // What does not fit into memory is no choice, and what summarizes is none either.
        assert_eq!(chosen(&["nllb-200-3.3b", "opus-mt-bn-en"], Some(2000)).id, "opus-mt-bn-en");
        assert_eq!(chosen(&["mt5-multilingual-xlsum"], None).id, DEFAULT_MODEL);
        // Of a model that nobody measured it is not known that it is better.
        assert_eq!(chosen(&["translategemma-4b"], None).id, DEFAULT_MODEL);
    }

    #[test]
    fn of_two_that_are_as_good_the_faster_is_taken() {
        let registry = Registry::built_in().unwrap();
        let bleu = registry.find("nllb-200-distilled-1.3b").unwrap().published().unwrap();
        let text =
            include_str!("../../models/opus-mt-bn-en.toml").replace("value = 18.0", &format!("value = {bleu:.1}"));
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("x.toml"), text).unwrap();
        let mut registry = registry;
        registry.add_folder(folder.path()).unwrap();
        let here = ["nllb-200-distilled-1.3b", "opus-mt-bn-en"];
        assert_eq!(choose(&registry, None, &|m| here.contains(&m.id.as_str())).id, "opus-mt-bn-en");
    }

    #[test]
    fn the_model_that_is_recommended_is_small_free_and_better() {
        let registry = Registry::built_in().unwrap();
        let better = better_than_built_in(&registry, None).unwrap();
        assert!(better.license.commercial == Some(true) && better.smallest().unwrap() < 400, "{}", better.id);
    }
}
