//! Links of the chain of frames for somebody who has not got the repository.
//!
//! Whoever knows a head can be shown that an older frame lies before it: by the
//! bytes of every frame in between, each of which names its parent. The frame's
//! digest is a BLAKE3 hash, which is a tree over chunks of 1,024 bytes, and the
//! parent is named in the first chunk. So of a long frame (an import of 25,000
//! images has 4 MB) the first chunk is enough, with the hashes of the subtrees
//! beside the way from it to the root: 32 bytes for each doubling of its length.
//! Changing any bit of either gives another digest.

use blake3::hazmat::{
    ContextKey, HasherExt as _, Mode, hash_derive_key_context, left_subtree_len, merge_subtrees_non_root,
    merge_subtrees_root,
};
use safelight_lineage::digest::FrameDigest;

use crate::frame::{self, FRAME_CONTEXT, FrameError};

/// The bytes of the first chunk.
const CHUNK: usize = blake3::CHUNK_LEN;
/// The longest way from the first chunk to the root that a frame can have.
const DEPTH: usize = 21;

/// One frame of a chain: all of it, or what ties its parent to its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrameLink {
    /// All its bytes.
    Whole(Vec<u8>),
    /// The beginning of a long frame.
    Beginning {
        /// Its first 1,024 bytes.
        chunk: Vec<u8>,
        /// The hashes of the subtrees to the right of the way from the first
        /// chunk to the root, the nearest to the chunk first.
        beside: Vec<[u8; 32]>,
    },
}

fn key() -> ContextKey {
    hash_derive_key_context(FRAME_CONTEXT)
}

impl FrameLink {
    /// The shortest link that ties the parent of this frame to its digest.
    pub fn shortest(bytes: Vec<u8>) -> FrameLink {
        if bytes.len() <= CHUNK {
            return FrameLink::Whole(bytes);
        }
        let key = key();
        let mut beside = Vec::new();
        let mut len = bytes.len();
        while len > CHUNK {
            let left = left_subtree_len(len as u64) as usize;
            let mut hasher = blake3::Hasher::new_from_context_key(&key);
            hasher.set_input_offset(left as u64).update(&bytes[left..len]);
            beside.push(hasher.finalize_non_root());
            len = left;
        }
        beside.reverse();
        match CHUNK + 32 * beside.len() < bytes.len() {
            true => FrameLink::Beginning { chunk: bytes[..CHUNK].to_vec(), beside },
            false => FrameLink::Whole(bytes),
        }
    }

    /// The digest of the frame, and that of its parent.
    ///
    /// # Errors
    /// When these are not the bytes of a frame, or the number of hashes is not
    /// the one that a frame of the stated length has.
    pub fn digests(&self) -> Result<(FrameDigest, FrameDigest), FrameError> {
        match self {
            FrameLink::Whole(bytes) => Ok((frame::digest(bytes), frame::check(bytes)?)),
            FrameLink::Beginning { chunk, beside } => {
                let total = frame::total_len(chunk)?;
                let depth = (total.div_ceil(CHUNK)).next_power_of_two().trailing_zeros() as usize;
                if chunk.len() != CHUNK || total <= CHUNK || beside.len() != depth || depth > DEPTH {
                    return Err(FrameError::Body("tree of hashes"));
                }
                let parent = frame::claimed_parent(chunk).ok_or(FrameError::Body("parent"))?;
                let key = key();
                let mode = Mode::DeriveKeyMaterial(&key);
                let mut hasher = blake3::Hasher::new_from_context_key(&key);
                let mut way = hasher.update(chunk).finalize_non_root();
                let Some((last, inner)) = beside.split_last() else {
                    return Err(FrameError::Body("tree of hashes"));
                };
                for sibling in inner {
                    way = merge_subtrees_non_root(&way, sibling, mode);
                }
                Ok((FrameDigest(*merge_subtrees_root(&way, last, mode).as_bytes()), parent))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use safelight_lineage::event::{Actor, ImageImported, Origin, Split};
    use safelight_lineage::id::{ImageId, TransactionId};
    use safelight_lineage::value::{PathBytes, Timestamp};

    use super::*;
    use crate::frame::Draft;

    /// A frame of so many events; each takes about 110 bytes.
    fn frame_of(events: u16) -> Vec<u8> {
        let events = (0..events).map(|number| {
            let mut image = [7; 16];
            image[..2].copy_from_slice(&number.to_le_bytes());
            ImageImported {
                image: ImageId(image),
                blob: safelight_lineage::digest::BlobId([3; 32]),
                path: PathBytes::new(number.to_string().into_bytes()),
                label: None,
                split: Split::Train,
                origin: Origin::File,
            }
            .into()
        });
        let draft = Draft {
            transaction: TransactionId([1; 16]),
            actor: Actor::Person { name: "tester".to_owned() },
            time: Timestamp(5),
            message: None,
            events: events.collect(),
        };
        frame::seal(FrameDigest([9; 32]), &draft).unwrap()
    }

    #[test]
    fn a_link_says_what_the_whole_frame_says() {
        let mut shortened = 0;
        for events in (1..80).chain([250, 1_000, 9_311]) {
            let bytes = frame_of(events);
            let expected = (frame::digest(&bytes), FrameDigest([9; 32]));
            let len = bytes.len();
            let link = FrameLink::shortest(bytes);
            assert_eq!(link.digests(), Ok(expected), "{len} bytes");
            if let FrameLink::Beginning { beside, .. } = &link {
                shortened += 1;
                assert!(CHUNK + 32 * beside.len() < len);
            } else {
                assert!(len <= CHUNK + 64, "{len} bytes are not shortened");
            }
        }
        assert!(shortened > 60);
    }

    #[test]
    fn no_bit_of_a_link_can_be_changed() {
        for events in [1, 60] {
            let bytes = frame_of(events);
            let good = frame::digest(&bytes);
            let link = FrameLink::shortest(bytes);
            let refused = |link: FrameLink| link.digests().map(|(digest, _)| digest) != Ok(good);
            match link {
                FrameLink::Whole(bytes) => {
                    for place in 0..bytes.len() {
                        let mut bent = bytes.clone();
                        bent[place] ^= 1;
                        assert!(refused(FrameLink::Whole(bent)), "byte {place}");
                    }
                }
                FrameLink::Beginning { chunk, beside } => {
                    for place in 0..chunk.len() {
                        let mut bent = chunk.clone();
                        bent[place] ^= 1;
                        let link = FrameLink::Beginning { chunk: bent, beside: beside.clone() };
                        assert!(refused(link), "byte {place}");
                    }
                    for place in 0..beside.len() {
                        let mut bent = beside.clone();
                        bent[place][31] ^= 1;
                        let link = FrameLink::Beginning { chunk: chunk.clone(), beside: bent };
                        assert!(refused(link), "hash {place}");
                    }
                    let link = |beside: &[[u8; 32]]| FrameLink::Beginning {
                        chunk: chunk.clone(),
                        beside: beside.into(),
                    };
                    assert!(refused(link(&beside[1..])) && refused(link(&[])));
                    assert!(refused(FrameLink::Beginning { chunk: chunk[..1000].to_vec(), beside }));
                }
            }
        }
    }
}
