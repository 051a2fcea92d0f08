//! How much pictures differ from each other, beside how much real ones do.

/// The mean over all pairs of the root of the mean squared difference of their
/// bytes, 0 to 255; zero for fewer than two pictures.
pub fn mean_distance(pictures: &[Vec<u8>]) -> f64 {
    let mut sum = 0.0;
    let mut pairs = 0u64;
    for (place, one) in pictures.iter().enumerate() {
        for other in &pictures[place + 1..] {
            let squares: u64 = one.iter().zip(other).map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum();
            sum += (squares as f64 / one.len().max(1) as f64).sqrt();
            pairs += 1;
        }
    }
    if pairs == 0 { 0.0 } else { sum / pairs as f64 }
}

/// How diverse samples are: the mean, over classes, of their mean distance as a
/// share of that of real pictures. About 1 when they differ as much, near 0 when
/// they are all alike. Classes whose real pictures do not differ say nothing;
/// none when no class says anything.
pub fn diversity(classes: &[(Vec<Vec<u8>>, f64)]) -> Option<f64> {
    let shares: Vec<f64> = classes
        .iter()
        .filter(|(pictures, real)| *real > 0.0 && pictures.len() > 1)
        .map(|(pictures, real)| mean_distance(pictures) / real)
        .collect();
    (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_pictures_are_not_diverse() {
        let same = vec![vec![9; 12]; 4];
        let apart: Vec<Vec<u8>> = (0..4).map(|place| vec![place * 10; 12]).collect();
        assert_eq!(mean_distance(&same), 0.0);
        // Pairs are 10 apart three times, 20 twice, 30 once.
        assert!((mean_distance(&apart) - 100.0 / 6.0).abs() < 1e-12);
        let real = mean_distance(&apart);
        assert_eq!(diversity(&[(same.clone(), real)]), Some(0.0));
        assert_eq!(diversity(&[(same, real), (apart, real)]), Some(0.5));
        assert_eq!(diversity(&[(Vec::new(), real)]), None);
    }
}
