//! Plots for people: curves in panels, as SVG or PNG by the name of the file.

mod bitmap;
mod figure;

pub use figure::{Figure, Panel, PlotError, Series, check_name, draw};
