//! Sums and roundings in numpy's order, so that counts come out as cleanlab's.

/// Below this many numbers numpy adds one after the other.
const LANES: usize = 8;
/// Above this many numpy halves the block.
const BLOCK: usize = 128;

/// The sum as `numpy.sum` gives it for float64: eight lanes, blocks of 128,
/// halves of a multiple of eight (`pairwise_sum` in numpy's
/// `loops_utils.h.src`).
pub fn pairwise_sum(values: &[f64]) -> f64 {
    let count = values.len();
    if count < LANES {
        return values.iter().fold(0.0, |sum, value| sum + value);
    }
    if count > BLOCK {
        let half = count / 2;
        let (one, other) = values.split_at(half - half % LANES);
        return pairwise_sum(one) + pairwise_sum(other);
    }
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for (place, chunk) in chunks.iter().enumerate() {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane = if place == 0 { *value } else { *lane + value };
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    let sum = ((a + b) + (c + d)) + ((e + f) + (g + h));
    rest.iter().fold(sum, |sum, value| sum + value)
}

/// Rounds a row to whole numbers whose sum is its rounded sum: halves to even,
/// then one is added to those rounded down most, or taken from those rounded up
/// most, until the sum is right. Of equal residuals the higher index gains and
/// the lower index loses, as a stable sort has it.
///
/// Source: cleanlab 2.9 `internal/util.py`, `round_preserving_sum`.
pub fn round_preserving_sum(row: &[f64]) -> Vec<i64> {
    let mut rounded: Vec<i64> = row.iter().map(|value| value.round_ties_even() as i64).collect();
    let target = pairwise_sum(row).round_ties_even() as i64;
    loop {
        let missing = target - rounded.iter().sum::<i64>();
        if missing == 0 || row.is_empty() {
            return rounded;
        }
        let residual = |place: usize| row[place] - rounded[place] as f64;
        let mut order: Vec<usize> = (0..row.len()).collect();
        order.sort_by(|&a, &b| residual(a).total_cmp(&residual(b)));
        if missing > 0 {
            order.reverse();
        }
        let count = usize::try_from(missing.unsigned_abs()).unwrap_or(usize::MAX);
        for place in order.into_iter().take(count) {
            rounded[place] += missing.signum();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_in_numpys_order() {
        // numpy 2.4.6: np.sum(np.array([1 / i for i in range(1, n + 1)])) as bits.
        let cases: [(u32, u64); 6] = [
            (7, 0x4004_be2b_e2be_2be2),
            (29, 0x400f_b177_8bd5_af58),
            (128, 0x4015_bb8a_e954_1ca7),
            (129, 0x4015_c37b_0914_9ba9),
            (136, 0x4015_f963_3591_b269),
            (500, 0x401b_2bd9_e7bd_3f56),
        ];
        for (n, bits) in cases {
            let values: Vec<f64> = (1..=n).map(|i| 1.0 / f64::from(i)).collect();
            assert_eq!(pairwise_sum(&values).to_bits(), bits, "{n}");
        }
    }

    #[test]
    fn rounding_keeps_the_sum_and_equal_residuals_go_by_index() {
        assert_eq!(round_preserving_sum(&[0.5, 0.5, 1.0]), [0, 1, 1]);
        assert_eq!(round_preserving_sum(&[1.5, 1.5, 1.0]), [1, 2, 1]);
        assert_eq!(round_preserving_sum(&[0.4, 0.4, 0.2]), [0, 1, 0]);
        assert_eq!(round_preserving_sum(&[0.5, 0.25, 0.25]), [1, 0, 0]);
        assert_eq!(round_preserving_sum(&[]), [0i64; 0]);
    }
}
