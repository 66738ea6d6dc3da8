//! The little of Markdown that the documents are made of.

/// A document, cut into what can be compared.
#[derive(Debug)]
pub(crate) struct Document {
    /// The number of `#` of each heading, in order.
    pub(crate) levels: Vec<usize>,
    /// Each fenced block: its language and its text.
    pub(crate) blocks: Vec<(String, String)>,
    /// Each table's rows, without the rule below the head; a row is its cells.
    pub(crate) tables: Vec<Vec<Vec<String>>>,
    /// How many list items there are.
    pub(crate) items: usize,
}

// === impl Document ===

impl Document {
    pub(crate) fn parse(text: &str) -> Self {
        let mut document = Self {
            levels: Vec::new(),
            blocks: Vec::new(),
            tables: Vec::new(),
            items: 0,
        };
        let mut in_table = false;
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if let Some(language) = line.strip_prefix("```") {
                let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
                document
                    .blocks
                    .push((language.to_owned(), block.join("\n")));
            } else if line.starts_with('#') {
                let level = line.chars().take_while(|c| *c == '#').count();
                document.levels.push(level);
            } else if line.starts_with("- ") {
                document.items += 1;
            }
            let is_row = line.starts_with('|');
            if is_row && !in_table {
                document.tables.push(Vec::new());
            }
            in_table = is_row;
            if is_row && !line.starts_with("|-") {
                let cells = line.trim_matches('|').split('|');
                let cells = cells.map(|cell| cell.trim().to_owned()).collect();
                document
                    .tables
                    .last_mut()
                    .expect("one was begun")
                    .push(cells);
            }
        }
        document
    }

    /// The first cells of all rows, each cut into its code spans.
    pub(crate) fn first_cells(&self) -> Vec<Vec<&str>> {
        let rows = self.tables.iter().flatten();
        rows.filter_map(|row| row.first())
            .map(|cell| code_spans(cell))
            .collect()
    }
}

/// What stands between single backticks.
pub(crate) fn code_spans(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}
