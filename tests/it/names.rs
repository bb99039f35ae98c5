//! How well the matcher tells spellings of a name from other names, on pairs that it did not learn from.
use anubad::check::name_distance;

/// The held-out tenth of the name pairs, word by word.
fn held_out() -> Vec<(String, String)> {
    let text = super::external::text("names.tsv");
    let mut pairs = Vec::new();
    for (bengali, english) in text.lines().filter_map(|l| l.split_once('\t')) {
        let mut crc = flate2::Crc::new();
        crc.update(bengali.as_bytes());
        let (b, e): (Vec<&str>, Vec<&str>) =
            (bengali.split_whitespace().collect(), english.split([' ', '-']).collect());
        if crc.sum().is_multiple_of(10) && b.len() == e.len() {
            pairs.extend(b.iter().zip(&e).map(|(b, e)| (b.to_string(), e.to_string())));
        }
    }
    pairs.retain(|(_, e)| e.len() >= 3);
    pairs
}

#[test]
#[ignore = "needs ANUBAD_TEST_DATA: scripts/test-external"]
fn external_held_out_names_are_recognized_and_others_rejected() {
    let pairs = held_out();
    let n = pairs.len();
    let rate = |shift: usize, limit: f32| {
        let near = (0..n).filter(|&i| name_distance(&pairs[i].0, &pairs[(i + shift) % n].1) <= limit).count();
        near as f64 / n as f64
    };
    for limit in [0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2] {
        println!(
            "limit {limit}: matching pairs {:.4}, random pairs {:.4} {:.4}",
            rate(0, limit),
            rate(137, limit),
            rate(291, limit)
        );
    }
    let limit = anubad::check::NAME_LIMIT;
    assert!(rate(0, limit) > 0.9, "too few held-out spellings are recognized");
    assert!(rate(137, limit) < 0.05, "too many random pairs pass for one name");
}
