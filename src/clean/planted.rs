//! Wrong labels planted on purpose, to see what the rules find of them.

use safelight_lineage::digest::Hasher;
use safelight_lineage::id::ImageId;
use safelight_lineage::value::ClassIndex;

/// Chooses a share (0 to 1, rounded to whole images) of these labelled images
/// and another class for each: every other class is as likely. Both are by
/// hash(seed, image), so neither order nor other images decide.
pub fn planted(
    images: &[(ImageId, ClassIndex)],
    classes: u16,
    share: f64,
    seed: u64,
) -> Vec<(ImageId, ClassIndex)> {
    if classes < 2 {
        return Vec::new();
    }
    let draw = |image: ImageId, what: u8| {
        let mut hasher = Hasher::derive_key("safelight 2026-11-24 planted label v1");
        hasher.update(&seed.to_le_bytes()).update(image.as_bytes()).update(&[what]);
        hasher.finish_u64()
    };
    let mut order: Vec<(u64, ImageId, ClassIndex)> =
        images.iter().map(|(image, label)| (draw(*image, 0), *image, *label)).collect();
    order.sort_unstable();
    let count = (images.len() as f64 * share.clamp(0.0, 1.0)).round() as usize;
    let mut chosen: Vec<(ImageId, ClassIndex)> = order
        .into_iter()
        .take(count)
        .map(|(_, image, label)| {
            let step = 1 + draw(image, 1) % u64::from(classes - 1);
            (image, ClassIndex(((u64::from(label.0) + step) % u64::from(classes)) as u16))
        })
        .collect();
    chosen.sort_unstable();
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_gets_other_labels_whatever_the_order() {
        let mut images: Vec<(ImageId, ClassIndex)> =
            (0..200u8).map(|n| (ImageId([n; 16]), ClassIndex(u16::from(n % 6)))).collect();
        let planted_1 = planted(&images, 6, 0.05, 1);
        assert_eq!(planted_1.len(), 10);
        for (image, wrong) in &planted_1 {
            assert!(wrong.0 < 6 && wrong.0 != u16::from(image.0[0] % 6));
        }
        assert_ne!(planted(&images, 6, 0.05, 2), planted_1);
        images.reverse();
        assert_eq!(planted(&images, 6, 0.05, 1), planted_1);
        let all = planted(&images, 6, 1.0, 1);
        let to: std::collections::BTreeSet<u16> = all.iter().map(|(_, wrong)| wrong.0).collect();
        assert_eq!(to.len(), 6, "every class is drawn");
        assert_eq!(planted(&images, 1, 1.0, 1), []);
    }
}
