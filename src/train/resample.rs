//! One resampling from a rendition to what the network sees: window, geometry,
//! lighting and normalisation in a single pass.

use super::recipe::Normalisation;
use super::rendition::Picture;
use super::transform::Transform;

/// For each colour and byte, the normalised value.
type Tables = [[f32; 256]; 3];

fn tables(transform: &Transform, normalisation: Normalisation) -> Tables {
    let curve = transform.curve();
    let (mean, deviation) = normalisation.constants();
    std::array::from_fn(|colour| curve.map(|value| (value - mean[colour]) / deviation[colour]))
}

/// Writes the transformed picture into `out`: `size × size × 3` normalised
/// values, rows from the top, colours innermost. Between pixels it is bilinear;
/// beyond the edges the picture is mirrored.
pub fn resample(
    picture: Picture<'_>,
    transform: &Transform,
    normalisation: Normalisation,
    size: usize,
    out: &mut [f32],
) {
    assert_eq!(out.len(), size * size * 3, "the result is size × size × 3");
    let changed = transform.colours.map(|colours| colours.apply(picture));
    let picture = changed.as_ref().map_or(picture, |pixels| Picture { pixels, ..picture });
    let tables = tables(transform, normalisation);
    let (width, height) = (picture.width, picture.height);
    let edge = width.min(height);
    let place = |extent: usize| ((extent - edge) as f64 * transform.window).round() as usize;
    let (left, top) = (place(width), place(height));
    if edge == size && transform.map == Transform::PLAIN.map {
        for (row, out) in out.chunks_exact_mut(size * 3).enumerate() {
            let start = ((top + row) * width + left) * 3;
            copy_row(&picture.pixels[start..start + size * 3], &tables, out);
        }
        return;
    }
    // From the index of a pixel of the result to −1 … 1, through the map, to
    // the index of a pixel of the source.
    let half = edge as f64 / 2.0;
    let m = transform.map;
    let to_source = |row: [f64; 3], origin: usize| -> [f64; 3] {
        std::array::from_fn(|i| row[i] * half + m[2][i] * (half - 0.5 + origin as f64))
    };
    let rows = [to_source(m[0], left), to_source(m[1], top), m[2]].map(|row| row.map(|value| value as f32));
    let step = 2.0 / size as f32;
    for (line, out) in out.chunks_exact_mut(size * 3).enumerate() {
        let y = (line as f32 + 0.5) * step - 1.0;
        let [u0, v0, w0] = rows.map(|row| row[1] * y + row[2]);
        for (column, out) in out.chunks_exact_mut(3).enumerate() {
            let x = (column as f32 + 0.5) * step - 1.0;
            let w = rows[2][0] * x + w0;
            let (u, v) = ((rows[0][0] * x + u0) / w, (rows[1][0] * x + v0) / w);
            let (x0, x1, fx) = neighbours(u, width);
            let (y0, y1, fy) = neighbours(v, height);
            let at = |x: usize, y: usize| (y * width + x) * 3;
            let (a, b, c, d) = (at(x0, y0), at(x1, y0), at(x0, y1), at(x1, y1));
            for (colour, (out, table)) in out.iter_mut().zip(&tables).enumerate() {
                let value = |place: usize| table[usize::from(picture.pixels[place + colour])];
                let above = value(a) + (value(b) - value(a)) * fx;
                let below = value(c) + (value(d) - value(c)) * fx;
                *out = above + (below - above) * fy;
            }
        }
    }
}

fn copy_row(row: &[u8], tables: &Tables, out: &mut [f32]) {
    for (pixel, out) in row.chunks_exact(3).zip(out.chunks_exact_mut(3)) {
        for colour in 0..3 {
            out[colour] = tables[colour][usize::from(pixel[colour])];
        }
    }
}

/// The two pixels around a place, counted in pixels from the centre of the
/// first, and the share of the second.
fn neighbours(place: f32, extent: usize) -> (usize, usize, f32) {
    let last = extent as f32 - 1.0;
    if place >= 0.0 && place < last {
        let floor = place as usize;
        return (floor, floor + 1, place - floor as f32);
    }
    // Mirror at the outer edges of the first and last pixel.
    let period = 2.0 * extent as f32;
    let wrapped = (place + 0.5).rem_euclid(period);
    let mirrored = if wrapped < extent as f32 { wrapped } else { period - wrapped };
    let place = (mirrored - 0.5).clamp(0.0, last);
    let floor = place as usize;
    (floor, (floor + 1).min(extent - 1), place - floor as f32)
}

#[cfg(test)]
mod tests {
    use super::super::trivial::Colours;
    use super::*;

    fn picture(width: usize, height: usize) -> Vec<u8> {
        (0..width * height * 3).map(|i| (i * 31 % 253) as u8).collect()
    }

    fn run(pixels: &[u8], width: usize, height: usize, transform: &Transform, size: usize) -> Vec<f32> {
        let mut out = vec![0.0; size * size * 3];
        let picture = Picture { width, height, pixels };
        resample(picture, transform, Normalisation::Symmetric, size, &mut out);
        out
    }

    fn byte(value: f32) -> u8 {
        ((value * 0.5 + 0.5) * 255.0).round() as u8
    }

    #[test]
    fn the_plain_transform_is_the_middle_of_the_picture() {
        let pixels = picture(8, 4);
        let out = run(&pixels, 8, 4, &Transform::PLAIN, 4);
        let bytes: Vec<u8> = out.into_iter().map(byte).collect();
        let expected: Vec<u8> =
            (0..4).flat_map(|row| pixels[(row * 8 + 2) * 3..(row * 8 + 6) * 3].to_vec()).collect();
        assert_eq!(bytes, expected);
    }

    #[test]
    fn the_general_path_agrees_with_the_short_one() {
        let pixels = picture(9, 6);
        let nearly = Transform {
            map: [[1.0 + 1e-12, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
            ..Transform::PLAIN
        };
        let (a, b) = (run(&pixels, 9, 6, &Transform::PLAIN, 6), run(&pixels, 9, 6, &nearly, 6));
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-4));
    }

    #[test]
    fn colours_change_before_anything_else() {
        let pixels = picture(6, 6);
        let inverted: Vec<u8> = pixels.iter().map(|value| 255 - value).collect();
        let solarized = Transform { colours: Some(Colours::Solarize(0)), ..Transform::PLAIN };
        assert_eq!(run(&pixels, 6, 6, &solarized, 6), run(&inverted, 6, 6, &Transform::PLAIN, 6));
    }

    #[test]
    fn a_flip_mirrors_every_row() {
        let pixels = picture(6, 6);
        let flip =
            Transform { map: [[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], ..Transform::PLAIN };
        let out = run(&pixels, 6, 6, &flip, 6);
        for y in 0..6 {
            for x in 0..6 {
                for c in 0..3 {
                    assert_eq!(byte(out[(y * 6 + x) * 3 + c]), pixels[(y * 6 + 5 - x) * 3 + c]);
                }
            }
        }
    }

    #[test]
    fn beyond_the_edge_the_picture_is_mirrored() {
        let pixels = picture(4, 4);
        // A shift by half the edge: the right half lies outside.
        let shift =
            Transform { map: [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], ..Transform::PLAIN };
        let out = run(&pixels, 4, 4, &shift, 4);
        let red = |x: usize| byte(out[x * 3]);
        assert_eq!([red(0), red(1), red(2), red(3)], [pixels[6], pixels[9], pixels[9], pixels[6]]);
        assert!(out.iter().all(|value| value.is_finite()));
    }

    #[test]
    fn a_larger_source_is_halved_by_averaging_neighbours() {
        let pixels = [[0, 0, 0], [200, 100, 50], [0, 0, 0], [200, 100, 50]].concat();
        let out = run(&pixels, 2, 2, &Transform::PLAIN, 1);
        assert_eq!([byte(out[0]), byte(out[1]), byte(out[2])], [100, 50, 25]);
    }
}
