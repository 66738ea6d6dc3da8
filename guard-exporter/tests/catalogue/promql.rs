//! What `PromQL` expressions ask for.

use promql_parser::parser::{self, Expr, LabelModifier, VectorSelector};
use std::time::Duration;

/// An expression, and its location.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) place: String,
    pub(crate) text: String,
}

/// One selection of series within an expression.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    /// The metric's name; empty when none is given.
    pub(crate) metric: String,
    /// The labels that are matched, each with what is compared.
    pub(crate) matched: Vec<(String, String)>,
    /// The function that the selection is passed to, with its range.
    pub(crate) function: Option<String>,
    pub(crate) range: Option<Duration>,
}

/// What `$__rate_interval` and `$__range` become before an expression is parsed.
pub(crate) const RATE_INTERVAL: Duration = Duration::from_secs(7 * 60);
pub(crate) const WHOLE_RANGE: Duration = Duration::from_secs(11 * 60);

/// Parses an expression, also one with a dashboard's variables.
pub(crate) fn parse(text: &str) -> Result<Expr, String> {
    let text = text
        .replace("$__rate_interval", "7m")
        .replace("$__range", "11m");
    parser::parse(&text).map_err(|error| format!("{error}: {text}"))
}

/// All selections. One that names many metrics by alternatives is as many selections.
pub(crate) fn selections(expression: &Expr) -> Vec<Selection> {
    let mut found = Vec::new();
    collect(expression, None, &mut found);
    found
}

/// All groups of labels by which something is summed or matched, each with the expression it is
/// applied to.
pub(crate) fn groupings(expression: &Expr) -> Vec<(Vec<String>, &Expr)> {
    let mut found = Vec::new();
    let modifier = match expression {
        Expr::Aggregate(aggregate) => aggregate.modifier.as_ref(),
        Expr::Binary(binary) => binary
            .modifier
            .as_ref()
            .and_then(|modifier| modifier.matching.as_ref()),
        _ => None,
    };
    if let Some(LabelModifier::Include(labels) | LabelModifier::Exclude(labels)) = modifier {
        found.push((labels.labels.clone(), expression));
    }
    for part in parts(expression) {
        found.extend(groupings(part));
    }
    found
}

fn collect(expression: &Expr, function: Option<&str>, found: &mut Vec<Selection>) {
    match expression {
        Expr::VectorSelector(selector) => found.extend(selected(selector, function, None)),
        Expr::MatrixSelector(matrix) => {
            found.extend(selected(&matrix.vs, function, Some(matrix.range)));
        }
        Expr::Call(call) => {
            for argument in &call.args.args {
                collect(argument, Some(call.func.name), found);
            }
        }
        _ => {
            for part in parts(expression) {
                collect(part, None, found);
            }
        }
    }
}

fn parts(expression: &Expr) -> Vec<&Expr> {
    match expression {
        Expr::Aggregate(aggregate) => aggregate
            .param
            .iter()
            .chain([&aggregate.expr])
            .map(AsRef::as_ref)
            .collect(),
        Expr::Binary(binary) => vec![&binary.lhs, &binary.rhs],
        Expr::Call(call) => call.args.args.iter().map(AsRef::as_ref).collect(),
        Expr::Paren(paren) => vec![&paren.expr],
        Expr::Subquery(subquery) => vec![&subquery.expr],
        Expr::Unary(unary) => vec![&unary.expr],
        _ => Vec::new(),
    }
}

fn selected(
    selector: &VectorSelector,
    function: Option<&str>,
    range: Option<Duration>,
) -> Vec<Selection> {
    assert!(selector.matchers.or_matchers.is_empty(), "{selector}");
    let (names, matchers): (Vec<_>, Vec<_>) = selector
        .matchers
        .matchers
        .iter()
        .partition(|matcher| matcher.name == "__name__");
    let matched: Vec<_> = matchers
        .into_iter()
        .map(|matcher| (matcher.name.clone(), matcher.to_string()))
        .collect();
    let named = names
        .into_iter()
        .flat_map(|matcher| alternatives(&matcher.value));
    let names = selector.name.clone().into_iter().chain(named);
    let mut names: Vec<String> = names.collect();
    if names.is_empty() {
        names.push(String::new());
    }
    names
        .into_iter()
        .map(|metric| Selection {
            metric,
            matched: matched.clone(),
            function: function.map(str::to_owned),
            range,
        })
        .collect()
}

/// `ab` and `ac` of `a(b|c)`.
fn alternatives(pattern: &str) -> Vec<String> {
    let split = pattern.split_once('(').and_then(|(begin, rest)| {
        let (middle, end) = rest.split_once(')')?;
        Some((begin, middle, end))
    });
    let Some((begin, middle, end)) = split else {
        return vec![pattern.to_owned()];
    };
    let each = middle.split('|');
    each.map(|one| format!("{begin}{one}{end}")).collect()
}
