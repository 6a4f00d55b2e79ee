//! Figures as people read them.

/// Two units of a time in microseconds: `1h 30m`, `45s`, `120ms`.
pub(super) fn span(micros: i64) -> String {
    const UNITS: [(&str, u64); 5] =
        [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
    let mut left = micros.unsigned_abs() / 1000;
    if left >= 1000 {
        left -= left % 1000;
    }
    let first = UNITS.iter().position(|(_, factor)| left >= *factor).unwrap_or(UNITS.len() - 1);
    let mut parts = Vec::new();
    for (name, factor) in &UNITS[first..UNITS.len().min(first + 2)] {
        if left >= *factor || parts.is_empty() {
            parts.push(format!("{}{name}", left / factor));
        }
        left %= factor;
    }
    parts.join(" ")
}

/// `1,234,567`.
pub(super) fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) && !shown.ends_with('-') {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// `12 KiB`, `3.4 GiB`.
pub(super) fn bytes(bytes: i64) -> String {
    const UNITS: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    while unit + 1 < UNITS.len() && bytes >> (10 * (unit + 1)) > 0 {
        unit += 1;
    }
    let size = 1_i128 << (10 * unit);
    let tenths = (i128::from(bytes) * 10 + size / 2) / size;
    match tenths % 10 {
        rest if rest > 0 && tenths < 100 => format!("{}.{rest} {}", tenths / 10, UNITS[unit]),
        _ => format!("{} {}", tenths / 10, UNITS[unit]),
    }
}

/// `1 job`, `1,200 jobs`.
pub(super) fn many(number: i64, thing: &str) -> String {
    format!("{} {thing}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// Up to five names, and how many more there are.
pub(super) fn listed<S: AsRef<str>>(names: &[S]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_have_their_unit() {
        let micros = |seconds: i64| seconds * 1_000_000;
        assert_eq!([span(0), span(1500), span(120_000)], ["0ms", "1ms", "120ms"]);
        assert_eq!([span(micros(45)), span(micros(192)), span(micros(3605))], ["45s", "3m 12s", "1h"]);
        assert_eq!(span(micros(100 * 3600)), "4d 4h");
        assert_eq!([grouped(0), grouped(999), grouped(1_234_567)], ["0", "999", "1,234,567"]);
        assert_eq!([bytes(0), bytes(1023), bytes(65_536)], ["0 bytes", "1023 bytes", "64 KiB"]);
        assert_eq!(bytes(3_650_722_201), "3.4 GiB");
        assert_eq!([many(1, "job"), many(1200, "job")], ["1 job", "1,200 jobs"]);
        assert_eq!(listed(&["a", "b", "c", "d", "e", "f", "g"]), "a, b, c, d, e and 2 more");
    }
}
