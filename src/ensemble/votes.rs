//! Every member's vote and the decision for every image, and the blob they are
//! kept in.
//!
//! All numbers are little-endian; `n` images and `m` members take
//! `32 + n·(16 + 2·m + 3)` bytes:
//!
//! | offset | bytes | what |
//! | --- | --- | --- |
//! | 0 | 4 | `SLVT` |
//! | 4 | 2 | version, 1 |
//! | 6 | 1 | rule: 0 majority, 1 weighted, 2 soft |
//! | 7 | 1 | 0 |
//! | 8 | 8 | tie seed |
//! | 16 | 2 | classes, at least 1 |
//! | 18 | 2 | `m`, at least 1 |
//! | 20 | 4 | 0 |
//! | 24 | 8 | `n` |
//! | 32 | 16·n | image ids, strictly ascending |
//! | … | 2·n·m | each member's most probable class, u16, a row for each image; members ascend by `PredictionsId` |
//! | … | 2·n | decisions, u16 |
//! | … | n | 1 where the decision broke a tie, else 0 |

use safelight_lineage::event::VoteRule;
use safelight_lineage::id::ImageId;
use safelight_lineage::value::ClassIndex;

const MAGIC: [u8; 4] = *b"SLVT";
const VERSION: u16 = 1;
const HEADER: usize = 32;

/// Why bytes are not votes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VotesError {
    /// The blob is of another kind.
    #[error("these bytes are not a votes blob")]
    Magic,
    /// The blob is of another version.
    #[error("votes of version {found}; this program reads version {VERSION}")]
    Version {
        /// The version it states.
        found: u16,
    },
    /// A field of the header has a value that nothing writes.
    #[error("the header of the votes is damaged: {field} is {value}")]
    Header {
        /// Which field.
        field: &'static str,
        /// What it holds.
        value: u64,
    },
    /// The blob is cut or has bytes too many.
    #[error("votes of {members} members on {images} images do not have {actual} bytes")]
    Length {
        /// The images it states.
        images: u64,
        /// The members it states.
        members: u16,
        /// Its length.
        actual: usize,
    },
    /// An image is listed twice or not in ascending order.
    #[error("image {image} is listed twice or out of order")]
    Order {
        /// The image.
        image: ImageId,
    },
    /// A vote, a decision or a tie flag has no meaning.
    #[error("the votes on image {image} are damaged: {found} where there are {classes} classes")]
    Row {
        /// The image.
        image: ImageId,
        /// What was found.
        found: u16,
        /// How many classes there are.
        classes: u16,
    },
}

/// What the members said of one image and what was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VotesRow<'a> {
    /// The image.
    pub image: ImageId,
    /// Each member's most probable class; members ascend by `PredictionsId`.
    pub ballots: &'a [ClassIndex],
    /// The decision.
    pub decision: ClassIndex,
    /// Whether the decision broke a tie.
    pub tie: bool,
}

/// Every member's vote and the decision for every image; made by
/// [`vote`](super::vote()).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Votes {
    pub(super) rule: VoteRule,
    pub(super) tie_seed: u64,
    pub(super) classes: u16,
    pub(super) members: u16,
    pub(super) images: Vec<ImageId>,
    /// Row-major: images by members.
    pub(super) ballots: Vec<ClassIndex>,
    pub(super) decisions: Vec<ClassIndex>,
    pub(super) ties: Vec<bool>,
}

impl Votes {
    /// How votes became decisions.
    pub fn rule(&self) -> VoteRule {
        self.rule
    }

    /// The seed of the ties.
    pub fn tie_seed(&self) -> u64 {
        self.tie_seed
    }

    /// How many classes.
    pub fn classes(&self) -> usize {
        usize::from(self.classes)
    }

    /// How many members.
    pub fn members(&self) -> usize {
        usize::from(self.members)
    }

    /// The images, ascending by id.
    pub fn images(&self) -> &[ImageId] {
        &self.images
    }

    /// The decisions, in the order of [`images`](Self::images).
    pub fn decisions(&self) -> &[ClassIndex] {
        &self.decisions
    }

    /// How many decisions broke a tie.
    pub fn tied(&self) -> usize {
        self.ties.iter().filter(|tie| **tie).count()
    }

    /// Every image's votes, ascending by id.
    pub fn rows(&self) -> impl Iterator<Item = VotesRow<'_>> {
        (0..self.images.len()).map(|place| self.row_at(place))
    }

    /// The votes on one image.
    pub fn row(&self, image: ImageId) -> Option<VotesRow<'_>> {
        self.images.binary_search(&image).ok().map(|place| self.row_at(place))
    }

    /// The decision for one image.
    pub fn decision(&self, image: ImageId) -> Option<ClassIndex> {
        self.row(image).map(|row| row.decision)
    }

    fn row_at(&self, place: usize) -> VotesRow<'_> {
        let members = self.members();
        VotesRow {
            image: self.images[place],
            ballots: &self.ballots[place * members..(place + 1) * members],
            decision: self.decisions[place],
            tie: self.ties[place],
        }
    }

    /// The blob.
    pub fn to_bytes(&self) -> Vec<u8> {
        let row = row_length(self.members);
        let mut bytes = Vec::with_capacity(HEADER + self.images.len() * row);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&[rule_code(self.rule), 0]);
        bytes.extend_from_slice(&self.tie_seed.to_le_bytes());
        bytes.extend_from_slice(&self.classes.to_le_bytes());
        bytes.extend_from_slice(&self.members.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&(self.images.len() as u64).to_le_bytes());
        bytes.extend(self.images.iter().flat_map(|image| image.0));
        bytes.extend(self.ballots.iter().chain(&self.decisions).flat_map(|class| class.0.to_le_bytes()));
        bytes.extend(self.ties.iter().map(|tie| u8::from(*tie)));
        bytes
    }

    /// Reads a blob. Nothing is allocated before the length is known to be
    /// right.
    ///
    /// # Errors
    /// When the bytes are not what [`to_bytes`](Self::to_bytes) writes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, VotesError> {
        let Some((header, body)) = bytes.split_first_chunk::<HEADER>() else {
            return Err(VotesError::Magic);
        };
        let [m0, m1, m2, m3, v0, v1, rule, pad, rest @ ..] = *header;
        if [m0, m1, m2, m3] != MAGIC {
            return Err(VotesError::Magic);
        }
        let found = u16::from_le_bytes([v0, v1]);
        if found != VERSION {
            return Err(VotesError::Version { found });
        }
        let damaged = |field, value| Err(VotesError::Header { field, value });
        let Some(rule) = rule_of(rule) else { return damaged("rule", u64::from(rule)) };
        let [s0, s1, s2, s3, s4, s5, s6, s7, c0, c1, n0, n1, p0, p1, p2, p3, images @ ..] = rest;
        let tie_seed = u64::from_le_bytes([s0, s1, s2, s3, s4, s5, s6, s7]);
        let classes = u16::from_le_bytes([c0, c1]);
        let members = u16::from_le_bytes([n0, n1]);
        let padding = u64::from(pad) | u64::from(u32::from_le_bytes([p0, p1, p2, p3]));
        let images = u64::from_le_bytes(images);
        if classes == 0 {
            return damaged("classes", 0);
        }
        if members == 0 {
            return damaged("members", 0);
        }
        if padding != 0 {
            return damaged("padding", padding);
        }
        if images.checked_mul(row_length(members) as u64) != Some(body.len() as u64) {
            return Err(VotesError::Length { images, members, actual: bytes.len() });
        }
        let count = images as usize;
        let (ids, body) = body.split_at(count * 16);
        let (ballots, body) = body.split_at(count * usize::from(members) * 2);
        let (decisions, ties) = body.split_at(count * 2);
        let votes = Votes {
            rule,
            tie_seed,
            classes,
            members,
            images: ids.as_chunks().0.iter().map(|id| ImageId(*id)).collect(),
            ballots: class_indices(ballots),
            decisions: class_indices(decisions),
            ties: ties.iter().map(|tie| *tie == 1).collect(),
        };
        votes.check(ties)?;
        Ok(votes)
    }

    fn check(&self, ties: &[u8]) -> Result<(), VotesError> {
        if let Some(pair) = self.images.windows(2).find(|pair| pair[0] >= pair[1]) {
            return Err(VotesError::Order { image: pair[1] });
        }
        for (row, tie) in self.rows().zip(ties) {
            let damaged = |found| VotesError::Row { image: row.image, found, classes: self.classes };
            if let Some(class) =
                row.ballots.iter().chain([&row.decision]).find(|class| class.0 >= self.classes)
            {
                return Err(damaged(class.0));
            }
            if *tie > 1 {
                return Err(damaged(u16::from(*tie)));
            }
        }
        Ok(())
    }
}

fn row_length(members: u16) -> usize {
    16 + 2 * usize::from(members) + 2 + 1
}

fn class_indices(bytes: &[u8]) -> Vec<ClassIndex> {
    bytes.as_chunks().0.iter().map(|class| ClassIndex(u16::from_le_bytes(*class))).collect()
}

fn rule_code(rule: VoteRule) -> u8 {
    match rule {
        VoteRule::Majority => 0,
        VoteRule::Weighted => 1,
        VoteRule::Soft => 2,
    }
}

fn rule_of(code: u8) -> Option<VoteRule> {
    match code {
        0 => Some(VoteRule::Majority),
        1 => Some(VoteRule::Weighted),
        2 => Some(VoteRule::Soft),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn votes() -> Votes {
        Votes {
            rule: VoteRule::Weighted,
            tie_seed: 0x0102,
            classes: 3,
            members: 2,
            images: vec![ImageId([1; 16]), ImageId([2; 16])],
            ballots: [0, 2, 1, 1].map(ClassIndex).to_vec(),
            decisions: [2, 1].map(ClassIndex).to_vec(),
            ties: vec![true, false],
        }
    }

    #[test]
    fn the_blob_is_what_the_table_says() {
        let mut expected =
            b"SLVT\x01\0\x01\0\x02\x01\0\0\0\0\0\0\x03\0\x02\0\0\0\0\0\x02\0\0\0\0\0\0\0".to_vec();
        expected.extend([[1; 16], [2; 16]].concat());
        expected.extend([0, 0, 2, 0, 1, 0, 1, 0, 2, 0, 1, 0, 1, 0]);
        assert_eq!(votes().to_bytes(), expected);
        assert_eq!(Votes::from_bytes(&expected), Ok(votes()));
    }

    #[test]
    fn damage_is_named() {
        let with = |place: usize, byte: u8| {
            let mut bytes = votes().to_bytes();
            bytes[place] = byte;
            Votes::from_bytes(&bytes)
        };
        assert_eq!(with(1, 0), Err(VotesError::Magic));
        assert_eq!(with(4, 9), Err(VotesError::Version { found: 9 }));
        assert_eq!(with(6, 3), Err(VotesError::Header { field: "rule", value: 3 }));
        assert_eq!(with(7, 3), Err(VotesError::Header { field: "padding", value: 3 }));
        assert_eq!(with(16, 0), Err(VotesError::Header { field: "classes", value: 0 }));
        assert_eq!(with(18, 0), Err(VotesError::Header { field: "members", value: 0 }));
        assert!(matches!(with(31, 0x80), Err(VotesError::Length { .. })));
        assert_eq!(with(32, 3), Err(VotesError::Order { image: ImageId([2; 16]) }));
        let row = |image, found| Err(VotesError::Row { image: ImageId([image; 16]), found, classes: 3 });
        assert_eq!(with(64, 3), row(1, 3));
        assert_eq!(with(74, 4), row(2, 4));
        assert_eq!(with(76, 2), row(1, 2));
        let good = votes().to_bytes();
        for length in 0..good.len() {
            assert!(Votes::from_bytes(&good[..length]).is_err(), "{length}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_what_is_read_is_written_the_same(
            flips in prop::collection::vec((0usize..78, any::<u8>()), 0..4),
        ) {
            let mut bytes = votes().to_bytes();
            for (place, byte) in flips {
                bytes[place] = byte;
            }
            if let Ok(votes) = Votes::from_bytes(&bytes) {
                prop_assert_eq!(votes.to_bytes(), bytes);
            }
        }
    }
}
