//! Mountains: ranges of peaks behind woods, meadows or a lake.

use super::canvas::Canvas;
use super::colour::{Rgb, hex, mix, scale};
use super::dice::Dice;
use super::light::{Light, Season};
use super::noise::{crest, noise, ramp, rough};
use super::tree;

/// One range of peaks: a skyline with a lit and a shaded side to each peak.
pub(super) struct Range {
    peaks: Vec<(f32, f32, f32)>,
    seed: u64,
    roughness: f32,
}

impl Range {
    /// Draws a range whose highest peak rises to `top` and whose foot is at
    /// `foot` (both as heights on the canvas, downwards).
    pub(super) fn draw(dice: &mut Dice, count: usize, top: f32, foot: f32) -> Self {
        let main = dice.below(count.max(1));
        let peaks = (0..count)
            .map(|place| {
                let x = (place as f32 + dice.range(0.1, 0.9)) / count as f32 * 1.3 - 0.15;
                let y = if place == main { top } else { top + (foot - top) * dice.range(0.08, 0.6) };
                (x, y, dice.range(0.75, 1.7))
            })
            .collect();
        Range { peaks, seed: dice.bits(), roughness: dice.range(0.05, 0.11) }
    }

    /// How far below the skyline a point is (negative: above it), and which
    /// side of its peak it is on: negative is left.
    pub(super) fn below(&self, x: f32, y: f32) -> (f32, f32) {
        let mut skyline = f32::MAX;
        let mut side = 0.0;
        for &(peak_x, peak_y, slope) in &self.peaks {
            let wobble = 0.16 * (rough(self.seed ^ peak_x.to_bits() as u64, y * 7.0, 3.0, 3) - 0.5);
            let off = x - peak_x;
            let line = peak_y + off.abs() * slope;
            if line < skyline {
                skyline = line;
                side = off + wobble * ramp(0.0, 0.15, y - peak_y);
            }
        }
        (y - skyline - self.roughness * (rough(self.seed, x * 9.0, 0.0, 4) - 0.5) * 2.0, side)
    }
}

/// Paints a view of mountains.
pub(super) fn paint(canvas: &mut Canvas, light: &Light, dice: &mut Dice) {
    let foot = dice.range(0.6, 0.95);
    light.paint_sky(canvas, foot);
    let top = dice.range(0.08, 0.3);
    for step in 0..dice.below(3) {
        let count = 3 + dice.below(3);
        let range = Range::draw(dice, count, top + 0.08 + 0.08 * step as f32, foot);
        far_range(canvas, light, &range, foot, 1.0 - 0.25 * step as f32);
    }
    let count = 1 + dice.below(4);
    let range = Range::draw(dice, count, top, foot);
    let snow = if light.season == Season::Winter {
        dice.range(0.25, 0.6)
    } else {
        dice.pick(&[-0.2, 0.05, 0.14, 0.22, 0.3])
    };
    near_range(canvas, light, dice, &range, foot, snow);
    match dice.below(5) {
        0 => lake(canvas, light, dice, foot),
        1 | 2 => wood(canvas, light, dice, foot),
        _ => meadow(canvas, light, dice, foot),
    }
}

/// Paints a range far away: a flat blue shape.
pub(super) fn far_range(canvas: &mut Canvas, light: &Light, range: &Range, foot: f32, distance: f32) {
    let colour = mix(hex(0x5b6f8c), light.zenith, 0.25);
    canvas.shade_in((0.0, 0.0), (1.0, foot), |x, y, old| {
        let (below, side) = range.below(x, y);
        if below < 0.0 {
            return old;
        }
        let facing = if side * light.side > 0.0 { 0.9 } else { 0.4 };
        mix(light.on(colour, facing), light.horizon, (0.35 + 0.35 * light.haze) * distance)
    });
}

/// Paints a range with rock, scree, grass and snow down to `snow` below the top.
pub(super) fn near_range(
    canvas: &mut Canvas,
    light: &Light,
    dice: &mut Dice,
    range: &Range,
    foot: f32,
    snow: f32,
) {
    let rock = dice.pick(&[hex(0x6f655c), hex(0x7d7670), hex(0x5c5a5e), hex(0x8a7460), hex(0x4f4c4c)]);
    let ground = light.ground(dice);
    let slope = dice.pick(&[ground, hex(0x5a6a45), hex(0x76705c), hex(0x44573c)]);
    let seed = dice.bits();
    let grass_line = dice.range(0.25, 0.6);
    canvas.shade_in((0.0, 0.0), (1.0, foot + 0.02), |x, y, old| {
        let (below, side) = range.below(x, y);
        if below < 0.0 {
            return old;
        }
        let gully = crest(seed, x * 11.0 + side * 12.0, y * 6.0, 4);
        let facing = ramp(-0.05, 0.05, side * light.side + 0.12 * (gully - 0.55));
        let height = foot - y + 0.08 * (noise(seed ^ 3, x * 9.0, y * 9.0) - 0.5);
        let mut surface: Rgb = scale(rock, 0.6 + 0.7 * gully);
        surface = mix(surface, scale(slope, 0.75 + 0.5 * gully), ramp(grass_line, grass_line - 0.25, height));
        let cover = ramp(-0.03, 0.05, snow - below - 0.32 * (gully - 0.5) - 0.1 * (0.5 - facing));
        surface = mix(surface, mix(hex(0xcfdcec), hex(0xf6f8fa), facing), cover * 0.95);
        light.far(light.on(surface, facing), 0.25 + 0.45 * (1.0 - height.clamp(0.0, 1.0)))
    });
}

fn lake(canvas: &mut Canvas, light: &Light, dice: &mut Dice, foot: f32) {
    let seed = dice.bits();
    let water = dice.pick(&[hex(0x3f6f80), hex(0x4a5f6c), hex(0x3f7f78)]);
    let mirror: Vec<_> = (0..64).map(|step| canvas.at(step * 3, (foot * 150.0) as isize)).collect();
    canvas.shade_in((0.0, foot), (1.0, 1.0), |x, y, _| {
        let ripple = noise(seed, x * 12.0, (y - foot) * 90.0);
        let image = mirror[((x * 63.0) as usize).min(63)];
        light.on(scale(mix(water, image, 0.45), 0.85 + 0.3 * ripple), 0.9)
    });
}

fn meadow(canvas: &mut Canvas, light: &Light, dice: &mut Dice, foot: f32) {
    let seed = dice.bits();
    let grass = light.ground(dice);
    let tilt = dice.range(-0.12, 0.12);
    canvas.shade_in((0.0, foot - 0.15), (1.0, 1.0), |x, y, old| {
        let line = foot + tilt * (x - 0.5) + 0.07 * (rough(seed, x * 3.0, 0.0, 3) - 0.5);
        if y < line {
            return old;
        }
        light.on(scale(grass, 0.7 + 0.6 * rough(seed ^ 1, x * 30.0, y * 55.0, 3)), 0.9)
    });
    for _ in 0..dice.below(7) {
        let (x, y) = (dice.unit(), foot + dice.range(0.0, 0.1));
        let height = dice.range(0.05, 0.12);
        tree::conifer(canvas, light, dice, (x, y), height, 0.3);
    }
}

fn wood(canvas: &mut Canvas, light: &Light, dice: &mut Dice, foot: f32) {
    let ground = scale(light.ground(dice), 0.7);
    canvas.shade_in((0.0, foot), (1.0, 1.0), |_, _, _| light.on(ground, 0.6));
    let rows = 1 + dice.below(3);
    for row in 0..rows {
        let y = foot + 0.03 + (1.0 - foot) * row as f32 / rows as f32;
        let height = 0.09 + 0.06 * row as f32;
        let mut x = dice.range(-0.05, 0.02);
        while x < 1.05 {
            let foot = (x, y + dice.range(-0.02, 0.04));
            let tall = height * dice.range(0.7, 1.3);
            tree::conifer(canvas, light, dice, foot, tall, 0.35 - 0.1 * row as f32);
            x += height * dice.range(0.25, 0.5);
        }
    }
}
