//! A strict reader of OpenMetrics 1.0.0: whatever the specification forbids fails the test.

use std::collections::{BTreeMap, BTreeSet};

/// One sample line.
#[derive(Clone, Debug)]
pub struct Sample {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
    pub exemplar: Option<(BTreeMap<String, String>, f64, f64)>,
}

#[derive(Debug, Default)]
struct Family {
    name: String,
    kind: String,
    described: BTreeSet<String>,
    samples: Vec<Sample>,
}

/// The samples of a whole exposition.
pub fn parse(text: &str) -> Vec<Sample> {
    let text = text
        .strip_suffix("# EOF\n")
        .expect("it ends with # EOF and a newline");
    assert!(!text.contains("# EOF"), "it ends once");
    assert!(
        !text.contains('\r') && !text.contains("\n\n"),
        "lines end with one newline"
    );
    let mut families: Vec<Family> = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.splitn(3, ' ');
            let [word, name, value] =
                [(); 3].map(|()| words.next().unwrap_or_else(|| panic!("{line}")));
            let is_new = families.last().is_none_or(|family| family.name != name);
            if is_new {
                let is_known = families.iter().any(|family| family.name == name);
                assert!(!is_known, "the family {name} is torn apart");
                families.push(Family {
                    name: name.to_owned(),
                    ..Family::default()
                });
            }
            let family = families.last_mut().unwrap();
            assert!(family.samples.is_empty(), "{line} after its samples");
            assert!(family.described.insert(word.to_owned()), "{line} twice");
            match word {
                "TYPE" => {
                    let known = [
                        "counter",
                        "gauge",
                        "histogram",
                        "info",
                        "stateset",
                        "unknown",
                    ];
                    assert!(known.contains(&value), "{line}");
                    value.clone_into(&mut family.kind);
                }
                "UNIT" => assert!(name.ends_with(&format!("_{value}")), "{line}"),
                "HELP" => check_escapes(value),
                _ => panic!("{line}"),
            }
        } else {
            assert!(!line.starts_with('#'), "{line}");
            let sample = sample(line);
            let family = families.last_mut().unwrap_or_else(|| panic!("{line}"));
            let suffix = sample.name.strip_prefix(&family.name);
            let suffix = suffix.unwrap_or_else(|| panic!("{line} is not of {}", family.name));
            let known: &[&str] = match family.kind.as_str() {
                "counter" => &["_total", "_created"],
                "histogram" => &["_bucket", "_count", "_sum", "_created"],
                "info" => &["_info"],
                _ => &[""],
            };
            assert!(known.contains(&suffix), "{line} in a {}", family.kind);
            let may_exemplify = ["_total", "_bucket"].contains(&suffix);
            assert!(sample.exemplar.is_none() || may_exemplify, "{line}");
            if ["counter", "histogram"].contains(&family.kind.as_str()) {
                assert!(sample.value >= 0.0, "{line}");
            }
            family.samples.push(sample);
        }
    }
    let mut all = BTreeSet::new();
    for family in &families {
        for sample in &family.samples {
            let identity = (sample.name.clone(), sample.labels.clone());
            assert!(all.insert(identity), "{sample:?} is there twice");
        }
        if family.kind == "histogram" {
            check_histogram(family);
        }
    }
    families
        .into_iter()
        .flat_map(|family| family.samples)
        .collect()
}

/// Buckets rise, the last is +Inf, and it is the count; series are not mixed.
fn check_histogram(family: &Family) {
    let mut finished = BTreeSet::new();
    let mut open: Option<(BTreeMap<String, String>, f64, f64)> = None;
    for sample in &family.samples {
        let mut labels = sample.labels.clone();
        let bound = labels.remove("le");
        if sample.name.ends_with("_bucket") {
            let text = bound.expect("a bucket has a bound");
            let bound = number(&text);
            let is_float = text.contains(['.', 'e']) || text == "+Inf";
            assert!(is_float, "the bound {text} is no canonical float");
            match &mut open {
                Some((of, last, count)) if *of == labels => {
                    assert!(bound > *last && sample.value >= *count, "{sample:?}");
                    (*last, *count) = (bound, sample.value);
                }
                _ => {
                    assert!(finished.insert(labels.clone()), "{sample:?} comes again");
                    open = Some((labels.clone(), bound, sample.value));
                }
            }
            if let Some((_, value, _)) = &sample.exemplar {
                assert!(*value <= bound, "{sample:?}");
            }
        } else {
            assert!(bound.is_none(), "{sample:?}");
            let (of, last, count) = open.as_ref().expect("buckets come first");
            assert!(*of == labels && last.is_infinite(), "{sample:?}");
            if sample.name.ends_with("_count") {
                assert_eq!(sample.value, *count, "{sample:?}");
            }
        }
    }
}

fn sample(line: &str) -> Sample {
    let name_end = line.find(['{', ' ']).unwrap_or_else(|| panic!("{line}"));
    let (name, rest) = line.split_at(name_end);
    check_name(name);
    let (labels, rest) = labels(rest);
    let rest = rest.strip_prefix(' ').unwrap_or_else(|| panic!("{line}"));
    let (value, exemplar) = match rest.split_once(" # ") {
        Some((value, exemplar)) => (value, Some(exemplar)),
        None => (rest, None),
    };
    let exemplar = exemplar.map(|text| {
        let (labels, rest) = self::labels(text);
        let letters: usize = labels
            .iter()
            .map(|(name, value)| name.chars().count() + value.chars().count())
            .sum();
        assert!(letters <= 128, "{line}");
        let mut numbers = rest.strip_prefix(' ').expect("a value").split(' ');
        let value = number(numbers.next().unwrap());
        let time = number(numbers.next().unwrap());
        assert_eq!(numbers.next(), None, "{line}");
        (labels, value, time)
    });
    Sample {
        name: name.to_owned(),
        labels,
        value: number(value),
        exemplar,
    }
}

/// The labels at the beginning of `text`, and what follows them.
fn labels(text: &str) -> (BTreeMap<String, String>, &str) {
    let mut labels = BTreeMap::new();
    let Some(mut rest) = text.strip_prefix('{') else {
        return (labels, text);
    };
    loop {
        if let Some(rest) = rest.strip_prefix('}') {
            return (labels, rest);
        }
        let (name, after) = rest.split_once("=\"").expect("a label");
        check_name(name);
        let mut value = String::new();
        let mut letters = after.char_indices();
        let end = loop {
            match letters.next().expect("a closing quote") {
                (end, '"') => break end,
                (_, '\\') => value.push(match letters.next().map(|(_, c)| c) {
                    Some('n') => '\n',
                    Some(c @ ('\\' | '"')) => c,
                    other => panic!("an escaped {other:?}"),
                }),
                (_, c) => value.push(c),
            }
        };
        let twin = labels.insert(name.to_owned(), value);
        assert_eq!(twin, None, "{name} twice");
        rest = &after[end + 1..];
        if let Some(after) = rest.strip_prefix(',') {
            assert!(!after.starts_with('}'), "a comma before the end");
            rest = after;
        } else {
            assert!(rest.starts_with('}'), "{rest}");
        }
    }
}

fn check_name(name: &str) {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    assert!(starts_well && name.chars().all(is_name), "{name}");
}

fn check_escapes(text: &str) {
    let mut letters = text.chars();
    while let Some(c) = letters.next() {
        assert_ne!(c, '"', "{text}");
        if c == '\\' {
            assert!(matches!(letters.next(), Some('n' | '\\' | '"')), "{text}");
        }
    }
}

fn number(text: &str) -> f64 {
    match text {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        "NaN" => f64::NAN,
        _ => {
            let is_plain = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
            assert!(text.chars().all(is_plain), "{text}");
            text.parse().unwrap_or_else(|_| panic!("{text}"))
        }
    }
}
