//! Bengali digits (০–৯, U+09E6 to U+09EF) and Latin ones.

/// Value of a Bengali or Latin digit.
pub fn value(c: char) -> Option<u32> {
    match c {
        '0'..='9' => Some(c as u32 - '0' as u32),
        '০'..='৯' => Some(c as u32 - '০' as u32),
        _ => None,
    }
}

/// A Bengali or Latin digit.
pub fn is_digit(c: char) -> bool {
    value(c).is_some()
}

/// The text with Bengali digits written as Latin ones; everything else stays.
pub fn to_latin(text: &str) -> String {
    text.chars().map(|c| if ('০'..='৯').contains(&c) { shift(c, '০', '0') } else { c }).collect()
}

fn shift(c: char, from: char, to: char) -> char {
    // Both digit rows are contiguous, so the result is always a character; `c` stands in for the impossible.
    char::from_u32(c as u32 - from as u32 + to as u32).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        assert_eq!(to_latin("১,২৩,৪৫৬.৭৮৯০ টাকা"), "1,23,456.7890 টাকা");
        assert_eq!(value('৭'), Some(7));
        assert_eq!(value('x'), None);
    }
}
