//! Which pictures should be ready.

use safelight_lineage::digest::BlobId;

use crate::confirmation;
use crate::generators;
use crate::layout;
use crate::model::Model;
use crate::picture::PictureKey;
use crate::screen::Screen;
use crate::tiles::{Tile, galleries};

/// How many pictures after the selected one are made ahead.
const AHEAD: usize = 8;
/// How many before it.
const BEHIND: usize = 3;

/// The picture of what is selected, if there is room for one.
pub fn selected(model: &Model) -> Option<PictureKey> {
    let area = layout::areas(model).picture;
    let blob = blob(model)?;
    (area.width > 0 && area.height > 0).then_some(PictureKey { blob, width: area.width, height: area.height })
}

/// What the picture of the screen is of: the selected image, or what the
/// selected generator drew after the epoch that is shown.
pub fn blob(model: &Model) -> Option<BlobId> {
    match model.screen {
        Screen::Generators => generators::grid(model),
        _ => model.selected_image().map(|image| image.blob),
    }
}

/// The pictures that should be ready, the most urgent first.
pub fn pictures(model: &Model) -> Vec<PictureKey> {
    // Those of a question first: it waits for an answer.
    let asked = confirmation::pictured(model);
    let asked = asked.into_iter().flat_map(|pictured| pictured.tiles).map(|tile| tile.key());
    let mut keys: Vec<PictureKey> = asked.chain(selected(model)).collect();
    let mut want = |key: PictureKey| {
        if !keys.contains(&key) {
            keys.push(key);
        }
    };
    let mut tiles: Vec<Tile> = galleries(model).into_iter().flat_map(|gallery| gallery.tiles).collect();
    tiles.sort_by_key(|tile| !tile.selected);
    tiles.iter().for_each(|tile| want(tile.key()));
    let state = model.state();
    let image = |place: usize| match model.screen {
        Screen::Images => model.images.rows.row(place).and_then(|row| state.image_at(row as usize)),
        Screen::Review => model.findings().get(place).and_then(|finding| state.image(finding.image)),
        _ => None,
    };
    let place = model.cursor().selected;
    if let Some(wall) = layout::wall(model) {
        // The page after this one, and the line before it.
        let page = usize::from(wall.columns) * usize::from(wall.lines);
        let start = model.cursor().offset;
        let before = start.saturating_sub(usize::from(wall.columns))..start;
        let (width, height) = (wall.width - 1, wall.height - 1);
        for image in (start + page..start + 2 * page).chain(before).filter_map(image) {
            want(PictureKey { blob: image.blob, width, height });
        }
    }
    if let Some(first) = selected(model) {
        if model.screen == Screen::Generators {
            let grids = generators::grids_around(model, BEHIND);
            grids.into_iter().for_each(|blob| want(PictureKey { blob, ..first }));
        }
        let around = (place + 1..=place + AHEAD).chain((place.saturating_sub(BEHIND)..place).rev());
        for image in around.filter_map(image) {
            want(PictureKey { blob: image.blob, ..first });
        }
    }
    keys
}
