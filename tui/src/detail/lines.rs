//! Which lines, by screen.

use super::line::DetailLine;
use super::{ensemble, frame, generator, image, job, submission, training};
use crate::model::Model;
use crate::screen::Screen;

/// The lines of the detail for the selected row of the screen.
pub fn lines(model: &Model) -> Vec<DetailLine> {
    match model.screen {
        Screen::Timeline => frame::lines(model),
        Screen::Images => image::lines(model),
        Screen::Review => image::review_lines(model),
        Screen::Training => training::lines(model),
        Screen::Generators => generator::lines(model),
        Screen::Ensembles => ensemble::lines(model),
        Screen::Submissions => submission::lines(model),
        Screen::Jobs => job::lines(model),
    }
}
