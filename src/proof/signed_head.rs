//! A head with a time and a signature. Published before a deadline, it proves
//! what existed then: nothing can be put before a head afterwards.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use safelight_lineage::digest::FrameDigest;
use safelight_lineage::value::{Seq, Timestamp};
use serde::{Deserialize, Serialize};

use super::key::{hex, unhex};

const VERSION: u32 = 1;

/// Who vouches for which head, and when by their clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHead {
    /// The head.
    pub head: FrameDigest,
    /// How many events the history has.
    pub seq: Seq,
    /// When it was signed, by the clock of who signed.
    pub time: Timestamp,
    /// What they say about it.
    pub note: String,
    /// Their key.
    pub key: VerifyingKey,
    /// Their signature of all this.
    pub signature: Signature,
}

/// Why a file is no signed head.
#[derive(Debug, thiserror::Error)]
pub enum SignedHeadError {
    /// It is not the JSON of one.
    #[error("this is not a signed head: {0}")]
    Json(#[from] serde_json::Error),
    /// It is of another version.
    #[error("a signed head of version {found}; this program reads version {VERSION}")]
    Version {
        /// The version it states.
        found: u32,
    },
    /// A field is not what it should be.
    #[error("this is not a signed head: its {0} cannot be read")]
    Field(&'static str),
    /// Another key signed it.
    #[error("it was signed with key {actual}, not with {expected}")]
    OtherKey {
        /// The key that should have.
        expected: String,
        /// The one it names.
        actual: String,
    },
    /// The signature is not one of these words by that key.
    #[error("the signature is not valid: the file was changed, or somebody else signed it")]
    Signature,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u32,
    head: String,
    seq: u64,
    time: u64,
    note: String,
    key: String,
    signature: String,
}

/// The bytes that are signed.
fn message(head: FrameDigest, seq: Seq, time: Timestamp, note: &str) -> Vec<u8> {
    let mut bytes = b"safelight 2026-11-24 signed head v1\0".to_vec();
    bytes.extend_from_slice(head.as_bytes());
    bytes.extend_from_slice(&seq.0.to_le_bytes());
    bytes.extend_from_slice(&time.0.to_le_bytes());
    bytes.extend_from_slice(note.as_bytes());
    bytes
}

impl SignedHead {
    /// Signs a head.
    pub fn sign(key: &SigningKey, head: FrameDigest, seq: Seq, time: Timestamp, note: &str) -> SignedHead {
        let signature = key.sign(&message(head, seq, time, note));
        SignedHead { head, seq, time, note: note.to_owned(), key: key.verifying_key(), signature }
    }

    /// The file: JSON.
    pub fn to_json(&self) -> Vec<u8> {
        let stored = Stored {
            version: VERSION,
            head: self.head.to_string(),
            seq: self.seq.0,
            time: self.time.0,
            note: self.note.clone(),
            key: hex(self.key.as_bytes()),
            signature: hex(&self.signature.to_bytes()),
        };
        let mut bytes = serde_json::to_vec_pretty(&stored).expect("texts and numbers have a JSON form");
        bytes.push(b'\n');
        bytes
    }

    /// Reads a file and checks that `key` signed what it says.
    ///
    /// # Errors
    /// When it is no signed head, or not by that key.
    pub fn open(bytes: &[u8], key: &VerifyingKey) -> Result<SignedHead, SignedHeadError> {
        let stored: Stored = serde_json::from_slice(bytes)?;
        if stored.version != VERSION {
            return Err(SignedHeadError::Version { found: stored.version });
        }
        let bad = SignedHeadError::Field;
        let head = stored.head.parse().map_err(|_| bad("head"))?;
        let signature: [u8; 64] = unhex(&stored.signature).ok_or(bad("signature"))?;
        let signature = Signature::from_bytes(&signature);
        if unhex::<32>(&stored.key).ok_or(bad("key"))? != *key.as_bytes() {
            return Err(SignedHeadError::OtherKey { expected: hex(key.as_bytes()), actual: stored.key });
        }
        let (seq, time) = (Seq(stored.seq), Timestamp(stored.time));
        // Strictly, as the signature of a weak key would fit several messages.
        key.verify_strict(&message(head, seq, time, &stored.note), &signature)
            .map_err(|_| SignedHeadError::Signature)?;
        Ok(SignedHead { head, seq, time, note: stored.note, key: *key, signature })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed() -> (SigningKey, SignedHead) {
        let key = SigningKey::from_bytes(&[7; 32]);
        let head =
            SignedHead::sign(&key, FrameDigest([3; 32]), Seq(12), Timestamp(1_700_000_000_000), "final");
        (key, head)
    }

    #[test]
    fn only_what_was_signed_by_that_key_is_believed() {
        let (key, signed) = signed();
        let bytes = signed.to_json();
        assert_eq!(SignedHead::open(&bytes, &key.verifying_key()).unwrap(), signed);
        let other = SigningKey::from_bytes(&[8; 32]).verifying_key();
        assert!(matches!(SignedHead::open(&bytes, &other), Err(SignedHeadError::OtherKey { .. })));
        for (from, to) in [
            ("0303", "0304"),
            ("\"seq\": 12", "\"seq\": 13"),
            ("1700000000000", "1600000000000"),
            ("final", "Final"),
        ] {
            let text = String::from_utf8(bytes.clone()).unwrap().replacen(from, to, 1);
            let refused = SignedHead::open(text.as_bytes(), &key.verifying_key());
            assert!(matches!(refused, Err(SignedHeadError::Signature)), "{from}");
        }
    }

    #[test]
    fn every_bit_that_says_something_is_guarded() {
        let (key, signed) = signed();
        let bytes = signed.to_json();
        for place in 0..bytes.len() {
            let mut bent = bytes.clone();
            bent[place] ^= 1;
            // White space between the fields says nothing.
            if let Ok(open) = SignedHead::open(&bent, &key.verifying_key()) {
                assert_eq!(open, signed, "byte {place}");
            }
        }
    }
}
