//! Moving about.

use safelight_lineage::state::SubmissionRecord;

use crate::detail::{self, Target};
use crate::layout;
use crate::model::Model;
use crate::screen::Screen;
use crate::tiles;

/// How many rows a window moves.
pub(super) fn page(model: &Model) -> isize {
    if let Some(wall) = layout::wall(model).filter(|_| !model.in_detail) {
        return (isize::try_from(wall.lines).unwrap_or(isize::MAX) * line(model)).max(1);
    }
    let areas = layout::areas(model);
    let height = if model.in_detail { areas.detail.height } else { areas.list.height };
    (isize::try_from(height).unwrap_or(isize::MAX) - 1).max(1)
}

/// How many rows a line moves: on the wall, as many as stand side by side.
pub(super) fn line(model: &Model) -> isize {
    match layout::wall(model) {
        Some(wall) if !model.in_detail => isize::try_from(wall.columns).unwrap_or(1),
        _ => 1,
    }
}

/// To the picture before on the wall, else back to the list.
pub(super) fn left(model: &mut Model) {
    if layout::wall(model).is_some() && !model.in_detail { step(model, -1) } else { back(model) }
}

/// To the next picture on the wall, else into the detail.
pub(super) fn right(model: &mut Model) {
    if layout::wall(model).is_some() && !model.in_detail { step(model, 1) } else { open(model) }
}

/// Gives the picture the whole screen, or takes that back.
pub(super) fn zoom(model: &mut Model) {
    if !model.abilities.pictures {
        return model.complain("pictures are off; start with --images halfblocks or ascii");
    }
    model.zoomed = !model.zoomed;
}

/// Moves the selection of the pane that has the keyboard.
pub(super) fn step(model: &mut Model, delta: isize) {
    if model.in_detail {
        let len = detail::lines(model).len();
        model.detail.step(delta, len);
        return;
    }
    let len = model.list_len();
    model.cursor_mut().step(delta, len);
    selected(model);
}

/// The user chose the selected row of the list.
fn selected(model: &mut Model) {
    model.detail = Default::default();
    model.review.group = false;
    match model.screen {
        Screen::Images => {
            if let Some(row) = model.images.rows.row(model.images.cursor.selected) {
                model.images.row = row;
            }
        }
        Screen::Timeline => {
            let first = model.timeline.cursor.selected == 0;
            let seq = model.selected_transaction().map(|record| record.first_seq);
            model.timeline.anchor = seq.filter(|_| !first);
        }
        Screen::Generators => {
            let row = crate::generators::selected(model).map(|row| row.id());
            model.generator_views.anchor = row.filter(|_| model.generators.selected > 0);
        }
        _ => {}
    }
}

/// Goes to a screen.
pub(super) fn show(model: &mut Model, screen: Screen) {
    if model.screen != screen {
        model.screen = screen;
        model.zoomed = false;
        model.in_detail = false;
        model.detail = Default::default();
        model.review.painted = None;
        model.review.range = None;
    }
}

/// Looks into the detail, or follows the line selected there.
pub(super) fn open(model: &mut Model) {
    if !model.in_detail {
        model.in_detail = model.list_len() > 0;
        return;
    }
    let lines = detail::lines(model);
    let Some(target) = lines.get(model.detail.selected).and_then(|line| line.target) else { return };
    go(model, target);
}

/// Goes to something.
pub(super) fn go(model: &mut Model, target: Target) {
    match target {
        Target::Image(image) => {
            let Some(row) = model.state().image(image).map(|view| view.row) else { return };
            show(model, Screen::Images);
            select_row(model, row);
        }
        Target::Run(run) => {
            let runs = model.state().runs();
            let Some(place) = runs.iter().rev().position(|record| record.started.event.run == run) else {
                return;
            };
            show(model, Screen::Training);
            model.runs.selected = place;
        }
        Target::Frame(seq) => {
            let Some(record) = model.state().transactions().of_seq(seq) else { return };
            let first = record.first_seq;
            show(model, Screen::Timeline);
            model.timeline.filter.clear();
            model.timeline.anchor = Some(first);
            super::follow::timeline(model);
        }
    }
    model.in_detail = false;
    model.detail = Default::default();
}

/// Selects an image, and shows all when the filter hides it.
pub(super) fn select_row(model: &mut Model, row: u32) {
    model.images.row = row;
    if model.images.rows.row(model.images.rows.place(row)) != Some(row) {
        model.images.filter = Default::default();
        model.images.filter_text.clear();
        // A search under way would bring the filter back.
        model.images.generation += 1;
        model.images.searching = false;
        model.images.rows = crate::image_list::Rows::All(model.state().image_count());
    }
    model.images.cursor.selected = model.images.rows.place(row);
}

/// One step out: of the detail, of what was picked, of the filter, of the past
/// no: that is `now`.
pub(super) fn back(model: &mut Model) {
    if model.zoomed {
        model.zoomed = false;
    } else if model.in_detail {
        model.in_detail = false;
    } else if model.screen == Screen::Review {
        model.review.range = None;
        model.review.group = false;
    } else if model.screen == Screen::Images {
        model.images.range = None;
        model.images.picked.clear();
    }
}

/// Selects what was clicked.
pub(super) fn click(model: &mut Model, x: u16, y: u16) {
    if model.overlay.is_some() {
        return;
    }
    let areas = layout::areas(model);
    let at = ratatui::layout::Position { x, y };
    let tiles = tiles::galleries(model).into_iter().flat_map(|gallery| gallery.tiles);
    let mut hit = tiles.filter(|tile| tile.area.contains(at) || tile.caption().contains(at));
    if let Some(tile) = hit.next() {
        if model.screen == Screen::Images {
            model.in_detail = false;
            go(model, Target::Image(tile.image));
        }
    } else if layout::wall(model).is_some() && areas.list.contains(at) {
        // Between the tiles there is nothing.
    } else if areas.list.contains(at) {
        let place = model.cursor().offset + usize::from(y - areas.list.y);
        if place < model.list_len() {
            model.in_detail = false;
            model.cursor_mut().selected = place;
            selected(model);
        }
    } else if areas.detail.contains(at) {
        let place = model.detail.offset + usize::from(y - areas.detail.y);
        model.in_detail = true;
        model.detail.selected = place.min(detail::lines(model).len().saturating_sub(1));
    }
}

/// The selected submission.
pub(super) fn submission(model: &Model) -> Option<&SubmissionRecord> {
    model.state().submissions().iter().rev().nth(model.submissions.selected)
}
