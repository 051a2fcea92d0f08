//! Glaciers: a tongue between peaks, a front that breaks into water, a field
//! of crevasses.

use super::canvas::Canvas;
use super::colour::{Rgb, hex, mix, scale};
use super::dice::Dice;
use super::light::Light;
use super::mountain::{Range, far_range, near_range};
use super::noise::{crest, lattice, noise, part, ramp, rough, sine};

/// Paints a view of a glacier.
pub(super) fn paint(canvas: &mut Canvas, light: &Light, dice: &mut Dice) {
    let light = &light.cooled();
    let horizon = dice.range(0.3, 0.5);
    light.paint_sky(canvas, horizon + 0.1);
    let count = 2 + dice.below(3);
    let top = dice.range(0.06, 0.26);
    let behind = Range::draw(dice, count, top, horizon + 0.1);
    let snow = dice.range(0.25, 0.6);
    if dice.chance(0.3) {
        far_range(canvas, light, &behind, horizon + 0.1, 0.8);
    } else {
        near_range(canvas, light, dice, &behind, horizon + 0.1, snow);
    }
    match dice.below(10) {
        0..=3 => tongue(canvas, light, dice, horizon),
        4..=8 => front(canvas, light, dice, horizon),
        _ => field(canvas, light, dice, horizon),
    }
}

/// The blue to white of ice: `clean` is 1 for white, 0 for the deep blue inside.
fn ice(clean: f32) -> Rgb {
    let deep = hex(0x3f86b8);
    let pale = hex(0xbfdcea);
    if clean < 0.5 { mix(deep, pale, clean * 2.0) } else { mix(pale, hex(0xf2f7fa), clean * 2.0 - 1.0) }
}

fn tongue(canvas: &mut Canvas, light: &Light, dice: &mut Dice, horizon: f32) {
    let seed = dice.bits();
    let rock = dice.pick(&[hex(0x6a625c), hex(0x59575a), hex(0x7d7064)]);
    let start = dice.range(0.3, 0.7);
    let bend = dice.range(-0.35, 0.35);
    let (narrow, wide) = (dice.range(0.08, 0.2), dice.range(0.45, 0.8));
    let stripes = dice.pick(&[1.0, 2.0, 3.0]);
    let dirt = dice.range(0.0, 0.45);
    canvas.shade_in((0.0, horizon - 0.02), (1.0, 1.0), |x, y, old| {
        let near = (y - horizon) / (1.0 - horizon);
        if near < -0.02 + 0.06 * noise(seed ^ 8, x * 9.0, 0.0) {
            return old;
        }
        let near = near.max(0.0);
        let middle = start + bend * sine(near * 0.5) + (0.5 - start) * near * 0.5;
        let half = narrow + (wide - narrow) * near * near.sqrt();
        let across = (x - middle) / half + 0.1 * (rough(seed, y * 8.0, x * 3.0, 3) - 0.5);
        let far = 1.0 / (near + 0.15);
        if across.abs() > 1.0 {
            let wall = crest(seed ^ 4, x * 12.0, y * 9.0, 4);
            let facing = if (across > 0.0) == (light.side < 0.0) { 0.9 } else { 0.3 };
            let snow = ramp(0.62, 0.75, wall + 0.25 * (0.5 - near));
            let surface = mix(scale(rock, 0.6 + 0.7 * wall), hex(0xeef3f7), snow);
            return light.far(light.on(surface, facing), 0.7 - 0.6 * near);
        }
        let crack =
            crest(seed ^ 6, across * 2.2 + 0.6 * sine(far * 0.4), far * 3.4 + across * across * 1.4, 3);
        let mut surface = ice(1.0 - 0.75 * ramp(0.62, 0.86, crack));
        let lane = (part(across * 0.5 * stripes + 0.25 + 0.04 * sine(far * 0.3)) - 0.5).abs();
        let gravel = ramp(0.09, 0.03, lane) * (0.5 + 0.5 * noise(seed ^ 7, across * 14.0, far * 14.0));
        let edge = ramp(0.8, 1.0, across.abs());
        surface = mix(
            surface,
            rock,
            (gravel * 0.8).max(edge * 0.7).max(dirt * noise(seed ^ 5, across * 4.0, far * 3.0)),
        );
        light.far(light.on(scale(surface, 0.85 + 0.25 * crack), 0.85), 0.6 - 0.6 * near)
    });
}

fn front(canvas: &mut Canvas, light: &Light, dice: &mut Dice, horizon: f32) {
    let seed = dice.bits();
    let top = horizon + dice.range(-0.06, 0.08);
    let foot = top + dice.range(0.14, 0.34);
    let tilt = dice.range(-0.1, 0.1);
    let spikes = dice.range(0.03, 0.1);
    let bands = dice.range(14.0, 34.0);
    let water = dice.pick(&[hex(0x4a6f80), hex(0x3f5f70), hex(0x6a7f86), hex(0x5f8f98)]);
    canvas.shade_in((0.0, top - 0.2), (1.0, 1.0), |x, y, old| {
        let slope = tilt * (x - 0.5);
        let edge = top + slope - spikes * (crest(seed, x * 9.0, 0.0, 3) - 0.4) * 1.6;
        if y < edge {
            // The ice behind its edge: a slope that rises towards the peaks.
            let back = edge - y;
            if back < 0.1 + 0.06 * noise(seed ^ 11, x * 6.0, 1.0) {
                let crack = crest(seed ^ 2, x * 14.0, y * 40.0, 3);
                return light.far(light.on(ice(0.95 - 0.5 * ramp(0.6, 0.9, crack)), 0.9), 0.4 + back * 3.0);
            }
            return old;
        }
        if y < foot + slope + 0.012 * noise(seed ^ 3, x * 30.0, 0.0) {
            let down = (y - edge) / (foot - top);
            let column = crest(seed ^ 4, x * bands * 0.5 + 0.6 * noise(seed, y * 9.0, x * 5.0), y * 3.0, 3);
            let block = lattice(seed ^ 5, (x * bands) as i32, (y * 9.0 + x * 3.0) as i32);
            let clean = 0.95 - 0.55 * ramp(0.5, 0.85, column) - 0.25 * down - 0.15 * block;
            return light.on(scale(ice(clean), 0.85 + 0.2 * block), 0.5 + 0.5 * column);
        }
        let near = (y - foot) / (1.0 - foot);
        let ripple = noise(seed ^ 6, x * 14.0 / (near + 0.3), 16.0 / (near + 0.25));
        let mirror = ice(0.6 - 0.3 * noise(seed ^ 7, x * 12.0, 0.0));
        let colour = mix(water, mirror, 0.45 * (1.0 - near).max(0.0));
        light.on(scale(colour, 0.85 + 0.3 * ripple), 0.9)
    });
    for _ in 0..dice.below(16) {
        floe(canvas, light, dice, foot + 0.03 + tilt.abs() * 0.5);
    }
}

fn floe(canvas: &mut Canvas, light: &Light, dice: &mut Dice, shore: f32) {
    let near = dice.unit();
    let y = shore + (1.02 - shore) * near * near;
    let size = 0.012 + 0.07 * near * dice.range(0.3, 1.0);
    let x = dice.unit();
    let mut corners: Vec<_> = (0..6)
        .map(|step| {
            let along = step as f32 / 5.0 * 2.0 - 1.0;
            (x + along * size * 1.5, y - size * dice.range(0.2, 1.1) * (1.1 - along.abs()))
        })
        .collect();
    corners.push((x + size * 1.3, y + size * 0.2));
    corners.push((x - size * 1.3, y + size * 0.2));
    let clean = dice.range(0.5, 1.0);
    canvas.polygon(&corners, |px, py, _| {
        let facing = 0.5 + 0.5 * light.side * (px - x) / (size * 1.5);
        let foot = ramp(-0.2, 0.3, (py - y) / size);
        light.on(ice(clean - 0.4 * foot), facing.clamp(0.0, 1.0))
    });
}

fn field(canvas: &mut Canvas, light: &Light, dice: &mut Dice, horizon: f32) {
    let seed = dice.bits();
    let slant = dice.range(-1.0, 1.0);
    let density = dice.range(1.4, 2.6);
    canvas.shade_in((0.0, horizon), (1.0, 1.0), |x, y, old| {
        let near = (y - horizon) / (1.0 - horizon) - 0.08 * rough(seed ^ 9, x * 4.0, 0.0, 3);
        if near < 0.0 {
            return old;
        }
        let far = 1.0 / (near + 0.22);
        let across = (x - 0.5) * far;
        let bow = rough(seed, across * 1.3, far * 1.3, 3);
        let wave = sine((far * density + across * slant * 0.5 + bow * 1.6) * 1.2);
        let open = ramp(0.62, 0.86, wave) * ramp(0.3, 0.5, noise(seed ^ 2, across * 2.0, far * 2.0));
        let rise = 0.5 + 0.5 * wave;
        let surface = mix(ice(0.66 + 0.3 * rise), mix(hex(0x1f5f92), hex(0x0f2f50), near * 0.6), open);
        let grain = 0.93 + 0.14 * rough(seed ^ 3, x * 40.0, y * 60.0, 2);
        light.far(light.on(scale(surface, grain), 0.6 + 0.4 * rise), 0.5 - 0.5 * near)
    });
}
