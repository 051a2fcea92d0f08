//! What fuzzing calls, and what replaying its corpus calls: bytes from anywhere
//! in, no panic out, and whatever is accepted has exactly one spelling.

use std::path::Path;

use safelight_lineage::digest::Hasher;
use safelight_lineage::event::Event;
use safelight_lineage::state::State;
use safelight_lineage::value::Seq;

use crate::frame::{self, Draft};
use crate::pack::{Footer, Header, RECORD_LEN, RecordHead};
use crate::schema;

/// One target: its name, and what it does with bytes.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("archive", archive),
    ("event", event),
    ("frame", frame),
    ("pack", pack),
    ("record", record),
    ("snapshot", snapshot),
];

/// The payload of a stored event: two bytes that choose the kind, two of
/// schema, then the payload.
pub fn event(bytes: &[u8]) {
    let Some((&[low, high, old, new], payload)) = bytes.split_first_chunk::<4>() else { return };
    let (number, stored) = (u16::from_le_bytes([low, high]), u16::from_le_bytes([old, new]));
    // Mostly kinds that exist, and now and then one that does not.
    let kinds = Event::KINDS.len() as u16 + 1;
    let kind = Event::KINDS.get(usize::from(number % kinds)).map_or(number, |(_, kind)| *kind);
    let stored = if stored % 8 == 7 { stored } else { 1 };
    let Ok(event) = schema::decode(kind, stored, payload) else { return };
    let mut again = Vec::new();
    let written = schema::encode(&event, &mut again);
    assert_eq!(written.ok(), Some((kind, stored)));
    assert_eq!(again, payload, "an event has two spellings");
}

/// A frame of the journal. Its checksum is mended first, so that what lies
/// behind the checksum is reached.
pub fn frame(bytes: &[u8]) {
    try_frame(bytes);
    let mut mended = bytes.to_vec();
    if mended.len() < frame::HEAD_LEN + frame::TAIL_LEN {
        return;
    }
    let end = mended.len() - frame::TAIL_LEN;
    let body = (end - frame::HEAD_LEN) as u32;
    mended[..5].copy_from_slice(b"SLFR\x01");
    mended[8..12].copy_from_slice(&body.to_le_bytes());
    let mut sum = crc32fast::Hasher::new();
    sum.update(&mended[..12]);
    sum.update(&mended[frame::HEAD_LEN..end]);
    mended[12..16].copy_from_slice(&sum.finalize().to_le_bytes());
    let total = mended.len() as u32;
    mended[end..].copy_from_slice(&total.to_le_bytes());
    try_frame(&mended);
}

fn try_frame(bytes: &[u8]) {
    let Ok(opened) = frame::open(bytes, Seq(1)) else { return };
    State::new().apply(&opened);
    let header = opened.header;
    assert_eq!(header.digest, frame::digest(bytes));
    let draft = Draft {
        transaction: header.transaction,
        actor: header.actor,
        time: header.time,
        message: header.message,
        events: opened.events,
    };
    let again = frame::seal(header.parent, &draft);
    assert_eq!(again.as_deref(), Ok(bytes), "a frame has two spellings");
}

/// The head of a record in a pack, the header of a pack, and the end of one.
pub fn record(bytes: &[u8]) {
    if let Some(head) = RecordHead::from_bytes(bytes) {
        assert_eq!(bytes.get(..RECORD_LEN), Some(head.to_bytes().as_slice()));
    }
    if let Some(header) = Header::from_bytes(bytes)
        && header.sealed
    {
        assert_eq!(bytes.get(..32), Some(header.to_bytes().as_slice()));
    }
    // A checksum is hardly ever hit by chance.
    if let Some(head) = bytes.first_chunk::<RECORD_LEN>() {
        let mut mended = *head;
        mended[..4].copy_from_slice(b"SLPR");
        let sum = crc32fast::hash(&mended[..48]);
        mended[48..].copy_from_slice(&sum.to_le_bytes());
        if let Some(head) = RecordHead::from_bytes(&mended) {
            assert_eq!(head.to_bytes(), mended);
        }
    }
    let (entries, trailer) = bytes.split_at(bytes.len().saturating_sub(64));
    let mut trailer = trailer.to_vec();
    if trailer.len() == 64 {
        let hash = Hasher::derive_key("safelight 2026-11-24 pack footer v1").update(entries).finish();
        trailer[..8].copy_from_slice(b"SLPF\x01\0\0\0");
        trailer[24..56].copy_from_slice(&hash);
        trailer[56..60].fill(0);
        let sum = crc32fast::hash(&trailer[..60]);
        trailer[60..].copy_from_slice(&sum.to_le_bytes());
    }
    let start = trailer.get(16..24).map_or(0, |start| {
        let mut eight = [0; 8];
        eight.copy_from_slice(start);
        u64::from_le_bytes(eight)
    });
    if let Some(footer) = Footer::from_trailer(&trailer, start.saturating_add(bytes.len() as u64))
        && let Ok(found) = footer.open(entries)
    {
        assert_eq!(found.len() as u64, footer.count);
    }
}

/// A whole pack, as a file.
pub fn pack(bytes: &[u8]) {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::FileExt;
        let Ok(file) = rustix::fs::memfd_create("pack", rustix::fs::MemfdFlags::empty()) else { return };
        let file = std::fs::File::from(file);
        // Its header is mended, so that most of these get further than that.
        let mut bytes = bytes.to_vec();
        if let Some(start) = bytes.get_mut(..32) {
            let sealed = start[5] & 1 == 1;
            start.copy_from_slice(&Header { number: 1, sealed }.to_bytes());
        }
        if file.write_all_at(&bytes, 0).is_err() {
            return;
        }
        let Ok(loaded) = crate::pack::load(&file, Path::new("memory"), 1) else { return };
        let by_footer =
            matches!(loaded.state, crate::pack::PackState::Sealed | crate::pack::PackState::Closed);
        for entry in loaded.entries.iter().filter(|_| !by_footer) {
            let end = entry.offset + RECORD_LEN as u64 + u64::from(entry.len);
            assert!(end <= bytes.len() as u64, "a record reaches past the end");
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (bytes, Path::new(""));
}

/// A snapshot of a state.
pub fn snapshot(bytes: &[u8]) {
    let mut mended = bytes.to_vec();
    if let Some(start) = mended.get_mut(..12) {
        start.copy_from_slice(&State::new().to_snapshot()[..12]);
    }
    let Ok(state) = State::from_snapshot(&mended) else { return };
    let _ = state.digest();
    for view in state.images().take(50) {
        let _ = state.image(view.id);
        let _ = state.images_at_path(view.split, view.path);
        let _ = safelight_lineage::query::biography(&state, view.id);
    }
    assert_eq!(State::from_snapshot(&state.to_snapshot()).map(|again| again.digest()), Ok(state.digest()));
}

/// The header of an archive and the heads of its items, each mended first: its
/// magic, its checksum and what must be zero.
pub fn archive(bytes: &[u8]) {
    use crate::archive::item::{HEADER_LEN, Header, ITEM_LEN, ItemHead};
    let _ = Header::from_bytes(bytes);
    let Some((header, mut rest)) = bytes.split_first_chunk::<HEADER_LEN>() else { return };
    let mut mended = *header;
    mended[..5].copy_from_slice(b"SLAR\x01");
    mended[5] &= 1;
    mended[6..8].fill(0);
    mended[88..92].fill(0);
    let sum = crc32fast::hash(&mended[..92]);
    mended[92..].copy_from_slice(&sum.to_le_bytes());
    let read = Header::from_bytes(&mended).map(Header::to_bytes);
    assert!(matches!(read, Ok(again) if again == mended), "a header has two spellings");
    while let Some((head, behind)) = rest.split_first_chunk::<ITEM_LEN>() {
        let mut mended = *head;
        mended[..4].copy_from_slice(b"SLAI");
        mended[5..8].fill(0);
        mended[48..52].fill(0);
        let sum = crc32fast::hash(&mended[..52]);
        mended[52..].copy_from_slice(&sum.to_le_bytes());
        let Some(item) = ItemHead::from_bytes(&mended) else { return };
        assert_eq!(item.to_bytes(), mended, "an item's head has two spellings");
        let len = usize::try_from(item.len).unwrap_or(usize::MAX);
        rest = behind.get(len..).unwrap_or_default();
    }
}
