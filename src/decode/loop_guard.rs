//! Tells when a hypothesis goes round in circles, as small models sometimes do to the end of their limit.

/// Longest period that is looked for, in tokens.
const LONGEST_PERIOD: usize = 8;
/// Full periods that must stand at the end …
const FEWEST_PERIODS: usize = 4;
/// … and tokens that they must cover, so that "ha ha ha ha" passes.
const FEWEST_TOKENS: usize = 16;

/// True when `tokens` ends in one n-gram of 1 to 8 tokens over and over: at least four full periods and at
/// least 16 tokens of it. Costs a comparison or two a period where there is no loop.
pub fn is_loop(tokens: &[u32]) -> bool {
    (1..=LONGEST_PERIOD).any(|period| {
        let needed = FEWEST_TOKENS.max(FEWEST_PERIODS * period);
        tokens.len() >= needed && {
            let tail = &tokens[tokens.len() - needed..];
            // From the end on, since that is where text that does not loop differs first.
            tail[period..].iter().rev().eq(tail[..needed - period].iter().rev())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_token_loops_after_sixteen() {
        assert!(!is_loop(&[7; 15]));
        assert!(is_loop(&[7; 16]));
        let mut tokens = vec![1, 2, 3];
        tokens.extend([7; 16]);
        assert!(is_loop(&tokens), "what comes before does not matter");
        tokens.push(8);
        assert!(!is_loop(&tokens), "a way out of the loop is no loop");
    }

    #[test]
    fn every_period_up_to_eight_is_found_and_none_beyond() {
        for period in 1..=9u32 {
            let needed = 16.max(4 * period as usize);
            let tokens: Vec<u32> = (0..needed as u32).map(|i| i % period).collect();
            assert_eq!(is_loop(&tokens), period <= 8, "period {period}");
            assert!(!is_loop(&tokens[1..]), "period {period}, one token short");
        }
    }

    #[test]
    fn ordinary_text_is_no_loop() {
        let tokens: Vec<u32> = (0..200).map(|i| i * i % 61).collect();
        assert!((0..tokens.len()).all(|end| !is_loop(&tokens[..end])));
    }
}
