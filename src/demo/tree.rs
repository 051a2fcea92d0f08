//! Single trees, which several scenes stand in their landscape.

use super::canvas::{Canvas, Point};
use super::colour::{Rgb, hex, mix, scale};
use super::dice::Dice;
use super::light::{Light, Season};
use super::noise::{lattice, rough};

/// The colour of the leaves of one broad tree.
pub(super) fn leaf_colour(light: &Light, dice: &mut Dice) -> Rgb {
    match light.season {
        Season::Summer => dice.pick(&[hex(0x3f6b2a), hex(0x557f35), hex(0x2f5a2c), hex(0x6d9240)]),
        Season::Autumn => {
            dice.pick(&[hex(0xb8702a), hex(0xc99035), hex(0x8f4a26), hex(0x7f7d33), hex(0xa8502a)])
        }
        Season::Winter => dice.pick(&[hex(0xdfe6ea), hex(0x6a6258), hex(0xc5ced4)]),
    }
}

/// The colour of the needles of one conifer.
pub(super) fn needle_colour(light: &Light, dice: &mut Dice) -> Rgb {
    let green = dice.pick(&[hex(0x24452f), hex(0x2f5235), hex(0x1d3a2b), hex(0x3c5a38)]);
    if light.season == Season::Winter { mix(green, hex(0xe8eef2), dice.range(0.2, 0.6)) } else { green }
}

/// Paints a conifer that stands at `foot`. `distance` is 0 near, 1 far.
pub(super) fn conifer(
    canvas: &mut Canvas,
    light: &Light,
    dice: &mut Dice,
    foot: Point,
    height: f32,
    distance: f32,
) {
    let seed = dice.bits();
    let colour = needle_colour(light, dice);
    let half = height * dice.range(0.16, 0.26);
    let tiers = dice.range(4.0, 7.0).floor();
    let trunk = light.far(light.on(hex(0x4a3a2c), 0.5), distance);
    canvas.stroke(foot, (foot.0, foot.1 - height * 0.3), half * 0.22, half * 0.18, trunk);
    canvas.shade_in(
        (foot.0 - half, foot.1 - height),
        (foot.0 + half, foot.1 - height * 0.08),
        |x, y, old| {
            let down = (y - (foot.1 - height)) / (height * 0.92);
            let tier = super::noise::part(down * tiers);
            let reach =
                half * down * (0.55 + 0.45 * tier) * (0.8 + 0.4 * lattice(seed, (y * 160.0) as i32, 0));
            let off = x - foot.0;
            if off.abs() > reach {
                return old;
            }
            let facing = 0.5 + 0.5 * light.side * off / half - 0.35 * tier;
            let fleck = 0.7 + 0.6 * rough(seed, x * 60.0, y * 60.0, 2);
            light.far(light.on(scale(colour, fleck), facing.clamp(0.0, 1.0)), distance)
        },
    );
}

/// Paints a broad tree that stands at `foot`. `distance` is 0 near, 1 far.
pub(super) fn broad(
    canvas: &mut Canvas,
    light: &Light,
    dice: &mut Dice,
    foot: Point,
    height: f32,
    distance: f32,
) {
    let bark = light.far(light.on(dice.pick(&[hex(0x53402f), hex(0x6b5a4a), hex(0x3d3128)]), 0.6), distance);
    canvas.stroke(foot, (foot.0, foot.1 - height * 0.6), height * 0.07, height * 0.04, bark);
    let colour = leaf_colour(light, dice);
    let crown = (foot.0, foot.1 - height * 0.66);
    for _ in 0..9 {
        let at = (crown.0 + dice.swing() * height * 0.2, crown.1 + dice.swing() * height * 0.17);
        let radius = height * dice.range(0.13, 0.22);
        leaves(canvas, light, dice, at, radius, colour, distance);
    }
}

/// Paints a ragged ball of leaves.
pub(super) fn leaves(
    canvas: &mut Canvas,
    light: &Light,
    dice: &mut Dice,
    centre: Point,
    radius: f32,
    colour: Rgb,
    distance: f32,
) {
    let seed = dice.bits();
    let shade = dice.range(0.75, 1.15);
    canvas.ellipse(centre, (radius * 1.2, radius * 1.1), |x, y, old| {
        let (dx, dy) = ((x - centre.0) / radius, (y - centre.1) / radius);
        let ragged = rough(seed, x * 55.0, y * 55.0, 2);
        if dx * dx + dy * dy > 0.45 + 0.9 * ragged {
            return old;
        }
        let facing = (0.55 - 0.4 * dy + 0.25 * light.side * dx).clamp(0.0, 1.0);
        light.far(light.on(scale(colour, shade * (0.6 + 0.8 * ragged)), facing), distance)
    });
}
