//! Walls with windows, which buildings and streets are made of.

use super::colour::{Rgb, hex, mix, scale};
use super::dice::Dice;
use super::light::Light;
use super::noise::{lattice, noise, part};

/// The pattern of one wall.
#[derive(Debug, Clone)]
pub(super) struct Facade {
    wall: Rgb,
    glass: Rgb,
    frame: Rgb,
    window: (f32, f32),
    bricks: bool,
    seed: u64,
}

impl Facade {
    /// Draws a pattern: plaster, brick, concrete or glass.
    pub(super) fn draw(dice: &mut Dice) -> Self {
        let modern = dice.chance(0.35);
        let wall = if modern {
            dice.pick(&[hex(0x8f9aa5), hex(0x6f7f8f), hex(0xb8bcc0), hex(0x4f5a66), hex(0xa8a29a)])
        } else {
            dice.pick(&[
                hex(0xd8c8a8),
                hex(0xb5654a),
                hex(0x9a5a44),
                hex(0xe2d8c8),
                hex(0xc8a878),
                hex(0xcfb0a0),
                hex(0x8f8478),
                hex(0xa8b0a0),
                hex(0xd0a060),
                hex(0x7a4a3c),
            ])
        };
        let window = if modern {
            (dice.range(0.6, 0.92), dice.range(0.55, 0.88))
        } else {
            (dice.range(0.36, 0.56), dice.range(0.45, 0.66))
        };
        Facade {
            wall: scale(wall, dice.range(0.82, 1.12)),
            glass: dice.pick(&[hex(0x2f3f4f), hex(0x3f4f5a), hex(0x1f2a35), hex(0x5f7f98)]),
            frame: mix(wall, hex(0xf0ece4), if dice.chance(0.5) { 0.6 } else { 0.1 }),
            window,
            bricks: !modern && dice.chance(0.5),
            seed: dice.bits(),
        }
    }

    /// The colour of the wall at `across` windows from its left end and `up`
    /// storeys from the ground. `sharp` fades the windows out with distance: 1
    /// is near, 0 too far to see any.
    pub(super) fn colour(&self, light: &Light, across: f32, up: f32, facing: f32, sharp: f32) -> Rgb {
        let (x, y) = (part(across), part(up));
        let (column, storey) = (across.floor() as i32, up.floor() as i32);
        let stain = 0.88 + 0.24 * noise(self.seed, across * 0.9, up * 0.9);
        let mut wall = scale(self.wall, stain);
        if self.bricks {
            let row = up * 9.0;
            let shift = if (row.floor() as i32) & 1 == 0 { 0.0 } else { 0.5 };
            let joint = part(row) < 0.2 || part(across * 4.0 + shift) < 0.1;
            wall = scale(wall, if joint { 1.12 } else { 0.96 });
        }
        let off = ((x - 0.5).abs() / (self.window.0 * 0.5), (y - 0.5).abs() / (self.window.1 * 0.5));
        let inside = off.0.max(off.1);
        let lit = light.on(wall, facing);
        let seen = if inside > 1.18 {
            lit
        } else if inside > 1.0 || off.0 < 0.08 {
            light.on(self.frame, facing)
        } else {
            self.pane(light, column, storey, facing, y)
        };
        mix(mix(lit, light.on(self.glass, facing), 0.3), seen, sharp)
    }

    fn pane(&self, light: &Light, column: i32, storey: i32, facing: f32, y: f32) -> Rgb {
        let chance = lattice(self.seed ^ 1, column, storey);
        if light.night && chance < 0.5 {
            return scale(mix(hex(0xffd890), hex(0xfff0c8), chance * 2.0), 0.95);
        }
        let mirrored = mix(self.glass, light.sky(0.3), 0.15 + 0.5 * chance * facing);
        let curtain = chance > 0.85 && y > 0.5;
        if curtain { light.on(hex(0xd8d0c0), facing) } else { light.on(mirrored, 0.8) }
    }

    /// The wall's own colour, for parts without windows.
    pub(super) fn plain(&self) -> Rgb {
        self.wall
    }
}
