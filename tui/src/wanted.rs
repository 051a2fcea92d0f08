//! Which pictures should be ready.

use crate::layout;
use crate::model::Model;
use crate::picture::PictureKey;
use crate::screen::Screen;

/// How many pictures after the selected one are made ahead.
const AHEAD: usize = 8;
/// How many before it.
const BEHIND: usize = 3;

/// The picture of the selected image, if there is room for one.
pub fn selected(model: &Model) -> Option<PictureKey> {
    let area = layout::areas(model).picture;
    let image = model.selected_image()?;
    (area.width > 0 && area.height > 0).then_some(PictureKey {
        blob: image.blob,
        width: area.width,
        height: area.height,
    })
}

/// The pictures that should be ready, the most urgent first.
pub fn pictures(model: &Model) -> Vec<PictureKey> {
    let Some(first) = selected(model) else { return Vec::new() };
    let place = model.cursor().selected;
    let around = (place + 1..=place + AHEAD).chain((place.saturating_sub(BEHIND)..place).rev());
    let mut keys = vec![first];
    for place in around {
        let state = model.state();
        let image = match model.screen {
            Screen::Images => model.images.rows.row(place).and_then(|row| state.image_at(row as usize)),
            _ => model.findings().get(place).and_then(|finding| state.image(finding.image)),
        };
        if let Some(image) = image {
            let key = PictureKey { blob: image.blob, ..first };
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    keys
}
