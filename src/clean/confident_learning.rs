//! Confident learning: label errors from the counts of images that are
//! confidently of another class (Northcutt et al., JAIR 2021), as cleanlab
//! 2.9's `find_label_issues` flags them.
//!
//! Where cleanlab leaves the order of equal scores to numpy's unstable sort,
//! here the image that comes first goes first. With a stable sort put into it
//! cleanlab flags the same images, item for item: `tests/goldens/`.

use safelight_lineage::value::ClassIndex;

use super::confidence::percent;
use super::confident_joint::{ConfidentJoint, PruneCounts};
use super::finding::{Finding, ranked};
use super::judged::Judged;

/// Added to the given label's probability before asking what the model says:
/// cleanlab's `_reduce_issues`.
const NUDGE: f64 = 1e-6;

/// Which of cleanlab's filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Filter {
    /// Of each label the least probable, as many as the joint says are wrong.
    PruneByClass,
    /// Of each pair of labels those with the largest margin; cleanlab's default.
    PruneByNoiseRate,
    /// What both of them flag.
    Both,
    /// The images counted off the diagonal of the confident joint.
    ConfidentLearning,
    /// Every image whose most probable class is not its label.
    PredictedNeqGiven,
    /// The lowest probabilities of the given label, as many as
    /// [`ConfidentLearning`](Self::ConfidentLearning) flags.
    LowSelfConfidence,
    /// The lowest margins of the given label, as many as
    /// [`ConfidentLearning`](Self::ConfidentLearning) flags.
    LowNormalizedMargin,
}

impl Filter {
    /// Every filter.
    pub const ALL: [Filter; 7] = [
        Filter::PruneByClass,
        Filter::PruneByNoiseRate,
        Filter::Both,
        Filter::ConfidentLearning,
        Filter::PredictedNeqGiven,
        Filter::LowSelfConfidence,
        Filter::LowNormalizedMargin,
    ];

    /// Its name: cleanlab's, with hyphens.
    pub const fn name(self) -> &'static str {
        match self {
            Filter::PruneByClass => "prune-by-class",
            Filter::PruneByNoiseRate => "prune-by-noise-rate",
            Filter::Both => "both",
            Filter::ConfidentLearning => "confident-learning",
            Filter::PredictedNeqGiven => "predicted-neq-given",
            Filter::LowSelfConfidence => "low-self-confidence",
            Filter::LowNormalizedMargin => "low-normalized-margin",
        }
    }

    /// The filter with this name.
    pub fn from_name(name: &str) -> Option<Filter> {
        Filter::ALL.into_iter().find(|filter| filter.name() == name)
    }
}

/// Labels with the probabilities of every class, in the order that decides
/// among equals.
#[derive(Debug, Clone, Copy)]
pub struct LabelledRows<'a> {
    classes: usize,
    labels: &'a [u16],
    probabilities: &'a [f64],
}

impl<'a> LabelledRows<'a> {
    /// Takes labels, each below `classes`, and row-major probabilities, images
    /// by classes; none when the shape or a label is wrong, or `classes` is 0.
    pub fn new(classes: usize, labels: &'a [u16], probabilities: &'a [f64]) -> Option<Self> {
        let fits = classes > 0
            && labels.len().checked_mul(classes) == Some(probabilities.len())
            && labels.iter().all(|label| usize::from(*label) < classes);
        fits.then_some(LabelledRows { classes, labels, probabilities })
    }

    pub(super) fn classes(&self) -> usize {
        self.classes
    }

    pub(super) fn len(&self) -> usize {
        self.labels.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &'a [f64])> {
        let labels = self.labels.iter().map(|label| usize::from(*label));
        labels.zip(self.probabilities.chunks_exact(self.classes))
    }

    /// The most probable class; of equals the lowest.
    pub(super) fn argmax(&self, row: &[f64]) -> usize {
        (1..row.len()).fold(0, |best, class| if row[class] > row[best] { class } else { best })
    }

    fn row(&self, place: usize) -> &'a [f64] {
        &self.probabilities[place * self.classes..(place + 1) * self.classes]
    }
}

/// Each image's probability of its given label, 0 to 1; low is bad.
pub fn self_confidence(rows: &LabelledRows<'_>) -> Vec<f64> {
    rows.iter().map(|(label, row)| row[label]).collect()
}

/// Each image's lead of its given label over the best other one, mapped to
/// 0 to 1; low is bad. With one class only, 1.
pub fn normalized_margin(rows: &LabelledRows<'_>) -> Vec<f64> {
    let margin = |(label, row): (usize, &[f64])| {
        let others = row.iter().enumerate().filter(|(class, _)| *class != label).map(|(_, p)| *p);
        match others.reduce(f64::max) {
            Some(best) => (row[label] - best + 1.0) / 2.0,
            None => 1.0,
        }
    };
    rows.iter().map(margin).collect()
}

/// Whether each image's label is an error, in the order of the rows.
/// `min_per_class` images of each label are left alone (cleanlab's
/// `min_examples_per_class`, 1 there); only the three pruning filters look at it.
pub fn flags(rows: &LabelledRows<'_>, filter: Filter, min_per_class: u32) -> Vec<bool> {
    if rows.classes < 2 {
        return vec![false; rows.len()];
    }
    let joint = || ConfidentJoint::of(rows);
    let reduced = |flags: Vec<bool>| -> Vec<bool> {
        flags.iter().zip(rows.iter()).map(|(flag, (label, row))| *flag && !agrees(rows, label, row)).collect()
    };
    let lowest = |scores: Vec<f64>| {
        let count = reduced(joint().off_diagonal).iter().filter(|flag| **flag).count();
        let mut flags = vec![false; rows.len()];
        mark_lowest(&mut flags, (0..rows.len()).collect(), count, |place| scores[place]);
        flags
    };
    let prune = || Pruning { rows, counts: joint().prune_counts(min_per_class), min_per_class };
    match filter {
        Filter::PruneByClass => reduced(prune().by_class()),
        Filter::PruneByNoiseRate => reduced(prune().by_noise_rate()),
        Filter::Both => {
            let prune = prune();
            let both = prune.by_class().into_iter().zip(prune.by_noise_rate());
            reduced(both.map(|(one, other)| one && other).collect())
        }
        Filter::ConfidentLearning => reduced(joint().off_diagonal),
        Filter::PredictedNeqGiven => {
            reduced(rows.iter().map(|(label, row)| rows.argmax(row) != label).collect())
        }
        Filter::LowSelfConfidence => lowest(self_confidence(rows)),
        Filter::LowNormalizedMargin => lowest(normalized_margin(rows)),
    }
}

/// Whether the label is what the model says, given the least advantage.
fn agrees(rows: &LabelledRows<'_>, label: usize, row: &[f64]) -> bool {
    let mut nudged = row.to_vec();
    nudged[label] += NUDGE;
    rows.argmax(&nudged) == label
}

/// Marks the `count` places with the lowest keys; of equals the first.
fn mark_lowest(flags: &mut [bool], mut places: Vec<usize>, count: usize, key: impl Fn(usize) -> f64) {
    // Probabilities are never NaN; -0.0 and 0.0 are equal here, unlike in total_cmp.
    places.sort_by(|&a, &b| key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal));
    places.into_iter().take(count).for_each(|place| flags[place] = true);
}

struct Pruning<'a> {
    rows: &'a LabelledRows<'a>,
    counts: PruneCounts,
    min_per_class: u32,
}

impl Pruning<'_> {
    /// The images of each label that has enough of them to lose some.
    fn members(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.rows.classes];
        for (place, (label, _)) in self.rows.iter().enumerate() {
            members[label].push(place);
        }
        for members in &mut members {
            if members.len() <= self.min_per_class.max(1) as usize {
                members.clear();
            }
        }
        members
    }

    fn by_class(&self) -> Vec<bool> {
        let mut flags = vec![false; self.rows.len()];
        for (given, members) in self.members().into_iter().enumerate() {
            let count = members.len().saturating_sub(self.counts.get(given, given));
            mark_lowest(&mut flags, members, count, |place| self.rows.row(place)[given]);
        }
        flags
    }

    fn by_noise_rate(&self) -> Vec<bool> {
        let mut flags = vec![false; self.rows.len()];
        for (given, members) in self.members().into_iter().enumerate() {
            for seeming in (0..self.rows.classes).filter(|seeming| *seeming != given) {
                let count = self.counts.get(given, seeming);
                if count > 0 {
                    mark_lowest(&mut flags, members.clone(), count, |place| {
                        let row = self.rows.row(place);
                        -(row[seeming] - row[given])
                    });
                }
            }
        }
        flags
    }
}

/// Images whose label confident learning holds to be an error. The score is
/// one minus the probability of the label, or, under
/// [`Filter::LowNormalizedMargin`], one minus the normalized margin; the
/// suggestion is the most probable other class. Images without label are
/// passed over.
pub fn confident_learning(judged: &Judged<'_>, filter: Filter, min_per_class: u32) -> Vec<Finding> {
    let labelled: Vec<_> =
        judged.rows().filter_map(|(image, label, row)| Some((image, label?, row))).collect();
    let labels: Vec<u16> = labelled.iter().map(|(_, label, _)| label.0).collect();
    let values: Vec<f64> = labelled.iter().flat_map(|(_, _, row)| *row).map(|p| f64::from(*p)).collect();
    let rows = LabelledRows { classes: judged.classes(), labels: &labels, probabilities: &values };
    let quality = match filter {
        Filter::LowNormalizedMargin => normalized_margin(&rows),
        _ => self_confidence(&rows),
    };
    let flags = flags(&rows, filter, min_per_class);
    let flagged = labelled.iter().zip(&quality).zip(flags).filter(|(_, flag)| *flag).map(|(item, _)| item);
    let findings = flagged.map(|((image, label, row), quality)| {
        let others = (0u16..).map(ClassIndex).zip(*row).filter(|(class, _)| class != label);
        let best = others.reduce(|best, other| if other.1 > best.1 { other } else { best });
        let given = row[usize::from(label.0)];
        let reason = match best {
            Some((other, probability)) => format!(
                "compared with other images labelled {}, this one looks more like {} ({} against {})",
                judged.name(*label),
                judged.name(other),
                percent(*probability),
                percent(given)
            ),
            None => format!("the label {} has only {}", judged.name(*label), percent(given)),
        };
        Finding {
            image: *image,
            rule: super::rule::confident_learning_name(filter).to_owned(),
            score: 1.0 - quality,
            rank: 0,
            reason,
            label: Some(*label),
            suggested: best.map(|(other, _)| other),
            related: Vec::new(),
        }
    });
    ranked(findings.collect())
}

#[cfg(test)]
mod tests {
    use safelight_lineage::id::ImageId;

    use super::super::summation::pairwise_sum;
    use super::*;
    use crate::predictions::Probabilities;

    /// What cleanlab 2.9.0 flags; written by `tests/goldens/cleanlab_cases.py`.
    const GOLDENS: &str = include_str!("../../tests/goldens/cleanlab-2.9.tsv");

    /// Steele, Lea and Flood, "Fast splittable pseudorandom number generators".
    struct SplitMix(u64);

    impl SplitMix {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (z ^ (z >> 31)) % bound
        }
    }

    /// The inputs of a golden case, drawn as the script draws them.
    fn draw(case: u64) -> (usize, Vec<u16>, Vec<f64>) {
        let mut rng = SplitMix(case);
        let classes = if case % 20 == 10 { 12 } else { 2 + rng.below(6) };
        let images = if case.is_multiple_of(40) { 2000 } else { 20 + rng.below(281) };
        let grain = [1 << 20, 10, 4, 1000][(case % 4) as usize];
        let noise = case % 3 * 15 + 5;
        let (mut labels, mut values) = (Vec::new(), Vec::new());
        for _ in 0..images {
            let mut truth = rng.below(classes);
            if case.is_multiple_of(5) {
                truth = truth.min(rng.below(classes));
            }
            let mut parts: Vec<u64> = (0..classes).map(|_| rng.below(grain)).collect();
            parts[truth as usize] += grain * rng.below(4);
            if parts.iter().sum::<u64>() == 0 {
                parts[truth as usize] = 1;
            }
            let mut label = if rng.below(100) < noise { rng.below(classes) } else { truth };
            if case % 7 == 3 && classes > 2 && label == classes - 1 {
                label = 0;
            }
            labels.push(label as u16);
            let total: u64 = parts.iter().sum();
            values.extend(parts.iter().map(|part| *part as f64 / total as f64));
        }
        (classes as usize, labels, values)
    }

    fn packed(flags: &[bool]) -> String {
        let byte = |bits: &[bool]| {
            let value =
                bits.iter().enumerate().fold(0u8, |byte, (place, bit)| byte | u8::from(*bit) << (7 - place));
            format!("{value:02x}")
        };
        flags.chunks(8).map(byte).collect()
    }

    #[test]
    fn flags_are_cleanlabs_item_for_item() {
        let mut compared = 0;
        for line in GOLDENS.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            let case: u64 = fields[0].parse().unwrap();
            let (classes, labels, values) = draw(case);
            assert_eq!((classes.to_string(), labels.len().to_string()), (fields[1].into(), fields[2].into()));
            let rows = LabelledRows::new(classes, &labels, &values).unwrap();
            for (filter, expected) in Filter::ALL.into_iter().zip(&fields[3..10]) {
                assert_eq!(packed(&flags(&rows, filter, 1)), *expected, "case {case}, {}", filter.name());
                compared += 1;
            }
            let bits = |scores: Vec<f64>| format!("{:016x}", pairwise_sum(&scores).to_bits());
            assert_eq!(bits(self_confidence(&rows)), fields[10], "case {case}");
            assert_eq!(bits(normalized_margin(&rows)), fields[11], "case {case}");
        }
        assert_eq!(compared, 240 * 7);
    }

    #[test]
    fn findings_say_what_else_the_image_looks_like() {
        let images: Vec<ImageId> = (0..9).map(|n| ImageId([n; 16])).collect();
        let values = [[0.9, 0.1]; 4].into_iter().chain([[0.1, 0.9]; 5]).flatten().collect();
        let probabilities = Probabilities::new(2, images, values).unwrap();
        let classes = ["sea", "forest"].map(str::to_owned);
        // Image 3 looks like sea; image 8 like forest, but has no label.
        let label_of = |image: ImageId| match image.0[0] {
            0..3 => Some(ClassIndex(0)),
            3..8 => Some(ClassIndex(1)),
            _ => None,
        };
        let judged = Judged::new(&probabilities, &classes, label_of).unwrap();
        let findings = confident_learning(&judged, Filter::PruneByNoiseRate, 1);
        assert_eq!(findings.len(), 1);
        let finding = &findings[0];
        assert_eq!((finding.image, finding.suggested), (ImageId([3; 16]), Some(ClassIndex(0))));
        assert_eq!((finding.score, finding.rank), (0.899999999, 1));
        assert_eq!(finding.rule, "confident-learning/prune-by-noise-rate");
        assert_eq!(
            finding.reason,
            "compared with other images labelled forest, this one looks more like sea (90.0 % against 10.0 %)"
        );
    }

    #[test]
    fn one_class_no_image_and_wrong_shapes_are_harmless() {
        let one = LabelledRows::new(1, &[0, 0], &[1.0, 1.0]).unwrap();
        let none = LabelledRows::new(3, &[], &[]).unwrap();
        for filter in Filter::ALL {
            assert_eq!(flags(&one, filter, 1), [false, false]);
            assert_eq!(flags(&none, filter, 0), [false; 0]);
        }
        assert!(LabelledRows::new(2, &[2], &[0.5, 0.5]).is_none());
        assert!(LabelledRows::new(2, &[0], &[0.5]).is_none());
        assert!(LabelledRows::new(0, &[], &[]).is_none());
    }
}
