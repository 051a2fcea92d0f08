//! Where things are on the screen. A function of the model, so that `update`
//! knows how much is visible and `view` draws it there.

use ratatui::layout::Rect;

use crate::image_list::TILE_WIDTHS;
use crate::model::Model;
use crate::screen::Screen;
use crate::wanted;

/// The narrowest terminal in which list and detail are side by side.
const SPLIT_WIDTH: u16 = 60;

/// The parts of the screen; those without room are empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Areas {
    /// The names of the screens.
    pub tabs: Rect,
    /// The banner of the past.
    pub banner: Rect,
    /// The heading of the list.
    pub heading: Rect,
    /// The list.
    pub list: Rect,
    /// The line between list and detail.
    pub rule: Rect,
    /// The picture.
    pub picture: Rect,
    /// Small pictures beside or below the picture.
    pub gallery: Rect,
    /// The lines of the detail.
    pub detail: Rect,
    /// The line at the bottom.
    pub status: Rect,
}

/// Where things are.
pub fn areas(model: &Model) -> Areas {
    let mut rest = Rect::new(0, 0, model.size.width, model.size.height);
    let mut areas = Areas::default();
    // The line at the bottom first: it says what goes wrong.
    if rest.height > 1 {
        rest.height -= 1;
        areas.status = Rect { y: rest.height, height: 1, ..rest };
    }
    if rest.height > 2 {
        areas.tabs = top(&mut rest, 1);
    }
    if model.past.is_some() && rest.height > 1 {
        areas.banner = top(&mut rest, 1);
    }
    if model.zoomed && is_pictured(model) {
        // A few lines say what it is.
        let height = rest.height - rest.height.min(rest.height / 5 + 1);
        areas.picture = top(&mut rest, height);
        areas.detail = rest;
        return areas;
    }
    if rest.width >= SPLIT_WIDTH {
        let list = rest.width * list_share(model) / 100;
        areas.rule = Rect { x: rest.x + list, width: 1, ..rest };
        areas.list = Rect { width: list, ..rest };
        areas.detail = Rect { x: rest.x + list + 2, width: rest.width - list - 2, ..rest };
    } else if model.in_detail {
        areas.detail = rest;
    } else {
        areas.list = rest;
    }
    if areas.list.height > 4 {
        areas.heading = top(&mut areas.list, 1);
    }
    if is_pictured(model) && areas.detail.height >= 6 {
        pictures(model, &mut areas);
    }
    areas
}

/// Takes room for pictures from the detail.
fn pictures(model: &Model, areas: &mut Areas) {
    let whole = areas.detail.height;
    let height = match model.screen {
        Screen::Ensembles if whole < 20 => return,
        Screen::Ensembles => whole / 3,
        // There is more to read here than in a review.
        Screen::Images => whole / 2,
        _ => whole * 3 / 5,
    };
    areas.picture = top(&mut areas.detail, height);
    // A free line below the picture.
    areas.picture.height -= 1;
    match model.screen {
        Screen::Review if areas.picture.width >= 44 && areas.picture.height >= 8 => {
            let width = areas.picture.width * 2 / 5;
            areas.picture.width -= width + 1;
            areas.gallery = Rect { x: areas.picture.right() + 1, width, ..areas.picture };
        }
        Screen::Images if model.abilities.likeness && whole >= 24 && areas.picture.width >= 20 => {
            areas.gallery = top(&mut areas.detail, 6);
            areas.gallery.height -= 1;
        }
        _ => {}
    }
}

fn is_pictured(model: &Model) -> bool {
    model.abilities.pictures
        && match model.screen {
            Screen::Images | Screen::Review | Screen::Ensembles => true,
            Screen::Generators => wanted::blob(model).is_some(),
            _ => false,
        }
}

/// A wall of pictures in place of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wall {
    /// Tiles side by side.
    pub columns: u16,
    /// Lines of tiles.
    pub lines: u16,
    /// Cells to the right of a tile, with the gap behind it.
    pub width: u16,
    /// Cells down of a tile, with the line of words below it.
    pub height: u16,
}

/// The wall of the images screen, when it is chosen and at least one tile fits.
pub fn wall(model: &Model) -> Option<Wall> {
    if model.screen != Screen::Images || !model.images.wall || !model.abilities.pictures {
        return None;
    }
    let room = areas(model).list;
    let width = TILE_WIDTHS[model.images.tile.min(TILE_WIDTHS.len() - 1)].min(room.width);
    // Cells are twice as high as wide, pictures about square.
    let height = (width / 2 + 1).min(room.height);
    (width >= 4 && height >= 2).then(|| Wall {
        columns: room.width / width,
        lines: room.height / height,
        width,
        height,
    })
}

fn list_share(model: &Model) -> u16 {
    match model.screen {
        Screen::Timeline => 50,
        Screen::Images if model.images.wall && model.abilities.pictures => 62,
        Screen::Images | Screen::Jobs => 45,
        Screen::Review => 35,
        Screen::Training | Screen::Generators | Screen::Ensembles | Screen::Submissions => 40,
    }
}

fn top(rest: &mut Rect, height: u16) -> Rect {
    let taken = Rect { height: height.min(rest.height), ..*rest };
    rest.y += taken.height;
    rest.height -= taken.height;
    taken
}
