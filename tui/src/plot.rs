//! Curves and bars made of characters.

/// A bar of `cells` cells that is full to `share`, 0 to 1.
pub fn bar(share: f64, cells: usize) -> String {
    let full = (share.clamp(0.0, 1.0) * cells as f64).round() as usize;
    format!("{}{}", "█".repeat(full), "░".repeat(cells - full))
}

/// A curve as `height` rows of Braille, `width` cells each: two columns of
/// points a cell, four points high. A column that stands for several values
/// spans from the least to the greatest of them, so that spikes stay. Values
/// that are not numbers leave gaps.
pub fn rows(values: &[f64], width: usize, height: usize) -> Vec<String> {
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let (low, high) = finite()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low > high || width == 0 || height == 0 {
        return Vec::new();
    }
    let points = height * 4;
    let range = if high > low { high - low } else { 1.0 };
    let level = |value: f64| ((value - low) / range * (points - 1) as f64).round() as usize;
    let columns = (width * 2).min(values.len());
    let mut dots = vec![vec![0u8; width]; height];
    for column in 0..columns {
        let bucket = &values[column * values.len() / columns..(column + 1) * values.len() / columns];
        let levels = || bucket.iter().filter(|value| value.is_finite()).map(|value| level(*value));
        let (Some(from), Some(to)) = (levels().min(), levels().max()) else { continue };
        for point in from..=to.min(points - 1) {
            let from_top = points - 1 - point;
            dots[from_top / 4][column / 2] |= dot(column % 2, from_top % 4);
        }
    }
    let braille = |mask: &u8| char::from_u32(0x2800 + u32::from(*mask)).unwrap_or(' ');
    dots.iter().map(|row| row.iter().map(braille).collect()).collect()
}

/// The bit of a Braille dot.
fn dot(column: usize, row: usize) -> u8 {
    const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
    BITS[column][row]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spikes_stay() {
        let mut values = vec![0.0; 10_000];
        values[5_000] = 1.0;
        let rows = rows(&values, 10, 2);
        assert_eq!(rows[0].chars().filter(|c| *c != '\u{2800}').count(), 1, "{rows:?}");
    }

    #[test]
    fn odd_values_do_no_harm() {
        assert_eq!(rows(&[f64::NAN], 10, 2), Vec::<String>::new());
        assert_eq!(rows(&[], 10, 2), Vec::<String>::new());
        assert_eq!(rows(&[1.0, 1.0], 2, 1), ["⣀⠀"]);
        assert_eq!(bar(f64::NAN, 2), "░░");
        assert_eq!(bar(0.5, 4), "██░░");
    }
}
