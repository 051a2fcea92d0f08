//! The sea: water to the horizon, with beaches, headlands, islands and boats.

use super::canvas::Canvas;
use super::colour::{Rgb, add, hex, mix, scale};
use super::dice::Dice;
use super::light::Light;
use super::noise::{noise, ramp, rough, sine};

/// Paints a view of the sea.
pub(super) fn paint(canvas: &mut Canvas, light: &Light, dice: &mut Dice) {
    let horizon = dice.range(0.24, 0.56);
    light.paint_sky(canvas, horizon);
    if dice.chance(0.35) {
        islands(canvas, light, dice, horizon);
    }
    water(canvas, light, dice, horizon);
    if dice.chance(0.3) {
        headland(canvas, light, dice, horizon);
    }
    match dice.below(5) {
        0 | 1 => beach(canvas, light, dice, horizon),
        2 => rocks(canvas, light, dice),
        _ => {}
    }
    for _ in 0..dice.pick(&[0, 0, 1, 1, 2]) {
        boat(canvas, light, dice, horizon);
    }
}

fn water(canvas: &mut Canvas, light: &Light, dice: &mut Dice, horizon: f32) {
    let deep = dice.pick(&[
        hex(0x1d4f78),
        hex(0x24607f),
        hex(0x2d6e78),
        hex(0x3f6474),
        hex(0x1f4468),
        hex(0x2f8c98),
    ]);
    let shallow = dice.pick(&[hex(0x3f8fa0), hex(0x4fa3a3), hex(0x557f8c), hex(0x3f7f9f), hex(0x6f9a98)]);
    let seed = dice.bits();
    let swell = dice.range(0.3, 1.0);
    let caps = dice.range(0.58, 0.85);
    let length = dice.range(0.7, 1.5);
    let glitter = light.sun.map(|sun| sun.0).filter(|_| dice.chance(0.85));
    canvas.shade_in((0.0, horizon), (1.0, 1.0), |x, y, _| {
        let depth = (y - horizon) / (1.0 - horizon);
        let far = 1.0 / (depth + 0.06);
        let across = (x - 0.5) * far * 1.7 * length;
        let wave = rough(seed, across * 1.6, far * 4.6 * length, 4);
        let fine = noise(seed ^ 9, across * 9.0, far * 21.0);
        let mut colour =
            mix(light.sky(0.25), mix(deep, shallow, depth * 0.9), 0.55 + 0.4 * ramp(0.0, 0.25, depth));
        colour = scale(colour, 1.0 + swell * (wave - 0.5) * 0.9 + (fine - 0.5) * 0.16);
        let crestline = ramp(caps, caps + 0.08, wave + 0.12 * (fine - 0.5));
        colour =
            mix(light.on(colour, 0.9), light.on(hex(0xeef4f6), 1.0), crestline * 0.8 * ramp(0.0, 0.3, depth));
        if let Some(sun) = glitter {
            let column = ((x - sun) / (0.05 + 0.16 * depth)).abs();
            colour =
                add(colour, scale(light.tint, (1.0 - column).max(0.0) * (0.25 + ramp(0.5, 0.7, fine)) * 0.6));
        }
        light.far(colour, (1.0 - depth * 4.0).max(0.0) * 0.7)
    });
}

fn islands(canvas: &mut Canvas, light: &Light, dice: &mut Dice, horizon: f32) {
    let seed = dice.bits();
    let (centre, reach, height) = (dice.unit(), dice.range(0.15, 0.5), dice.range(0.03, 0.09));
    let colour = dice.pick(&[hex(0x4f6350), hex(0x6a6a66), hex(0x5b6b7a)]);
    canvas.shade_in((0.0, horizon - height * 1.5), (1.0, horizon), |x, y, old| {
        let hump = 1.0 - ((x - centre) / reach) * ((x - centre) / reach);
        let top = height * hump * (0.6 + 0.8 * rough(seed, x * 7.0, 0.5, 3));
        if horizon - y < top { light.far(light.on(colour, 0.6), 0.8) } else { old }
    });
}

fn headland(canvas: &mut Canvas, light: &Light, dice: &mut Dice, horizon: f32) {
    let seed = dice.bits();
    let from_left = dice.chance(0.5);
    let (reach, height) = (dice.range(0.2, 0.55), dice.range(0.1, 0.3));
    let foot = horizon + dice.range(0.02, 0.12);
    let rock = dice.pick(&[hex(0x7a6a58), hex(0x66625e), hex(0x8c7658), hex(0x4f4a46)]);
    let grass = light.ground(dice);
    canvas.shade_in((0.0, foot - height * 1.3), (1.0, foot), |x, y, old| {
        let along = if from_left { x } else { 1.0 - x };
        let top = height
            * (1.0 - ramp(reach * 0.4, reach, along + 0.1 * (rough(seed, y * 9.0, 1.0, 3) - 0.5)))
            * (0.75 + 0.5 * rough(seed ^ 1, along * 6.0, 2.0, 3));
        let up = foot - y;
        if up > top {
            return old;
        }
        let cover = if up > top * 0.8 - 0.01 { grass } else { rock };
        let face = rough(seed ^ 2, x * 26.0, y * 11.0, 3);
        light.far(light.on(scale(cover, 0.65 + 0.7 * face), face), 0.4)
    });
}

fn beach(canvas: &mut Canvas, light: &Light, dice: &mut Dice, horizon: f32) {
    let seed = dice.bits();
    let sand = dice.pick(&[hex(0xd8c39a), hex(0xc9ae82), hex(0xb8a58c), hex(0xe2d5b8), hex(0x8f8578)]);
    let left = dice.range(horizon + 0.12, 1.05);
    let right = dice.range(horizon + 0.12, 1.05);
    let bend = dice.range(-0.1, 0.15);
    let foam_width = dice.range(0.02, 0.06);
    canvas.shade_in((0.0, horizon + 0.02), (1.0, 1.0), |x, y, old| {
        let shore =
            left + (right - left) * x - bend * sine(x * 0.5) + 0.03 * (rough(seed, x * 6.0, 0.0, 3) - 0.5);
        let into = y - shore;
        if into < -foam_width {
            return old;
        }
        let lace = rough(seed ^ 3, x * 22.0, y * 30.0, 3);
        if into < 0.0 {
            let foam = ramp(0.35, 0.6, lace + 0.3 * (1.0 + into / foam_width) - 0.1);
            return mix(old, light.on(hex(0xf3f6f5), 1.0), foam * 0.9);
        }
        let wet = 1.0 - ramp(0.0, 0.1, into);
        let grain = 0.88 + 0.24 * rough(seed ^ 4, x * 50.0, y * 70.0, 2);
        light.on(scale(mix(sand, scale(sand, 0.65), wet), grain), 1.0)
    });
}

fn rocks(canvas: &mut Canvas, light: &Light, dice: &mut Dice) {
    let rock = dice.pick(&[hex(0x4a4440), hex(0x5c5650), hex(0x3c3c40)]);
    for _ in 0..3 + dice.below(5) {
        let seed = dice.bits();
        let centre = (dice.unit(), dice.range(0.78, 1.02));
        let size = dice.range(0.05, 0.16);
        canvas.ellipse(centre, (size * 1.3, size), |x, y, old| {
            let (dx, dy) = ((x - centre.0) / size, (y - centre.1) / size);
            let shape = rough(seed, x * 14.0, y * 14.0, 3);
            if dx * dx * 0.7 + dy * dy > 0.35 + shape * 0.9 {
                return old;
            }
            let foam = ramp(0.15, 0.5, dy - 0.2) * 0.6;
            let lit = light
                .on(scale(rock, 0.6 + 0.8 * shape), (0.5 - 0.5 * dy + 0.3 * light.side * dx).clamp(0.0, 1.0));
            mix(lit, light.on(hex(0xe8eeee), 1.0), foam * shape)
        });
    }
}

fn boat(canvas: &mut Canvas, light: &Light, dice: &mut Dice, horizon: f32) {
    let depth = dice.range(0.02, 0.22);
    let size = 0.03 + depth * 0.4;
    let (x, y) = (dice.range(0.1, 0.9), horizon + depth * 0.5);
    let paint = |colour: Rgb, facing: f32| light.far(light.on(colour, facing), 0.5 - depth);
    let hull = paint(dice.pick(&[hex(0xf0f0ea), hex(0x7a2a24), hex(0x27384f), hex(0x3a3a3a)]), 0.8);
    canvas.polygon(
        &[
            (x - size, y - size * 0.2),
            (x + size * 1.1, y - size * 0.25),
            (x + size * 0.8, y + size * 0.1),
            (x - size * 0.8, y + size * 0.1),
        ],
        |_, _, _| hull,
    );
    if dice.chance(0.6) {
        let sail = paint(dice.pick(&[hex(0xf6f4ee), hex(0xe8dcc0), hex(0xc8443a)]), 1.0);
        let shade = scale(sail, 0.85);
        canvas.polygon(
            &[
                (x + 0.06 * size, y - size * 0.3),
                (x + 0.06 * size, y - size * 2.2),
                (x + size, y - size * 0.35),
            ],
            |_, _, _| sail,
        );
        canvas.polygon(
            &[
                (x - 0.04 * size, y - size * 0.3),
                (x - 0.04 * size, y - size * 1.9),
                (x - size * 0.8, y - size * 0.35),
            ],
            |_, _, _| shade,
        );
    } else {
        let cabin = paint(hex(0xe6e6e0), 0.9);
        canvas.rect((x - size * 0.4, y - size * 0.7), (x + size * 0.4, y - size * 0.2), cabin);
        canvas.stroke((x, y - size * 0.7), (x, y - size * 1.2), size * 0.15, size * 0.1, hull);
    }
}
