//! What the pixel rules know of a picture, and the rules for pictures that
//! show nothing or next to nothing.

use std::collections::BTreeMap;

use safelight_lineage::event::Split;
use safelight_lineage::id::ImageId;
use safelight_lineage::value::{ClassIndex, escape};

use super::finding::{Finding, ranked};
use super::perceptual_hash::{GRAY_PIXELS, perceptual_hash};
use super::rule::{BLANK, COLOUR_MODEL, TINY, UNREADABLE};
use crate::import::ProbedImage;

/// How the file of a picture keeps colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Colours {
    /// One channel.
    Gray,
    /// Three channels or a palette.
    Rgb,
    /// With a channel that says how much shows through; decoding drops it.
    Transparent,
    /// Four printing inks; decoders do not agree on how they look.
    Inks,
}

impl Colours {
    /// What a probe found.
    pub fn of(probed: &ProbedImage) -> Colours {
        match (probed.cmyk, probed.channels) {
            (true, _) => Colours::Inks,
            (_, 1) => Colours::Gray,
            (_, 2 | 4) => Colours::Transparent,
            _ => Colours::Rgb,
        }
    }

    /// The stable number in caches.
    pub const fn code(self) -> u8 {
        match self {
            Colours::Gray => 0,
            Colours::Rgb => 1,
            Colours::Transparent => 2,
            Colours::Inks => 3,
        }
    }

    /// The colours with this stable number.
    pub const fn from_code(code: u8) -> Option<Colours> {
        match code {
            0 => Some(Colours::Gray),
            1 => Some(Colours::Rgb),
            2 => Some(Colours::Transparent),
            3 => Some(Colours::Inks),
            _ => None,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Colours::Gray => "gray only",
            Colours::Rgb => "red, green and blue",
            Colours::Transparent => "colours with transparency, which decoding drops",
            Colours::Inks => "four printing inks (CMYK), which decoders show differently",
        }
    }
}

/// What the pixel rules know of a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PictureFacts {
    /// The image.
    pub image: ImageId,
    /// Its label.
    pub label: Option<ClassIndex>,
    /// What it is for.
    pub split: Split,
    /// What its pixels are like.
    pub measure: PictureMeasure,
}

/// A picture that cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The image.
    pub image: ImageId,
    /// Its label.
    pub label: Option<ClassIndex>,
    /// What it is for.
    pub split: Split,
    /// The decoder's words.
    pub reason: String,
}

/// What the pixels of a picture are like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PictureMeasure {
    /// Its width in pixels, before any resizing.
    pub width: u32,
    /// Its height in pixels, before any resizing.
    pub height: u32,
    /// The standard deviation of its gray, 0 to 127.5.
    pub deviation: f64,
    /// What it looks like; none when it has next to no contrast.
    pub hash: Option<u64>,
    /// How its file keeps colours.
    pub colours: Colours,
}

impl PictureMeasure {
    /// Measures a picture of `width` by `height` pixels, given also as 32×32
    /// gray, row-major, 0 black to 255 white.
    pub fn of((width, height): (u32, u32), colours: Colours, gray: &[u8; GRAY_PIXELS]) -> PictureMeasure {
        PictureMeasure { width, height, deviation: deviation(gray), hash: perceptual_hash(gray), colours }
    }
}

impl PictureFacts {
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
    let found = pictures.iter().filter(|picture| picture.measure.deviation <= max_deviation).map(|picture| {
        let reason = format!(
            "the picture is one plain surface: its gray varies by only {:.2} of 255",
            picture.measure.deviation
        );
        picture.finding(BLANK, 1.0 - picture.measure.deviation / 127.5, reason)
    });
    ranked(found.collect())
}

/// Pictures whose shorter edge has fewer than `min_edge` pixels. The score is
/// the missing share of `min_edge`.
pub fn tiny(pictures: &[PictureFacts], min_edge: u32) -> Vec<Finding> {
    let found = pictures.iter().filter_map(|picture| {
        let edge = picture.measure.width.min(picture.measure.height);
        (edge < min_edge).then(|| {
            let reason = format!(
                "the picture has only {}×{} pixels; expected at least {min_edge} each way",
                picture.measure.width, picture.measure.height
            );
            picture.finding(TINY, 1.0 - f64::from(edge) / f64::from(min_edge), reason)
        })
    });
    ranked(found.collect())
}

/// Pictures that cannot be decoded, with the decoder's words. The score is 1.
pub fn unreadable(pictures: &[Unreadable]) -> Vec<Finding> {
    let found = pictures.iter().map(|picture| Finding {
        image: picture.image,
        rule: UNREADABLE.to_owned(),
        score: 1.0,
        rank: 0,
        reason: format!("the picture cannot be decoded: {}", escape(picture.reason.as_bytes())),
        label: picture.label,
        suggested: None,
        related: Vec::new(),
    });
    ranked(found.collect())
}

/// Pictures whose file keeps colours otherwise than is usual: a way that at
/// least `usual_share` (0 to 1) of all pictures have is usual, except that inks
/// never are. The score is 1 minus the share that have it.
pub fn colour_model(pictures: &[PictureFacts], usual_share: f64) -> Vec<Finding> {
    let mut counts: BTreeMap<Colours, usize> = BTreeMap::new();
    for picture in pictures {
        *counts.entry(picture.measure.colours).or_default() += 1;
    }
    let share = |colours| counts.get(&colours).copied().unwrap_or(0) as f64 / pictures.len().max(1) as f64;
    let found = pictures.iter().filter_map(|picture| {
        let colours = picture.measure.colours;
        let share = share(colours);
        (share < usual_share || colours == Colours::Inks).then(|| {
            let reason = format!(
                "its file keeps {}; so do {:.2} % of all pictures here",
                colours.words(),
                share * 100.0
            );
            picture.finding(COLOUR_MODEL, 1.0 - share, reason)
        })
    });
    ranked(found.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(n: u8, size: (u32, u32), gray: [u8; GRAY_PIXELS]) -> PictureFacts {
        PictureFacts {
            image: ImageId([n; 16]),
            label: Some(ClassIndex(1)),
            split: Split::Train,
            measure: PictureMeasure::of(size, Colours::Rgb, &gray),
        }
    }

    #[test]
    fn unusual_colours_are_found_by_share_and_inks_always() {
        let with = |n: u8, colours| {
            let mut picture = facts(n, (20, 20), half_and_half(0, 9));
            picture.measure.colours = colours;
            picture
        };
        let few =
            [with(1, Colours::Rgb), with(2, Colours::Rgb), with(3, Colours::Gray), with(4, Colours::Inks)];
        let found = colour_model(&few, 0.5);
        assert_eq!(found.iter().map(|finding| finding.image.0[0]).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(found[0].score, 0.75);
        assert!(found[0].reason.contains("gray only; so do 25.00 %"), "{}", found[0].reason);
        let inks = [with(1, Colours::Inks), with(2, Colours::Inks)];
        assert_eq!(colour_model(&inks, 0.5).len(), 2);
        let gray = [with(1, Colours::Gray), with(2, Colours::Gray)];
        assert!(colour_model(&gray, 0.5).is_empty(), "gray is usual where all are gray");
        assert!(colour_model(&[], 0.5).is_empty());
    }

    #[test]
    fn what_cannot_be_decoded_is_found_with_the_reason() {
        let bad = Unreadable {
            image: ImageId([1; 16]),
            label: None,
            split: Split::Test,
            reason: "cut\x1b".to_owned(),
        };
        let found = unreadable(&[bad]);
        assert_eq!(found[0].reason, "the picture cannot be decoded: cut\\u{1b}");
        assert_eq!((found[0].score, found[0].rank), (1.0, 1));
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
