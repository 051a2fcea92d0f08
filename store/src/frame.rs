//! One frame, to bytes and back. Pure: `open(seal(x)) == x`.
//!
//! ```text
//!  0  4  magic "SLFR"
//!  4  1  envelope version
//!  5  1  flags: bit 0, there is a message
//!  6  2  zero
//!  8  4  n, the length of the body
//! 12  4  CRC-32 of bytes 0..12 and the body
//! 16  n  body: parent, transaction, time, actor, message, events
//!  …  4  16 + n + 4, so that the journal can be read backwards
//! ```

use safelight_lineage::digest::{FrameDigest, Hasher};
use safelight_lineage::event::{Actor, Event, Frame, FrameHeader};
use safelight_lineage::id::{CheckpointId, PassId, TransactionId};
use safelight_lineage::value::{Seq, Timestamp};

use crate::bytes::Fields;
use crate::format::{ENVELOPE_VERSION, FRAME_MAGIC, MAX_FRAME};
use crate::schema::{self, PayloadError};

/// The bytes before the body.
pub const HEAD_LEN: usize = 16;
/// The bytes after the body.
pub const TAIL_LEN: usize = 4;

const HAS_MESSAGE: u8 = 1;

/// A commit that is not in the log yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// A new, random, time-ordered id.
    pub transaction: TransactionId,
    /// Who or what causes it.
    pub actor: Actor,
    /// When, by this machine's clock.
    pub time: Timestamp,
    /// Why, in the words of the person who causes it.
    pub message: Option<String>,
    /// What happens, in order. At least one.
    pub events: Vec<Event>,
}

/// Why a draft cannot be made a frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// There is nothing in it.
    #[error("a commit needs at least one event")]
    Empty,
    /// It is longer than a frame can be.
    #[error("a commit of {bytes} bytes is too long: at most {limit}")]
    TooLong {
        /// How long it would be.
        bytes: usize,
        /// How long it may be.
        limit: usize,
    },
    /// One of its events cannot be stored.
    #[error("event {index}: {source}")]
    Event {
        /// Which, from zero.
        index: usize,
        /// Why.
        source: PayloadError,
    },
}

/// Why bytes are not a frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// They end before the frame does.
    #[error("it ends after {found} of {needed} bytes")]
    Short {
        /// How many bytes a frame needs here.
        needed: u64,
        /// How many there are.
        found: u64,
    },
    /// They do not begin like one.
    #[error("it begins with \"{}\" instead of \"SLFR\"", .found.escape_ascii())]
    Magic {
        /// What they begin with.
        found: [u8; 4],
    },
    /// A newer version wrote it.
    #[error("its envelope has version {found}, and this version reads {ENVELOPE_VERSION}")]
    Version {
        /// The version of the envelope.
        found: u8,
    },
    /// A newer version wrote it, or it is damaged: bits are set that mean nothing.
    #[error("its envelope has unknown flags {found:#06x}")]
    Flags {
        /// Flags and reserved bytes.
        found: u32,
    },
    /// Its length is more than any frame has.
    #[error("it claims to be {found} bytes long")]
    Length {
        /// The length it claims.
        found: u64,
    },
    /// Its checksum is not that of its bytes.
    #[error("its checksum is {expected:08x}, its bytes give {actual:08x}")]
    Checksum {
        /// What is written in it.
        expected: u32,
        /// What its bytes give.
        actual: u32,
    },
    /// The length after it is not its length.
    #[error("its length at the end is {found}, at the beginning {expected}")]
    Trailer {
        /// The length by its beginning.
        expected: u32,
        /// The length by its end.
        found: u32,
    },
    /// The checksum fits but the body makes no sense.
    #[error("its {0} cannot be read")]
    Body(&'static str),
    /// The checksum fits but one event makes no sense.
    #[error("event {index}: {source}")]
    Event {
        /// Which, from zero.
        index: usize,
        /// What is wrong with it.
        source: PayloadError,
    },
}

/// Under what name the bytes of frames are hashed.
pub(crate) const FRAME_CONTEXT: &str = "safelight 2026-11-24 frame v1";

/// The digest of a frame's bytes.
pub fn digest(bytes: &[u8]) -> FrameDigest {
    FrameDigest(Hasher::derive_key(FRAME_CONTEXT).update(bytes).finish())
}

/// Makes the bytes of the frame that commits `draft` after `parent`.
///
/// # Errors
///
/// When the draft is empty or too long.
pub fn seal(parent: FrameDigest, draft: &Draft) -> Result<Vec<u8>, SealError> {
    if draft.events.is_empty() {
        return Err(SealError::Empty);
    }
    let mut out = Vec::with_capacity(256 + 160 * draft.events.len());
    out.extend_from_slice(&FRAME_MAGIC);
    out.push(ENVELOPE_VERSION);
    out.push(if draft.message.is_some() { HAS_MESSAGE } else { 0 });
    out.extend_from_slice(&[0; 10]);
    out.extend_from_slice(parent.as_bytes());
    out.extend_from_slice(draft.transaction.as_bytes());
    out.extend_from_slice(&draft.time.0.to_le_bytes());
    put_actor(&draft.actor, &mut out);
    if let Some(message) = &draft.message {
        put_text(message, &mut out);
    }
    let count = u32::try_from(draft.events.len())
        .map_err(|_| SealError::TooLong { bytes: draft.events.len(), limit: MAX_FRAME })?;
    out.extend_from_slice(&count.to_le_bytes());
    for (index, event) in draft.events.iter().enumerate() {
        let start = out.len();
        out.extend_from_slice(&[0; 8]);
        let (kind, schema) =
            schema::encode(event, &mut out).map_err(|source| SealError::Event { index, source })?;
        let len = out.len() - start - 8;
        if out.len() > MAX_FRAME - TAIL_LEN {
            return Err(SealError::TooLong { bytes: out.len(), limit: MAX_FRAME });
        }
        out[start..start + 2].copy_from_slice(&kind.to_le_bytes());
        out[start + 2..start + 4].copy_from_slice(&schema.to_le_bytes());
        out[start + 4..start + 8].copy_from_slice(&(len as u32).to_le_bytes());
    }
    let total = out.len() + TAIL_LEN;
    if total > MAX_FRAME {
        return Err(SealError::TooLong { bytes: total, limit: MAX_FRAME });
    }
    let body = (out.len() - HEAD_LEN) as u32;
    out[8..12].copy_from_slice(&body.to_le_bytes());
    let sum = checksum(&out[..12], &out[HEAD_LEN..]);
    out[12..16].copy_from_slice(&sum.to_le_bytes());
    out.extend_from_slice(&(total as u32).to_le_bytes());
    Ok(out)
}

fn checksum(head: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(head);
    hasher.update(body);
    hasher.finalize()
}

fn put_text(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(&(text.len() as u32).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn put_actor(actor: &Actor, out: &mut Vec<u8>) {
    match actor {
        Actor::Person { name } => {
            out.push(0);
            put_text(name, out);
        }
        Actor::Rule { pass, rule } => {
            out.push(1);
            out.extend_from_slice(pass.as_bytes());
            put_text(rule, out);
        }
        Actor::Model { checkpoint } => {
            out.push(2);
            out.extend_from_slice(checkpoint.as_bytes());
        }
        Actor::Program { name } => {
            out.push(3);
            put_text(name, out);
        }
    }
}

/// Reads how long the frame is that begins like this, all in all.
///
/// # Errors
///
/// When no frame begins like this. The checksum is not looked at.
pub fn total_len(head: &[u8]) -> Result<usize, FrameError> {
    let short = FrameError::Short { needed: HEAD_LEN as u64, found: head.len() as u64 };
    let mut fields = Fields::new(head);
    let (Some(magic), Some(version), Some(flags), Some(zero), Some(body)) =
        (fields.array::<4>(), fields.u8(), fields.u8(), fields.u16(), fields.u32())
    else {
        return Err(short);
    };
    if magic != FRAME_MAGIC {
        return Err(FrameError::Magic { found: magic });
    }
    if version != ENVELOPE_VERSION {
        return Err(FrameError::Version { found: version });
    }
    if flags & !HAS_MESSAGE != 0 || zero != 0 {
        return Err(FrameError::Flags { found: u32::from(flags) << 16 | u32::from(zero) });
    }
    match HEAD_LEN + body as usize + TAIL_LEN {
        total if total > MAX_FRAME => Err(FrameError::Length { found: total as u64 }),
        total => Ok(total),
    }
}

/// Checks the envelope of exactly one frame and gives its parent.
///
/// # Errors
///
/// When the bytes are not one whole frame with the right checksum.
pub fn check(bytes: &[u8]) -> Result<FrameDigest, FrameError> {
    let total = total_len(bytes)?;
    if bytes.len() != total {
        return Err(FrameError::Short { needed: total as u64, found: bytes.len() as u64 });
    }
    let (head, rest) = bytes.split_at(HEAD_LEN);
    let (body, tail) = rest.split_at(total - HEAD_LEN - TAIL_LEN);
    let expected = Fields::new(&head[12..]).u32().unwrap_or_default();
    let actual = checksum(&head[..12], body);
    if expected != actual {
        return Err(FrameError::Checksum { expected, actual });
    }
    let found = Fields::new(tail).u32().unwrap_or_default();
    if found as usize != total {
        return Err(FrameError::Trailer { expected: total as u32, found });
    }
    Fields::new(body).array().map(FrameDigest).ok_or(FrameError::Body("parent"))
}

/// The parent that the frame names which begins like this, unchecked.
pub(crate) fn claimed_parent(bytes: &[u8]) -> Option<FrameDigest> {
    Fields::new(bytes.get(HEAD_LEN..)?).array().map(FrameDigest)
}

/// Reads one frame whose first event has the place `first_seq`.
///
/// # Errors
///
/// When the bytes are not one whole frame, or hold what this version cannot
/// read. An unknown kind of event is no error.
pub fn open(bytes: &[u8], first_seq: Seq) -> Result<Frame, FrameError> {
    let parent = check(bytes)?;
    open_checked(bytes, parent, digest(bytes), first_seq)
}

/// As [`open`], for bytes that [`check`] has seen.
pub(crate) fn open_checked(
    bytes: &[u8],
    parent: FrameDigest,
    digest: FrameDigest,
    first_seq: Seq,
) -> Result<Frame, FrameError> {
    let has_message = bytes.get(5).is_some_and(|flags| flags & HAS_MESSAGE != 0);
    let body = bytes.get(HEAD_LEN..bytes.len() - TAIL_LEN).ok_or(FrameError::Body("body"))?;
    let mut fields = Fields::new(body);
    fields.take(32).ok_or(FrameError::Body("parent"))?;
    let transaction = TransactionId(fields.array().ok_or(FrameError::Body("transaction"))?);
    let time = Timestamp(fields.u64().ok_or(FrameError::Body("time"))?);
    let actor = take_actor(&mut fields).ok_or(FrameError::Body("actor"))?;
    let message = match has_message {
        true => Some(take_text(&mut fields).ok_or(FrameError::Body("message"))?),
        false => None,
    };
    let count = fields.u32().ok_or(FrameError::Body("number of events"))? as usize;
    // An event takes eight bytes at least, so this cannot be made to ask for
    // more memory than the frame itself has.
    if count == 0 || count > fields.left() / 8 {
        return Err(FrameError::Body("number of events"));
    }
    let mut events = Vec::with_capacity(count);
    for index in 0..count {
        let mut head = || Some((fields.u16()?, fields.u16()?, fields.u32()? as usize));
        let (kind, schema, len) = head().ok_or(FrameError::Body("list of events"))?;
        let payload = fields.take(len).ok_or(FrameError::Body("list of events"))?;
        events.push(
            schema::decode(kind, schema, payload).map_err(|source| FrameError::Event { index, source })?,
        );
    }
    if fields.left() != 0 {
        return Err(FrameError::Body("end"));
    }
    let header = FrameHeader { digest, parent, transaction, actor, time, message, first_seq };
    Ok(Frame { header, events })
}

/// How many events a frame has that [`check`] has seen, and who caused it not.
pub(crate) fn event_count(bytes: &[u8]) -> Result<u64, FrameError> {
    let has_message = bytes.get(5).is_some_and(|flags| flags & HAS_MESSAGE != 0);
    let mut fields = Fields::new(bytes.get(HEAD_LEN..).unwrap_or_default());
    fields.take(32 + 16 + 8).ok_or(FrameError::Body("time"))?;
    let skip = match fields.u8().ok_or(FrameError::Body("actor"))? {
        0 | 3 => fields.u32().map(|len| len as usize),
        1 => fields.take(16).and_then(|_| fields.u32()).map(|len| len as usize),
        2 => Some(16),
        _ => None,
    };
    skip.and_then(|len| fields.take(len)).ok_or(FrameError::Body("actor"))?;
    if has_message {
        let len = fields.u32().ok_or(FrameError::Body("message"))?;
        fields.take(len as usize).ok_or(FrameError::Body("message"))?;
    }
    match fields.u32() {
        Some(count) if count > 0 => Ok(count.into()),
        _ => Err(FrameError::Body("number of events")),
    }
}

fn take_text(fields: &mut Fields<'_>) -> Option<String> {
    let len = fields.u32()? as usize;
    String::from_utf8(fields.take(len)?.to_vec()).ok()
}

fn take_actor(fields: &mut Fields<'_>) -> Option<Actor> {
    Some(match fields.u8()? {
        0 => Actor::Person { name: take_text(fields)? },
        1 => Actor::Rule { pass: PassId(fields.array()?), rule: take_text(fields)? },
        2 => Actor::Model { checkpoint: CheckpointId(fields.array()?) },
        3 => Actor::Program { name: take_text(fields)? },
        _ => return None,
    })
}
