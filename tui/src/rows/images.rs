//! Images.

use ratatui::text::{Line, Span};
use safelight_lineage::event::Origin;

use crate::event_text::label;
use crate::model::Model;
use crate::text::{counted, cut, cut_start, fit, safe};

pub(super) fn row(model: &Model, place: usize, width: usize) -> Option<Line<'static>> {
    let theme = model.theme;
    let row = model.images.rows.row(place)?;
    let image = model.state().image_at(row as usize)?;
    let (one, two) = (model.images.range, model.images.cursor.selected);
    let in_range = one
        .map(|row| model.images.rows.place(row))
        .is_some_and(|one| (one.min(two)..=one.max(two)).contains(&place));
    let picked = in_range || model.images.picked.contains(&row);
    let label_width = (width / 4).clamp(4, 14);
    let mark = if picked { '●' } else { ' ' };
    let flag = if image.removed {
        '✗'
    } else if !image.present {
        '–'
    } else if image.origin != Origin::File {
        'g'
    } else if image.changed {
        '~'
    } else {
        ' '
    };
    let style = if image.present { theme.plain() } else { theme.undone() };
    let mut spans = vec![
        Span::styled(mark.to_string(), theme.warning()),
        Span::styled(format!("{flag} "), if image.present { theme.good() } else { theme.bad() }),
        Span::styled(fit(&label(model.state(), image.label), label_width), theme.name()),
        Span::raw(" "),
    ];
    if width >= 34 {
        spans.push(Span::styled(format!("{:<6}", image.split.name()), theme.faint()));
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
    if model.images.searching {
        heading.push_str(" · looking …");
    }
    if picked > 0 {
        heading = format!("{picked} selected of {heading}");
    }
    heading
}
