//! Streets: a road that runs away between two rows of houses.

use super::canvas::Canvas;
use super::colour::{Rgb, add, hex, mix, scale};
use super::dice::Dice;
use super::facade::Facade;
use super::light::Light;
use super::noise::{lattice, part, ramp, rough};
use super::tree;

/// Where the road meets the horizon, and how wide things are one step away.
struct View {
    vanish: (f32, f32),
    road: f32,
    pavement: f32,
    ground: f32,
}

impl View {
    /// A place `side` (in half road widths) off the middle, at `depth` from 0
    /// (as far as the eye sees) to 1 (at the lower edge), on the ground.
    fn place(&self, side: f32, depth: f32) -> (f32, f32) {
        (self.vanish.0 + side * self.road * depth, self.vanish.1 + self.ground * depth)
    }
}

/// Paints a view along a street.
pub(super) fn paint(canvas: &mut Canvas, light: &Light, dice: &mut Dice) {
    let vanish = (dice.range(0.32, 0.68), dice.range(0.4, 0.6));
    let view = View {
        vanish,
        road: dice.range(0.32, 0.62),
        pavement: dice.range(1.25, 1.6),
        ground: 1.0 - vanish.1,
    };
    light.paint_sky(canvas, vanish.1 + 0.03);
    ground(canvas, light, dice, &view);
    for side in [-1.0, 1.0] {
        houses(canvas, light, dice, &view, side);
    }
    closing(canvas, light, dice, &view);
    let mut things: Vec<(f32, usize)> = (0..5 + dice.below(9))
        .map(|_| {
            let depth = dice.unit();
            (0.06 + 0.84 * depth * depth, dice.below(10))
        })
        .collect();
    things.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (depth, kind) in things {
        let side = if dice.chance(0.5) { 1.0 } else { -1.0 };
        match kind {
            0..=4 => car(canvas, light, dice, &view, side, depth),
            5..=6 => person(canvas, light, dice, &view, side, depth),
            7..=8 => lamp(canvas, light, &view, side, depth),
            _ => {
                let foot = view.place(side * 1.2, depth);
                tree::broad(canvas, light, dice, foot, 0.75 * depth, 0.4 - 0.4 * depth);
            }
        }
    }
}

fn ground(canvas: &mut Canvas, light: &Light, dice: &mut Dice, view: &View) {
    let seed = dice.bits();
    let asphalt = dice.pick(&[hex(0x55565a), hex(0x6a6a6c), hex(0x45474c), hex(0x7d7a74)]);
    let slabs = dice.pick(&[hex(0xa09c94), hex(0x8a8884), hex(0xb5aea0)]);
    let cobbles = dice.chance(0.25);
    let line = dice.pick(&[hex(0xe8e4d8), hex(0xe8e4d8), hex(0xd8b040)]);
    let marked = dice.chance(0.75);
    let crossing = dice.chance(0.25).then(|| dice.range(0.4, 0.8));
    let (vanish, road, height) = (view.vanish, view.road, view.ground);
    let pavement = view.pavement;
    canvas.shade_in((0.0, vanish.1), (1.0, 1.0), |x, y, _| {
        let depth = ((y - vanish.1) / height).max(0.004);
        let side = (x - vanish.0) / (road * depth);
        let far = 1.0 / depth;
        let grain = rough(seed, side * 8.0, far * 8.0, 3);
        let mut surface: Rgb = scale(asphalt, 0.82 + 0.36 * grain);
        if cobbles {
            let shift = if (far * 14.0).floor() as i32 & 1 == 0 { 0.0 } else { 0.5 };
            let stone = lattice(seed, (side * 9.0 + shift).floor() as i32, (far * 14.0).floor() as i32);
            surface = scale(asphalt, 0.75 + 0.5 * stone);
        }
        if side.abs() > 1.0 {
            let joint = part(far * 3.0) < 0.08 * far.min(3.0);
            surface = scale(slabs, if joint { 0.75 } else { 0.9 + 0.2 * grain });
            if side.abs() < 1.06 {
                surface = scale(slabs, 0.6);
            }
            if side.abs() > pavement + 1.5 {
                surface = scale(slabs, 0.7);
            }
        } else if marked {
            let dash = side.abs() < 0.03 && part(far * 1.1) < 0.55;
            let rim = (side.abs() - 0.93).abs() < 0.02;
            if dash || rim {
                surface = mix(surface, line, 0.8);
            }
        }
        if let Some(near) = crossing
            && side.abs() < 0.95
            && (depth - near).abs() < 0.09
            && part(side * 4.0) < 0.5
        {
            surface = mix(surface, hex(0xeceae4), 0.85);
        }
        light.far(light.on(surface, 0.75), (1.0 - depth * 2.0).max(0.0) * 0.8)
    });
}

/// The row of houses on one side: a wall that runs to the vanishing point.
fn houses(canvas: &mut Canvas, light: &Light, dice: &mut Dice, view: &View, side: f32) {
    let facades: Vec<_> =
        (0..7).map(|_| (Facade::draw(dice), dice.range(0.75, 1.5), dice.range(0.6, 1.5))).collect();
    let shops = dice.chance(0.5).then(|| dice.bits());
    let reach = view.road * view.pavement;
    let tall = dice.range(0.9, 1.7);
    let facing = if side * light.side < 0.0 { 0.95 } else { 0.25 };
    let length = dice.range(0.6, 1.1);
    let (vanish, ground) = (view.vanish, view.ground);
    let (low, high) = if side < 0.0 { (0.0, vanish.0) } else { (vanish.0, 1.0) };
    canvas.shade_in((low, 0.0), (high, 1.0), |x, y, old| {
        let depth = (x - vanish.0) * side / reach;
        if depth < 0.045 {
            return old;
        }
        let far = 1.0 / depth;
        let up = (vanish.1 + ground * depth - y) / depth;
        let along = far * length + 3.0;
        let place = (along.max(0.0) as usize).min(400);
        let (facade, height, bays) = &facades[place % facades.len()];
        let wall = tall * height * ground * 1.3;
        if up < 0.0 || up > wall {
            return old;
        }
        let storeys = (height * tall * 3.0).max(2.0);
        let storey = up / wall * storeys;
        let sharp = ramp(0.03, 0.1, depth);
        let mut colour =
            facade.colour(light, part(along) * (3.0 * bays + 1.0).floor(), storey, facing, sharp);
        if let Some(seed) = shops.filter(|_| storey < 0.9) {
            let sign = lattice(seed, place as i32, 1);
            let paint = [
                lattice(seed, place as i32, 2),
                lattice(seed, place as i32, 3),
                lattice(seed, place as i32, 4),
            ];
            if storey > 0.68 {
                colour = light.on(mix(hex(0x7a3a34), paint, 0.6), 0.8);
            } else if part(part(along) * 2.0) < 0.8 && sign > 0.2 {
                let window = if light.night { hex(0xffe0a0) } else { hex(0x35404a) };
                colour = if light.night { window } else { light.on(window, 0.7) };
            }
        }
        if up > wall * 0.96 {
            colour = scale(colour, 0.7);
        }
        light.far(colour, (1.0 - depth * 2.2).max(0.0))
    });
}

/// What stands at the far end.
fn closing(canvas: &mut Canvas, light: &Light, dice: &mut Dice, view: &View) {
    let half = view.road * view.pavement * 0.05;
    let (x, y) = view.vanish;
    if dice.chance(0.5) {
        let colour = light.far(light.on(dice.pick(&[hex(0x8a8078), hex(0x6f7f6a), hex(0x9a8f86)]), 0.6), 0.9);
        canvas.rect((x - half, y - dice.range(0.02, 0.09)), (x + half, y + 0.02), colour);
    }
}

fn car(canvas: &mut Canvas, light: &Light, dice: &mut Dice, view: &View, side: f32, depth: f32) {
    let parked = dice.chance(0.5);
    let (x, y) = view.place(side * if parked { 0.82 } else { 0.45 }, depth);
    let half = 0.15 * depth * (view.road / 0.45).min(1.3);
    let paint = dice.pick(&[
        hex(0xb02a24),
        hex(0xe8e8e6),
        hex(0x26282c),
        hex(0x8f979e),
        hex(0x2f5088),
        hex(0xd8b03a),
        hex(0x4a5a4a),
    ]);
    let at = |colour: Rgb, facing: f32| light.far(light.on(colour, facing), (0.5 - depth).max(0.0));
    let body = at(paint, 0.7);
    let roof = at(paint, 1.0);
    canvas.ellipse((x, y), (half * 1.15, half * 0.22), |_, _, old| scale(old, 0.45));
    canvas.rect((x - half, y - half * 0.85), (x + half, y - half * 0.1), body);
    canvas.polygon(
        &[
            (x - half * 0.9, y - half * 0.8),
            (x - half * 0.65, y - half * 1.5),
            (x + half * 0.65, y - half * 1.5),
            (x + half * 0.9, y - half * 0.8),
        ],
        |_, _, _| roof,
    );
    canvas.polygon(
        &[
            (x - half * 0.75, y - half * 0.85),
            (x - half * 0.56, y - half * 1.4),
            (x + half * 0.56, y - half * 1.4),
            (x + half * 0.75, y - half * 0.85),
        ],
        |_, _, _| at(hex(0x2a343c), 0.8),
    );
    for wheel in [-0.72, 0.72] {
        canvas.rect(
            (x + half * (wheel - 0.17), y - half * 0.22),
            (x + half * (wheel + 0.17), y + half * 0.1),
            at(hex(0x17181a), 0.6),
        );
        let lamp = if side < 0.0 { hex(0xfff4d0) } else { hex(0xd02a20) };
        let glow = if light.night { lamp } else { at(lamp, 0.8) };
        canvas.ellipse((x + half * wheel, y - half * 0.55), (half * 0.17, half * 0.13), |_, _, _| glow);
    }
    canvas.rect(
        (x - half * 0.25, y - half * 0.42),
        (x + half * 0.25, y - half * 0.25),
        at(hex(0xdcdcd4), 0.8),
    );
}

fn person(canvas: &mut Canvas, light: &Light, dice: &mut Dice, view: &View, side: f32, depth: f32) {
    let (x, y) = view.place(side * dice.range(1.05, 1.22), depth);
    let height = 0.36 * depth;
    let coat = light
        .on(dice.pick(&[hex(0x3a3f4a), hex(0x8a3030), hex(0x2f4f6a), hex(0xc8b890), hex(0x4f4038)]), 0.7);
    let legs = light.on(hex(0x2a2c34), 0.6);
    canvas.stroke(
        (x - height * 0.05, y),
        (x - height * 0.03, y - height * 0.5),
        height * 0.08,
        height * 0.1,
        legs,
    );
    canvas.stroke(
        (x + height * 0.06, y),
        (x + height * 0.03, y - height * 0.5),
        height * 0.08,
        height * 0.1,
        legs,
    );
    canvas.stroke((x, y - height * 0.42), (x, y - height * 0.84), height * 0.22, height * 0.26, coat);
    canvas.ellipse((x, y - height * 0.92), (height * 0.075, height * 0.09), |_, _, _| {
        light.on(hex(0xb88a70), 0.8)
    });
}

fn lamp(canvas: &mut Canvas, light: &Light, view: &View, side: f32, depth: f32) {
    let (x, y) = view.place(side * 1.1, depth);
    let height = 0.9 * depth;
    let pole = light.far(light.on(hex(0x3a3c40), 0.5), (0.5 - depth).max(0.0));
    let head = (x - side * height * 0.16, y - height * 1.02);
    canvas.stroke((x, y), (x, y - height), height * 0.03, height * 0.02, pole);
    canvas.stroke((x, y - height), head, height * 0.025, height * 0.02, pole);
    if light.night {
        let radius = height * 0.2;
        canvas.ellipse(head, (radius, radius), |px, py, old| {
            let (dx, dy) = ((px - head.0) / radius, (py - head.1) / radius);
            add(old, scale(hex(0xffd890), (1.0 - dx * dx - dy * dy).max(0.0) * 0.8))
        });
    } else {
        canvas.ellipse(head, (height * 0.05, height * 0.025), |_, _, _| pole);
    }
}
