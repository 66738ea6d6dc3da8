//! Latencies as HdrHistogram's percentile distribution.

use guard_report::activity::Nanoseconds;
use std::fmt::Write as _;

/// The text that HdrHistogram's tools read and plot; values in microseconds.
#[must_use]
pub fn distribution(histogram: &Nanoseconds) -> String {
    let mut text = format!(
        "{:>12} {:>14} {:>10} {:>14}\n\n",
        "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
    );
    let mut add = |arguments: std::fmt::Arguments<'_>| {
        text.write_fmt(arguments)
            .expect("writing to a string does not fail");
    };
    let mut total = 0;
    // An empty histogram has no quantile to iterate to.
    let steps = (!histogram.is_empty()).then(|| histogram.iter_quantiles(TICKS_PER_HALF_DISTANCE));
    for step in steps.into_iter().flatten() {
        total += step.count_since_last_iteration();
        let value = microseconds(step.value_iterated_to());
        let quantile = step.quantile_iterated_to();
        add(format_args!("{value:12.3} {quantile:2.12} {total:10}"));
        if quantile < 1.0 {
            add(format_args!(" {:14.2}", 1.0 / (1.0 - quantile)));
        }
        add(format_args!("\n"));
    }
    add(format_args!(
        "#[Mean    = {:12.3}, StdDeviation   = {:12.3}]\n",
        histogram.mean() / NANOSECONDS,
        histogram.stdev() / NANOSECONDS
    ));
    add(format_args!(
        "#[Max     = {:12.3}, Total count    = {:12}]\n",
        microseconds(histogram.max()),
        histogram.len()
    ));
    add(format_args!(
        "#[Buckets = {:12}, SubBuckets     = {:12}]\n",
        histogram.buckets(),
        histogram.distinct_values()
    ));
    text
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 104 days")]
fn microseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / NANOSECONDS
}

/// In a microsecond.
const NANOSECONDS: f64 = 1e3;
/// The default of HdrHistogram's tools.
const TICKS_PER_HALF_DISTANCE: u32 = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use guard_core::OperationKind;
    use guard_core::verdict::Verdict;
    use guard_report::activity::{Activity, Latencies, Span};
    use std::time::Instant;

    fn latencies(nanoseconds: impl IntoIterator<Item = u64>) -> Latencies {
        let now = Instant::now();
        let mut activity = Activity::new(now);
        for latency_ns in nanoseconds {
            let (operation, verdict) = (OperationKind::Unlink, Verdict::Deny);
            activity.add(now, Some("codex"), operation, verdict, latency_ns);
        }
        activity.latencies(now, Span::SinceStart)
    }

    #[test]
    fn the_distribution_is_ascending_and_complete() {
        let latencies = latencies((1..=1000).map(|number| number * 1000));
        let text = distribution(&latencies.together(|_, _| true));
        let mut lines = text.lines();
        assert_eq!(
            lines.next(),
            Some("       Value     Percentile TotalCount 1/(1-Percentile)")
        );
        assert_eq!(lines.next(), Some(""));
        let rows: Vec<Vec<f64>> = lines
            .by_ref()
            .take_while(|line| !line.starts_with("#[Mean"))
            .map(|line| {
                let cells = line.split_whitespace();
                cells.map(|cell| cell.parse().unwrap()).collect()
            })
            .collect();
        assert!(rows.len() > 20);
        assert!(rows.is_sorted_by(|a, b| a[0] <= b[0] && a[1] <= b[1] && a[2] <= b[2]));
        let half = rows.iter().find(|row| row[1] >= 0.5).unwrap();
        assert!((495.0..=510.0).contains(&half[0]), "{half:?}");
        let last = rows.last().unwrap();
        assert_eq!((last[1], last[2], last.len()), (1.0, 1000.0, 3));
        assert!(text.contains("Total count    =         1000]\n"), "{text}");
    }

    #[test]
    fn an_empty_distribution_has_a_header_and_a_footer() {
        let text = distribution(&latencies([]).together(|_, _| true));
        assert_eq!(text.lines().count(), 5, "{text}");
    }
}
