//! A low-rank adapter (LoRA, Hu and others 2021, <https://arxiv.org/abs/2106.09685>) laid over a model's weights:
//! W + (alpha / rank)·B·A, computed when a tensor is asked for, so that every network, device and precision can use it.
//!
//! The file is llama.cpp's: a GGUF whose `general.type` is `adapter` and `adapter.type` is `lora`, with
//! `NAME.lora_a` [rank, inputs] and `NAME.lora_b` [outputs, rank] for each tensor NAME that it changes.
use super::gguf::Gguf;
use super::{Encoding, TensorSource, TensorView};
use crate::error::ModelError;
use crate::{Error, Result};
use std::borrow::Cow;
use std::sync::Arc;

/// A model's weights with an adapter laid over them.
pub struct Adapted {
    base: Arc<dyn TensorSource>,
    adapter: Gguf,
    /// alpha; the file's rank divides it.
    alpha: f64,
}

impl Adapted {
    /// Lays `adapter` over `base`, whose tensors have the names that the adapter uses.
    ///
    /// # Errors
    /// A file that is no LoRA adapter, or one that changes tensors that the model does not have.
    pub fn new(base: Arc<dyn TensorSource>, adapter: Gguf) -> Result<Self> {
        let name = &adapter.name;
        if adapter.text("general.type") != Some("adapter") || adapter.text("adapter.type") != Some("lora") {
            let text = format!("{name}: is not a LoRA adapter; name one that llama.cpp's format describes");
            return Err(ModelError::Unsupported(text).into());
        }
        let alpha = adapter.float("adapter.lora.alpha")?;
        let names = base.names();
        for tensor in adapter.names() {
            let of = tensor.strip_suffix(".lora_a").or_else(|| tensor.strip_suffix(".lora_b"));
            if !of.is_some_and(|of| names.iter().any(|name| name == of)) {
                let text = format!(
                    "{name}: changes {tensor}, which the model does not have; the adapter belongs to another model"
                );
                return Err(ModelError::Mismatch(text).into());
            }
        }
        Ok(Self { base, adapter, alpha })
    }

    /// The two factors for a tensor [outputs, inputs]: A [rank, inputs], B [outputs, rank], and the rank.
    fn factors(&self, name: &str, shape: &[usize]) -> Result<Option<(Vec<f32>, Vec<f32>, usize)>> {
        let part = |letter| self.adapter.find(&format!("{name}.lora_{letter}"));
        let (a, b) = match (part('a')?, part('b')?) {
            (None, None) => return Ok(None),
            (Some(a), Some(b)) => (a, b),
            _ => return Err(self.unfit(name, "one of its two factors is missing")),
        };
        let (rank, fits) = match (a.shape.as_slice(), b.shape.as_slice(), shape) {
            (&[rank, inputs], &[outputs, r], &[n, k]) => (rank, rank == r && rank > 0 && outputs == n && inputs == k),
            _ => (0, false),
        };
        if !fits {
            return Err(self.unfit(name, "its factors have shapes that don't fit the model"));
        }
        let (a, b) = (a.to_f32()?, b.to_f32()?);
        if a.iter().chain(&b).any(|value| !value.is_finite()) {
            return Err(self.unfit(name, "it holds numbers that are not finite"));
        }
        Ok(Some((a, b, rank)))
    }

    fn unfit(&self, tensor: &str, why: &str) -> Error {
        let name = &self.adapter.name;
        ModelError::damaged(format!("{name}: the change of {tensor}: {why}; make or download the adapter again")).into()
    }
}

impl TensorSource for Adapted {
    fn names(&self) -> Vec<String> {
        self.base.names()
    }

    fn find(&self, name: &str) -> Result<Option<TensorView<'_>>> {
        let Some(view) = self.base.find(name)? else { return Ok(None) };
        let Some((a, b, rank)) = self.factors(name, &view.shape)? else { return Ok(Some(view)) };
        let scale = (self.alpha / rank as f64) as f32;
        let columns = view.columns();
        let mut bytes = vec![0u8; view.rows() * columns * size_of::<f32>()];
        let mut row = vec![0f32; columns];
        for (index, out) in bytes.chunks_exact_mut(columns * size_of::<f32>()).enumerate() {
            view.read_row(index, &mut row)?;
            for (&weight, a) in b[index * rank..][..rank].iter().zip(a.chunks_exact(columns)) {
                let weight = weight * scale;
                row.iter_mut().zip(a).for_each(|(value, a)| *value += weight * a);
            }
            let (out, _) = out.as_chunks_mut::<4>();
            out.iter_mut().zip(&row).for_each(|(out, value)| *out = value.to_le_bytes());
        }
        Ok(Some(TensorView { shape: view.shape, encoding: Encoding::F32, bytes: Cow::Owned(bytes) }))
    }

    fn release(&self, name: &str) {
        self.base.release(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    struct Few(BTreeMap<&'static str, (Vec<usize>, Vec<f32>)>);

    impl TensorSource for Few {
        fn names(&self) -> Vec<String> {
            self.0.keys().map(ToString::to_string).collect()
        }

        fn find(&self, name: &str) -> Result<Option<TensorView<'_>>> {
            Ok(self.0.get(name).map(|(shape, values)| TensorView {
                shape: shape.clone(),
                encoding: Encoding::F32,
                bytes: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            }))
        }
    }

    /// A GGUF adapter with these f32 tensors.
    fn adapter(alpha: f32, tensors: &[(&str, [usize; 2], Vec<f32>)]) -> Gguf {
        let mut f = Vec::new();
        let text = |f: &mut Vec<u8>, s: &str| {
            f.extend((s.len() as u64).to_le_bytes());
            f.extend(s.as_bytes());
        };
        f.extend(b"GGUF");
        f.extend(3u32.to_le_bytes());
        f.extend((tensors.len() as u64).to_le_bytes());
        f.extend(3u64.to_le_bytes());
        for (key, value) in [("general.type", "adapter"), ("adapter.type", "lora")] {
            text(&mut f, key);
            f.extend(8u32.to_le_bytes());
            text(&mut f, value);
        }
        text(&mut f, "adapter.lora.alpha");
        f.extend(6u32.to_le_bytes());
        f.extend(alpha.to_le_bytes());
        let mut offset = 0u64;
        for (name, shape, _) in tensors {
            text(&mut f, name);
            f.extend(2u32.to_le_bytes());
            shape.iter().rev().for_each(|&n| f.extend((n as u64).to_le_bytes()));
            f.extend(0u32.to_le_bytes());
            f.extend(offset.to_le_bytes());
            offset += ((shape[0] * shape[1] * 4) as u64).next_multiple_of(32);
        }
        for (_, _, values) in tensors {
            f.resize(f.len().next_multiple_of(32), 0);
            values.iter().for_each(|v| f.extend(v.to_le_bytes()));
        }
        f.resize(f.len().next_multiple_of(32), 0);
        Gguf::from_static("adapter.gguf", &[Box::leak(f.into_boxed_slice())]).unwrap()
    }

    fn base() -> Arc<dyn TensorSource> {
        let w = (vec![2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        Arc::new(Few(BTreeMap::from([("w", w), ("v", (vec![2], vec![7.0, 8.0]))])))
    }

    #[test]
    fn adds_the_product_of_its_factors_and_leaves_other_tensors_alone() {
        let a = ("w.lora_a", [2, 3], vec![1.0, 0.0, 2.0, 0.0, 1.0, 0.0]);
        let b = ("w.lora_b", [2, 2], vec![1.0, 0.0, 10.0, 100.0]);
        let adapted = Adapted::new(base(), adapter(4.0, &[a, b])).unwrap();
        // alpha / rank = 2: row 0 gains 2·(1, 0, 2), row 1 gains 2·(10, 100, 20).
        let w = adapted.find("w").unwrap().unwrap();
        assert_eq!((w.shape.clone(), w.to_f32().unwrap()), (vec![2, 3], vec![3.0, 2.0, 7.0, 24.0, 205.0, 46.0]));
        assert_eq!(adapted.find("v").unwrap().unwrap().to_f32().unwrap(), [7.0, 8.0]);
        assert_eq!(adapted.names(), ["v", "w"]);
    }

    #[test]
    fn an_adapter_of_another_model_is_refused_with_the_tensor_s_name() {
        let strange = adapter(1.0, &[("x.lora_a", [1, 3], vec![0.0; 3])]);
        let text = Adapted::new(base(), strange).err().unwrap().to_string();
        assert!(text.contains("x.lora_a") && text.contains("another model"), "{text}");
        for (a, b, why) in [
            (Some([2, 4]), Some([2, 2]), "shapes"),
            (Some([2, 3]), Some([3, 2]), "shapes"),
            (Some([1, 3]), Some([2, 2]), "shapes"),
            (Some([2, 3]), None, "missing"),
        ] {
            let part = |name, shape: [usize; 2]| (name, shape, vec![1.0; shape[0] * shape[1]]);
            let parts: Vec<_> =
                a.map(|a| part("w.lora_a", a)).into_iter().chain(b.map(|b| part("w.lora_b", b))).collect();
            let text = Adapted::new(base(), adapter(1.0, &parts)).unwrap().find("w").err().unwrap().to_string();
            assert!(text.contains(why) && text.contains(" w:"), "{text}");
        }
        let nan = adapter(1.0, &[("w.lora_a", [1, 3], vec![f32::NAN; 3]), ("w.lora_b", [2, 1], vec![1.0; 2])]);
        assert!(Adapted::new(base(), nan).unwrap().find("w").is_err());
    }
}
