//! Durations as people write and read them.

use std::time::Duration;

const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Reads `300`, `5m` or `1h30m`. A number without a unit is seconds.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let millis = match text.parse::<u64>() {
        Ok(seconds) => seconds.checked_mul(1000),
        Err(_) => parse_parts(text),
    };
    let lawful = millis.filter(|millis| *millis <= 100 * 365 * 86_400_000);
    lawful
        .map(Duration::from_millis)
        .ok_or_else(|| "write seconds, or a duration such as 5m, 1h30m or 500ms".to_owned())
}

/// The same for a pause, which must not be nothing.
pub(crate) fn parse_pause(text: &str) -> Result<Duration, String> {
    match parse(text)? {
        Duration::ZERO => Err("a pause must be longer than nothing".to_owned()),
        pause => Ok(pause),
    }
}

fn parse_parts(text: &str) -> Option<u64> {
    let (mut rest, mut millis) = (text, 0u64);
    while !rest.is_empty() {
        let (digits, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let (unit, after) =
            after.split_at(after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len()));
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
        millis = millis.checked_add(digits.parse::<u64>().ok()?.checked_mul(*factor)?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(millis)
}

/// Writes the two greatest units: `1h 30m`, `45s`, `120ms`.
pub(crate) fn show(duration: Duration) -> String {
    let mut left = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if left >= 1000 {
        left -= left % 1000;
    }
    let mut parts = Vec::new();
    for (name, factor) in UNITS {
        if left >= factor {
            parts.push(format!("{}{name}", left / factor));
            left %= factor;
        } else if !parts.is_empty() {
            break;
        }
        if parts.len() == 2 {
            break;
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_and_without_units() {
        let seconds = |text| parse(text).map(|duration| duration.as_secs_f64());
        assert_eq!(seconds("300"), Ok(300.0));
        assert_eq!(seconds("5m"), Ok(300.0));
        assert_eq!(seconds("1h30m"), Ok(5400.0));
        assert_eq!(seconds("500ms"), Ok(0.5));
        for bad in ["", "m", "5x", "5m3", "-5", "1.5h", "99999999999d"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(parse_pause("0").is_err());
    }

    #[test]
    fn durations_are_shown_in_two_units() {
        let shown = |millis| show(Duration::from_millis(millis));
        assert_eq!(shown(0), "0s");
        assert_eq!(shown(120), "120ms");
        assert_eq!(shown(45_300), "45s");
        assert_eq!(shown(192_000), "3m 12s");
        assert_eq!(shown(3_600_000), "1h");
        assert_eq!(shown(3_605_000), "1h");
        assert_eq!(shown(100 * 3_600_000), "4d 4h");
    }
}
