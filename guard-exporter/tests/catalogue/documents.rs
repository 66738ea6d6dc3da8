//! The documents list the metrics and the flags as they are.

use crate::files;
use guard_exporter::metrics::catalogue;
use std::collections::BTreeSet;

/// A metric as a row of a table: its name, kind and labels.
type Row = (String, String, Vec<String>);

#[test]
fn the_documents_list_the_metrics() {
    let catalogue: BTreeSet<Row> = catalogue::ALL
        .iter()
        .map(|metric| {
            let labels = metric.labels.iter().map(|label| (*label).to_owned());
            let kind = format!("{:?}", metric.kind).to_lowercase();
            (metric.name.to_owned(), kind, labels.collect())
        })
        .collect();
    for path in ["docs/metrics.md", "docs/zh-CN/metrics.md"] {
        let text = files::read(path);
        let rows: Vec<Row> = text.lines().filter_map(row).collect();
        assert_eq!(rows.len(), catalogue.len(), "{path}");
        assert_eq!(
            rows.into_iter().collect::<BTreeSet<_>>(),
            catalogue,
            "{path}"
        );
    }
}

/// The row of a table whose second cell is a kind of metric.
fn row(line: &str) -> Option<Row> {
    let cells: Vec<&str> = line.strip_prefix('|')?.split('|').map(str::trim).collect();
    let [name, kind, labels, ..] = cells.as_slice() else {
        return None;
    };
    let is_kind = ["counter", "gauge", "histogram"].contains(kind);
    is_kind.then(|| {
        let labels = labels.split('`').skip(1).step_by(2).map(str::to_owned);
        (
            name.trim_matches('`').to_owned(),
            (*kind).to_owned(),
            labels.collect(),
        )
    })
}
