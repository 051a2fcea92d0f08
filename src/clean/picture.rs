//! What the pixel rules know of a picture, and the rules for pictures that
//! show nothing or next to nothing.

use safelight_lineage::event::Split;
use safelight_lineage::id::ImageId;
use safelight_lineage::value::ClassIndex;

use super::finding::{Finding, ranked};
use super::perceptual_hash::{GRAY_PIXELS, perceptual_hash};
use super::rule::{BLANK, TINY};

/// What the pixel rules know of a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PictureFacts {
    /// The image.
    pub image: ImageId,
    /// Its label.
    pub label: Option<ClassIndex>,
    /// What it is for.
    pub split: Split,
    /// Its width in pixels, before any resizing.
    pub width: u32,
    /// Its height in pixels, before any resizing.
    pub height: u32,
    /// The standard deviation of its gray, 0 to 127.5.
    pub deviation: f64,
    /// What it looks like; none when it has next to no contrast.
    pub hash: Option<u64>,
}

impl PictureFacts {
    /// Measures a picture of `width` by `height` pixels, given also as 32×32
    /// gray, row-major, 0 black to 255 white.
    pub fn of(
        image: ImageId,
        label: Option<ClassIndex>,
        split: Split,
        (width, height): (u32, u32),
        gray: &[u8; GRAY_PIXELS],
    ) -> PictureFacts {
        PictureFacts {
            image,
            label,
            split,
            width,
            height,
            deviation: deviation(gray),
            hash: perceptual_hash(gray),
        }
    }

    fn finding(&self, rule: &str, score: f64, reason: String) -> Finding {
        Finding {
            image: self.image,
            rule: rule.to_owned(),
            score,
            rank: 0,
            reason,
            label: self.label,
            suggested: None,
            related: Vec::new(),
        }
    }
}

/// The standard deviation; sums are whole numbers, so every machine agrees.
fn deviation(gray: &[u8; GRAY_PIXELS]) -> f64 {
    let sum: u64 = gray.iter().map(|pixel| u64::from(*pixel)).sum();
    let squares: u64 = gray.iter().map(|pixel| u64::from(*pixel).pow(2)).sum();
    let count = GRAY_PIXELS as u64;
    ((count * squares - sum * sum) as f64).sqrt() / count as f64
}

/// Pictures whose gray deviates from its mean by at most `max_deviation`
/// (included; 0 to 127.5): one plain surface. The score falls from 1 for none
/// to 0 at 127.5.
pub fn blank(pictures: &[PictureFacts], max_deviation: f64) -> Vec<Finding> {
    let found = pictures.iter().filter(|picture| picture.deviation <= max_deviation).map(|picture| {
        let reason = format!(
            "the picture is one plain surface: its gray varies by only {:.2} of 255",
            picture.deviation
        );
        picture.finding(BLANK, 1.0 - picture.deviation / 127.5, reason)
    });
    ranked(found.collect())
}

/// Pictures whose shorter edge has fewer than `min_edge` pixels. The score is
/// the missing share of `min_edge`.
pub fn tiny(pictures: &[PictureFacts], min_edge: u32) -> Vec<Finding> {
    let found = pictures.iter().filter_map(|picture| {
        let edge = picture.width.min(picture.height);
        (edge < min_edge).then(|| {
            let reason = format!(
                "the picture has only {}×{} pixels; expected at least {min_edge} each way",
                picture.width, picture.height
            );
            picture.finding(TINY, 1.0 - f64::from(edge) / f64::from(min_edge), reason)
        })
    });
    ranked(found.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(n: u8, size: (u32, u32), gray: [u8; GRAY_PIXELS]) -> PictureFacts {
        PictureFacts::of(ImageId([n; 16]), Some(ClassIndex(1)), Split::Train, size, &gray)
    }

    fn half_and_half(dark: u8, light: u8) -> [u8; GRAY_PIXELS] {
        std::array::from_fn(|place| if place % 2 == 0 { dark } else { light })
    }

    #[test]
    fn deviation_is_exact_at_its_ends() {
        assert_eq!(deviation(&[77; GRAY_PIXELS]), 0.0);
        assert_eq!(deviation(&half_and_half(0, 255)), 127.5);
        assert_eq!(deviation(&half_and_half(100, 104)), 2.0);
    }

    #[test]
    fn blank_pictures_are_found_up_to_the_threshold() {
        let pictures = [
            facts(1, (9, 9), half_and_half(100, 104)),
            facts(2, (9, 9), half_and_half(100, 105)),
            facts(3, (9, 9), [5; 1024]),
        ];
        let found = blank(&pictures, 2.0);
        let order: Vec<_> = found.iter().map(|finding| (finding.image.0[0], finding.rank)).collect();
        assert_eq!(order, [(3, 1), (1, 2)]);
        assert_eq!((found[0].score, found[0].label), (1.0, Some(ClassIndex(1))));
        assert!(found[1].reason.contains("2.00 of 255"));
    }

    #[test]
    fn tiny_pictures_are_found_by_their_shorter_edge() {
        let gray = half_and_half(0, 255);
        let pictures = [facts(1, (16, 500), gray), facts(2, (15, 500), gray), facts(3, (500, 4), gray)];
        let found = tiny(&pictures, 16);
        let order: Vec<_> = found.iter().map(|finding| (finding.image.0[0], finding.score)).collect();
        assert_eq!(order, [(3, 0.75), (2, 0.0625)]);
        assert_eq!(found[0].reason, "the picture has only 500×4 pixels; expected at least 16 each way");
    }
}
