//! Lengths of time as people type them.

use std::time::Duration;

/// Reads `14d`, `36h`, `90m`, `30s`; a bare number counts days.
///
/// # Errors
/// When it is none of these.
pub fn parse(text: &str) -> Result<Duration, String> {
    parse_with(text, "d")
}

/// As [`parse`]; a bare number counts seconds.
///
/// # Errors
/// As [`parse`].
pub fn parse_seconds(text: &str) -> Result<Duration, String> {
    parse_with(text, "s")
}

fn parse_with(text: &str, bare: &str) -> Result<Duration, String> {
    let (number, unit) = match text.find(|letter: char| !letter.is_ascii_digit() && letter != '.') {
        Some(end) => text.split_at(end),
        None => (text, bare),
    };
    let seconds = match unit.trim() {
        "d" | "day" | "days" => 86_400.0,
        "h" | "hour" | "hours" => 3_600.0,
        "m" | "min" | "minutes" => 60.0,
        "s" | "sec" | "seconds" => 1.0,
        _ => return Err(format!("'{unit}' is no unit of time; say 14d, 36h, 90m or 30s")),
    };
    let number: f64 = number.parse().map_err(|_| "say 14d, 36h, 90m or 30s".to_owned())?;
    Duration::try_from_secs_f64(number * seconds).map_err(|error| error.to_string())
}

/// A length of time in its largest unit that fits.
pub fn words(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    let (number, unit) = match seconds {
        s if s >= 86_400.0 => (s / 86_400.0, "day"),
        s if s >= 3_600.0 => (s / 3_600.0, "hour"),
        s if s >= 60.0 => (s / 60.0, "minute"),
        s => (s, "second"),
    };
    let number = (number * 10.0).round() / 10.0;
    format!("{number} {unit}{}", if number == 1.0 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_and_shown() {
        for (text, seconds, shown) in [
            ("14d", 14 * 86_400, "14 days"),
            ("14", 14 * 86_400, "14 days"),
            ("36h", 36 * 3_600, "1.5 days"),
            ("90m", 5_400, "1.5 hours"),
            ("30s", 30, "30 seconds"),
            ("0", 0, "0 seconds"),
            ("1d", 86_400, "1 day"),
        ] {
            let duration = parse(text).expect(text);
            assert_eq!(duration, Duration::from_secs(seconds), "{text}");
            assert_eq!(words(duration), shown);
        }
        assert_eq!(parse_seconds("30"), Ok(Duration::from_secs(30)));
        for text in ["", "d", "-1d", "14 weeks", "1e400", "1.2.3"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
