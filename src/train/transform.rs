//! Draws the random change of one image: a projective map and a lighting curve.
//!
//! The distributions are those of fastai 2.8's `aug_transforms`
//! (`fastai/vision/augment.py`), and so is their order: flip, rotation and zoom
//! multiplied into one matrix, then the warp, then brightness and contrast on
//! the logits of the values. Two departures: pixels are addressed by their
//! centres (`align_corners=False`), so that a picture may be sampled from a
//! larger one, and lighting is applied before interpolation instead of after.

use safelight_lineage::id::ImageId;

use super::augmentation::Limits;
use super::keyed::Moment;
use super::trivial::{self, Choice, Colours};

/// A projective map of the plane, rows first.
pub type Matrix = [[f64; 3]; 3];

const IDENTITY: Matrix = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// What happens to one image in one epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transform {
    /// From places in the result to places in the square window of the source,
    /// both from −1 to 1 between the outer edges of the pixels.
    pub map: Matrix,
    /// Where the square window lies along the longer side of the source: 0 at
    /// its start, 1 at its end.
    pub window: f64,
    /// What is added to the logits of the values.
    pub brightness: f64,
    /// What the logits are multiplied by, after that.
    pub contrast: f64,
    /// A change of colours before all of that.
    pub colours: Option<Colours>,
}

impl Transform {
    /// No change, and the window in the middle: what validation sees.
    pub const PLAIN: Transform =
        Transform { map: IDENTITY, window: 0.5, brightness: 0.0, contrast: 1.0, colours: None };

    /// Draws the change of `image` at `moment`.
    pub fn draw(limits: &Limits, moment: Moment, image: ImageId) -> Transform {
        let rng = |operation| moment.draw(operation, image.as_bytes());
        let mut map = IDENTITY;
        if rng("flip").chance(limits.flip) {
            map[0][0] = -1.0;
        }
        let geometry = limits.geometry_chance;
        let mut rotation = rng("rotate");
        if limits.rotate > 0.0 && rotation.chance(geometry) {
            let (sin, cos) = rotation.between(-limits.rotate, limits.rotate).to_radians().sin_cos();
            map = product(&map, &[[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]]);
        }
        let mut zoom = rng("zoom");
        if limits.zoom > 1.0 && zoom.chance(geometry) {
            let scale = 1.0 / zoom.between(1.0, limits.zoom);
            let x = (1.0 - scale) * zoom.between(-1.0, 1.0);
            let y = (1.0 - scale) * zoom.between(-1.0, 1.0);
            map = product(&map, &[[scale, 0.0, x], [0.0, scale, y], [0.0, 0.0, 1.0]]);
        }
        let mut shift = rng("shift");
        if limits.shift > 0.0 {
            // The coordinates span 2 over the edge.
            map[0][2] += shift.between(-2.0, 2.0) * limits.shift;
            map[1][2] += shift.between(-2.0, 2.0) * limits.shift;
        }
        let mut warp = rng("warp");
        if limits.warp > 0.0 {
            let mut amount =
                || if warp.chance(geometry) { warp.between(-limits.warp, limits.warp) } else { 0.0 };
            let (x, y) = (amount(), amount());
            if (x, y) != (0.0, 0.0) {
                map = product(&perspective(x, y), &map);
            }
        }
        let mut colours = None;
        if limits.trivial {
            match trivial::draw(moment, image) {
                Choice::Identity => {}
                Choice::Geometry(change) => map = product(&map, &change),
                Choice::Colours(change) => colours = Some(change),
            }
        }
        let (mut bright, mut contrast) = (rng("brightness"), rng("contrast"));
        let lit = limits.lighting;
        Transform {
            map,
            window: rng("window").unit(),
            brightness: if lit > 0.0 && bright.chance(limits.lighting_chance) {
                let level = bright.between(0.5 * (1.0 - lit), 0.5 * (1.0 + lit));
                (level / (1.0 - level)).ln()
            } else {
                0.0
            },
            contrast: if lit > 0.0 && contrast.chance(limits.lighting_chance) {
                let span = -(1.0 - lit).ln();
                contrast.between(-span, span).exp()
            } else {
                1.0
            },
            colours,
        }
    }

    /// The lighting as a table: for each byte, the value it becomes, 0 to 1.
    pub fn curve(&self) -> [f32; 256] {
        std::array::from_fn(|byte| {
            let value = byte as f64 / 255.0;
            if self.brightness == 0.0 && self.contrast == 1.0 {
                return value as f32;
            }
            let value = value.clamp(1e-7, 1.0 - 1e-7);
            let logit = ((value / (1.0 - value)).ln() + self.brightness) * self.contrast;
            (1.0 / (1.0 + (-logit).exp())) as f32
        })
    }
}

fn product(left: &Matrix, right: &Matrix) -> Matrix {
    std::array::from_fn(|row| {
        std::array::from_fn(|column| (0..3).map(|inner| left[row][inner] * right[inner][column]).sum())
    })
}

/// The map that takes the corners of the square to where fastai's `Warp` with
/// these magnitudes puts them.
fn perspective(x: f64, y: f64) -> Matrix {
    let corners = [(-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0)];
    let targets = [(-1.0 - y, -1.0 - x), (-1.0 + y, 1.0 + x), (1.0 + y, -1.0 + x), (1.0 - y, 1.0 - x)];
    // u (g·x + h·y + 1) = a·x + b·y + c, and the same for v with d, e, f.
    let mut rows = [[0.0; 9]; 8];
    for (index, ((x, y), (u, v))) in corners.into_iter().zip(targets).enumerate() {
        rows[2 * index] = [x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, u];
        rows[2 * index + 1] = [0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, v];
    }
    let s = solve(rows);
    [[s[0], s[1], s[2]], [s[3], s[4], s[5]], [s[6], s[7], 1.0]]
}

/// Solves eight linear equations, the right sides in the last column, by
/// Gauss-Jordan elimination with partial pivoting.
fn solve(mut rows: [[f64; 9]; 8]) -> [f64; 8] {
    for column in 0..8 {
        let best = (column..8).max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()));
        rows.swap(column, best.unwrap_or(column));
        let pivot = rows[column];
        for (index, row) in rows.iter_mut().enumerate() {
            if index != column {
                let factor = row[column] / pivot[column];
                row.iter_mut().zip(&pivot).for_each(|(value, pivot)| *value -= factor * pivot);
            }
        }
    }
    std::array::from_fn(|index| rows[index][8] / rows[index][index])
}

#[cfg(test)]
mod tests {
    use super::super::augmentation::Preset;
    use super::*;

    fn apply(map: &Matrix, x: f64, y: f64) -> (f64, f64) {
        let row = |index: usize| map[index][0] * x + map[index][1] * y + map[index][2];
        (row(0) / row(2), row(1) / row(2))
    }

    fn moment(epoch: u32) -> Moment {
        Moment { seed: 3, stage: 0, epoch }
    }

    #[test]
    fn a_warp_takes_corners_to_their_targets() {
        let map = perspective(0.15, -0.1);
        for ((x, y), (u, v)) in [((-1.0, -1.0), (-0.9, -1.15)), ((1.0, 1.0), (1.1, 0.85))] {
            let (a, b) = apply(&map, x, y);
            assert!((a - u).abs() < 1e-9 && (b - v).abs() < 1e-9, "{a} {b}");
        }
    }

    #[test]
    fn shares_and_ranges_are_those_of_the_preset() {
        let limits = Preset::Fastai.limits();
        let all: Vec<Transform> = (0..4_000)
            .map(|epoch| Transform::draw(&limits, moment(epoch), ImageId([epoch as u8; 16])))
            .collect();
        let share =
            |test: &dyn Fn(&Transform) -> bool| all.iter().filter(|t| test(t)).count() as f64 / 4_000.0;
        assert!((share(&|t| t.brightness != 0.0) - 0.75).abs() < 0.03);
        assert!((share(&|t| t.map[0][0] < 0.0) - 0.5).abs() < 0.03);
        // Neither of the two warps is drawn one time in sixteen.
        assert!((share(&|t| t.map[2][0] == 0.0 && t.map[2][1] == 0.0) - 0.0625).abs() < 0.015);
        let logit = (0.6f64 / 0.4).ln();
        assert!(all.iter().all(|t| t.brightness.abs() <= logit && (0.8..=1.25).contains(&t.contrast)));
    }

    #[test]
    fn a_draw_is_a_function_of_its_key() {
        let limits = Preset::Fastai.limits();
        let draw = |epoch, image| Transform::draw(&limits, moment(epoch), ImageId([image; 16]));
        assert_eq!(draw(1, 1), draw(1, 1));
        assert_ne!(draw(1, 1), draw(2, 1));
        assert_ne!(draw(1, 1), draw(1, 2));
        let plain = Transform::draw(&Preset::None.limits(), moment(1), ImageId([1; 16]));
        assert_eq!(Transform { window: 0.5, ..plain }, Transform::PLAIN);
    }

    #[test]
    fn the_curve_is_the_identity_without_lighting_and_rises_with_it() {
        assert_eq!(Transform::PLAIN.curve()[51], 0.2);
        let bright = Transform { brightness: 0.4, contrast: 1.1, ..Transform::PLAIN }.curve();
        assert!(bright.windows(2).all(|pair| pair[0] < pair[1]));
        // fastai: sigmoid((logit(0.2) + 0.4) * 1.1)
        let expected = 1.0 / (1.0 + (-(((0.2f64 / 0.8).ln() + 0.4) * 1.1)).exp());
        assert!((f64::from(bright[51]) - expected).abs() < 1e-6);
    }
}
