//! Buildings: single facades, corners, skylines and towers seen from below.

use super::canvas::Canvas;
use super::colour::{hex, mix, scale};
use super::dice::Dice;
use super::facade::Facade;
use super::light::Light;
use super::noise::{noise, rough};
use super::tree;

/// Paints a view of buildings.
pub(super) fn paint(canvas: &mut Canvas, light: &Light, dice: &mut Dice) {
    light.paint_sky(canvas, 1.0);
    match dice.below(10) {
        0..=2 => corner(canvas, light, dice),
        3..=5 => skyline(canvas, light, dice),
        6..=7 => row(canvas, light, dice),
        _ => from_below(canvas, light, dice),
    }
    if dice.chance(0.3) {
        for _ in 0..1 + dice.below(3) {
            let foot = (dice.unit(), dice.range(0.98, 1.1));
            let height = dice.range(0.25, 0.5);
            tree::broad(canvas, light, dice, foot, height, 0.0);
        }
    }
}

fn forecourt(canvas: &mut Canvas, light: &Light, dice: &mut Dice, foot: f32) {
    let seed = dice.bits();
    let natural = light.ground(dice);
    let ground = dice.pick(&[hex(0x8f8f8c), hex(0xa8a294), natural, hex(0x6f7072)]);
    canvas.shade_in((0.0, foot), (1.0, 1.0), |x, y, _| {
        light.on(scale(ground, 0.8 + 0.4 * rough(seed, x * 20.0, y * 45.0, 3)), 0.85)
    });
}

/// One block with two walls that run away from the nearest edge.
fn corner(canvas: &mut Canvas, light: &Light, dice: &mut Dice) {
    let foot = dice.range(0.84, 1.02);
    forecourt(canvas, light, dice, foot - 0.04);
    if dice.chance(0.5) {
        blocks(canvas, light, dice, foot - 0.03, 4, 0.6);
    }
    let edge = dice.range(0.3, 0.7);
    let top = dice.range(0.04, 0.26);
    let eye = dice.range(0.72, 0.84);
    let (left, right) = (edge - dice.range(0.28, 0.75), edge + dice.range(0.28, 0.75));
    let shrink = dice.range(0.4, 0.7);
    let facade = Facade::draw(dice);
    let storeys = dice.range(4.0, 11.0).floor();
    let bays = dice.range(4.0, 8.0).floor();
    for (end, facing) in [(left, light.side < 0.0), (right, light.side > 0.0)] {
        let facing = if facing { 1.0 } else { 0.25 };
        canvas.shade_in((end.min(edge), -0.1), (end.max(edge), 1.0), |x, y, old| {
            let along = (x - edge) / (end - edge);
            let factor = 1.0 - shrink * along;
            let up = ((foot - eye) + (eye - y) / factor) / (foot - top);
            if !(0.0..=1.0).contains(&up) {
                return old;
            }
            if up > 0.965 {
                return light.on(scale(facade.plain(), 0.8), facing);
            }
            let across = along / (1.0 - shrink * along) * (1.0 - shrink) * bays;
            light.far(facade.colour(light, across, up * storeys, facing, 1.0), 0.2 * along)
        });
    }
}

/// Several blocks one behind the other.
fn skyline(canvas: &mut Canvas, light: &Light, dice: &mut Dice) {
    let foot = dice.range(0.82, 1.05);
    forecourt(canvas, light, dice, foot - 0.02);
    blocks(canvas, light, dice, foot - 0.01, 7, 0.8);
    let count = 4 + dice.below(3);
    blocks(canvas, light, dice, foot, count, 0.35);
    if dice.chance(0.6) {
        let count = 1 + dice.below(3);
        blocks(canvas, light, dice, foot + 0.02, count, 0.0);
    }
}

fn blocks(canvas: &mut Canvas, light: &Light, dice: &mut Dice, foot: f32, count: usize, distance: f32) {
    for place in 0..count {
        let width = dice.range(0.7, 1.3) / (count as f32 + 0.5);
        let x = (place as f32 + dice.range(0.0, 0.6)) / count as f32 - 0.05;
        let height = dice.range(0.3, 0.85) * (1.0 - 0.25 * distance) * foot;
        let facade = Facade::draw(dice);
        let storey = (0.085 - 0.04 * distance) * dice.range(0.8, 1.25);
        let bay = storey * dice.range(0.8, 1.3);
        let turn = dice.range(0.0, 0.35) * width;
        canvas.shade_in((x, foot - height), (x + width, foot), |px, py, _| {
            let side_wall = if light.side < 0.0 { px > x + width - turn } else { px < x + turn };
            let facing = if side_wall { 0.15 } else { 0.9 };
            light.far(facade.colour(light, (px - x) / bay, (foot - py) / storey, facing, 1.0), distance * 1.3)
        });
        let roof = light.far(light.on(scale(facade.plain(), 0.7), 0.5), distance);
        match dice.below(4) {
            0 => canvas.polygon(
                &[
                    (x - 0.01, foot - height),
                    (x + width * 0.5, foot - height - width * dice.range(0.25, 0.55)),
                    (x + width + 0.01, foot - height),
                ],
                |_, _, _| mix(roof, light.on(hex(0x8a4a38), 0.8), 0.5),
            ),
            1 => canvas.rect((x + width * 0.3, foot - height - 0.04), (x + width * 0.6, foot - height), roof),
            2 => canvas.stroke(
                (x + width * 0.5, foot - height),
                (x + width * 0.5, foot - height - 0.12),
                0.012,
                0.004,
                roof,
            ),
            _ => {}
        }
    }
}

/// A row of old houses with pitched roofs, seen straight on.
fn row(canvas: &mut Canvas, light: &Light, dice: &mut Dice) {
    let foot = dice.range(0.8, 0.98);
    forecourt(canvas, light, dice, foot);
    let roof = dice.pick(&[hex(0x8f4a34), hex(0x5a4a44), hex(0x4f5358), hex(0xa85a3c)]);
    let mut x = dice.range(-0.2, 0.0);
    let base = dice.range(0.35, 0.6);
    while x < 1.0 {
        let width = dice.range(0.22, 0.5);
        let height = base * dice.range(0.85, 1.2);
        let storeys = (height / dice.range(0.13, 0.19)).floor().max(2.0);
        let bays = (width / dice.range(0.09, 0.14)).floor().max(2.0);
        let facade = Facade::draw(dice);
        let pitch = width * dice.range(0.2, 0.6);
        let top = foot - height;
        let gable = dice.chance(0.5);
        let seed = dice.bits();
        let peak = if gable { x + width * 0.5 } else { x + width };
        let low = if gable { x + width * 0.5 } else { x };
        canvas.polygon(
            &[(x - 0.012, top), (low, top - pitch), (peak, top - pitch), (x + width + 0.012, top)],
            |px, py, _| light.on(scale(roof, 0.75 + 0.4 * noise(seed, px * 40.0, py * 90.0)), 0.8),
        );
        canvas.shade_in((x, top), (x + width, foot), |px, py, _| {
            facade.colour(light, (px - x) / width * bays, (foot - py) / height * storeys, 0.85, 1.0)
        });
        let door = x + width * dice.range(0.2, 0.8);
        let wood = dice.pick(&[hex(0x4a2f22), hex(0x2f4a3c), hex(0x6a2a24)]);
        canvas.rect((door - 0.025, foot - 0.1), (door + 0.025, foot), light.on(wood, 0.6));
        x += width + dice.pick(&[0.0, 0.0, 0.03]);
    }
}

/// Towers whose edges run together overhead.
fn from_below(canvas: &mut Canvas, light: &Light, dice: &mut Dice) {
    let meet = (dice.range(0.3, 0.7), dice.range(-0.9, -0.3));
    let count = 2 + dice.below(2);
    for place in 0..count {
        let middle = (place as f32 + dice.range(0.2, 0.8)) / count as f32;
        let half = dice.range(0.16, 0.32);
        let top = dice.range(0.02, 0.4);
        let facade = Facade::draw(dice);
        let bays = dice.range(4.0, 9.0).floor();
        let storeys = dice.range(9.0, 20.0);
        let facing = dice.range(0.2, 1.0);
        canvas.shade_in((0.0, top), (1.0, 1.0), |x, y, old| {
            let factor = (y - meet.1) / (1.0 - meet.1);
            let across = ((x - meet.0) / factor - (middle - meet.0)) / half;
            if across.abs() > 1.0 {
                return old;
            }
            let up = 1.0 / factor - 1.0;
            let facing = if across * light.side < -0.6 { 0.15 } else { facing };
            light.far(
                facade.colour(light, (across + 1.0) * 0.5 * bays, up * storeys, facing, 1.0),
                (1.0 - y) * 0.3,
            )
        });
    }
}
