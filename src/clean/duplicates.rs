//! Pictures that look the same: twice in one split, in two splits, or under
//! two labels.

use std::collections::{BTreeMap, HashMap};

use safelight_lineage::event::Split;
use safelight_lineage::id::ImageId;
use safelight_lineage::value::ClassIndex;

use super::finding::{Finding, ranked};
use super::judged::class_name;
use super::likeness::Likeness;
use super::picture::PictureFacts;
use super::rule::{CONFLICTING_DUPLICATE, FURTHEST, LEAKAGE, NEAR_DUPLICATE};

/// Groups of images that look the same by `likeness`. A group has two members
/// or more, ascending by id; groups ascend by their first member.
pub fn duplicate_groups(pictures: &[PictureFacts], likeness: &Likeness<'_>) -> Vec<Vec<ImageId>> {
    let groups = likeness.grouped(pictures);
    groups.into_iter().map(|group| group.iter().map(|picture| picture.image).collect()).collect()
}

/// How alike the members of groups are.
struct Compared(BTreeMap<(ImageId, ImageId), f64>);

impl Compared {
    /// How many bits differ, 0 to 64.
    fn distance(one: &PictureFacts, other: &PictureFacts) -> u32 {
        match (one.measure.hash, other.measure.hash) {
            (Some(one), Some(other)) => (one ^ other).count_ones(),
            // Pictures without a shape have no bits to share.
            _ => 64,
        }
    }

    fn cosine(&self, one: &PictureFacts, other: &PictureFacts) -> Option<f64> {
        self.0.get(&(one.image.min(other.image), one.image.max(other.image))).copied()
    }

    /// The share of equal bits where they are alike, or the cosine where that is
    /// more or all there is.
    fn score(&self, one: &PictureFacts, other: &PictureFacts) -> f64 {
        let distance = f64::from(Self::distance(one, other));
        let bits = 1.0 - distance / 64.0;
        match self.cosine(one, other) {
            Some(cosine) if distance > FURTHEST => cosine,
            Some(cosine) => cosine.max(bits),
            None => bits,
        }
    }

    fn words(&self, picture: &PictureFacts, twin: &PictureFacts) -> String {
        let bits = Self::distance(picture, twin);
        let words = match bits {
            0 => "looks the same".to_owned(),
            1 => "looks nearly the same (1 of 64 bits differs)".to_owned(),
            bits => format!("looks nearly the same ({bits} of 64 bits differ)"),
        };
        match self.cosine(picture, twin) {
            // So many bits differ that the hash has nothing to say.
            Some(cosine) if f64::from(bits) > FURTHEST => {
                format!("looks the same to the network (cosine {cosine:.3}) as")
            }
            Some(cosine) => format!("{words}, and to the network (cosine {cosine:.3}), as"),
            None => format!("{words} as"),
        }
    }

    fn finding(&self, rule: &str, picture: &PictureFacts, twin: &PictureFacts, reason: String) -> Finding {
        Finding {
            image: picture.image,
            rule: rule.to_owned(),
            score: self.score(picture, twin),
            rank: 0,
            reason,
            label: picture.label,
            suggested: None,
            related: vec![twin.image],
        }
    }

    /// The one of `others` that is most like `picture`, of equals the lowest id.
    fn nearest<'p>(
        &self,
        picture: &PictureFacts,
        others: impl Iterator<Item = &'p PictureFacts>,
    ) -> Option<&'p PictureFacts> {
        others.min_by(|a, b| {
            let (one, other) = (self.score(picture, a), self.score(picture, b));
            other.total_cmp(&one).then(a.image.cmp(&b.image))
        })
    }
}

/// Images that another one of the same split and label makes superfluous: of
/// each group all but the one with the lowest id. The test split is left alone,
/// as every image in it must be predicted. The score is the share of equal bits, or the
/// cosine of embeddings where that is more.
pub fn near_duplicates(pictures: &[PictureFacts], likeness: &Likeness<'_>) -> Vec<Finding> {
    let compared = Compared(likeness.cosines());
    let mut found = Vec::new();
    for group in likeness.grouped(pictures) {
        let mut kept: HashMap<(Split, Option<ClassIndex>), &PictureFacts> = HashMap::new();
        for picture in group.into_iter().filter(|picture| picture.split != Split::Test) {
            let twin = *kept.entry((picture.split, picture.label)).or_insert(picture);
            if twin.image != picture.image {
                let reason = format!(
                    "{} image {} of the same split and label",
                    compared.words(picture, twin),
                    twin.image.short()
                );
                found.push(compared.finding(NEAR_DUPLICATE, picture, twin, reason));
            }
        }
    }
    ranked(found)
}

/// Images whose twin is in a split that must not be known when they are
/// learned or chosen by: training images with a twin in valid or test, and
/// validation images with one in test. The score is the share of bits equal to
/// those of the nearest such twin.
pub fn leakage(pictures: &[PictureFacts], likeness: &Likeness<'_>) -> Vec<Finding> {
    let compared = Compared(likeness.cosines());
    let mut found = Vec::new();
    for group in likeness.grouped(pictures) {
        for picture in &group {
            let later = group.iter().filter(|other| other.split > picture.split);
            if let Some(twin) = compared.nearest(picture, later.copied()) {
                let reason = format!(
                    "{} image {} of the {} split, so a model that learns from it is judged too kindly",
                    compared.words(picture, twin),
                    twin.image.short(),
                    twin.split
                );
                found.push(compared.finding(LEAKAGE, picture, twin, reason));
            }
        }
    }
    ranked(found)
}

/// Images of a group that has more than one label. Where one label has more
/// than half of the group's labelled images, those with another label are
/// found, and it is suggested; otherwise all are. The score is the share of
/// bits equal to those of the nearest image with another label.
pub fn conflicting_duplicates(
    pictures: &[PictureFacts],
    likeness: &Likeness<'_>,
    classes: &[String],
) -> Vec<Finding> {
    let compared = Compared(likeness.cosines());
    let mut found = Vec::new();
    for group in likeness.grouped(pictures) {
        let labelled: Vec<(&PictureFacts, ClassIndex)> =
            group.into_iter().filter_map(|picture| Some((picture, picture.label?))).collect();
        let mut counts: BTreeMap<ClassIndex, usize> = BTreeMap::new();
        for (_, label) in &labelled {
            *counts.entry(*label).or_default() += 1;
        }
        let majority = counts.iter().find(|(_, count)| **count * 2 > labelled.len()).map(|(label, _)| *label);
        for (picture, label) in labelled.iter().filter(|(_, label)| Some(*label) != majority) {
            let others = labelled.iter().filter(|(_, other)| other != label).map(|(twin, _)| *twin);
            let Some(twin) = compared.nearest(picture, others) else { continue };
            let Some(other) = twin.label else { continue };
            let reason = format!(
                "{} image {}, which is labelled {} and not {}",
                compared.words(picture, twin),
                twin.image.short(),
                class_name(classes, other),
                class_name(classes, *label)
            );
            found.push(Finding {
                suggested: majority,
                ..compared.finding(CONFLICTING_DUPLICATE, picture, twin, reason)
            });
        }
    }
    ranked(found)
}

#[cfg(test)]
mod tests {
    use super::super::embeddings::ClosePair;
    use super::super::picture::{Colours, PictureMeasure};
    use super::*;

    fn picture(n: u8, split: Split, label: Option<u16>, hash: impl Into<Option<u64>>) -> PictureFacts {
        PictureFacts {
            image: ImageId([n; 16]),
            label: label.map(ClassIndex),
            split,
            measure: PictureMeasure {
                width: 150,
                height: 150,
                deviation: 50.0,
                hash: hash.into(),
                colours: Colours::Rgb,
            },
        }
    }

    fn summary(findings: &[Finding]) -> Vec<(u8, u8, f64)> {
        findings.iter().map(|finding| (finding.image.0[0], finding.related[0].0[0], finding.score)).collect()
    }

    #[test]
    fn superfluous_images_are_found_within_split_and_label() {
        let pictures = [
            picture(3, Split::Train, Some(0), 0b111),
            picture(1, Split::Train, Some(0), 0),
            picture(2, Split::Train, Some(1), 0),
            picture(4, Split::Valid, Some(0), 0),
            picture(5, Split::Test, None, 0),
            picture(6, Split::Test, None, 0),
            picture(7, Split::Train, Some(0), None),
            picture(8, Split::Train, Some(0), 0),
            picture(9, Split::Train, Some(0), u64::MAX),
        ];
        let groups = duplicate_groups(&pictures, &Likeness::by_hash(3));
        assert_eq!(groups, [[1, 2, 3, 4, 5, 6, 8].map(|n| ImageId([n; 16]))]);
        let found = near_duplicates(&pictures, &Likeness::by_hash(3));
        assert_eq!(summary(&found), [(8, 1, 1.0), (3, 1, 1.0 - 3.0 / 64.0)]);
        assert_eq!(
            found[1].reason,
            "looks nearly the same (3 of 64 bits differ) as image 01010101 of the same split and label"
        );
        assert_eq!(summary(&near_duplicates(&pictures, &Likeness::by_hash(2))), [(8, 1, 1.0)]);
    }

    #[test]
    fn leaks_are_found_in_the_split_that_must_not_know() {
        let pictures = [
            picture(1, Split::Train, Some(0), 0b1),
            picture(2, Split::Valid, Some(0), 0),
            picture(3, Split::Test, None, 0b11),
            picture(4, Split::Train, Some(0), u64::MAX),
            picture(5, Split::Train, Some(0), u64::MAX),
        ];
        let found = leakage(&pictures, &Likeness::by_hash(2));
        assert_eq!(summary(&found), [(1, 2, 1.0 - 1.0 / 64.0), (2, 3, 1.0 - 2.0 / 64.0)]);
        assert!(
            found[0].reason.contains("(1 of 64 bits differs) as image 02020202 of the valid split"),
            "{}",
            found[0].reason
        );
    }

    #[test]
    fn conflicting_labels_are_found_and_the_majority_suggested() {
        let classes = ["sea", "forest"].map(str::to_owned);
        let mut pictures = vec![
            picture(1, Split::Train, Some(0), 0),
            picture(2, Split::Train, Some(1), 0),
            picture(3, Split::Train, None, 0),
        ];
        let found = conflicting_duplicates(&pictures, &Likeness::by_hash(0), &classes);
        assert_eq!(summary(&found), [(1, 2, 1.0), (2, 1, 1.0)]);
        assert_eq!(found[0].suggested, None);
        assert_eq!(found[0].reason, "looks the same as image 02020202, which is labelled forest and not sea");
        pictures.push(picture(4, Split::Valid, Some(0), 0));
        let found = conflicting_duplicates(&pictures, &Likeness::by_hash(0), &classes);
        assert_eq!(summary(&found), [(2, 1, 1.0)]);
        assert_eq!((found[0].label, found[0].suggested), (Some(ClassIndex(1)), Some(ClassIndex(0))));
        pictures.retain(|picture| picture.label != Some(ClassIndex(1)));
        assert_eq!(conflicting_duplicates(&pictures, &Likeness::by_hash(0), &classes), []);
    }

    #[test]
    fn what_a_network_holds_to_be_the_same_is_a_twin_too() {
        let pictures = [
            picture(1, Split::Train, Some(0), 0),
            picture(2, Split::Test, None, u64::MAX),
            picture(3, Split::Train, Some(0), None),
        ];
        let pair = |one: u8, other: u8, cosine| ClosePair {
            one: ImageId([one; 16]),
            other: ImageId([other; 16]),
            cosine,
        };
        let pairs = [pair(1, 2, 0.99), pair(1, 3, 0.9)];
        let with = |min_cosine| Likeness { max_distance: 8, min_cosine, pairs: &pairs };
        assert!(leakage(&pictures, &with(None)).is_empty());
        assert!(near_duplicates(&pictures, &with(Some(0.95))).is_empty());
        let found = leakage(&pictures, &with(Some(0.95)));
        assert_eq!(summary(&found), [(1, 2, 0.99)]);
        assert!(
            found[0].reason.contains("looks the same to the network (cosine 0.990) as image 02020202"),
            "{}",
            found[0].reason
        );
        assert_eq!(summary(&near_duplicates(&pictures, &with(Some(0.9)))), [(3, 1, 0.9)]);
    }
}
