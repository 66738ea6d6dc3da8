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

    /// For each table, how many cells each row has.
    pub(crate) fn shape(&self) -> Vec<Vec<usize>> {
        let tables = self.tables.iter();
        tables
            .map(|rows| rows.iter().map(Vec::len).collect())
            .collect()
    }

    /// The rows, without the head, of the table in which a first cell has this name.
    pub(crate) fn table_of(&self, name: &str) -> &[Vec<String>] {
        let has = |row: &Vec<String>| code_spans(&row[0]).contains(&name);
        let table = self.tables.iter().find(|rows| rows.iter().any(has));
        let table = table.unwrap_or_else(|| panic!("no table has a row for {name}"));
        &table[1..]
    }

    /// The names in the first cells of that table.
    pub(crate) fn names_beside(&self, name: &str) -> Vec<&str> {
        let rows = self.table_of(name).iter();
        rows.flat_map(|row| code_spans(&row[0])).collect()
    }

    /// The row of that table which has the name.
    pub(crate) fn row(&self, name: &str) -> &[String] {
        let mut rows = self.table_of(name).iter();
        let row = rows.find(|row| code_spans(&row[0]).contains(&name));
        row.expect("the table has it")
    }

    /// The words of the code block that has this one.
    pub(crate) fn words_of_block(&self, word: &str) -> Vec<&str> {
        let blocks = self.blocks.iter();
        let mut words = blocks.map(|(_, text)| text.split_whitespace().collect::<Vec<_>>());
        let block = words.find(|words| words.contains(&word));
        block.unwrap_or_else(|| panic!("no block has {word}"))
    }
}

/// What is between single backticks.
pub(crate) fn code_spans(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The anchors of a document's headings, as GitHub makes them.
pub(crate) fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let slug = |heading: &str| -> String {
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let letters = heading.chars().map(|c| if c == ' ' { '-' } else { c });
        letters
            .filter(|c| c.is_alphanumeric() || *c == '-' || *c == '_')
            .collect()
    };
    headings.map(slug).collect()
}
