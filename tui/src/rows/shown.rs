//! Which rows, by screen.

use ratatui::text::Line;

use super::{ensembles, generators, images, jobs, review, submissions, timeline, training};
use crate::model::Model;
use crate::screen::Screen;

/// The row at a place of the screen's list, in `width` cells.
pub fn row(model: &Model, place: usize, width: usize) -> Line<'static> {
    let row = match model.screen {
        Screen::Timeline => timeline::row(model, place, width),
        Screen::Images => images::row(model, place, width),
        Screen::Review => review::row(model, place, width),
        Screen::Training => training::row(model, place, width),
        Screen::Generators => generators::row(model, place, width),
        Screen::Ensembles => ensembles::row(model, place, width),
        Screen::Submissions => submissions::row(model, place, width),
        Screen::Jobs => jobs::row(model, place, width),
    };
    row.unwrap_or_default()
}

/// What stands above the list.
pub fn heading(model: &Model, width: usize) -> String {
    match model.screen {
        Screen::Timeline => timeline::heading(model),
        Screen::Images => images::heading(model),
        Screen::Review => review::heading(model, width),
        Screen::Training => crate::text::counted(model.list_len() as u64, "run", "runs"),
        Screen::Generators => crate::text::counted(model.list_len() as u64, "generator", "generators"),
        Screen::Ensembles => crate::text::counted(model.list_len() as u64, "ensemble", "ensembles"),
        Screen::Submissions => crate::text::counted(model.list_len() as u64, "submission", "submissions"),
        Screen::Jobs => crate::text::counted(model.list_len() as u64, "job", "jobs"),
    }
}

/// What stands in place of an empty list.
pub fn empty(model: &Model) -> String {
    let hint = match model.screen {
        _ if model.live.is_none() => "reading the log …",
        Screen::Timeline if model.timeline.found.is_some() && !model.timeline.search.is_done() => "looking …",
        Screen::Timeline if model.timeline.found.is_some() => "no frame mentions that",
        Screen::Timeline => "nothing happened yet",
        Screen::Images if model.images.searching => "looking …",
        Screen::Images if !model.images.filter.is_empty() => "no image fits the filter",
        Screen::Images => "no image was imported yet: safelight import FOLDER",
        Screen::Review if !model.abilities.findings => "this program was started without findings",
        Screen::Review if model.pass().is_none() => "no cleaning pass yet: safelight clean",
        Screen::Review => match &model.review.findings {
            Some(Err(error)) => return format!("the findings cannot be read: {error}"),
            Some(Ok(_)) => "no findings",
            None => "reading …",
        },
        Screen::Training => "no training run yet: t, or safelight train",
        Screen::Generators => "no generator yet: t, or safelight generate train",
        Screen::Ensembles => "no ensemble yet: safelight ensemble PREDICTIONS…",
        Screen::Submissions => "no submission yet: safelight submit",
        Screen::Jobs if !model.abilities.jobs => "this program was started without jobs",
        Screen::Jobs => "nothing runs",
    };
    hint.to_owned()
}
