//! From the bytes of a picture to pixels: decoding and resizing, the same on
//! every machine.

pub mod decode;
pub mod resize;
