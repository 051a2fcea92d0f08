//! The weather, the hour and the season that a scene is seen in.

use super::canvas::Canvas;
use super::colour::{Rgb, add, hex, mix, scale, under};
use super::dice::Dice;
use super::noise::{ramp, rough};

/// The time of year, which colours leaves and ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Season {
    Summer,
    Autumn,
    Winter,
}

/// How a scene is lit.
#[derive(Debug, Clone)]
pub(super) struct Light {
    /// The sky straight up.
    pub(super) zenith: Rgb,
    /// The sky at the horizon.
    pub(super) horizon: Rgb,
    /// What the light makes of a white surface.
    pub(super) tint: Rgb,
    /// How fast things fade with distance, 0 to 1.
    pub(super) haze: f32,
    /// How much darker a side turned away from the light is, 0 to 1.
    pub(super) contrast: f32,
    /// Where the sun is, if it shows.
    pub(super) sun: Option<(f32, f32)>,
    /// -1 when light comes from the left, 1 from the right.
    pub(super) side: f32,
    /// Lamps are on.
    pub(super) night: bool,
    /// Share of the sky that clouds cover, 0 to 1.
    pub(super) clouds: f32,
    /// The time of year.
    pub(super) season: Season,
    seed: u64,
}

impl Light {
    /// Draws a light from the dice.
    pub(super) fn draw(dice: &mut Dice) -> Self {
        let season = match dice.below(10) {
            0..=4 => Season::Summer,
            5..=7 => Season::Autumn,
            _ => Season::Winter,
        };
        let side = if dice.chance(0.5) { 1.0 } else { -1.0 };
        let sun = (0.5 + side * dice.range(0.0, 0.45), dice.range(0.05, 0.3));
        let (zenith, horizon, tint) = match dice.below(20) {
            0..=7 => (hex(0x3f7fc8), hex(0xb9d4ea), [1.0, 0.99, 0.95]),
            8..=11 => (hex(0x9aa3ab), hex(0xc9ced2), [0.80, 0.83, 0.86]),
            12..=14 => (hex(0x6f8fc0), hex(0xf0b27a), [1.0, 0.84, 0.66]),
            15..=16 => (hex(0xb9c0c5), hex(0xd2d6d8), [0.86, 0.88, 0.90]),
            17..=18 => (hex(0x3b4470), hex(0xd0869a), [0.62, 0.56, 0.66]),
            _ => (hex(0x0c1430), hex(0x2b3560), [0.34, 0.38, 0.52]),
        };
        let luma = super::colour::luma(tint);
        let fog = horizon == hex(0xd2d6d8);
        let overcast = horizon == hex(0xc9ced2);
        Light {
            zenith: scale(zenith, dice.range(0.88, 1.1)),
            horizon: scale(horizon, dice.range(0.92, 1.05)),
            tint,
            haze: if fog { dice.range(0.6, 0.95) } else { dice.range(0.1, 0.5) },
            contrast: if fog || overcast { dice.range(0.1, 0.25) } else { dice.range(0.3, 0.55) },
            sun: (luma > 0.84 && !fog && !overcast && dice.chance(0.3)).then_some(sun),
            side,
            night: luma < 0.45,
            clouds: if overcast { dice.range(0.6, 1.0) } else { dice.range(0.0, 0.7) },
            season,
            seed: dice.bits(),
        }
    }

    /// The same light, colder: under a red sun ice would pass for sand.
    pub(super) fn cooled(&self) -> Self {
        Light { tint: mix(self.tint, [0.86, 0.95, 1.04], 0.55), ..self.clone() }
    }

    /// A surface of the given colour: `facing` is 1 when it is turned to the
    /// light, 0 when away from it.
    pub(super) fn on(&self, surface: Rgb, facing: f32) -> Rgb {
        under(scale(surface, 1.0 - self.contrast * (1.0 - facing)), self.tint)
    }

    /// What is left of a colour at a distance: 0 is near, 1 far.
    pub(super) fn far(&self, colour: Rgb, distance: f32) -> Rgb {
        mix(colour, self.horizon, (self.haze * distance).clamp(0.0, 1.0))
    }

    /// The colour of the sky; `height` is 0 at the horizon, 1 overhead.
    pub(super) fn sky(&self, height: f32) -> Rgb {
        mix(self.horizon, self.zenith, height.clamp(0.0, 1.0))
    }

    /// Paints the sky down to `horizon`.
    pub(super) fn paint_sky(&self, canvas: &mut Canvas, horizon: f32) {
        let cloud = mix(scale(self.tint, 0.98), self.horizon, 0.25);
        canvas.shade_in((0.0, 0.0), (1.0, horizon), |x, y, _| {
            let height = (horizon - y) / horizon.max(0.05);
            let mut colour = self.sky(height);
            let depth = 0.25 + height;
            let cover = rough(self.seed, (x - 0.5) * 3.0 / depth, 4.0 / depth + y * 2.0, 4);
            let amount = ramp(0.72 - 0.4 * self.clouds, 0.95 - 0.4 * self.clouds, cover);
            let shaded = scale(cloud, 0.82 + 0.18 * rough(self.seed ^ 5, x * 5.0, y * 9.0, 3));
            colour = mix(colour, shaded, amount * 0.9);
            if let Some(sun) = self.sun {
                let (dx, dy) = (x - sun.0, y - sun.1);
                let distance = dx * dx + dy * dy;
                colour = add(colour, scale(self.tint, 0.012 / (distance + 0.012)));
            }
            if self.night && super::noise::lattice(self.seed, (x * 150.0) as i32, (y * 150.0) as i32) > 0.996
            {
                colour = add(colour, [0.5; 3]);
            }
            colour
        });
    }

    /// The colour of meadow, leaf litter or snow on the ground.
    pub(super) fn ground(&self, dice: &mut Dice) -> Rgb {
        match self.season {
            Season::Summer => dice.pick(&[hex(0x5f7d3a), hex(0x6f8a45), hex(0x4f6b35), hex(0x8a8a4a)]),
            Season::Autumn => dice.pick(&[hex(0x8a6a3a), hex(0x96773f), hex(0x7d7040)]),
            Season::Winter => dice.pick(&[hex(0xe6ecf2), hex(0xd5dde4), hex(0x8f8a78)]),
        }
    }
}
