//! The networks: bodies of different natures, and heads that take their maps
//! at any size.

mod assembled;
mod densenet;
mod efficientnet;
#[cfg(test)]
mod goldens;
mod head;
mod mobilenet;
mod resnet;
mod vgg;

pub use assembled::Network;
