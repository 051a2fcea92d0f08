//! Curves with a scale, several in one picture, made of Braille.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// One curve.
#[derive(Debug, Clone, Copy)]
pub struct Curve<'a> {
    /// Its values, evenly spaced; those that are not numbers leave gaps.
    pub values: &'a [f64],
    /// How it is drawn; where two meet, the first is.
    pub style: Style,
}

/// The cells of the scale at the left.
const SCALE: usize = 10;

/// Curves over the length of the longest as `height` rows of `width` cells: at
/// the left the greatest and the least value, and faint lines where `marks`
/// are. A column that stands for several values spans from the least to the
/// greatest of them, so that spikes stay; between few values lines are drawn.
pub fn chart(
    curves: &[Curve<'_>],
    marks: &[usize],
    width: usize,
    height: usize,
    faint: Style,
) -> Vec<Line<'static>> {
    let finite = curves.iter().flat_map(|curve| curve.values).copied().filter(|value| value.is_finite());
    let (low, high) =
        finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), it| (low.min(it), high.max(it)));
    let longest = curves.iter().map(|curve| curve.values.len()).max().unwrap_or(0);
    if low > high || height == 0 || width <= SCALE {
        return Vec::new();
    }
    let cells = width - SCALE;
    let mut canvas: Vec<Vec<(u8, Option<Style>)>> = vec![vec![(0, None); cells]; height];
    for curve in curves {
        draw(&mut canvas, curve, longest, (low, high));
    }
    let marked: Vec<usize> = marks
        .iter()
        .filter(|mark| **mark > 0 && **mark < longest)
        .map(|mark| mark * cells / longest)
        .collect();
    let label = |row: usize| match row {
        0 => number(high),
        row if row + 1 == height => number(low),
        _ => String::new(),
    };
    let line = |(row, dots): (usize, &Vec<(u8, Option<Style>)>)| {
        let mut spans = vec![Span::styled(format!("{:>width$} ", label(row), width = SCALE - 1), faint)];
        for (column, (mask, style)) in dots.iter().enumerate() {
            let (c, style) = match style {
                None if marked.contains(&column) => ('┊', faint),
                None => (' ', Style::new()),
                Some(style) => (char::from_u32(0x2800 + u32::from(*mask)).unwrap_or(' '), *style),
            };
            match spans.last_mut().filter(|span| span.style == style) {
                Some(span) => span.content.to_mut().push(c),
                None => spans.push(Span::styled(c.to_string(), style)),
            }
        }
        Line::from(spans)
    };
    canvas.iter().enumerate().map(line).collect()
}

fn draw(canvas: &mut [Vec<(u8, Option<Style>)>], curve: &Curve<'_>, longest: usize, (low, high): (f64, f64)) {
    let points = canvas.len() * 4;
    let columns = canvas[0].len() * 2;
    let range = if high > low { high - low } else { 1.0 };
    let level = |value: f64| ((value - low) / range * (points - 1) as f64).round() as usize;
    let count = curve.values.len();
    for column in 0..columns {
        let (from, to) = (column * longest / columns, (column + 1) * longest / columns);
        let spanned = if to > from && longest > columns {
            let bucket = curve.values.get(from..to.min(count)).unwrap_or_default();
            let levels = || bucket.iter().filter(|value| value.is_finite()).map(|value| level(*value));
            levels().min().zip(levels().max())
        } else {
            // Fewer values than columns: on the straight line between two.
            let place = column as f64 * (longest.max(2) - 1) as f64 / (columns - 1) as f64;
            let before = (place.floor() as usize).min(count.saturating_sub(1));
            let after = (before + 1).min(count.saturating_sub(1));
            let inside = place <= count.saturating_sub(1) as f64 || longest == 1;
            let value = curve
                .values
                .get(before)
                .zip(curve.values.get(after))
                .map(|(one, other)| one + (other - one) * (place - before as f64).clamp(0.0, 1.0));
            value.filter(|value| inside && value.is_finite()).map(|value| (level(value), level(value)))
        };
        let Some((from, to)) = spanned else { continue };
        for point in from..=to.min(points - 1) {
            let from_top = points - 1 - point;
            let cell = &mut canvas[from_top / 4][column / 2];
            cell.0 |= crate::plot::dot(column % 2, from_top % 4);
            cell.1.get_or_insert(curve.style);
        }
    }
}

/// A number in at most nine characters.
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if (0.001..100_000.0).contains(&size) => {
            let text = format!("{value:.4}");
            text.get(..9).unwrap_or(&text).to_owned()
        }
        _ => format!("{value:.1e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(values: &[f64], marks: &[usize], width: usize, height: usize) -> Vec<String> {
        let curve = Curve { values, style: Style::new() };
        chart(&[curve], marks, width, height, Style::new()).iter().map(Line::to_string).collect()
    }

    #[test]
    fn spikes_stay_and_the_scale_names_them() {
        let mut values = vec![0.5; 10_000];
        values[5_000] = 7.0;
        let rows = text(&values, &[], 30, 3);
        assert!(rows[0].starts_with("   7.0000 "), "{rows:?}");
        assert!(rows[2].starts_with("   0.5000 "), "{rows:?}");
        assert_eq!(rows[0].chars().filter(|c| ('\u{2801}'..='\u{28ff}').contains(c)).count(), 1);
    }

    #[test]
    fn few_values_are_joined_and_marks_stand_between() {
        let rows = text(&[0.0, 1.0], &[1], 14, 2);
        let dots = |row: &str| row.chars().filter(|c| ('\u{2801}'..='\u{28ff}').contains(c)).count();
        assert_eq!(dots(&rows[0]) + dots(&rows[1]), 4, "{rows:?}");
        assert!(rows.iter().any(|row| row.contains('┊')), "{rows:?}");
    }

    #[test]
    fn odd_values_do_no_harm() {
        assert!(text(&[f64::NAN], &[], 30, 3).is_empty());
        assert!(text(&[], &[0, 1], 30, 3).is_empty());
        assert!(text(&[1.0], &[], 4, 3).is_empty());
        assert_eq!(text(&[1.0], &[], 30, 3).len(), 3);
        assert_eq!(text(&[1.0, f64::INFINITY, f64::NAN, 2.0], &[9], 12, 1).len(), 1);
    }

    #[test]
    fn curves_of_different_length_keep_their_pace() {
        let (long, short) = ([0.0; 100], [1.0; 50]);
        let plain = Style::new();
        let curves = [Curve { values: &long, style: plain }, Curve { values: &short, style: plain }];
        let rows = chart(&curves, &[], 30, 2, plain);
        let top = rows[0].to_string();
        assert_eq!(top.chars().filter(|c| ('\u{2801}'..='\u{28ff}').contains(c)).count(), 10, "{top}");
    }
}
