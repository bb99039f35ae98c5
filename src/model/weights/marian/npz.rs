//! NumPy archives as Marian writes them while it trains: a zip of `NAME.npy`, floats in rows.
use super::{CONFIG, Item, Kind};
use crate::error::ModelError;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::io::{Cursor, Read};

/// The tensors of an `.npz` by name, and the bytes that they point into; `name` is the file's, for error texts.
///
/// # Errors
/// [`Error::Model`]: no archive, damaged, or with arrays of a kind that is not supported.
pub fn parse_npz(bytes: &[u8], name: &str) -> Result<(Vec<u8>, BTreeMap<String, Item>)> {
    super::container::foreign(bytes, name)?;
    let damaged = |what: &str| Error::Model(ModelError::damaged(format!("{name}: {what}; download the file again")));
    let mut archive =
        zip::ZipArchive::new(Cursor::new(bytes)).map_err(|e| damaged(&format!("not an .npz archive ({e})")))?;
    let (mut data, mut items) = (Vec::new(), BTreeMap::new());
    // Floats hardly shrink: what becomes a hundred times as long was made to fill the memory.
    let limit = (bytes.len() as u64).saturating_mul(100).saturating_add(1 << 20);
    for index in 0..archive.len() {
        let member = archive.by_index(index).map_err(|e| damaged(&format!("an entry cannot be read ({e})")))?;
        let tensor =
            member.name().map_err(|_| damaged("an entry's name is not text"))?.trim_end_matches(".npy").to_owned();
        let mut array = Vec::new();
        let room = limit.saturating_sub(data.len() as u64);
        member.take(room).read_to_end(&mut array).map_err(|e| damaged(&format!("tensor {tensor} is damaged ({e})")))?;
        if array.len() as u64 >= room {
            return Err(damaged("unpacks to a hundred times its size"));
        }
        let (kind, shape, content) = parse_npy(&array).map_err(|what| damaged(&format!("tensor {tensor}: {what}")))?;
        if kind == Kind::Int8 && tensor != CONFIG {
            return Err(damaged(&format!("tensor {tensor} is int8, float32 is supported")));
        }
        let start = data.len();
        data.extend_from_slice(content);
        items.insert(tensor, Item { kind, shape, bytes: start..data.len() });
    }
    Ok((data, items))
}

/// One array: its type, its shape, its bytes.
fn parse_npy(bytes: &[u8]) -> Result<(Kind, Vec<usize>, &[u8]), String> {
    let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or("not a NumPy array")?;
    let (length, rest) = match rest {
        [1, _, a, b, rest @ ..] => (usize::from(u16::from_le_bytes([*a, *b])), rest),
        [2 | 3, _, a, b, c, d, rest @ ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, rest),
        _ => return Err("a NumPy format that is not known".into()),
    };
    let (header, content) = rest.split_at_checked(length).ok_or("cut off")?;
    let header = std::str::from_utf8(header).map_err(|_| "its header is not text")?;
    let field = |key: &str| header.split_once(&format!("'{key}':")).map(|(_, after)| after.trim_start());
    let kind = match field("descr").and_then(|text| text.split('\'').nth(1)) {
        Some("<f4" | "=f4") => Kind::F32,
        Some("|i1" | "<i1" | "=i1" | "|u1" | "<u1" | "|S1") => Kind::Int8,
        other => return Err(format!("{} numbers; only float32 is supported", other.unwrap_or("unknown"))),
    };
    if field("fortran_order").is_none_or(|text| !text.starts_with("False")) {
        return Err("its columns lie together (fortran_order); save it by rows".into());
    }
    let shape = field("shape").and_then(|text| text.strip_prefix('(')?.split_once(')')).map(|(inside, _)| inside);
    let numbers = shape.ok_or("no shape")?.split(',').map(str::trim).filter(|part| !part.is_empty());
    let shape: Vec<usize> =
        numbers.map(|n| n.trim_end_matches('L').parse().map_err(|_| "a damaged shape")).collect::<Result<_, _>>()?;
    let elements = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    let size = elements.and_then(|n| Item::size(kind, n)).ok_or("an absurd shape")?;
    Ok((kind, shape, content.get(..size).ok_or("cut off")?))
}
