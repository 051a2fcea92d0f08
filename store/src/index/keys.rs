//! What the keys and values of the index look like. Numbers in keys are
//! big-endian, so that they sort.

use safelight_lineage::digest::{BlobId, FrameDigest};
use safelight_lineage::event::Event;
use safelight_lineage::id::ImageId;
use safelight_lineage::value::Seq;

use crate::bytes::Fields;
use crate::journal::{Place, Tip};

/// How far the index has come: it holds everything up to this tip.
pub(super) const MARKER: &[u8] = b"m";

/// History: 1, the first.
const VERSION: u8 = 1;

/// One event of one image. The value is empty.
pub(super) fn image_event(image: ImageId, seq: Seq) -> Vec<u8> {
    [b"i".as_slice(), image.as_bytes(), &seq.0.to_be_bytes()].concat()
}

pub(super) fn image_prefix(image: ImageId) -> Vec<u8> {
    [b"i".as_slice(), image.as_bytes()].concat()
}

pub(super) fn seq_of_image_event(key: &[u8]) -> Option<Seq> {
    key.get(17..)?.try_into().ok().map(u64::from_be_bytes).map(Seq)
}

/// Where the frame begins whose first event this is.
pub(super) fn frame(first: Seq) -> Vec<u8> {
    [b"f".as_slice(), &first.0.to_be_bytes()].concat()
}

pub(super) fn seq_of_frame(key: &[u8]) -> Option<Seq> {
    key.strip_prefix(b"f")?.try_into().ok().map(u64::from_be_bytes).map(Seq)
}

pub(super) fn place(place: Place, parent: FrameDigest) -> Vec<u8> {
    let mut bytes = place.segment.to_le_bytes().to_vec();
    bytes.extend_from_slice(&place.offset.to_le_bytes());
    bytes.extend_from_slice(parent.as_bytes());
    bytes
}

pub(super) fn parse_place(value: &[u8]) -> Option<(Place, FrameDigest)> {
    let mut fields = Fields::new(value);
    let place = Place { segment: fields.u64()?, offset: fields.u64()? };
    Some((place, FrameDigest(fields.array()?)))
}

/// Where a blob lies: pack, offset, length.
pub(super) fn blob(blob: BlobId) -> Vec<u8> {
    [b"b".as_slice(), blob.as_bytes()].concat()
}

pub(super) fn blob_place((pack, offset, len): (u64, u64, u32)) -> Vec<u8> {
    let mut bytes = pack.to_le_bytes().to_vec();
    bytes.extend_from_slice(&offset.to_le_bytes());
    bytes.extend_from_slice(&len.to_le_bytes());
    bytes
}

pub(super) fn parse_blob_place(value: &[u8]) -> Option<(u64, u64, u32)> {
    let mut fields = Fields::new(value);
    Some((fields.u64()?, fields.u64()?, fields.u32()?))
}

pub(super) fn marker(tip: &Tip) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    for number in [tip.place.segment, tip.place.offset, tip.seq.0] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.extend_from_slice(tip.head.as_bytes());
    bytes
}

pub(super) fn parse_marker(value: &[u8]) -> Option<Tip> {
    let mut fields = Fields::new(value);
    let version = fields.u8()?;
    let place = Place { segment: fields.u64()?, offset: fields.u64()? };
    let tip = Tip { place, seq: Seq(fields.u64()?), head: FrameDigest(fields.array()?) };
    (version == VERSION && fields.left() == 0).then_some(tip)
}

/// The images and blobs that an event names by itself.
pub(super) fn named(event: &Event) -> (Vec<ImageId>, Vec<BlobId>) {
    match event {
        Event::ImageImported(event) => (vec![event.image], vec![event.blob]),
        Event::ImageRevised(event) => (vec![event.image], vec![event.new]),
        Event::ImageRelabelled(event) => (vec![event.image], vec![]),
        Event::ImageRemoved(event) => (vec![event.image], vec![]),
        Event::ImageRestored(event) => (vec![event.image], vec![]),
        Event::ReviewDecided(event) => (vec![event.image], vec![]),
        Event::SamplesAdmitted(event) => {
            event.images.iter().map(|admitted| (admitted.image, admitted.blob)).unzip()
        }
        _ => (vec![], vec![]),
    }
}

/// Whether an event names an image by itself.
pub(crate) fn names(event: &Event, image: ImageId) -> bool {
    named(event).0.contains(&image)
}
