//! A model in Hub layout: the weights become one GGUF file with the checkpoint's own tensor names, and everything
//! else that the model needs goes along.
use super::{Report, Target, quantize};
use crate::error::{ModelError, SettingsError};
use crate::model::weights::Checkpoint;
use crate::{Error, Result};
use candle_core::quantized::gguf_file::Value;
use std::path::Path;

/// Ends of file names that hold weights, for whatever framework, or say where they are.
const WEIGHTS: &[&str] =
    &[".safetensors", ".bin", ".gguf", ".index.json", ".msgpack", ".h5", ".ot", ".onnx", ".pt", ".pth", ".incomplete"];

/// Quantizes the folder `input` into the new folder `output`.
///
/// # Errors
/// As [`quantize`]; a folder without config.json; an output inside the input.
pub fn quantize_folder(input: &Path, target: Target, output: &Path) -> Result<Report> {
    let config_path = input.join("config.json");
    let text = std::fs::read_to_string(&config_path).map_err(|e| Error::io(&config_path, e))?;
    let config: serde_json::Value = serde_json::from_str(&text).map_err(|e| {
        Error::Model(ModelError::damaged_by(format!("{}: not JSON ({e}); download it again", config_path.display()), e))
    })?;
    let checkpoint = Checkpoint::open(input)?;
    std::fs::create_dir_all(output).map_err(|e| Error::io(output, e))?;
    if std::fs::canonicalize(input).ok() == std::fs::canonicalize(output).ok() {
        return Err(Error::Settings(SettingsError::Conflict(format!(
            "{}: is the input itself; give another folder",
            output.display()
        ))));
    }
    let architecture = config["model_type"].as_str().unwrap_or("unknown").to_owned();
    let name = input.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let metadata = vec![
        ("general.architecture".to_owned(), Value::String(architecture)),
        ("general.name".to_owned(), Value::String(name)),
        // The configuration also travels inside, so that a file that lost its folder can still be understood.
        ("anubad.config".to_owned(), Value::String(text)),
    ];
    let report = quantize(&checkpoint, metadata, target, &output.join("model.gguf"), None, &mut |_| {})?;
    copy_companions(input, output)?;
    Ok(report)
}

/// Copies all plain files that hold no weights.
fn copy_companions(input: &Path, output: &Path) -> Result<()> {
    for entry in std::fs::read_dir(input).map_err(|e| Error::io(input, e))? {
        let path = entry.map_err(|e| Error::io(input, e))?.path();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_file() && !name.starts_with('.') && !WEIGHTS.iter().any(|end| name.ends_with(end)) {
            let to = output.join(&name);
            std::fs::copy(&path, &to).map_err(|e| Error::io(&to, e))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::weights::TensorSource;
    use safetensors::tensor::{Dtype, TensorView, serialize};

    #[test]
    fn a_folder_becomes_a_folder_that_opens_like_the_first() {
        let (input, output) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let matrix: Vec<u8> = (0..64 * 64).flat_map(|i| ((i % 97) as f32 / 97.0 - 0.5).to_le_bytes()).collect();
        let norm: Vec<u8> = (0..64).flat_map(|i| (i as f32).to_le_bytes()).collect();
        let view = |shape: &[usize], data| TensorView::new(Dtype::F32, shape.to_vec(), data).unwrap();
        let tensors = [("fc1.weight", view(&[64, 64], &matrix)), ("norm.weight", view(&[64], &norm))];
        std::fs::write(input.path().join("model.safetensors"), serialize(tensors, None).unwrap()).unwrap();
        std::fs::write(input.path().join("config.json"), r#"{"model_type": "toy"}"#).unwrap();
        std::fs::write(input.path().join("source.spm"), "pieces").unwrap();

        let target = output.path().join("toy-q8");
        let report = quantize_folder(input.path(), Target::Q8_0, &target).unwrap();
        assert_eq!(report.tensors, 2);
        assert_eq!(std::fs::read_to_string(target.join("source.spm")).unwrap(), "pieces");
        assert!(!target.join("model.safetensors").exists());
        let (before, after) = (Checkpoint::open(input.path()).unwrap(), Checkpoint::open(&target).unwrap());
        assert_eq!(after.names(), before.names());
        for name in before.names() {
            let read = |c: &Checkpoint| c.find(&name).unwrap().unwrap().to_f32().unwrap();
            let worst = read(&before).iter().zip(read(&after)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst <= 0.003, "{name}: {worst}");
        }
        assert!(quantize_folder(input.path(), Target::Q8_0, input.path()).is_err());
    }
}
