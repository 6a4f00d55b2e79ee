//! Durations as people write them: `30s`, `1h30m`, `7d`.

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

const UNITS: [(&str, u64); 6] =
    [("ms", 1), ("s", SECOND), ("m", MINUTE), ("h", HOUR), ("d", DAY), ("w", 7 * DAY)];

/// Ten years: what is longer is a slip of the keyboard, and would overflow a database's timestamps.
const LONGEST: u64 = 3650 * DAY;

/// Reads `text` as milliseconds, or says why it cannot.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let (mut rest, mut total, mut previous) = (text, 0u64, u64::MAX);
    loop {
        let (number, after) = split(rest, |c| c.is_ascii_digit());
        let (unit, after) = split(after, |c| c.is_alphabetic());
        let size = unit_size(text, number, unit)?;
        if size >= previous {
            return Err(format!("`{text}` has its units out of order: write each once, the largest first"));
        }
        let part = number.parse().ok().and_then(|n: u64| n.checked_mul(size));
        total = part
            .and_then(|part| total.checked_add(part))
            .filter(|total| *total <= LONGEST)
            .ok_or_else(|| format!("`{text}` is too long: a duration is at most 10 years (3650d)"))?;
        if after.is_empty() {
            return Ok(total);
        }
        (rest, previous) = (after, size);
    }
}

fn split(text: &str, keep: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !keep(c)).unwrap_or(text.len()))
}

fn unit_size(text: &str, number: &str, unit: &str) -> Result<u64, String> {
    match (number, unit) {
        ("", _) => Err(not_a_duration(text)),
        (_, "") if !text.ends_with(number) => Err(not_a_duration(text)),
        (_, "") => Err(format!("`{text}` lacks a unit: write `{number}s`, `{number}m` or `{number}h`")),
        _ => UNITS
            .iter()
            .find_map(|(name, size)| (*name == unit).then_some(*size))
            .ok_or_else(|| format!("`{unit}` in `{text}` is not a unit: use ms, s, m, h, d or w")),
    }
}

fn not_a_duration(text: &str) -> String {
    format!("`{text}` is not a duration: write whole numbers with units and no spaces, `30s` or `1h30m`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_add_up() {
        assert_eq!(parse("250ms"), Ok(250));
        assert_eq!(parse("30s"), Ok(30_000));
        assert_eq!(parse("1h30m"), Ok(5_400_000));
        assert_eq!(parse("2w1d"), Ok(15 * DAY));
        assert_eq!(parse("0s"), Ok(0));
        assert_eq!(parse("3650d"), Ok(LONGEST));
    }

    #[test]
    fn each_slip_has_its_reason() {
        for (text, reason) in [
            ("", "is not a duration"),
            ("soon", "is not a duration"),
            ("-5m", "is not a duration"),
            ("30", "write `30s`, `30m` or `30h`"),
            ("1.5h", "is not a duration"),
            ("5min", "`min` in `5min` is not a unit"),
            ("5 m", "no spaces"),
            ("30m1h", "out of order"),
            ("1h1h", "out of order"),
            ("3651d", "at most 10 years"),
            ("99999999999999999999d", "at most 10 years"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
