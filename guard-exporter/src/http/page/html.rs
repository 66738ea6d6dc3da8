//! Writing HTML so that a text stays a text.

use guard_report::sentence::visible;

/// A document that grows. Markup comes from string constants, everything else is a text.
#[derive(Debug)]
pub(super) struct Html(String);

// === impl Html ===

impl Html {
    pub(super) fn new() -> Self {
        Self(String::with_capacity(64 * 1024))
    }

    /// Markup, or a text that is known to hold none.
    pub(super) fn raw(&mut self, markup: &str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// A text from anywhere, also within quotes: what would be markup is written otherwise, and what
    /// would not be seen, or would turn its neighbours around, is shown by its number.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for c in visible(text).chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c => self.0.push(c),
            }
        }
        self
    }

    /// A table's cell that says what column it is in, for narrow screens.
    pub(super) fn cell(&mut self, column: &str, text: &str) -> &mut Self {
        self.raw("<td role=cell data-label=\"").raw(column);
        self.raw("\">").text(text).raw("</td>")
    }

    /// As [`cell`](Self::cell), for a number.
    pub(super) fn number(&mut self, column: &str, text: &str) -> &mut Self {
        self.raw("<td class=number role=cell data-label=\"")
            .raw(column);
        self.raw("\">").text(text).raw("</td>")
    }

    /// The beginning of a table: caption, and the columns' names. Roles are said in words, since
    /// a table that is laid out otherwise on a narrow screen would lose them.
    pub(super) fn table(&mut self, caption: &str, columns: &[&str]) -> &mut Self {
        self.raw("<table role=table><caption>").text(caption);
        self.raw("</caption><thead role=rowgroup><tr role=row>");
        for column in columns {
            self.raw("<th scope=col role=columnheader>")
                .text(column)
                .raw("</th>");
        }
        self.raw("</tr></thead><tbody role=rowgroup>")
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_a_text() {
        let mut html = Html::new();
        html.cell("Path", "</td><script>alert('\"&')</script>\u{202e}");
        assert_eq!(
            html.finish(),
            "<td role=cell data-label=\"Path\">&lt;/td&gt;&lt;script&gt;alert(&#39;&quot;&amp;&#39;)\
             &lt;/script&gt;\\u{202e}</td>"
        );
    }
}
