//! Texts made fit for a terminal cell grid.

use safelight_lineage::value::{Timestamp, escape};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A text from outside, harmless.
pub fn safe(text: &str) -> String {
    escape(text.as_bytes())
}

/// A time as `2026-11-24 13:40`, UTC.
pub fn time(time: Timestamp) -> String {
    let minutes = time.0 / 60_000;
    let (days, minute) = (minutes / 1_440, minutes % 1_440);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}", minute / 60, minute % 60)
}

/// Year, month and day of a day counted from 1970-01-01, after Howard Hinnant's
/// `civil_from_days`.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// A number with thin groups: `1 234 567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// A count with its noun: `1 image`, `2 images`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A duration in seconds, in one or two units: `48 s`, `3 min 5 s`, `2 h 10 min`.
pub fn seconds(seconds: f64) -> String {
    // Saturates; NaN becomes 0.
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3_600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3_600, whole % 3_600 / 60),
    }
}

/// The width of a text in cells.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text in exactly `cells` cells: padded, or cut with `…` at the end.
pub fn fit(text: &str, cells: usize) -> String {
    let mut out = cut(text, cells);
    let missing = cells.saturating_sub(width(&out));
    out.extend(std::iter::repeat_n(' ', missing));
    out
}

/// The text in lines of at most `cells` cells, broken between words; a longer
/// word is left as it is.
pub fn wrap(text: &str, cells: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= cells => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The text in at most `cells` cells, cut with `…` at the end.
pub fn cut(text: &str, cells: usize) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > cells {
            break;
        }
        out.push(c);
        used += wide;
    }
    if cells > 0 {
        out.push('…');
    }
    out
}

/// The text in at most `cells` cells, cut with `…` at the start: the end of a
/// path says more than its beginning.
pub fn cut_start(text: &str, cells: usize) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let mut kept: Vec<char> = Vec::new();
    let mut used = 1;
    for c in text.chars().rev() {
        used += c.width().unwrap_or(0);
        if used > cells {
            break;
        }
        kept.push(c);
    }
    if cells > 0 {
        kept.push('…');
    }
    kept.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_civil() {
        assert_eq!(time(Timestamp(0)), "1970-01-01 00:00");
        assert_eq!(time(Timestamp(951_782_400_000)), "2000-02-29 00:00");
        assert_eq!(time(Timestamp(1_795_527_600_000)), "2026-11-24 13:40");
    }

    #[test]
    fn texts_fit() {
        assert_eq!(fit("abc", 5), "abc  ");
        assert_eq!(fit("abcdef", 4), "abc…");
        assert_eq!(fit("日本語", 4), "日… ");
        assert_eq!(cut_start("train/sea/1.jpg", 6), "…1.jpg");
        assert_eq!(wrap("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrap("seventeen", 3), ["seventeen"]);
        assert_eq!(cut("abc", 0), "");
        assert_eq!(cut_start("abc", 0), "");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(count(1_234_567), "1 234 567");
        assert_eq!(count(100), "100");
        assert_eq!(counted(1, "image", "images"), "1 image");
        assert_eq!(seconds(3_725.0), "1 h 2 min");
    }
}
