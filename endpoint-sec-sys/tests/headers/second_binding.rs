//! A second opinion: the crate against another binding of the same library.
//!
//! HarfangLab's `endpoint-sec-sys` 0.6.2 was made by other hands, from headers up to macOS 15.4.
//! Wherever both have a type, a field or a constant they agree, but for [`DIFFERENCES`], each of
//! which says why. The other binding is empty off macOS, so `second-binding.json` holds what
//! `measure-second-binding` measured of it for a Mac: the test needs neither a Mac nor that crate.

use crate::enums::ours;
use crate::json::{number, parsed, text};
use crate::structs::layout;
use serde_json::Value;

/// Where the two differ: what is compared, there, here.
const DIFFERENCES: [(&str, usize, usize); 4] = [
    // macOS 26.0 and 27.0 made these two longer. Their older fields are where they were.
    ("size of es_process_t", 208, 248),
    ("size of es_event_xp_malware_detected_t", 64, 80),
    // macOS 26.3 to 27.0 added 14 event types.
    ("ES_EVENT_TYPE_LAST", 148, 148 + 14),
    // The header counts three kinds of muting that can be inverted; the other binding says four.
    ("ES_MUTE_INVERSION_TYPE_LAST", 4, 3),
];

#[test]
fn the_other_binding_agrees_but_for_the_known_differences() {
    let binding = parsed(include_str!("second-binding.json"));
    let mut comparison = Comparison::default();
    let structs = binding["structs"].as_object().unwrap();
    for (name, theirs) in structs {
        comparison.compare_struct(name, theirs);
    }
    let enums = binding["enums"].as_object().unwrap();
    for (name, theirs) in enums {
        comparison.compare_enum(name, theirs);
    }
    let known = DIFFERENCES.map(|(what, theirs, ours)| (what.to_owned(), theirs, ours));
    assert_eq!(comparison.differences, known);
    assert_eq!((structs.len(), comparison.fields), (136, 558));
    assert_eq!((enums.len(), comparison.constants), (35, 299));
    assert_eq!(comparison.renamed, 22);
}

/// What was compared so far.
#[derive(Default)]
struct Comparison {
    differences: Vec<(String, usize, usize)>,
    fields: usize,
    /// Fields that have another name there, or several: most are in what C leaves without one.
    renamed: usize,
    constants: usize,
}

// === impl Comparison ===

impl Comparison {
    fn compare_struct(&mut self, name: &str, theirs: &Value) {
        let ours = layout(name);
        self.compare(format!("size of {name}"), &theirs["size"], ours.size);
        self.compare(format!("alignment of {name}"), &theirs["align"], ours.align);
        let mut compare_field = |path: &str, offset: &Value| {
            let field = ours.fields.iter().find(|field| field.path == path);
            let field = field.unwrap_or_else(|| panic!("{name} has no {path}"));
            self.compare(format!("offset of {name}.{path}"), offset, field.offset);
        };
        let fields = theirs["fields"].as_object().unwrap();
        for (path, offset) in fields {
            compare_field(path, offset);
        }
        let renamed = theirs.get("renamed").and_then(Value::as_object);
        for (path, field) in renamed.into_iter().flatten() {
            assert_ne!(text(&field["theirs"][0]), format!("{name}.{path}"));
            compare_field(path, &field["offset"]);
        }
        self.fields += fields.len();
        self.renamed += renamed.map_or(0, serde_json::Map::len);
    }

    fn compare_enum(&mut self, name: &str, theirs: &Value) {
        let ours = ours();
        let ours = ours.iter().find(|ours| ours.name == name).unwrap();
        self.compare(format!("size of {name}"), &theirs["size"], ours.size);
        for (constant, value) in theirs["constants"].as_object().unwrap() {
            let mine = ours.constants.iter().find(|(name, _)| name == constant);
            let (_, mine) = mine.unwrap_or_else(|| panic!("{constant} is missing"));
            self.compare(constant.clone(), value, usize::try_from(*mine).unwrap());
            self.constants += 1;
        }
    }

    fn compare(&mut self, what: String, theirs: &Value, ours: usize) {
        let theirs = number(theirs);
        if theirs != ours {
            self.differences.push((what, theirs, ours));
        }
    }
}
