//! From the canvas to the finished picture: the camera's turn and crop, things
//! in front of it, its colours and its noise.

use image::{Rgb as Pixel, RgbImage};

use super::canvas::{CANVAS_EDGE, Canvas};
use super::colour::{Rgb, add, hex, luma, mix, scale};
use super::dice::Dice;
use super::light::Light;
use super::noise::{lattice, ramp, rough};
use super::paint::EDGE;
use super::tree;

/// Puts something between the camera and the scene, now and then.
pub(super) fn occlude(canvas: &mut Canvas, light: &Light, dice: &mut Dice) {
    match dice.below(12) {
        0 => {
            let side = dice.pick(&[0.0, 1.0]);
            let colour = tree::leaf_colour(light, dice);
            for _ in 0..5 {
                let at = (side + dice.swing() * 0.18, dice.range(-0.05, 0.35));
                let radius = dice.range(0.06, 0.13);
                tree::leaves(canvas, light, dice, at, radius, scale(colour, 0.7), 0.0);
            }
        }
        1 => {
            let x = dice.unit();
            let width = dice.range(0.015, 0.05);
            canvas.stroke(
                (x, 1.0),
                (x + dice.swing() * 0.03, -0.01),
                width,
                width * 0.8,
                light.on(hex(0x45474a), 0.4),
            );
        }
        2 => {
            let top = dice.range(0.82, 0.93);
            let rail = light.on(dice.pick(&[hex(0x5a4636), hex(0x8a8c8e), hex(0x2f3032)]), 0.5);
            canvas.stroke((-0.01, top), (1.01, top + dice.swing() * 0.03), 0.02, 0.02, rail);
            for post in 0..7 {
                let x = (post as f32 + 0.3) / 7.0;
                canvas.stroke((x, 1.01), (x, top - 0.02), 0.018, 0.018, rail);
            }
        }
        3 => {
            let seed = dice.bits();
            let side = dice.pick(&[0.0, 1.0]);
            let reach = dice.range(0.15, 0.3);
            canvas.shade(|x, y, old| {
                let edge = reach * (0.5 + rough(seed, y * 5.0, 0.0, 3));
                if (x - side).abs() < edge { scale(light.on(hex(0x3a3836), 0.3), 0.8) } else { old }
            });
        }
        _ => {}
    }
}

/// Takes the picture.
pub(super) fn develop(canvas: &Canvas, dice: &mut Dice) -> RgbImage {
    let turn = dice.swing() * 0.05;
    let zoom = dice.range(0.78, 0.96);
    let slack = 1.0 - zoom - 0.03;
    let shift = (dice.swing() * 0.5 * slack, dice.swing() * 0.5 * slack);
    let mirror = dice.chance(0.5);
    let soft = if dice.chance(0.3) { dice.range(0.3, 1.0) } else { 0.0 };
    let tone = Tone::draw(dice);
    let edge = EDGE as usize;
    let mut colours: Vec<Rgb> = Vec::with_capacity(edge * edge);
    for row in 0..edge {
        for column in 0..edge {
            let mut sum = [0.0; 3];
            for (sub_x, sub_y) in [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)] {
                let x = (column as f32 + sub_x) / edge as f32 - 0.5;
                let y = (row as f32 + sub_y) / edge as f32 - 0.5;
                let x = if mirror { -x } else { x };
                // A turn by a small angle: the cosine is 1 to within 0.2 %.
                let (u, v) = (x - turn * y, y + turn * x);
                sum = add(sum, sample(canvas, 0.5 + shift.0 + u * zoom, 0.5 + shift.1 + v * zoom));
            }
            colours.push(scale(sum, 0.25));
        }
    }
    // The camera exposes dark scenes for longer, though never as bright as day.
    let mean = colours.iter().map(|&colour| luma(colour)).sum::<f32>() / colours.len() as f32;
    let exposure = (0.3 / mean.max(0.01)).clamp(1.0, 2.2);
    let mut picture = RgbImage::new(EDGE, EDGE);
    for row in 0..edge {
        for column in 0..edge {
            let here = colours[row * edge + column];
            let (left, right) = (column.saturating_sub(1), (column + 1).min(edge - 1));
            let (above, below) = (row.saturating_sub(1), (row + 1).min(edge - 1));
            let around = [
                colours[row * edge + left],
                colours[row * edge + right],
                colours[above * edge + column],
                colours[below * edge + column],
            ]
            .into_iter()
            .fold([0.0; 3], |sum, colour| add(sum, scale(colour, 0.25)));
            let colour = tone.apply(scale(mix(here, around, soft * 0.7), exposure), column, row);
            picture.put_pixel(
                column as u32,
                row as u32,
                Pixel(colour.map(|part| (part * 255.0 + 0.5) as u8)),
            );
        }
    }
    picture
}

/// The canvas between its pixels.
fn sample(canvas: &Canvas, x: f32, y: f32) -> Rgb {
    let (x, y) = (x * CANVAS_EDGE as f32 - 0.5, y * CANVAS_EDGE as f32 - 0.5);
    let (left, top) = (x.floor(), y.floor());
    let (across, down) = (x - left, y - top);
    let (left, top) = (left as isize, top as isize);
    let upper = mix(canvas.at(left, top), canvas.at(left + 1, top), across);
    let lower = mix(canvas.at(left, top + 1), canvas.at(left + 1, top + 1), across);
    mix(upper, lower, down)
}

/// What a camera does to colours.
struct Tone {
    gains: Rgb,
    contrast: f32,
    brightness: f32,
    saturation: f32,
    vignette: f32,
    grain: f32,
    seed: u64,
}

impl Tone {
    fn draw(dice: &mut Dice) -> Self {
        let warmth = dice.swing() * 0.14;
        let green = dice.swing() * 0.05;
        Tone {
            gains: [1.0 + warmth, 1.0 + green, 1.0 - warmth],
            contrast: dice.range(0.72, 1.22),
            brightness: dice.swing() * 0.12,
            saturation: if dice.chance(0.08) { dice.range(0.0, 0.25) } else { dice.range(0.55, 1.3) },
            vignette: dice.range(0.0, 0.5),
            grain: if dice.chance(0.3) { dice.range(0.04, 0.13) } else { dice.range(0.0, 0.035) },
            seed: dice.bits(),
        }
    }

    fn apply(&self, colour: Rgb, column: usize, row: usize) -> Rgb {
        let grey = luma(colour);
        let colour = mix([grey; 3], colour, self.saturation);
        let (x, y) = (column as f32 / EDGE as f32 - 0.5, row as f32 / EDGE as f32 - 0.5);
        let fall = 1.0 - self.vignette * ramp(0.1, 0.6, x * x + y * y);
        let mut out = [0.0; 3];
        for (channel, part) in out.iter_mut().enumerate() {
            let level = (colour[channel] * self.gains[channel] - 0.5) * self.contrast + 0.5 + self.brightness;
            let noise = lattice(self.seed ^ channel as u64, column as i32, row as i32)
                + lattice(self.seed ^ 8 ^ channel as u64, column as i32, row as i32)
                - 1.0;
            *part = (level * fall + noise * self.grain).clamp(0.0, 1.0);
        }
        out
    }
}
