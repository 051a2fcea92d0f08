//! The Fréchet distance between two sets of embeddings (Heusel et al. 2017):
//! |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2·(Σ₁Σ₂)^½), the distance of two normal
//! distributions with their means and covariances.
//!
//! The embeddings are those of a checkpoint of this repository, so a distance
//! can be compared with others by the same checkpoint on as many pictures, and
//! not with published ones, which are on those of Inception v3.

use nalgebra::{DMatrix, DVector};

/// Mean and covariance of embeddings.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    mean: DVector<f64>,
    covariance: DMatrix<f64>,
}

impl Moments {
    /// Of rows of `width` numbers; none for fewer than two rows, rows that do
    /// not divide evenly, or numbers that are not finite.
    pub fn of(values: &[f32], width: usize) -> Option<Moments> {
        let rows = values.len().checked_div(width)?;
        if rows < 2 || rows * width != values.len() || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let data = DMatrix::from_row_iterator(rows, width, values.iter().map(|value| f64::from(*value)));
        let mean: DVector<f64> = data.row_mean().transpose();
        let mut centred = data;
        for (column, mean) in mean.iter().enumerate() {
            centred.column_mut(column).add_scalar_mut(-mean);
        }
        let covariance = centred.tr_mul(&centred) / (rows as f64 - 1.0);
        Some(Moments { mean, covariance })
    }

    /// Numbers in a row.
    pub fn width(&self) -> usize {
        self.mean.len()
    }
}

/// What others are compared with: its moments, and the root of its covariance.
#[derive(Debug, Clone)]
pub struct Reference {
    moments: Moments,
    root: DMatrix<f64>,
}

impl Reference {
    /// Takes the root once, for any number of distances.
    pub fn new(moments: Moments) -> Reference {
        // A covariance is symmetric and has no negative eigenvalue but by rounding.
        let eigen = moments.covariance.clone().symmetric_eigen();
        let roots = eigen.eigenvalues.map(|value| value.max(0.0).sqrt());
        let scaled = &eigen.eigenvectors * DMatrix::from_diagonal(&roots);
        let root = scaled * eigen.eigenvectors.transpose();
        Reference { moments, root }
    }

    /// The Fréchet distance of `other`; none when it has rows of another width.
    ///
    /// The trace of (Σ₁Σ₂)^½ is the sum of the roots of the eigenvalues of
    /// Σ₁^½·Σ₂·Σ₁^½, which is symmetric.
    pub fn distance(&self, other: &Moments) -> Option<f64> {
        if self.moments.width() != other.width() {
            return None;
        }
        let between = (&self.moments.mean - &other.mean).norm_squared();
        let product = &self.root * &other.covariance * &self.root;
        let symmetric = (&product + product.transpose()) * 0.5;
        let roots: f64 = symmetric.symmetric_eigenvalues().iter().map(|value| value.max(0.0).sqrt()).sum();
        let traces = self.moments.covariance.trace() + other.covariance.trace();
        Some((between + traces - 2.0 * roots).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distance(one: &[f32], other: &[f32], width: usize) -> f64 {
        let moments = |values| Moments::of(values, width).expect("rows");
        Reference::new(moments(one)).distance(&moments(other)).expect("one width")
    }

    /// A fixed sequence, the same in the script that made the goldens:
    /// sin(0.7·k + 0.3·k² mod 5) scaled and shifted.
    fn rows(count: usize, width: usize, scale: f64, shift: f64) -> Vec<f32> {
        (0..count * width)
            .map(|k| {
                let k = k as f64;
                ((0.7 * k + (0.3 * k * k).rem_euclid(5.0)).sin() * scale + shift) as f32
            })
            .collect()
    }

    #[test]
    fn distances_are_scipys() {
        // scipy 1.17.1: |μ₁−μ₂|² + tr(Σ₁ + Σ₂ − 2·sqrtm(Σ₁Σ₂)) of numpy.cov.
        for (rows_one, rows_two, width, scale, shift, golden) in GOLDENS {
            let one = rows(rows_one, width, 1.0, 0.0);
            let two = rows(rows_two, width, scale, shift);
            let found = distance(&one, &two, width);
            assert!((found - golden).abs() <= 1e-6 * golden.max(1.0), "{found} instead of {golden}");
        }
    }

    /// Rows of the one and the other, their width, scale and shift of the other,
    /// and the distance. The last has fewer rows than numbers: singular covariances.
    type Golden = (usize, usize, usize, f64, f64, f64);
    const GOLDENS: [Golden; 3] = [
        (40, 50, 6, 1.5, 0.25, 1.191335199763321),
        (30, 30, 8, 0.5, -1.0, 9.240446263056555),
        (9, 12, 16, 2.0, 0.1, 13.13649590237244),
    ];

    #[test]
    fn in_one_dimension_it_is_the_formula() {
        // Means 1 and 4, variances 2 and 8: 9 + (√2 − √8)² = 11.
        let (one, other) = ([0.0, 2.0f32], [2.0, 6.0f32]);
        assert!((distance(&one, &other, 1) - 11.0).abs() < 1e-9);
        assert!(distance(&one, &one, 1).abs() < 1e-9);
        let (a, b) = (rows(40, 6, 1.0, 0.0), rows(40, 6, 0.4, 2.0));
        assert!((distance(&a, &b, 6) - distance(&b, &a, 6)).abs() < 1e-8, "it is symmetric");
    }

    #[test]
    fn what_are_no_rows_is_refused() {
        assert!(Moments::of(&[1.0, 2.0, 3.0], 2).is_none());
        assert!(Moments::of(&[1.0, 2.0], 2).is_none());
        assert!(Moments::of(&[1.0, f32::NAN, 3.0, 4.0], 2).is_none());
        assert!(Moments::of(&[1.0], 0).is_none());
        let wide = Moments::of(&[1.0, 2.0, 3.0, 4.0], 2).expect("rows");
        let narrow = Moments::of(&[1.0, 2.0], 1).expect("rows");
        assert_eq!(Reference::new(wide).distance(&narrow), None);
    }
}
