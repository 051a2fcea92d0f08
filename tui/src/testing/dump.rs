//! The screen as text with its colours, for snapshots.

use std::fmt::Write as _;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use crate::model::Model;
use crate::view;

/// Draws the model at its own size.
pub fn draw(model: &Model) -> Buffer {
    let mut terminal =
        Terminal::new(TestBackend::new(model.size.width, model.size.height)).expect("a terminal");
    terminal.draw(|frame| view::draw(model, frame)).expect("a drawing");
    terminal.backend().buffer().clone()
}

/// The text alone.
pub fn text(model: &Model) -> String {
    let buffer = draw(model);
    let area = buffer.area;
    let row = |y| (0..area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
    (0..area.height).map(row).collect::<Vec<_>>().join("\n")
}

/// The text, and below each line that has styles where they are: a letter a
/// style, explained at the end.
pub fn styled(model: &Model) -> String {
    let buffer = draw(model);
    let area = buffer.area;
    let mut styles: Vec<String> = Vec::new();
    let mut out = String::new();
    for y in 0..area.height {
        let cells: Vec<&Cell> = (0..area.width).map(|x| &buffer[(x, y)]).collect();
        let text: String = cells.iter().map(|cell| cell.symbol()).collect();
        let marks: String = cells
            .iter()
            .map(|cell| {
                let style = describe(cell);
                if style.is_empty() {
                    return ' ';
                }
                let place = styles.iter().position(|known| *known == style).unwrap_or_else(|| {
                    styles.push(style);
                    styles.len() - 1
                });
                char::from_digit(place as u32 % 36, 36).unwrap_or('?')
            })
            .collect();
        let _ = writeln!(out, "|{}", text.trim_end());
        if !marks.trim().is_empty() {
            let _ = writeln!(out, "^{}", marks.trim_end());
        }
    }
    for (place, style) in styles.iter().enumerate() {
        let _ = writeln!(out, "{} = {style}", char::from_digit(place as u32 % 36, 36).unwrap_or('?'));
    }
    out
}

fn describe(cell: &Cell) -> String {
    let mut words = Vec::new();
    if cell.fg != Color::Reset {
        words.push(cell.fg.to_string());
    }
    if cell.bg != Color::Reset {
        words.push(format!("on {}", cell.bg));
    }
    if cell.modifier != Modifier::empty() {
        words.push(format!("{:?}", cell.modifier));
    }
    words.join(" ")
}
