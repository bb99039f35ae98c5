//! Sentences as sparse unit vectors, and how central each is among the others.
use super::bengali;
use std::collections::HashMap;

/// Sparse vectors of unit length: half of the weight on word stems, half on four-letter pieces of them
/// (which see what stemming misses), each weighted (1 + ln tf) · ln(1 + N / df).
pub(super) struct Vectors {
    rows: Vec<Vec<(u32, f64)>>,
    dimensions: usize,
}

impl Vectors {
    /// One row for each list of stems. The same lists give the same numbers to the last bit: nothing here
    /// depends on the order of a hash map.
    pub fn new(stems: &[Vec<String>]) -> Self {
        let mut dimensions = 0;
        let halves = [rows_of(stems.iter().cloned(), &mut dimensions), {
            rows_of(stems.iter().map(|s| s.iter().flat_map(|w| pieces(w)).collect()), &mut dimensions)
        }];
        let [words, pieces] = halves;
        let rows = words.into_iter().zip(pieces).map(|(mut w, p)| {
            w.extend(p);
            w
        });
        Self { rows: rows.collect(), dimensions }
    }

    /// Cosine of two rows.
    pub fn cosine(&self, a: usize, b: usize) -> f64 {
        let (mut a, mut b) = (self.rows[a].iter().peekable(), self.rows[b].iter().peekable());
        let mut sum = 0.0;
        while let (Some((i, x)), Some((j, y))) = (a.peek(), b.peek()) {
            match i.cmp(j) {
                std::cmp::Ordering::Less => drop(a.next()),
                std::cmp::Ordering::Greater => drop(b.next()),
                std::cmp::Ordering::Equal => {
                    sum += x * y;
                    a.next();
                    b.next();
                }
            }
        }
        sum
    }

    /// Continuous LexRank (Erkan and Radev 2004) of the rows named, the largest value being 1.
    ///
    /// The similarity matrix X·Xᵀ is never formed: each round multiplies by Xᵀ and by X, so that an article of
    /// ten thousand sentences costs what its words cost.
    pub fn lex_rank(&self, rows: &[usize]) -> Vec<f64> {
        const DAMPING: f64 = 0.85;
        let n = rows.len();
        let others = |p: &[f64]| {
            let mut sum = vec![0.0; self.dimensions];
            for (&row, weight) in rows.iter().zip(p) {
                for &(i, x) in &self.rows[row] {
                    sum[i as usize] += weight * x;
                }
            }
            let with_itself = |(&row, weight): (&usize, &f64)| {
                let row = &self.rows[row];
                let own: f64 = row.iter().map(|(_, x)| x * x).sum();
                (row.iter().map(|&(i, x)| x * sum[i as usize]).sum::<f64>() - weight * own).max(0.0)
            };
            rows.iter().zip(p).map(with_itself).collect::<Vec<f64>>()
        };
        let degree: Vec<f64> = others(&vec![1.0; n]).into_iter().map(|d| if d > 1e-12 { d } else { 1.0 }).collect();
        let mut p = vec![1.0 / n as f64; n];
        for _ in 0..50 {
            let spread: Vec<f64> = p.iter().zip(&degree).map(|(p, d)| p / d).collect();
            p = others(&spread).into_iter().map(|x| (1.0 - DAMPING) / n as f64 + DAMPING * x).collect();
        }
        let largest = p.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        p.into_iter().map(|x| x / largest).collect()
    }
}

/// Four-letter pieces of a word with its borders marked; the whole of a short word.
fn pieces(word: &str) -> Vec<String> {
    let letters: Vec<char> = std::iter::once('^').chain(word.chars()).chain(std::iter::once('$')).collect();
    letters.windows(4.min(letters.len())).map(|w| w.iter().collect()).collect()
}

/// TF-IDF rows of length √½ (two halves make a unit vector), with ids from `*next` on.
fn rows_of(documents: impl Iterator<Item = Vec<String>>, next: &mut usize) -> Vec<Vec<(u32, f64)>> {
    let mut ids: HashMap<String, u32> = HashMap::new();
    let first = *next;
    let mut document_frequency: Vec<f64> = Vec::new();
    let mut counted: Vec<Vec<(u32, f64)>> = Vec::new();
    for document in documents {
        let mut terms: Vec<u32> = Vec::with_capacity(document.len());
        for term in document {
            let id = *ids.entry(term).or_insert_with(|| {
                document_frequency.push(0.0);
                (first + document_frequency.len() - 1) as u32
            });
            terms.push(id);
        }
        terms.sort_unstable();
        let row: Vec<(u32, f64)> = terms.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as f64)).collect();
        for (id, _) in &row {
            document_frequency[*id as usize - first] += 1.0;
        }
        counted.push(row);
    }
    *next += document_frequency.len();
    let n = counted.len() as f64;
    for row in &mut counted {
        for (id, x) in row.iter_mut() {
            *x = (1.0 + x.ln()) * (1.0 + n / document_frequency[*id as usize - first]).ln();
        }
        let norm = row.iter().map(|(_, x)| x * x).sum::<f64>().sqrt();
        row.iter_mut().for_each(|(_, x)| *x *= std::f64::consts::FRAC_1_SQRT_2 / norm);
    }
    counted
}

/// Stems of each text, for [`Vectors::new`].
pub(super) fn stems_of<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<Vec<String>> {
    texts.map(bengali::content_stems).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors(texts: &[&str]) -> Vectors {
        Vectors::new(&stems_of(texts.iter().copied()))
    }

    #[test]
    fn a_row_is_like_itself_and_unlike_a_stranger() {
        let v = vectors(&["হাইকোর্ট জামিন দিয়েছেন", "হাইকোর্টের জামিন", "ক্রিকেট বিশ্বকাপ শুরু"]);
        assert!((v.cosine(0, 0) - 1.0).abs() < 1e-9);
        assert!(v.cosine(0, 1) > 0.3);
        assert!(v.cosine(0, 2) < 0.05);
    }

    #[test]
    fn lex_rank_agrees_with_the_matrix_written_out() {
        let v = vectors(&["নদীর পানি বাড়ছে", "নদীর পানি কমছে", "পানি বাড়ায় বন্যা", "সেতু উদ্বোধন", ""]);
        let rows: Vec<usize> = (0..5).collect();
        let a: Vec<Vec<f64>> =
            (0..5).map(|i| (0..5).map(|j| if i == j { 0.0 } else { v.cosine(i, j) }).collect()).collect();
        let degree: Vec<f64> =
            a.iter().map(|r| r.iter().sum::<f64>()).map(|d| if d > 1e-12 { d } else { 1.0 }).collect();
        let mut p = [0.2; 5];
        for _ in 0..50 {
            p = std::array::from_fn(|i| 0.03 + 0.85 * (0..5).map(|j| a[j][i] / degree[j] * p[j]).sum::<f64>());
        }
        let max = p.iter().copied().fold(0.0, f64::max);
        for (got, want) in v.lex_rank(&rows).iter().zip(p) {
            assert!((got - want / max).abs() < 1e-9, "{got} against {}", want / max);
        }
    }
}
