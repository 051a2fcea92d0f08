//! Bars and dots made of characters.

/// A bar of `cells` cells that is full to `share`, 0 to 1.
pub fn bar(share: f64, cells: usize) -> String {
    let full = (share.clamp(0.0, 1.0) * cells as f64).round() as usize;
    format!("{}{}", "█".repeat(full), "░".repeat(cells - full))
}

/// The bit of a Braille dot.
pub fn dot(column: usize, row: usize) -> u8 {
    const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
    BITS[column][row]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_values_do_no_harm() {
        assert_eq!(bar(f64::NAN, 2), "░░");
        assert_eq!(bar(0.5, 4), "██░░");
    }
}
