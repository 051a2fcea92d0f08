//! Lines of text that fit a width, and their pixels.

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, RasterizedChar, get_raster, get_raster_width};

const WEIGHT: FontWeight = FontWeight::Regular;
const HEIGHT: RasterHeight = RasterHeight::Size16;

/// Pixels from one line to the next.
pub const LINE: usize = HEIGHT.val();

/// Pixels of a character.
pub const fn advance() -> usize {
    get_raster_width(WEIGHT, HEIGHT)
}

/// The pixels of a character; of one that the font lacks those of `?`.
pub fn raster(letter: char) -> Option<RasterizedChar> {
    get_raster(letter, WEIGHT, HEIGHT).or_else(|| get_raster('?', WEIGHT, HEIGHT))
}

/// Breaks text into at most `most` lines of at most `width` characters, at
/// spaces where it can; what does not fit is cut with three dots.
pub fn wrapped(text: &str, width: usize, most: usize) -> Vec<String> {
    let width = width.max(4);
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let mut word: Vec<char> = word.chars().collect();
        let used = line.chars().count();
        if used > 0 && used + 1 + word.len() > width {
            lines.push(std::mem::take(&mut line));
        }
        while word.len() > width {
            lines.push(word.drain(..width).collect());
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            let kept: String = last.chars().take(width - 3).collect();
            *last = format!("{}...", kept.trim_end());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_at_spaces_and_cut_with_dots() {
        assert_eq!(wrapped("the model is sure", 9, 5), ["the model", "is sure"]);
        assert_eq!(wrapped("train/glacier/0001.jpg", 10, 5), ["train/glac", "ier/0001.j", "pg"]);
        assert_eq!(wrapped("a bb ccc dddd eeeee", 5, 2), ["a bb", "cc..."]);
        assert_eq!(wrapped("", 9, 5), [""; 0]);
        assert!(wrapped("several words of some length", 8, 9).iter().all(|line| line.chars().count() <= 8));
    }

    #[test]
    fn every_letter_has_pixels() {
        let ink = |letter| raster(letter).expect("a raster").pixels().iter().any(|ink| *ink > 0);
        assert!(ink('a') && ink('ü') && ink('雪') && !ink(' '));
    }
}
