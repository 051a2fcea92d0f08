//! The square that a scene is painted on, larger than the finished picture so
//! that it can be turned a little, cropped and smoothed.

use super::colour::Rgb;

/// Edge of the canvas in its own pixels.
pub(super) const CANVAS_EDGE: usize = 208;

/// A point: x to the right, y downwards, the canvas is from 0 to 1.
pub(super) type Point = (f32, f32);

/// Colours being painted.
pub(super) struct Canvas {
    pixels: Vec<Rgb>,
}

/// The first and last pixel row or column that an extent touches.
fn span(low: f32, high: f32) -> std::ops::Range<usize> {
    let edge = CANVAS_EDGE as f32;
    let first = (low * edge - 0.5).ceil().clamp(0.0, edge);
    let last = (high * edge + 0.5).floor().clamp(0.0, edge);
    first as usize..last as usize
}

/// The middle of a pixel row or column.
fn centre(place: usize) -> f32 {
    (place as f32 + 0.5) / CANVAS_EDGE as f32
}

impl Canvas {
    /// A black canvas.
    pub(super) fn new() -> Self {
        Canvas { pixels: vec![[0.0; 3]; CANVAS_EDGE * CANVAS_EDGE] }
    }

    /// The colour of a pixel; places outside count as the nearest one inside.
    pub(super) fn at(&self, x: isize, y: isize) -> Rgb {
        let last = CANVAS_EDGE as isize - 1;
        self.pixels[y.clamp(0, last) as usize * CANVAS_EDGE + x.clamp(0, last) as usize]
    }

    /// Repaints every pixel from its place and colour.
    pub(super) fn shade(&mut self, paint: impl Fn(f32, f32, Rgb) -> Rgb) {
        self.shade_in((0.0, 0.0), (1.0, 1.0), paint);
    }

    /// Repaints the pixels of a rectangle from their places and colours.
    pub(super) fn shade_in(&mut self, low: Point, high: Point, paint: impl Fn(f32, f32, Rgb) -> Rgb) {
        for row in span(low.1, high.1) {
            for column in span(low.0, high.0) {
                let pixel = &mut self.pixels[row * CANVAS_EDGE + column];
                *pixel = paint(centre(column), centre(row), *pixel);
            }
        }
    }

    /// Repaints the inside of a polygon (even-odd) from places and colours.
    pub(super) fn polygon(&mut self, corners: &[Point], paint: impl Fn(f32, f32, Rgb) -> Rgb) {
        let bound = |pick: fn(&Point) -> f32| {
            corners.iter().map(pick).fold((f32::MAX, f32::MIN), |(low, high), v| (low.min(v), high.max(v)))
        };
        let ((left, right), (top, bottom)) = (bound(|p| p.0), bound(|p| p.1));
        self.shade_in((left, top), (right, bottom), |x, y, old| {
            let mut inside = false;
            let mut before = corners[corners.len() - 1];
            for &corner in corners {
                if (corner.1 > y) != (before.1 > y)
                    && x < (before.0 - corner.0) * (y - corner.1) / (before.1 - corner.1) + corner.0
                {
                    inside = !inside;
                }
                before = corner;
            }
            if inside { paint(x, y, old) } else { old }
        });
    }

    /// Fills a rectangle with one colour.
    pub(super) fn rect(&mut self, low: Point, high: Point, colour: Rgb) {
        self.shade_in(low, high, |_, _, _| colour);
    }

    /// Fills an ellipse from places and colours.
    pub(super) fn ellipse(&mut self, centre: Point, radii: Point, paint: impl Fn(f32, f32, Rgb) -> Rgb) {
        let low = (centre.0 - radii.0, centre.1 - radii.1);
        let high = (centre.0 + radii.0, centre.1 + radii.1);
        self.shade_in(low, high, |x, y, old| {
            let (dx, dy) = ((x - centre.0) / radii.0, (y - centre.1) / radii.1);
            if dx * dx + dy * dy < 1.0 { paint(x, y, old) } else { old }
        });
    }

    /// Draws a straight stroke that is `from_width` wide at its start and
    /// `to_width` at its end.
    pub(super) fn stroke(&mut self, from: Point, to: Point, from_width: f32, to_width: f32, colour: Rgb) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = (dx * dx + dy * dy).sqrt().max(1e-4);
        let across = (-dy / length * 0.5, dx / length * 0.5);
        self.polygon(
            &[
                (from.0 + across.0 * from_width, from.1 + across.1 * from_width),
                (to.0 + across.0 * to_width, to.1 + across.1 * to_width),
                (to.0 - across.0 * to_width, to.1 - across.1 * to_width),
                (from.0 - across.0 * from_width, from.1 - across.1 * from_width),
            ],
            |_, _, _| colour,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_stay_on_the_canvas_and_cover_their_area() {
        let mut canvas = Canvas::new();
        canvas.polygon(&[(-1.0, -1.0), (0.5, -1.0), (0.5, 2.0), (-1.0, 2.0)], |_, _, _| [1.0; 3]);
        let edge = CANVAS_EDGE as isize;
        assert_eq!(canvas.at(0, 0), [1.0; 3]);
        assert_eq!(canvas.at(edge / 2 - 1, edge - 1), [1.0; 3]);
        assert_eq!(canvas.at(edge / 2, 0), [0.0; 3]);
        canvas.ellipse((0.75, 0.5), (0.1, 0.1), |_, _, _| [0.5; 3]);
        let covered = canvas.pixels.iter().filter(|pixel| pixel[0] == 0.5).count();
        let expected = std::f32::consts::PI * 0.01 * (CANVAS_EDGE * CANVAS_EDGE) as f32;
        assert!((covered as f32 - expected).abs() < expected * 0.03, "{covered} {expected}");
    }
}
