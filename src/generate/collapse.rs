//! Telling a generator that draws the same picture again and again.

/// Watches the diversity of the epochs of a run.
///
/// Before it learned anything a generator draws the same grey from all noise;
/// so only what was once diverse can collapse, or what is not after
/// [`GRACE`](Watch::GRACE) epochs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Watch {
    /// Below which share of the diversity of real pictures.
    pub below: f64,
    /// For so many epochs in a row.
    pub patience: u32,
}

impl Watch {
    /// Epochs that a generator may take to draw different pictures at all.
    pub const GRACE: usize = 10;

    /// Whether it has collapsed by the last of these epochs.
    pub fn collapsed(&self, diversities: &[f64]) -> bool {
        let alike = |diversity: &f64| *diversity < self.below;
        let first = diversities.iter().position(|diversity| !alike(diversity));
        let from = first.unwrap_or(Self::GRACE).min(diversities.len());
        let patience = self.patience as usize;
        diversities.len() - from >= patience && diversities.iter().rev().take(patience).all(alike)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WATCH: Watch = Watch { below: 0.3, patience: 2 };

    #[test]
    fn only_what_was_diverse_collapses_early() {
        assert!(!WATCH.collapsed(&[]));
        assert!(!WATCH.collapsed(&[0.01, 0.02, 0.1]), "it has not begun");
        assert!(!WATCH.collapsed(&[0.1, 0.8, 0.2]), "once is not enough");
        assert!(WATCH.collapsed(&[0.1, 0.8, 0.2, 0.1]));
        assert!(!WATCH.collapsed(&[0.1, 0.8, 0.2, 0.1, 0.9]), "it recovered");
    }

    #[test]
    fn what_never_becomes_diverse_has_collapsed_too() {
        assert!(!WATCH.collapsed(&[0.1; 11]));
        assert!(WATCH.collapsed(&[0.1; 12]));
    }
}
