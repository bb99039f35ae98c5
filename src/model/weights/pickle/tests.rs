//! The pickle reader against what torch writes and what an attacker would.
use super::*;
use proptest::prelude::*;

fn read(bytes: &[u8]) -> Result<Pickle> {
    Pickle::read(bytes, "m.bin")
}

#[test]
fn a_tensor_is_rebuilt() {
    // {"w": _rebuild_tensor_v2(storage "0" of 6 floats, offset 1, size (2, 2), stride (2, 1), False, {})}
    let pickle = b"\x80\x02}q\x00X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storage\
        ctorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x06tQK\x01K\x02K\x02\x86K\x02K\x01\x86\x89\
        ccollections\nOrderedDict\n)RtRs.";
    let read = read(pickle).unwrap();
    let storage = Storage { key: "0".into(), encoding: Encoding::F32, len: 6 };
    let tensor = PickledTensor { storage, offset: 1, shape: vec![2, 2], strides: vec![2, 1] };
    assert_eq!(read.dict(&read.root).unwrap(), [(Value::Str("w".into()), Value::Tensor(tensor.into()))]);
    assert_eq!(read.len, pickle.len());
    for cut in 0..pickle.len() {
        assert!(super::Pickle::read(&pickle[..cut], "m.bin").is_err(), "cut at {cut}");
    }
}

#[test]
fn integers_are_signed_and_long_ones_kept() {
    let int = |bytes: &[u8]| read(bytes).unwrap().root;
    assert_eq!(int(b"J\xff\xff\xff\xff."), Value::Int(-1));
    assert_eq!(int(b"\x8a\x02\x00\x80."), Value::Int(-32768));
    assert_eq!(int(b"\x8a\x00."), Value::Int(0));
    assert_eq!(int(b"\x8a\x09123456789."), Value::Bytes(b"123456789"[..].into()));
}

#[test]
fn a_tower_of_doubled_tuples_stays_small() {
    // Each level holds the one below twice: 2^200 leaves if they were copied, a deep stack if they were nested.
    let mut pickle = b"K\x01".to_vec();
    for _ in 0..100_000 {
        pickle.extend(b"2\x86");
    }
    pickle.push(b'.');
    assert!(matches!(read(&pickle).unwrap().root, Value::Tuple(_)));
}

#[test]
fn copies_of_large_things_are_shared_or_counted() {
    // A megabyte, 20,000 times over: 20 GB if it were copied.
    let mut doubled = b"X\x00\x00\x10\x00".to_vec();
    doubled.extend(vec![b'x'; 1 << 20]);
    doubled.extend(b"2".repeat(20_000));
    doubled.push(b'.');
    assert!(matches!(read(&doubled).unwrap().root, Value::Str(_)));
    let said = |bytes: &[u8]| read(bytes).map(|_| ()).unwrap_err().to_string();
    // A hundred thousand pairs, made into a dictionary again and again.
    let mut pairs = b"](".to_vec();
    pairs.extend(b"K\x01K\x01\x86".repeat(100_000));
    pairs.extend(b"eq\x00");
    pairs.extend(b"0ccollections\nOrderedDict\nh\x00\x85R".repeat(2000));
    pairs.push(b'.');
    assert!(said(&pairs).contains("too many values"), "{}", said(&pairs));
    for endless in [&b"("[..], b"N", b"]", b"Nq\x000", b"Nr\x01\x02\x03\x04"] {
        let bytes = endless.repeat(5_000_000);
        assert!(said(&bytes).contains("too many values"), "{endless:?}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }
}
