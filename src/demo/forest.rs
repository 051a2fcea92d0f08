//! Forests: from inside, from the edge and from above.

use super::canvas::Canvas;
use super::colour::{Rgb, add, hex, mix, scale};
use super::dice::Dice;
use super::light::{Light, Season};
use super::noise::{noise, ramp, rough, sine};
use super::tree;

/// Paints a view of a forest.
pub(super) fn paint(canvas: &mut Canvas, light: &Light, dice: &mut Dice) {
    match dice.below(10) {
        0..=4 => inside(canvas, light, dice),
        5..=7 => edge(canvas, light, dice),
        _ => above(canvas, light, dice),
    }
}

fn inside(canvas: &mut Canvas, light: &Light, dice: &mut Dice) {
    let horizon = dice.range(0.45, 0.68);
    let seed = dice.bits();
    let leaf = tree::leaf_colour(light, dice);
    let needles = tree::needle_colour(light, dice);
    let canopy = if dice.chance(0.35) { needles } else { leaf };
    let glow = mix(light.horizon, scale(canopy, 1.5), dice.range(0.25, 0.6));
    canvas.shade_in((0.0, 0.0), (1.0, horizon), |x, y, _| {
        let gap = rough(seed, x * 9.0, y * 9.0, 4);
        let low = ramp(0.1, 0.9, y / horizon);
        mix(scale(light.on(canopy, 0.4), 0.5 + gap), glow, ramp(0.45, 0.7, gap + 0.35 * low - 0.12))
    });
    let ground = mix(light.ground(dice), hex(0x5a4632), dice.range(0.0, 0.6));
    let path = dice.chance(0.4).then(|| (dice.range(0.35, 0.65), dice.range(0.2, 0.45)));
    canvas.shade_in((0.0, horizon), (1.0, 1.0), |x, y, _| {
        let near = (y - horizon) / (1.0 - horizon);
        let litter = rough(seed ^ 1, x * 24.0 / (near + 0.4), 20.0 / (near + 0.3), 4);
        let mut surface = scale(ground, 0.5 + litter);
        if let Some((end, half)) = path {
            let middle = end + (0.5 - end) * near + 0.06 * sine(near * 0.9);
            let off = ((x - middle) / (0.03 + half * near)).abs() + 0.4 * (litter - 0.5);
            let earth = if light.season == Season::Winter { hex(0xc5c8ca) } else { hex(0x9a8567) };
            surface = mix(scale(earth, 0.75 + 0.5 * litter), surface, ramp(0.8, 1.1, off));
        }
        light.on(surface, 0.35 + 0.65 * ramp(0.4, 0.65, noise(seed ^ 2, x * 5.0 + near, near * 6.0)))
    });
    let bark = dice.pick(&[hex(0x4a3a2c), hex(0x5f5246), hex(0x6f655a), hex(0x3a3029), hex(0xcfcac0)]);
    for row in 0..4 {
        let near = (row as f32 + 0.4) / 4.0;
        let count = 12 - 2 * row;
        for _ in 0..count / 2 + dice.below(count / 2 + 1) {
            trunk(canvas, light, dice, horizon, near, bark, path.is_some());
        }
        if dice.chance(0.8) {
            undergrowth(canvas, light, dice, horizon, near, leaf);
        }
    }
    for _ in 0..10 + dice.below(22) {
        let at = (dice.unit(), dice.range(-0.05, 0.3));
        let radius = dice.range(0.05, 0.13);
        tree::leaves(canvas, light, dice, at, radius, canopy, 0.1);
    }
    if let Some(sun) = light.sun {
        shafts(canvas, light, dice.bits(), sun);
    }
}

fn trunk(
    canvas: &mut Canvas,
    light: &Light,
    dice: &mut Dice,
    horizon: f32,
    near: f32,
    bark: Rgb,
    path: bool,
) {
    let mut x = dice.unit();
    if path && (x - 0.5).abs() < 0.08 + 0.28 * near {
        x = if x < 0.5 { x * 0.4 } else { 1.0 - (1.0 - x) * 0.4 };
    }
    let width = (0.012 + 0.075 * near * near) * dice.range(0.6, 1.3);
    let foot = horizon + (1.05 - horizon) * near * near * 0.8;
    let lean = dice.swing() * 0.06;
    let seed = dice.bits();
    let shade = dice.range(0.8, 1.2);
    let flare = 1.5;
    canvas.polygon(
        &[
            (x + lean - width * 0.4, -0.01),
            (x + lean + width * 0.4, -0.01),
            (x + width * 0.5, foot - width),
            (x + width * 0.5 * flare, foot),
            (x - width * 0.5 * flare, foot),
            (x - width * 0.5, foot - width),
        ],
        |px, py, _| {
            let off = (px - x - lean * (1.0 - py / foot)) / width;
            let grain = noise(seed, px * 130.0, py * 16.0);
            let facing = (0.5 + light.side * off).clamp(0.0, 1.0);
            let surface = scale(bark, shade * (0.65 + 0.6 * grain));
            let lit = light.on(surface, facing);
            mix(lit, light.on(light.horizon, 0.6), (0.65 + 0.3 * light.haze) * (1.0 - near) * 0.6)
        },
    );
    if dice.chance(0.5) {
        let from = (x + lean * 0.5, foot * dice.range(0.2, 0.7));
        let to = (from.0 + dice.swing() * 0.2, from.1 - dice.range(0.02, 0.16));
        canvas.stroke(from, to, width * 0.35, width * 0.1, light.on(scale(bark, 0.7), 0.4));
    }
}

fn undergrowth(canvas: &mut Canvas, light: &Light, dice: &mut Dice, horizon: f32, near: f32, leaf: Rgb) {
    let foot = horizon + (1.0 - horizon) * near * near * 0.8;
    for _ in 0..2 + dice.below(5) {
        let at = (dice.unit(), foot + dice.range(-0.02, 0.03));
        let radius = (0.02 + 0.06 * near) * dice.range(0.7, 1.5);
        tree::leaves(canvas, light, dice, at, radius, scale(leaf, 0.85), 0.5 - 0.5 * near);
    }
}

fn shafts(canvas: &mut Canvas, light: &Light, seed: u64, sun: (f32, f32)) {
    canvas.shade(|x, y, old| {
        let angle = (x - sun.0) / (y - sun.1 + 0.3).max(0.05);
        let beam = ramp(0.55, 0.8, noise(seed, angle * 7.0, 0.0)) * (1.0 - y) * 0.3;
        add(old, scale(light.tint, beam))
    });
}

fn edge(canvas: &mut Canvas, light: &Light, dice: &mut Dice) {
    let foot = dice.range(0.72, 0.98);
    light.paint_sky(canvas, foot);
    let seed = dice.bits();
    let ground = light.ground(dice);
    canvas.shade_in((0.0, foot - 0.08), (1.0, 1.0), |x, y, _| {
        light.on(scale(ground, 0.65 + 0.7 * rough(seed, x * 30.0, y * 50.0, 3)), 0.8)
    });
    let conifers = dice.pick(&[0.0, 0.5, 1.0]);
    for row in 0..3 {
        let distance = 0.45 - 0.2 * row as f32;
        let height = dice.range(0.42, 0.7) * (1.05 - 0.14 * row as f32);
        let mut x = dice.range(-0.1, 0.0);
        while x < 1.1 {
            let at = (x, foot - 0.05 + 0.05 * row as f32 + dice.range(0.0, 0.03));
            let height = height * dice.range(0.75, 1.2);
            if dice.chance(conifers) {
                tree::conifer(canvas, light, dice, at, height, distance);
            } else {
                tree::broad(canvas, light, dice, at, height, distance);
            }
            x += dice.range(0.08, 0.2);
        }
    }
}

fn above(canvas: &mut Canvas, light: &Light, dice: &mut Dice) {
    let horizon = dice.pick(&[0.0, 0.0, 0.12, 0.22]);
    light.paint_sky(canvas, horizon + 0.02);
    let conifers = dice.chance(0.4);
    let mut y = horizon;
    while y < 1.12 {
        let near = (y - horizon) / (1.0 - horizon);
        let size = 0.03 + 0.07 * near;
        let mut x = dice.range(-0.08, 0.0);
        while x < 1.08 {
            let at = (x + dice.swing() * size * 0.3, y + dice.swing() * size * 0.3);
            if conifers {
                tree::conifer(canvas, light, dice, (at.0, at.1 + size), size * 3.0, 0.6 - 0.6 * near);
            } else {
                let colour = tree::leaf_colour(light, dice);
                tree::leaves(canvas, light, dice, at, size, colour, 0.6 - 0.6 * near);
            }
            x += size * dice.range(0.8, 1.3);
        }
        y += size * 0.65;
    }
}
