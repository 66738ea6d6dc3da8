//! Texts of the page.
//!
//! maud escapes what would be markup. [`text`] also shows characters that are invisible or reorder
//! others by their numbers; every name that an agent can choose goes through it.

use guard_report::sentence::visible;
use maud::{Markup, html};
use std::borrow::Cow;

/// A text from anywhere.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    visible(text)
}

/// A time in RFC 3339 in UTC, to the second and for people; the day comes after the time.
pub(super) fn time(time: &str) -> Markup {
    let seconds = time.get(..19).unwrap_or(time);
    let (day, clock) = seconds.split_once('T').unwrap_or(("", seconds));
    html! {
        time datetime=(text(time)) { strong { (text(clock)) } " " span { (text(day)) } }
    }
}

/// A number with separated thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let places = (0..digits.len()).rev();
    digits
        .chars()
        .zip(places)
        .fold(String::new(), |mut text, (digit, place)| {
            text.push(digit);
            if place > 0 && place.is_multiple_of(3) {
                text.push(',');
            }
            text
        })
}

/// A duration with three digits and a unit.
pub(super) fn duration(nanoseconds: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = nanoseconds as f64;
    for unit in ["ns", "µs", "ms"] {
        if value < 999.5 {
            let decimals = usize::from(value < 99.95 && unit != "ns")
                + usize::from(value < 9.995 && unit != "ns");
            return format!("{value:.decimals$} {unit}");
        }
        value /= 1000.0;
    }
    format!("{value:.1} s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_never_markup_and_always_visible() {
        let hostile = "</td><script>alert('\"&')</script>\u{202e}";
        let markup = html! { td title=(text(hostile)) { (text(hostile)) } };
        let escaped = "&lt;/td&gt;&lt;script&gt;alert('&quot;&amp;')&lt;/script&gt;\\u{202e}";
        assert_eq!(
            markup.into_string(),
            format!("<td title=\"{escaped}\">{escaped}</td>")
        );
    }

    #[test]
    fn thousands_are_separated() {
        let numbers = [0, 999, 1_000, 12_345_678].map(grouped);
        assert_eq!(numbers, ["0", "999", "1,000", "12,345,678"]);
    }

    #[test]
    fn durations_have_three_digits() {
        for (nanoseconds, text) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_000, "1.00 µs"),
            (12_543, "12.5 µs"),
            (999_400, "999 µs"),
            (999_600, "1.00 ms"),
            (60_000_000_000, "60.0 s"),
        ] {
            assert_eq!(duration(nanoseconds), text);
        }
    }
}
