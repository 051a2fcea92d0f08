//! Packs: append-only files of many small blobs, one record each.

mod catalog;
mod footer;
mod read;
mod record;
mod table;
mod writer;

pub(crate) use catalog::{Catalog, Found};
pub(crate) use footer::{Entry, Footer};
pub(crate) use read::{Header, Loaded, PackState, load, pack_path, packs, scan_records};
pub(crate) use record::{RECORD_LEN, RecordHead};
pub(crate) use writer::{OpenPack, adopt};
