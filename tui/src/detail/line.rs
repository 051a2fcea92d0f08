//! One line of the detail.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use safelight_lineage::id::{ImageId, RunId};
use safelight_lineage::value::Seq;

/// What a line leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// An image.
    Image(ImageId),
    /// A run.
    Run(RunId),
    /// The frame that holds the event at this Seq.
    Frame(Seq),
}

/// One line of the detail.
#[derive(Debug, Clone, PartialEq)]
pub struct DetailLine {
    /// What it says.
    pub line: Line<'static>,
    /// What it leads to.
    pub target: Option<Target>,
}

impl DetailLine {
    /// A line of one style.
    pub fn new(text: impl Into<String>, style: Style) -> DetailLine {
        DetailLine { line: Line::styled(text.into(), style), target: None }
    }

    /// A line of several.
    pub fn spans(spans: Vec<Span<'static>>) -> DetailLine {
        DetailLine { line: Line::from(spans), target: None }
    }

    /// The line with something that it leads to.
    pub fn to(self, target: Target) -> DetailLine {
        DetailLine { target: Some(target), ..self }
    }

    /// A name in twelve cells, and its value.
    pub fn fact(name: &str, value: impl Into<String>, faint: Style) -> DetailLine {
        DetailLine::spans(vec![Span::styled(format!("{name:<12}"), faint), Span::raw(value.into())])
    }
}
