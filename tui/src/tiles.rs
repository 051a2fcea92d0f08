//! Small pictures with words below them: the wall of the images screen, images
//! that look alike, and images that show what a class is.

use ratatui::layout::Rect;
use ratatui::style::Style;
use safelight_lineage::digest::BlobId;
use safelight_lineage::event::Origin;
use safelight_lineage::id::ImageId;
use safelight_lineage::state::ImageView;
use safelight_lineage::value::ClassIndex;

use crate::event_text::label;
use crate::layout::{self, Wall};
use crate::model::Model;
use crate::picture::PictureKey;
use crate::screen::Screen;
use crate::text::cut;

/// Cells to the right of a tile in a gallery of neighbours.
const NEIGHBOUR: u16 = 10;

/// A small picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Tile {
    /// The image.
    pub image: ImageId,
    /// Its bytes.
    pub blob: BlobId,
    /// Where the picture is.
    pub area: Rect,
    /// Whether it is the selected one.
    pub selected: bool,
    /// What stands below it, in which style.
    pub words: Option<(String, Style)>,
}

impl Tile {
    /// Its picture.
    pub fn key(&self) -> PictureKey {
        PictureKey { blob: self.blob, width: self.area.width, height: self.area.height }
    }

    /// The line below the picture.
    pub fn caption(&self) -> Rect {
        Rect { y: self.area.bottom(), height: 1, ..self.area }
    }
}

/// Tiles that belong together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Gallery {
    /// What stands above them, and where.
    pub title: Option<(Rect, String)>,
    /// The tiles.
    pub tiles: Vec<Tile>,
}

/// Everything of that kind on the screen.
pub fn galleries(model: &Model) -> Vec<Gallery> {
    if !model.abilities.pictures {
        return Vec::new();
    }
    match model.screen {
        Screen::Images => {
            let wall = layout::wall(model).map(|wall| of_the_wall(model, wall));
            wall.into_iter().chain([neighbours(model)]).collect()
        }
        Screen::Review => exemplars(model),
        _ => Vec::new(),
    }
}

fn of_the_wall(model: &Model, wall: Wall) -> Gallery {
    let room = layout::areas(model).list;
    let theme = model.theme;
    let cursor = model.images.cursor;
    let page = usize::from(wall.columns) * usize::from(wall.lines);
    let tiles = cursor.window(model.images.rows.len(), page).enumerate().filter_map(|(nth, place)| {
        let row = model.images.rows.row(place)?;
        let image = model.state().image_at(row as usize)?;
        let (column, line) = (nth as u16 % wall.columns, nth as u16 / wall.columns);
        let area = Rect {
            x: room.x + column * wall.width,
            y: room.y + line * wall.height,
            width: wall.width - 1,
            height: wall.height - 1,
        };
        let mark = if crate::picked::holds(model, place, row) { "●" } else { "" };
        let words = format!("{mark}{}{}", flag(&image), label(model.state(), image.label));
        let style = if image.present { theme.name() } else { theme.undone() };
        let words = Some((cut(&words, usize::from(area.width)), style));
        Some(Tile { image: image.id, blob: image.blob, area, selected: place == cursor.selected, words })
    });
    Gallery { title: None, tiles: tiles.collect() }
}

/// What is special about an image, in a character; empty for most.
pub fn flag(image: &ImageView<'_>) -> &'static str {
    if image.removed {
        "✗"
    } else if !image.present {
        "–"
    } else if image.origin != Origin::File {
        "g"
    } else if image.changed {
        "~"
    } else {
        ""
    }
}

fn neighbours(model: &Model) -> Gallery {
    let room = layout::areas(model).gallery;
    let past = model.past.as_ref().map(|past| past.seq);
    let Some(image) = model.selected_image().filter(|_| room.height >= 2) else { return Gallery::default() };
    let Some(Ok(found)) = model.judged.neighbours.get(&(image.id, past)) else { return Gallery::default() };
    let (state, theme) = (model.state(), model.theme);
    let tiles = found.images.iter().filter_map(|(id, _)| state.image(*id)).zip(0..room.width / NEIGHBOUR);
    let tiles = tiles.map(|(other, nth)| Tile {
        image: other.id,
        blob: other.blob,
        area: Rect { x: room.x + nth * NEIGHBOUR, width: NEIGHBOUR - 1, height: room.height - 1, ..room },
        selected: false,
        words: Some((
            cut(&label(state, other.label), usize::from(NEIGHBOUR - 1)),
            if other.label == image.label { theme.faint() } else { theme.warning() },
        )),
    });
    Gallery { title: None, tiles: tiles.collect() }
}

/// Images of the class that the image is labelled as, and of the one that is
/// suggested.
fn exemplars(model: &Model) -> Vec<Gallery> {
    let room = layout::areas(model).gallery;
    let (Some(finding), Some(image)) = (model.finding(), model.selected_image()) else { return Vec::new() };
    if room.height < 8 {
        return Vec::new();
    }
    let mut classes: Vec<(ClassIndex, &str)> = image.label.map(|class| (class, "now")).into_iter().collect();
    if let Some(suggested) = finding.suggestion.filter(|class| Some(*class) != image.label) {
        classes.push((suggested, "suggested"));
    }
    let height = room.height / 2;
    let galleries = classes.into_iter().zip([room.y, room.y + height]).map(|((class, what), y)| {
        let part = Rect { y, height, ..room };
        let title = format!("{} · {what}", label(model.state(), Some(class)));
        Gallery {
            title: Some((Rect { height: 1, ..part }, cut(&title, usize::from(part.width)))),
            tiles: of_class(model, class, image.id, Rect { y: y + 1, height: height - 1, ..part }),
        }
    });
    galleries.collect()
}

/// Tiles of a class, as many as fit side by side.
fn of_class(model: &Model, class: ClassIndex, besides: ImageId, room: Rect) -> Vec<Tile> {
    let state = model.state();
    let Some(known) = model.judged.known() else { return Vec::new() };
    let Some(rows) = known.exemplars.get(usize::from(class.0)) else { return Vec::new() };
    let width = (room.height * 2).min(room.width);
    // The labels may have changed since these were found.
    let images = rows.iter().filter_map(|row| state.image_at(*row as usize));
    let images = images.filter(|other| other.present && other.label == Some(class) && other.id != besides);
    let tiles = images.zip(0..room.width / width.max(1)).map(|(other, nth)| Tile {
        image: other.id,
        blob: other.blob,
        area: Rect { x: room.x + nth * width, width: width - 1, height: room.height, ..room },
        selected: false,
        words: None,
    });
    tiles.collect()
}
