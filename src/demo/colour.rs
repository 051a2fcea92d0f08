//! Colours as three numbers from 0 to 1, in the space that files are in.

/// Red, green and blue; 0 is dark, 1 is full. May leave that range until a
/// picture is finished.
pub(super) type Rgb = [f32; 3];

/// A colour from its usual six hexadecimal digits.
pub(super) const fn hex(digits: u32) -> Rgb {
    [(digits >> 16 & 255) as f32 / 255.0, (digits >> 8 & 255) as f32 / 255.0, (digits & 255) as f32 / 255.0]
}

/// `amount` of `b`, the rest of `a`.
pub(super) fn mix(a: Rgb, b: Rgb, amount: f32) -> Rgb {
    [a[0] + (b[0] - a[0]) * amount, a[1] + (b[1] - a[1]) * amount, a[2] + (b[2] - a[2]) * amount]
}

/// Brighter or darker by a factor.
pub(super) fn scale(a: Rgb, factor: f32) -> Rgb {
    [a[0] * factor, a[1] * factor, a[2] * factor]
}

/// Channel by channel: a surface of colour `a` under a light of colour `b`.
pub(super) fn under(a: Rgb, b: Rgb) -> Rgb {
    [a[0] * b[0], a[1] * b[1], a[2] * b[2]]
}

/// Light added to light.
pub(super) fn add(a: Rgb, b: Rgb) -> Rgb {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

/// How bright a colour looks.
pub(super) fn luma(a: Rgb) -> f32 {
    0.3 * a[0] + 0.59 * a[1] + 0.11 * a[2]
}
