//! The same weights in every kind of file: sharded, pickled, in GGUF; quantized folders; the memory that loading takes.
use super::{Fixture, decode, fixtures, load, options, teacher_forced};
use anubad::assembly::{Model, ModelOptions};
use anubad::hub::{ModelKind, ResolveOptions, resolve};
use anubad::model::layers::Compute;
use anubad::model::quantize::{Target, quantize_folder};
use anubad::model::weights::{Checkpoint, TensorSource};
use candle_core::Device;
use candle_core::quantized::{GgmlDType, QTensor, gguf_file};
use safetensors::tensor::{Dtype, TensorView};
use std::path::Path;
use tempfile::TempDir;

/// A folder with all of the fixture's files but its weights.
fn without_weights(fixture: &Fixture) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(&fixture.folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_file() && name != "golden.json" && !name.ends_with(".safetensors") {
            std::fs::copy(&path, folder.path().join(name)).unwrap();
        }
    }
    folder
}

/// The fixture with the weights of one of its sub-folders.
fn with_weights_of(fixture: &Fixture, format: &str) -> Option<TempDir> {
    let entries = std::fs::read_dir(fixture.folder.join(format)).ok()?;
    let folder = without_weights(fixture);
    for entry in entries {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    Some(folder)
}

#[test]
fn every_format_of_weights_loads_alike() {
    for fixture in fixtures() {
        let row = &fixture.golden.batch[..1];
        let want = teacher_forced(&*load(&fixture.folder, Compute::F32).generator(), row);
        for format in ["sharded", "pickle", "pickle-sharded", "pickle-old"] {
            let Some(folder) = with_weights_of(fixture, format) else {
                println!("{}: comes without {format}", fixture.golden.arch);
                continue;
            };
            let got = teacher_forced(&*load(folder.path(), Compute::F32).generator(), row);
            assert_eq!(got, want, "{} as {format}", fixture.golden.arch);
        }
    }
}

/// The numbers that a checkpoint of any kind holds, as f32 in a safetensors file.
fn dequantized(fixture: &Fixture, checkpoint: &Checkpoint) -> TempDir {
    let folder = without_weights(fixture);
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = checkpoint
        .names()
        .into_iter()
        .map(|name| {
            let view = checkpoint.find(&name).unwrap().unwrap();
            let bytes = view.to_f32().unwrap().iter().flat_map(|v| v.to_le_bytes()).collect();
            (name, view.shape.clone(), bytes)
        })
        .collect();
    let views =
        tensors.iter().map(|(name, shape, data)| (name, TensorView::new(Dtype::F32, shape.clone(), data).unwrap()));
    safetensors::serialize_to_file(views, None, &folder.path().join("model.safetensors")).unwrap();
    folder
}

/// Logits, greedy and beam output of the two folders are the same.
fn assert_alike(fixture: &Fixture, one: &Path, other: &Path, what: &str) {
    let golden = &fixture.golden;
    let (one, other) = (load(one, Compute::F32), load(other, Compute::F32));
    let row = &golden.batch[..1];
    let place = format!("{} {what}", golden.arch);
    assert_eq!(teacher_forced(&*one.generator(), row), teacher_forced(&*other.generator(), row), "{place}");
    for run in golden.generate.iter().filter(|r| ["greedy", "beam-4-length-1.0"].contains(&&r.name[..])) {
        let ids =
            |loaded| decode(&super::Loaded::generator(loaded), &golden.sources, &options(loaded, &run.options), 16);
        assert_eq!(ids(&one), ids(&other), "{place}, {}", run.name);
    }
}

/// `model quantize` makes a folder that opens, computes with exactly the numbers that it stores, and stores numbers
/// close to the original's.
#[test]
fn a_quantized_folder_generates_what_its_numbers_say() {
    for fixture in fixtures() {
        for target in [Target::Q8_0, Target::Q4_0] {
            let output = tempfile::tempdir().unwrap();
            let quantized = output.path().join("quantized");
            let report = quantize_folder(&fixture.folder, target, &quantized).unwrap();
            assert!(report.bytes_after < report.bytes_before, "{}: {report:?}", fixture.golden.arch);
            let plain = dequantized(fixture, &Checkpoint::open(&quantized).unwrap());
            assert_alike(fixture, &quantized, plain.path(), &format!("{target:?}"));
        }
    }
}

/// As `tensor-tools quantize model.safetensors model.gguf` of candle: the checkpoint's names, matrices in blocks where
/// a row is a whole number of them, all else in f32, no metadata.
fn tensor_tools(input: &Path, output: &Path, dtype: GgmlDType) {
    let mut quantized = Vec::new();
    for (name, tensor) in candle_core::safetensors::load(input, &Device::Cpu).unwrap() {
        let whole = tensor.rank() == 2 && tensor.dim(1).unwrap() % dtype.block_size() == 0;
        quantized.push((name, QTensor::quantize(&tensor, if whole { dtype } else { GgmlDType::F32 }).unwrap()));
    }
    let tensors: Vec<(&str, &QTensor)> = quantized.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    gguf_file::write(&mut std::fs::File::create(output).unwrap(), &[], &tensors).unwrap();
}

#[test]
fn gguf_of_tensor_tools_loads_as_part_of_a_folder_and_by_its_path() {
    for fixture in fixtures() {
        for dtype in [GgmlDType::F32, GgmlDType::Q8_0] {
            let folder = without_weights(fixture);
            let file = folder.path().join("model-q.gguf");
            tensor_tools(&fixture.folder.join("model.safetensors"), &file, dtype);
            match dtype {
                GgmlDType::F32 => assert_alike(fixture, folder.path(), &fixture.folder, "as GGUF in f32"),
                _ => {
                    let plain = dequantized(fixture, &Checkpoint::open(folder.path()).unwrap());
                    assert_alike(fixture, folder.path(), plain.path(), &format!("as GGUF in {dtype:?}"));
                }
            }
            let resolved = resolve(file.to_str().unwrap(), &ResolveOptions::default()).unwrap();
            assert_eq!(resolved.kind, ModelKind::Gguf);
            let options = ModelOptions { compute: Compute::F32, whole_vocabulary: true, ..ModelOptions::default() };
            let model = Model::open(&resolved, &options).unwrap();
            let row = &fixture.golden.batch[..1];
            let want = teacher_forced(&*load(folder.path(), Compute::F32).generator(), row);
            assert_eq!(teacher_forced(&*model.generator, row), want, "{} by its path", fixture.golden.arch);
            std::fs::remove_file(folder.path().join("config.json")).unwrap();
            let error = Model::open(&resolved, &options).err().unwrap().to_string();
            assert!(error.contains("model-q.gguf") && error.contains("config.json"), "{error}");
        }
    }
}

/// A line of /proc/self/status in bytes.
#[cfg(target_os = "linux")]
fn memory(key: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(key)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

/// `ANUBAD_FIXTURES=FOLDER cargo test parity::loading::it -- --ignored --nocapture`, with full-size checkpoints: what a
/// process holds besides is nothing beside them. Any model folder will do, with golden output or without. Each load
/// has a process for itself: an allocator that still holds an earlier model's memory would hide the next one's peak.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "wants full-size checkpoints"]
fn it_peaks_near_what_it_keeps() {
    let root = std::env::var("ANUBAD_FIXTURES").expect("a folder of model folders in ANUBAD_FIXTURES");
    let mut folders: Vec<_> = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|folder| folder.join("config.json").is_file());
    folders.sort();
    assert!(!folders.is_empty());
    let mut over = Vec::new();
    for folder in folders {
        for compute in [Compute::Int8, Compute::F32] {
            let child = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "parity::loading::one_load_for_the_peak", "--ignored", "--nocapture"])
                .env_remove("ANUBAD_FIXTURES")
                .env("ANUBAD_LOAD", &folder)
                .env("ANUBAD_LOAD_AS", compute.name())
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&child.stdout).into_owned();
            assert!(child.status.success(), "{}: {said}", folder.display());
            let bytes = said.lines().find_map(|line| line.strip_prefix("kept and peak: ")).expect("two numbers");
            let (kept, peak) = bytes.split_once(' ').unwrap();
            let (kept, peak): (f64, f64) = (kept.parse().unwrap(), peak.parse().unwrap());
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            let (megabytes, ratio) = ((kept / 1e6, peak / 1e6), peak / kept);
            let line = format!(
                "{name} {}: keeps {:.1} MB, peak {:.1} MB, {ratio:.3} times that",
                compute.name(),
                megabytes.0,
                megabytes.1
            );
            println!("{line}");
            if ratio > 1.2 {
                over.push(line);
            }
        }
    }
    assert!(over.is_empty(), "more than 1.2 times: {over:#?}");
}

/// One load of the folder in `ANUBAD_LOAD`; the small fixtures are loaded first, so that the
/// program's own pages are in memory.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "run by it_peaks_near_what_it_keeps"]
fn one_load_for_the_peak() {
    let Some(folder) = std::env::var_os("ANUBAD_LOAD") else { return };
    let as_int8 = std::env::var("ANUBAD_LOAD_AS").is_ok_and(|name| name == Compute::Int8.name());
    let compute = if as_int8 { Compute::Int8 } else { Compute::F32 };
    fixtures().iter().for_each(|small| drop(load(&small.folder, compute)));
    std::fs::write("/proc/self/clear_refs", "5").unwrap(); // forgets the peak so far
    let before = memory("VmRSS:");
    let loaded = load(Path::new(&folder), compute);
    println!("kept and peak: {} {}", loaded.network.size(), memory("VmHWM:") - before);
}
