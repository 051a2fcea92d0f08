//! Where the pictures are that a question is about. A function of the model, so
//! that they are asked for and drawn alike.

use ratatui::layout::Rect;
use safelight_lineage::decide::Command;
use safelight_lineage::event::{Decision, Event};
use safelight_lineage::id::ImageId;
use safelight_lineage::value::ClassIndex;

use crate::event_text::label;
use crate::model::Model;
use crate::overlay::{Consequence, Overlay};
use crate::text::{counted, cut, wrap};
use crate::tiles::Tile;

/// How wide tiles can be, with the gap behind them: the widest of which all fit,
/// or else the narrowest.
const WIDTHS: [u16; 4] = [32, 24, 16, 10];
/// In less room than this the question stands alone.
const ROOM: (u16, u16) = (40, 12);
/// More pictures fit on no terminal.
const MOST: usize = 2_000;

/// A question with its pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct Pictured {
    /// The window.
    pub window: Rect,
    /// The lines of the question, and where they begin.
    pub question: (Rect, Vec<String>),
    /// The pictures that fit.
    pub tiles: Vec<Tile>,
    /// What is said of those that do not; empty when all do.
    pub more: String,
    /// Where that and the answers are.
    pub answers: Rect,
}

/// The question that is open, with the pictures it is about; none where it is
/// about none, pictures are off, or there is no room.
pub fn pictured(model: &Model) -> Option<Pictured> {
    let Some(Overlay::Confirm(confirm)) = &model.overlay else { return None };
    let room = Rect::new(0, 0, model.size.width, model.size.height);
    if !model.abilities.pictures || room.width < ROOM.0 || room.height < ROOM.1 {
        return None;
    }
    let (total, first) = images(model, &confirm.consequence);
    let state = model.newest();
    let shown: Vec<_> = first.iter().filter_map(|(id, after)| Some((state.image(*id)?, *after))).collect();
    if shown.is_empty() {
        return None;
    }
    let most = Rect { x: room.x + 2, y: room.y + 1, width: room.width - 4, height: room.height - 2 };
    let inner_width = most.width - 2;
    let question = wrap(&confirm.question, usize::from(inner_width));
    let above = question.len() as u16 + 1;
    // Frame, question and a free line, and the answers with a free line before.
    let free = most.height.checked_sub(2 + above + 2).filter(|free| *free >= tile_height(WIDTHS[3]))?;
    let fits = |width: u16| {
        let (columns, lines) = (inner_width / width, free / tile_height(width));
        usize::from(columns) * usize::from(lines)
    };
    let width = WIDTHS.into_iter().find(|width| fits(*width) >= total).unwrap_or(WIDTHS[3]);
    let count = fits(width).min(shown.len());
    let columns = (inner_width / width).min(count as u16).max(1);
    let lines = (count as u16).div_ceil(columns);
    let longest = question.iter().map(|line| crate::text::width(line)).max().unwrap_or(0) as u16;
    let wide = (columns * width).max(longest).max(30).min(inner_width) + 2;
    let high = 2 + above + lines * tile_height(width) + 2;
    let window = Rect {
        x: room.x + (room.width - wide) / 2,
        y: room.y + (room.height - high) / 3,
        width: wide,
        height: high,
    };
    let inner = Rect { x: window.x + 1, y: window.y + 1, width: wide - 2, height: high - 2 };
    let tiles = shown.iter().take(count).zip(0u16..).map(|((image, after), nth)| {
        let style = if after.is_none() { model.theme.faint() } else { model.theme.name() };
        let words = match after {
            None => label(state, image.label),
            Some(after) => after.words(model, image.label, usize::from(width - 1)),
        };
        Tile {
            image: image.id,
            blob: image.blob,
            area: Rect {
                x: inner.x + nth % columns * width,
                y: inner.y + above + nth / columns * tile_height(width),
                width: width - 1,
                height: tile_height(width) - 1,
            },
            selected: false,
            words: Some((cut(&words, usize::from(width - 1)), style)),
        }
    });
    let left = total.saturating_sub(count) as u64;
    Some(Pictured {
        window,
        question: (Rect { height: above, ..inner }, question),
        tiles: tiles.collect(),
        more: if left > 0 { format!("and {}  ", counted(left, "more", "more")) } else { String::new() },
        answers: Rect { y: inner.bottom() - 1, height: 1, ..inner },
    })
}

/// Cells are twice as high as wide; a line below says what comes of it.
fn tile_height(width: u16) -> u16 {
    width / 2 + 1
}

/// What an image becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    Label(ClassIndex),
    Out,
}

impl After {
    /// What it is and becomes; in less than so many cells, what it becomes.
    fn words(self, model: &Model, now: Option<ClassIndex>, cells: usize) -> String {
        let state = model.newest();
        let new = match self {
            After::Out => "out".to_owned(),
            After::Label(new) if now == Some(new) => return label(state, now),
            After::Label(new) => label(state, Some(new)),
        };
        let whole = format!("{} → {new}", label(state, now));
        if crate::text::width(&whole) <= cells { whole } else { format!("→ {new}") }
    }
}

/// How many images a yes changes or decides, and the first of them: what each
/// becomes, none for one that stays.
fn images(model: &Model, consequence: &Consequence) -> (usize, Vec<(ImageId, Option<After>)>) {
    match consequence {
        Consequence::Decide { decisions, .. } => {
            let after = |decision| match decision {
                Decision::Relabelled { label } => Some(After::Label(label)),
                Decision::Removed => Some(After::Out),
                Decision::Kept | Decision::Skipped => None,
            };
            let first = decisions.iter().take(MOST).map(|(image, decision)| (*image, after(*decision)));
            (decisions.len(), first.collect())
        }
        Consequence::Execute(commands) => {
            let gone: Vec<ImageId> = commands.iter().flat_map(|command| expelled(model, command)).collect();
            if !gone.is_empty() {
                let first = gone.iter().take(MOST).map(|image| (*image, Some(After::Out)));
                return (gone.len(), first.collect());
            }
            let Some((images, after)) = commands.iter().find_map(|command| of(model, command)) else {
                return (0, Vec::new());
            };
            (images.len(), images.iter().take(MOST).map(|image| (*image, after)).collect())
        }
        Consequence::CancelJob(_) | Consequence::Start(_) => (0, Vec::new()),
    }
}

/// The samples in the dataset that a command takes out.
fn expelled(model: &Model, command: &Command) -> Vec<ImageId> {
    let Command::Record(event) = command else { return Vec::new() };
    let Event::SamplesExpelled(expelled) = event.as_ref() else { return Vec::new() };
    let Some(batch) = model.newest().samples().get(expelled.samples) else { return Vec::new() };
    crate::generators::images_there(model.newest(), batch)
}

/// The images of a command, and what they become.
fn of<'a>(model: &Model, command: &'a Command) -> Option<(&'a [ImageId], Option<After>)> {
    match command {
        Command::Remove { images, .. } => Some((images, Some(After::Out))),
        Command::Restore { images, .. } => Some((images, None)),
        Command::Relabel { images, label, .. } => {
            let place = model.newest().classes().iter().position(|class| Some(class) == label.as_ref());
            Some((images, place.map(|place| After::Label(ClassIndex(place as u16)))))
        }
        _ => None,
    }
}
