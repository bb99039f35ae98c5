use super::*;
use std::io::Write;

/// One tensor as a file holds it: name, type, shape, data.
type Tensor<'a> = (&'a str, u64, &'a [i32], Vec<u8>);

fn container(tensors: &[Tensor<'_>]) -> Vec<u8> {
    let padded = |data: &[u8]| data.len().next_multiple_of(256);
    let mut out: Vec<u8> = [1u64, tensors.len() as u64].iter().flat_map(|n| n.to_le_bytes()).collect();
    for (name, kind, shape, data) in tensors {
        let header = [name.len() as u64 + 1, *kind, shape.len() as u64, padded(data) as u64];
        out.extend(header.iter().flat_map(|n| n.to_le_bytes()));
    }
    for (name, ..) in tensors {
        out.extend(name.as_bytes());
        out.push(0);
    }
    out.extend(tensors.iter().flat_map(|t| t.2.iter().flat_map(|n| n.to_le_bytes())));
    let start = (out.len() + 8).next_multiple_of(256);
    out.extend(((start - out.len() - 8) as u64).to_le_bytes());
    out.resize(start, 0);
    for (.., data) in tensors {
        out.extend(data);
        out.resize(out.len().next_multiple_of(256), 0);
    }
    out
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn good() -> Vec<u8> {
    let mut int8: Vec<u8> = vec![127, 254, 3, 0, 1, 129];
    int8.extend(2f32.to_le_bytes());
    let mut scalar = vec![127u8];
    scalar.extend(10f32.to_le_bytes());
    container(&[
        ("encoder_l1_self_Wq", 0x4101, &[2, 3], int8.clone()),
        ("Wemb", 0x4101, &[3, 2], int8),
        ("encoder_l1_self_Wo", 0x0404, &[2, 3], floats(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])),
        ("encoder_l1_self_bq", 0x0404, &[1, 2], floats(&[7.0, 8.0])),
        ("none_QuantMultA", 0x0404, &[1], floats(&[20.0])),
        ("decoder_Wemb_QuantMultA", 0x4101, &[1], scalar),
        ("special:model.yml", 0x0101, &[9], b"a: b\nc: d\0".to_vec()),
    ])
}

fn write(folder: &tempfile::TempDir, name: &str, bytes: &[u8]) -> std::path::PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn tensors_are_read_as_they_are_meant() {
    let folder = tempfile::tempdir().unwrap();
    let file = MarianFile::open(&write(&folder, "model.x.bin", &good())).unwrap();
    let source: &dyn TensorSource = &file;
    let (shape, bytes, scale) = file.int8("encoder_l1_self_Wq").unwrap();
    assert_eq!((shape, bytes.len(), scale), ([3, 2], 6, 2.0));
    assert_eq!(file.int8("Wemb").unwrap().0, [3, 2]);
    let view = source.expect("encoder_l1_self_Wq", &[3, 2]).unwrap();
    assert_eq!(view.to_f32().unwrap(), [63.5, -1.0, 1.5, 0.0, 0.5, -63.5]);
    let view = source.expect("encoder_l1_self_Wo", &[3, 2]).unwrap();
    assert_eq!(view.to_f32().unwrap(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0], "[inputs, outputs] turned round");
    assert_eq!(source.floats("encoder_l1_self_bq", &[2]).unwrap(), [7.0, 8.0]);
    assert_eq!(
        (file.number("none_QuantMultA").unwrap(), file.number("decoder_Wemb_QuantMultA").unwrap()),
        (20.0, 12.7)
    );
    assert_eq!(file.config().unwrap(), "a: b\nc: d");
    assert!(file.int8("none_QuantMultA").is_err() && file.number("Wemb").is_err());
    assert_eq!(source.names().len(), 6);
}

#[test]
fn packed_files_are_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(&good()).unwrap();
    let zst = zstd::encode_all(&good()[..], 1).unwrap();
    for (name, bytes) in [("model.x.bin.gz", gz.finish().unwrap()), ("model.x.bin.zst", zst)] {
        let file = MarianFile::open(&write(&folder, name, &bytes)).unwrap();
        assert_eq!(file.config().unwrap(), "a: b\nc: d");
        let cut = write(&folder, name, &bytes[..bytes.len() / 2]);
        let Err(error) = MarianFile::open(&cut) else { panic!("{name} cut off") };
        assert!(error.to_string().contains("download it again"), "{error}");
    }
}

#[test]
fn every_truncation_is_refused_in_one_line() {
    let good = good();
    let needed = parse_container(&good, "m.bin").unwrap().values().map(|item| item.bytes.end).max().unwrap();
    for length in 0..needed {
        let error = parse_container(&good[..length], "m.bin").unwrap_err().to_string();
        assert!(error.starts_with("m.bin: ") && !error.contains('\n'), "{length}: {error}");
    }
}

/// Every word of the tables set to what breaks careless readers: nothing may panic or ask for absurd memory.
#[test]
fn hostile_numbers_are_survived() {
    let good = good();
    let hostile = [u64::MAX, u64::MAX / 2, u64::MAX - 7, 1 << 40, 1 << 31, 0, 0x4101, 0x0404, 257];
    for at in 0..(16 + 7 * 32) / 8 {
        for word in hostile {
            let mut bytes = good.clone();
            bytes[at * 8..at * 8 + 8].copy_from_slice(&word.to_le_bytes());
            let _ = parse_container(&bytes, "m.bin");
        }
    }
    for at in 0..512 {
        for byte in [0xff, 0x80, 0x00] {
            let mut bytes = good.clone();
            bytes[at] = byte;
            let _ = parse_container(&bytes, "m.bin");
        }
    }
}

#[test]
fn what_is_not_supported_is_named() {
    for (code, named) in [
        (0x0402u64, "float16"),
        (0x4102, "intgemm16"),
        (0x0801, "FBGEMM"),
        (0x0201, "uint8"),
        (0x0104, "int32"),
        (0x7777_7777, "0x77777777"),
    ] {
        let error = parse_container(&container(&[("W", code, &[1], vec![0; 8])]), "m.bin").unwrap_err().to_string();
        assert!(error.contains(named) && error.contains("tensor W") && error.contains("marian-conv"), "{error}");
    }
    for (bytes, named) in [
        (&b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n"[..], "git-lfs"),
        (b"<!DOCTYPE html>", "web page"),
        (b"PK\x03\x04....", "zip"),
        (b"", "empty"),
        (b"GGUF\x03\0\0\0", "not a model of Marian's"),
    ] {
        let error = parse_container(bytes, "m.bin").unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
    let twice = container(&[("W", 0x0404, &[1], vec![0; 4]), ("W", 0x0404, &[1], vec![0; 4])]);
    assert!(parse_container(&twice, "m.bin").unwrap_err().to_string().contains("twice"));
}

fn npy(descr: &str, order: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend((header.len() as u16).to_le_bytes());
    out.extend(header.as_bytes());
    out.extend(data);
    out
}

fn npz(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        zip.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn numpy_archives_are_read_and_damage_is_named() {
    let weights = npy("<f4", "False", "(2, 3)", &floats(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    let good = npz(&[("decoder_l1_rnn_W", weights.clone()), (CONFIG, npy("|i1", "False", "(4,)", b"a: b"))]);
    let folder = tempfile::tempdir().unwrap();
    let file = MarianFile::open(&write(&folder, "model.npz", &good)).unwrap();
    let source: &dyn TensorSource = &file;
    let view = source.expect("decoder_l1_rnn_W", &[3, 2]).unwrap();
    assert_eq!(view.to_f32().unwrap(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    assert_eq!(file.config().unwrap(), "a: b");
    for (array, named) in [
        (npy("<f2", "False", "(1,)", &[0; 2]), "<f2"),
        (npy("<f4", "True", "(1, 1)", &[0; 4]), "fortran_order"),
        (npy("<f4", "False", "(2, 3)", &[0; 20]), "cut off"),
        (npy("<f4", "False", "(99999999999, 99999999999)", &[0; 20]), "shape"),
        (npy("<f4", "False", "(a,)", &[0; 20]), "shape"),
        (npy("<i1", "False", "(3,)", &[0; 3]), "int8"),
        (b"nothing".to_vec(), "not a NumPy array"),
    ] {
        let Err(error) = parse_npz(&npz(&[("W", array)]), "m.npz") else { panic!("{named}") };
        assert!(error.to_string().contains(named), "{error}");
    }
    for length in 0..good.len() {
        let _ = parse_npz(&good[..length], "m.npz");
    }
}
