//! The data set that the program draws for itself.
//!
//! Six classes of small scenes, painted by arithmetic alone: the same seed,
//! class and index give the same pixels on every machine. [`dataset`](dataset()) lays a
//! few hundred of them out as a folder to import, with errors planted in it on
//! purpose and written down apart, so that a demonstration can count how many
//! of them its cleaning rules find.
//!
//! Nothing here calls a function whose last bit depends on the platform: only
//! additions, multiplications, divisions and square roots, which IEEE 754
//! defines exactly, and hashing in integers.

mod blend;
mod buildings;
mod canvas;
mod class;
mod colour;
mod dataset;
mod dice;
mod facade;
mod forest;
mod glacier;
mod lens;
mod light;
mod mountain;
mod noise;
mod paint;
mod sea;
mod street;
mod tree;

pub use blend::blend;
pub use class::{ParseSceneClassError, SceneClass};
pub use dataset::{DemoError, DemoSet, DemoSpec, PlantKind, Planted, dataset};
pub use paint::{EDGE, paint};
