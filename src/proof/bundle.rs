//! The file that a proof is handed over in.
//!
//! All numbers are little-endian:
//!
//! | bytes | what |
//! | --- | --- |
//! | 4 | `SLPB` |
//! | 1 | version, 1 |
//! | 3 | zero |
//! | 16 | the submission's id |
//! | 4 | number of links, at least 1 |
//! | each | kind (1): 0 all of a frame, 1 the beginning of one; length (4); the bytes; of a beginning also the number of hashes (1) and 32 bytes each |
//! | 4 | number of blobs, at least 1 |
//! | each | length (4), the bytes |
//! | 32 | `derive_key("safelight 2026-11-24 proof bundle v1")` of all before |
//!
//! Links go from the head backwards, without a gap, to the oldest frame that
//! holds anything the submission was made from. The first blob is the file as
//! handed in; behind it are the receipts of its replays, oldest first. The hash
//! at the end only guards against accidents: what convinces is that the first
//! link has the digest that is known, each next the one that its successor
//! names, and each blob the one that an event names.

use safelight_lineage::digest::Hasher;
use safelight_lineage::id::SubmissionId;
use safelight_store::frame_link::FrameLink;

const MAGIC: [u8; 4] = *b"SLPB";
const VERSION: u8 = 1;
const CONTEXT: &str = "safelight 2026-11-24 proof bundle v1";

/// Why bytes are not a bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// They do not begin like one.
    #[error("this is not a proof bundle")]
    Magic,
    /// A newer version wrote it.
    #[error("a proof bundle of version {found}; this program reads version {VERSION}")]
    Version {
        /// The version it states.
        found: u8,
    },
    /// The hash at its end is not that of its bytes.
    #[error("the bundle is damaged: its hash is not that of its bytes")]
    Hash,
    /// It is cut, has bytes too many, or a part makes no sense.
    #[error("the bundle is malformed: its {0} cannot be read")]
    Malformed(&'static str),
}

/// What a proof is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// What is proven.
    pub submission: SubmissionId,
    /// Frames from the head backwards.
    pub links: Vec<FrameLink>,
    /// The file, then the receipts.
    pub blobs: Vec<Vec<u8>>,
}

fn hash(bytes: &[u8]) -> [u8; 32] {
    Hasher::derive_key(CONTEXT).update(bytes).finish()
}

impl Bundle {
    /// The bytes of the bundle.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&[VERSION, 0, 0, 0]);
        out.extend_from_slice(self.submission.as_bytes());
        let put = |out: &mut Vec<u8>, bytes: &[u8]| {
            out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            out.extend_from_slice(bytes);
        };
        out.extend_from_slice(&(self.links.len() as u32).to_le_bytes());
        for link in &self.links {
            match link {
                FrameLink::Whole(bytes) => {
                    out.push(0);
                    put(&mut out, bytes);
                }
                FrameLink::Beginning { chunk, beside } => {
                    out.push(1);
                    put(&mut out, chunk);
                    out.push(beside.len() as u8);
                    beside.iter().for_each(|hash| out.extend_from_slice(hash));
                }
            }
        }
        out.extend_from_slice(&(self.blobs.len() as u32).to_le_bytes());
        self.blobs.iter().for_each(|blob| put(&mut out, blob));
        let hash = hash(&out);
        out.extend_from_slice(&hash);
        out
    }

    /// Reads a bundle. Nothing in it is believed yet: see [`verify`](super::verify()).
    ///
    /// # Errors
    /// When the bytes are not exactly what [`to_bytes`](Self::to_bytes) writes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Bundle, BundleError> {
        let mut rest = bytes.strip_prefix(&MAGIC).ok_or(BundleError::Magic)?;
        let [version, zeros @ ..]: [u8; 4] = take(&mut rest).ok_or(BundleError::Magic)?;
        if version != VERSION {
            return Err(BundleError::Version { found: version });
        }
        let body = bytes.split_last_chunk::<32>().ok_or(BundleError::Malformed("end"))?;
        if hash(body.0) != *body.1 {
            return Err(BundleError::Hash);
        }
        if zeros != [0; 3] {
            return Err(BundleError::Malformed("header"));
        }
        let mut rest = rest.get(..rest.len().saturating_sub(32)).ok_or(BundleError::Malformed("end"))?;
        let bad = BundleError::Malformed;
        let submission = SubmissionId(take(&mut rest).ok_or(bad("submission"))?);
        let count = number(&mut rest).ok_or(bad("number of links"))?;
        let mut links = Vec::new();
        for _ in 0..count {
            let [kind] = take(&mut rest).ok_or(bad("list of links"))?;
            let bytes = part(&mut rest).ok_or(bad("list of links"))?;
            links.push(match kind {
                0 => FrameLink::Whole(bytes.to_vec()),
                1 => {
                    let [hashes] = take(&mut rest).ok_or(bad("list of hashes"))?;
                    let beside: Option<Vec<[u8; 32]>> = (0..hashes).map(|_| take(&mut rest)).collect();
                    let beside = beside.ok_or(bad("list of hashes"))?;
                    FrameLink::Beginning { chunk: bytes.to_vec(), beside }
                }
                _ => return Err(bad("list of links")),
            });
        }
        let count = number(&mut rest).ok_or(bad("number of blobs"))?;
        let mut blobs = Vec::new();
        for _ in 0..count {
            blobs.push(part(&mut rest).ok_or(bad("list of blobs"))?.to_vec());
        }
        match (rest, links.is_empty(), blobs.is_empty()) {
            ([], false, false) => Ok(Bundle { submission, links, blobs }),
            _ => Err(bad("end")),
        }
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    take(rest).map(u32::from_le_bytes)
}

fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = number(rest)? as usize;
    let (head, tail) = rest.split_at_checked(len)?;
    *rest = tail;
    Some(head)
}

#[cfg(test)]
pub(super) fn resealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let at = bytes.len() - 32;
    let hash = hash(&bytes[..at]);
    bytes[at..].copy_from_slice(&hash);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundles_round_trip_and_hostile_bytes_are_refused() {
        let bundle = Bundle {
            submission: SubmissionId([7; 16]),
            links: vec![
                FrameLink::Whole(vec![1, 2]),
                FrameLink::Beginning { chunk: vec![3; 9], beside: vec![[4; 32], [5; 32]] },
            ],
            blobs: vec![b"image,label\n".to_vec(), Vec::new()],
        };
        let bytes = bundle.to_bytes();
        assert_eq!(Bundle::from_bytes(&bytes), Ok(bundle));
        for len in 0..bytes.len() {
            assert!(Bundle::from_bytes(&bytes[..len]).is_err(), "{len}");
        }
        // A count of four thousand million asks for no memory.
        let mut many = bytes.clone();
        many[24..28].copy_from_slice(&[255; 4]);
        assert_eq!(Bundle::from_bytes(&resealed(many)), Err(BundleError::Malformed("list of links")));
        let mut newer = bytes;
        newer[4] = 2;
        assert_eq!(Bundle::from_bytes(&newer), Err(BundleError::Version { found: 2 }));
    }
}
