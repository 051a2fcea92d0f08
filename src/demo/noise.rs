//! Noise over the plane, and a sine that is the same on every machine.

use super::dice::scramble;

/// A number from 0 to 1 for one point of an integer lattice.
pub(super) fn lattice(seed: u64, x: i32, y: i32) -> f32 {
    let point = (x as u32 as u64) << 32 | y as u32 as u64;
    (scramble(seed ^ scramble(point.wrapping_add(0x9e37_79b9_7f4a_7c15))) >> 40) as f32 / 16_777_216.0
}

/// Rises from 0 to 1 with level ends as `t` goes from 0 to 1; constant beyond.
pub(super) fn smooth(t: f32) -> f32 {
    let t = t.clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Rises from 0 to 1 as `value` goes from `low` to `high`.
pub(super) fn ramp(low: f32, high: f32, value: f32) -> f32 {
    smooth((value - low) / (high - low))
}

/// Smooth noise from 0 to 1 with features about one unit wide.
pub(super) fn noise(seed: u64, x: f32, y: f32) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let (across, down) = (smooth(x - left), smooth(y - top));
    let (left, top) = (left as i32, top as i32);
    let right = left.wrapping_add(1);
    let bottom = top.wrapping_add(1);
    let upper = lattice(seed, left, top) * (1.0 - across) + lattice(seed, right, top) * across;
    let lower = lattice(seed, left, bottom) * (1.0 - across) + lattice(seed, right, bottom) * across;
    upper * (1.0 - down) + lower * down
}

/// Noise from 0 to 1 with ever finer detail, each octave half as strong.
pub(super) fn rough(seed: u64, x: f32, y: f32, octaves: u32) -> f32 {
    let (mut sum, mut weight, mut total, mut scale) = (0.0, 1.0, 0.0, 1.0);
    for octave in 0..octaves {
        sum += weight * noise(seed.wrapping_add(u64::from(octave) * 77), x * scale, y * scale);
        total += weight;
        weight *= 0.5;
        scale *= 2.0;
    }
    sum / total
}

/// Noise from 0 to 1 with sharp crests, as on rock and ice.
pub(super) fn crest(seed: u64, x: f32, y: f32, octaves: u32) -> f32 {
    let (mut sum, mut weight, mut total, mut scale) = (0.0, 1.0, 0.0, 1.0);
    for octave in 0..octaves {
        let value = noise(seed.wrapping_add(u64::from(octave) * 131), x * scale, y * scale);
        sum += weight * (1.0 - (2.0 * value - 1.0).abs());
        total += weight;
        weight *= 0.5;
        scale *= 2.0;
    }
    sum / total
}

/// The sine of `turns` whole turns, within 0.001: a parabola bent once more.
pub(super) fn sine(turns: f32) -> f32 {
    let part = turns - turns.floor();
    let (sign, half) = if part < 0.5 { (1.0, part * 2.0) } else { (-1.0, part * 2.0 - 1.0) };
    let arch = 4.0 * half * (1.0 - half);
    sign * (0.775 * arch + 0.225 * arch * arch)
}

/// The part of a number after the point, from 0 up to 1.
pub(super) fn part(value: f32) -> f32 {
    value - value.floor()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_stays_between_zero_and_one_and_varies() {
        let values: Vec<f32> = (0..500).map(|i| rough(3, i as f32 * 0.37, i as f32 * 0.11, 4)).collect();
        assert!(values.iter().all(|value| (0.0..=1.0).contains(value)));
        let low = values.iter().copied().fold(1.0, f32::min);
        let high = values.iter().copied().fold(0.0, f32::max);
        assert!(high - low > 0.4, "{low} to {high}");
    }

    #[test]
    fn the_sine_is_close_to_the_true_one() {
        for step in -40..40 {
            let turns = step as f32 / 16.0;
            let error = sine(turns) - (turns * std::f32::consts::TAU).sin();
            assert!(error.abs() < 0.002, "{turns}: {error}");
        }
    }
}
