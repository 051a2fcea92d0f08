//! Where things are on the screen. A function of the model, so that `update`
//! knows how much is visible and `view` draws it there.

use ratatui::layout::Rect;

use crate::model::Model;
use crate::screen::Screen;

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
    if rest.width >= SPLIT_WIDTH {
        let list = rest.width * list_share(model.screen) / 100;
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
    let pictured = matches!(model.screen, Screen::Images | Screen::Review);
    if pictured && model.abilities.pictures && areas.detail.height >= 6 {
        let height = areas.detail.height * 3 / 5;
        areas.picture = top(&mut areas.detail, height);
        // A free line below the picture.
        areas.picture.height -= 1;
    }
    areas
}

fn list_share(screen: Screen) -> u16 {
    match screen {
        Screen::Timeline => 50,
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
