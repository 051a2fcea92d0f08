//! How a generator learned: curves of its steps, and its epochs as curves and as
//! a table.

use ratatui::text::Span;

use super::line::DetailLine;
use crate::chart::{Curve, chart};
use crate::generator_view::GeneratorEpochView;
use crate::layout;
use crate::model::Model;

/// The height of a plot, in lines.
const HEIGHT: usize = 5;
/// How many epochs the table names at most.
const ROWS: usize = 8;

/// Fréchet distance and diversity by epoch, then the figures of the steps.
pub(super) fn curves(
    model: &Model,
    epochs: &[GeneratorEpochView],
    shown: Option<u32>,
    steps: &[(&str, &[f64])],
    lines: &mut Vec<DetailLine>,
) {
    let here = epochs.iter().position(|epoch| Some(epoch.epoch) == shown);
    let of = |figure: fn(&GeneratorEpochView) -> Option<f64>| -> Vec<Option<f64>> {
        epochs.iter().map(figure).collect()
    };
    let by_epoch = [
        ("Fréchet distance by epoch", of(|epoch| epoch.frechet_distance)),
        ("diversity by epoch", of(|epoch| epoch.diversity)),
    ];
    let marks: Vec<usize> = here.into_iter().collect();
    for (name, values) in by_epoch {
        let last = values.iter().rev().find_map(|value| *value);
        curve(model, name, &joined(&values), last, &marks, lines);
    }
    for (name, values) in steps {
        curve(model, name, values, values.last().copied(), &[], lines);
    }
}

fn curve(
    model: &Model,
    name: &str,
    values: &[f64],
    last: Option<f64>,
    marks: &[usize],
    lines: &mut Vec<DetailLine>,
) {
    let theme = model.theme;
    let width = usize::from(layout::areas(model).detail.width);
    // One figure is no curve, but it is told.
    let rows = match values.iter().filter(|value| value.is_finite()).count() {
        0 => return,
        1 => Vec::new(),
        _ => chart(&[Curve { values, style: theme.good() }], marks, width, HEIGHT, theme.faint()),
    };
    lines.push(DetailLine::new("", theme.plain()));
    let last = last.map_or_else(String::new, |last| format!("  {last:.4}"));
    lines.push(DetailLine::spans(vec![
        Span::styled(name.to_owned(), theme.heading()),
        Span::styled(last, theme.good()),
    ]));
    lines.extend(rows.into_iter().map(|row| DetailLine::spans(row.spans)));
}

/// Straight lines between figures that were not measured after every epoch;
/// before the first and after the last there is nothing.
fn joined(values: &[Option<f64>]) -> Vec<f64> {
    let known: Vec<(usize, f64)> =
        values.iter().enumerate().filter_map(|(place, value)| Some((place, (*value)?))).collect();
    let mut joined = vec![f64::NAN; values.len()];
    for (place, value) in &known {
        joined[*place] = *value;
    }
    for pair in known.windows(2) {
        let [(from, one), (to, other)] = pair else { continue };
        for (place, value) in joined.iter_mut().enumerate().take(*to).skip(from + 1) {
            let share = (place - from) as f64 / (to - from) as f64;
            *value = one + (other - one) * share;
        }
    }
    joined
}

/// The figures of some epochs, evenly apart, the shown one among them.
pub(super) fn table(
    model: &Model,
    epochs: &[GeneratorEpochView],
    shown: Option<u32>,
    lines: &mut Vec<DetailLine>,
) {
    let measured = |epoch: &GeneratorEpochView| {
        epoch.critic_distance.is_some() || epoch.diversity.is_some() || epoch.frechet_distance.is_some()
    };
    if !epochs.iter().any(measured) {
        return;
    }
    let theme = model.theme;
    lines.push(DetailLine::new("", theme.plain()));
    let heading = format!("  {:>5} {:>9} {:>9} {:>9}", "epoch", "critic", "diversity", "Fréchet");
    lines.push(DetailLine::new(heading, theme.heading()));
    let here = epochs.iter().position(|epoch| Some(epoch.epoch) == shown);
    for place in places(epochs.len(), here) {
        let epoch = &epochs[place];
        let figure = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"));
        let words = format!(
            "{} {:>5} {:>9} {:>9} {:>9}{}",
            if Some(place) == here { "▸" } else { " " },
            epoch.epoch,
            figure(epoch.critic_distance),
            figure(epoch.diversity),
            figure(epoch.frechet_distance),
            if epoch.collapsed { "  collapsed" } else { "" }
        );
        let style = match (epoch.collapsed, Some(place) == here) {
            (true, _) => theme.bad(),
            (false, true) => theme.name(),
            (false, false) => theme.plain(),
        };
        lines.push(DetailLine::new(words, style));
    }
}

/// Places evenly apart, from the first to the last, and one more.
fn places(len: usize, here: Option<usize>) -> Vec<usize> {
    let mut places: Vec<usize> = if len <= ROWS {
        (0..len).collect()
    } else {
        (0..ROWS).map(|nth| nth * (len - 1) / (ROWS - 1)).collect()
    };
    places.extend(here);
    places.sort_unstable();
    places.dedup();
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_measured_lies_on_a_line_between() {
        let joined = joined(&[None, Some(1.0), None, None, Some(4.0), None]);
        assert_eq!(joined[1..5], [1.0, 2.0, 3.0, 4.0]);
        assert!(joined[0].is_nan() && joined[5].is_nan());
    }

    #[test]
    fn the_table_names_the_ends_and_the_shown_epoch() {
        assert_eq!(places(3, Some(1)), [0, 1, 2]);
        assert_eq!(places(0, None), [0usize; 0]);
        let many = places(100, Some(98));
        assert_eq!((many.len(), many[0], many[7], many[8]), (ROWS + 1, 0, 98, 99));
    }
}
