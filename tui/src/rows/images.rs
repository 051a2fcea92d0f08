//! Images.

use ratatui::text::{Line, Span};

use crate::event_text::label;
use crate::model::Model;
use crate::text::{counted, cut, cut_start, fit, safe};
use crate::tiles::flag;

pub(super) fn row(model: &Model, place: usize, width: usize) -> Option<Line<'static>> {
    let theme = model.theme;
    let row = model.images.rows.row(place)?;
    let image = model.state().image_at(row as usize)?;
    let picked = crate::picked::holds(model, place, row);
    let label_width = (width / 4).clamp(4, 14);
    let mark = if picked { '●' } else { ' ' };
    let flag = flag(&image);
    let style = if image.present { theme.plain() } else { theme.undone() };
    let mut spans = vec![
        Span::styled(mark.to_string(), theme.warning()),
        Span::styled(format!("{flag:<1} "), if image.present { theme.good() } else { theme.bad() }),
        Span::styled(fit(&label(model.state(), image.label), label_width), theme.name()),
        Span::raw(" "),
    ];
    if width >= 34 {
        spans.push(Span::styled(format!("{:<6}", image.split.name()), theme.faint()));
    }
    let known = model.judged.known().and_then(|known| known.opinions.of(row));
    if let Some((class, sure)) = known.filter(|_| width >= 44 && model.images.needs_opinions()) {
        let style =
            if image.label.is_none_or(|label| label == class) { theme.faint() } else { theme.warning() };
        let words = format!("{} {:>3.0}% ", fit(&label(model.state(), Some(class)), 8), sure * 100.0);
        spans.push(Span::styled(words, style));
    }
    let used: usize = spans.iter().map(Span::width).sum();
    // The end of a path says more than its start.
    spans.push(Span::styled(cut_start(&image.path_text(), width.saturating_sub(used)), style));
    Some(Line::from(spans))
}

pub(super) fn heading(model: &Model) -> String {
    let images = counted(model.images.rows.len() as u64, "image", "images");
    let picked = crate::picked::count(model);
    let mut heading = images;
    if !model.images.filter.is_empty() {
        heading = format!("{heading} · {}", cut(&safe(&model.images.filter_text), 60));
    }
    if !model.images.order.is_plain() {
        heading = format!("{heading} · {}", model.images.order.words());
    }
    if model.images.searching {
        heading.push_str(" · looking …");
    }
    if picked > 0 {
        heading = format!("{picked} selected of {heading}");
    }
    heading
}
