//! Builds the text printed for people. Every piece is escaped when it is added, so upstream text
//! never reaches the terminal unescaped.

use std::borrow::Cow;
use std::fmt::{self, Write};

use clap::builder::styling::{AnsiColor, Style};
use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table as Grid,
    Width, presets,
};

use crate::escape::escape;
use crate::sign::{Mark, Sign, Tone};

/// Styled lines for a terminal. The writer strips the styles if the output is no terminal.
#[derive(Debug, Default)]
pub(crate) struct StyledText(String);

impl StyledText {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Appends a piece of a line.
    pub(crate) fn piece(&mut self, tone: Tone, content: &str) -> &mut Self {
        let (style, content) = (style(tone), escape(content));
        // Writing to a string does not fail.
        let _ = write!(self.0, "{style}{content}{style:#}");
        self
    }

    pub(crate) fn sign(&mut self, sign: impl Into<Sign>) -> &mut Self {
        let sign = sign.into();
        self.piece(sign.tone.into(), &sign.text())
    }

    pub(crate) fn end(&mut self) -> &mut Self {
        self.0.push('\n');
        self
    }

    /// Goes back to the beginning of the terminal's line and clears it.
    pub(crate) fn rewrite_line(&mut self) -> &mut Self {
        self.0.push_str("\r\u{1b}[K");
        self
    }

    pub(crate) fn line(&mut self, tone: Tone, content: &str) -> &mut Self {
        self.piece(tone, content).end()
    }

    /// Appends a sentence behind its mark, which alone has a colour.
    pub(crate) fn marked(&mut self, mark: Mark, sentence: &str) -> &mut Self {
        self.piece(mark.tone(), &mark.before("")).line(Tone::Plain, sentence)
    }

    /// As [`Self::marked`], with the whole line in the colour of the mark.
    pub(crate) fn marked_line(&mut self, mark: Mark, sentence: &str) -> &mut Self {
        self.line(mark.tone(), &mark.before(sentence))
    }

    /// Appends several trusted lines (a diff, a piece of code): each is escaped, the line breaks
    /// are kept.
    pub(crate) fn lines(&mut self, tone: Tone, content: &str) -> &mut Self {
        for line in content.lines() {
            self.line(tone, line);
        }
        self
    }

    /// Ends the line with text of several lines, each escaped. Those after the first are indented, so that
    /// none that came from outside looks like a line of ours.
    pub(crate) fn hanging_lines(&mut self, tone: Tone, content: &str) -> &mut Self {
        let mut lines = content.split('\n');
        self.line(tone, lines.next().unwrap_or_default());
        for line in lines {
            self.line(tone, &format!("  {line}"));
        }
        self
    }

    /// Adds a unified diff.
    pub(crate) fn diff(&mut self, diff: &str) -> &mut Self {
        for line in diff.lines() {
            let tone = match line.as_bytes().first() {
                Some(b'+') => Tone::Good,
                Some(b'-') => Tone::Bad,
                Some(b'@') => Tone::Muted,
                _ => Tone::Plain,
            };
            self.line(tone, line);
        }
        self
    }

    pub(crate) fn table(&mut self, table: &TextTable) -> &mut Self {
        self.0.push_str(&table.render(Grid::new().width()));
        self.end()
    }
}

pub(crate) fn render_sentence(sentence: &str) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Plain, sentence);
    text
}

impl fmt::Display for StyledText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Aligned columns without borders. On a terminal that is too narrow the least important columns
/// are hidden and the rest is wrapped between words. Without a terminal a row stays on one line,
/// for `grep`.
#[derive(Debug)]
pub(crate) struct TextTable {
    columns: Vec<Column>,
    rows: Vec<Vec<TableCell>>,
}

/// A column: its title, its alignment, and its rank for being hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    title: Cow<'static, str>,
    alignment: CellAlignment,
    /// 0: always shown. Otherwise the column with the highest rank is hidden first.
    hide_rank: u8,
}

impl Column {
    /// A left-aligned column, for words.
    #[expect(non_snake_case, reason = "reads like the kind of column that it makes")]
    pub(crate) const fn Left(title: &'static str) -> Self {
        Self { title: Cow::Borrowed(title), alignment: CellAlignment::Left, hide_rank: 0 }
    }

    /// A right-aligned column, for numbers.
    #[expect(non_snake_case, reason = "reads like the kind of column that it makes")]
    pub(crate) const fn Right(title: &'static str) -> Self {
        Self { title: Cow::Borrowed(title), alignment: CellAlignment::Right, hide_rank: 0 }
    }

    /// A right-aligned column of numbers that is named by data.
    pub(crate) fn named(title: &str) -> Self {
        let title = Cow::Owned(escape(title).into_owned());
        Self { title, alignment: CellAlignment::Right, hide_rank: 0 }
    }

    /// Lets the column be hidden on a narrow terminal; the highest rank is hidden first.
    pub(crate) fn hidden_at_rank(self, rank: u8) -> Self {
        Self { hide_rank: rank, ..self }
    }
}

/// Blanks between two columns.
const GAP_COLUMNS: u16 = 2;

/// Narrowest terminal that tables are fitted to, in columns. In a narrower one, or one that reports
/// no width, a fitted table would break into single letters.
const TERMINAL_COLUMNS_MIN: u16 = 40;

impl TextTable {
    /// A table with a header.
    pub(crate) fn new(columns: &[Column]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// A table of names and values, without a header.
    pub(crate) fn without_header() -> Self {
        Self { columns: Vec::new(), rows: Vec::new() }
    }

    pub(crate) fn row<const N: usize>(&mut self, pieces: [TableCell; N]) -> &mut Self {
        self.rows.push(pieces.into());
        self
    }

    /// A row of a table whose number of columns is not fixed.
    pub(crate) fn row_of(&mut self, pieces: Vec<TableCell>) -> &mut Self {
        self.rows.push(pieces);
        self
    }

    /// Renders the table for a terminal of that width; `None` for a file or a pipe.
    fn render(&self, terminal_columns: Option<u16>) -> String {
        let width = terminal_columns.filter(|columns| *columns >= TERMINAL_COLUMNS_MIN);
        let shown = width.map_or_else(|| self.all_columns(), |width| self.fitting_columns(width));
        let mut text = self.grid(&shown, width).trim_fmt();
        let left_out: Vec<&str> = (0..self.columns.len())
            .filter(|index| !shown.contains(index))
            .filter_map(|index| self.columns.get(index).map(|column| &*column.title))
            .collect();
        if !left_out.is_empty() {
            let style = style(Tone::Muted);
            let note = format!("Columns hidden to fit the terminal: {}.", left_out.join(", "));
            // Writing to a string does not fail.
            let _ = write!(text, "\n{style}{note}{style:#}");
        }
        text
    }

    fn all_columns(&self) -> Vec<usize> {
        let widest = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        (0..widest.max(self.columns.len())).collect()
    }

    /// The columns that fit without breaking a word. Columns of rank 0 are always kept.
    fn fitting_columns(&self, width: u16) -> Vec<usize> {
        let mut shown = self.all_columns();
        while self.needed_width(&shown, Self::cell_width) > usize::from(width) {
            let rank =
                |index: &usize| self.columns.get(*index).map_or(0, |column| column.hide_rank);
            let Some(place) = (0..shown.len()).max_by_key(|at| shown.get(*at).map(rank)) else {
                break;
            };
            if shown.get(place).is_none_or(|index| rank(index) == 0) {
                break;
            }
            shown.remove(place);
        }
        shown
    }

    /// The width that these columns need, in terminal columns; `measure` gives the width of a cell.
    fn needed_width(&self, shown: &[usize], measure: fn(&str) -> usize) -> usize {
        let gaps = shown.len() * usize::from(GAP_COLUMNS);
        shown.iter().map(|index| self.column_width(*index, measure)).sum::<usize>() + gaps
    }

    fn column_width(&self, index: usize, measure: fn(&str) -> usize) -> usize {
        let title = self.columns.get(index).map_or("", |column| &column.title);
        let cells = self.rows.iter().filter_map(|row| row.get(index));
        let widest = cells.map(|piece| measure(&piece.content)).max().unwrap_or_default();
        widest.max(measure(title))
    }

    /// The width of a cell on one line. A sentence counts with a limit, since it can be wrapped.
    fn cell_width(content: &str) -> usize {
        const SENTENCE_COLUMNS: usize = 32;
        content.chars().count().min(SENTENCE_COLUMNS.max(Self::longest_word(content)))
    }

    fn longest_word(content: &str) -> usize {
        content.split(' ').map(|word| word.chars().count()).max().unwrap_or_default()
    }

    fn grid(&self, shown: &[usize], width: Option<u16>) -> Grid {
        let mut grid = Grid::new();
        grid.load_style(presets::NOTHING).enforce_styling().style_text_only();
        match width {
            Some(width) => {
                grid.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
            }
            None => {
                grid.set_content_arrangement(ContentArrangement::Disabled);
            }
        }
        let bold = |index: &usize| {
            let title = self.columns.get(*index).map_or("", |column| &column.title);
            Cell::new(title).add_attribute(Attribute::Bold)
        };
        if !self.columns.is_empty() {
            grid.set_header(shown.iter().map(bold));
        }
        for row in &self.rows {
            grid.add_row(shown.iter().filter_map(|index| row.get(*index)).map(TableCell::cell));
        }
        for (column, index) in grid.column_iter_mut().zip(shown) {
            column.set_padding((0, GAP_COLUMNS));
            if let Some(wanted) = self.columns.get(*index) {
                column.set_cell_alignment(wanted.alignment);
            }
            let word = self.column_width(*index, Self::longest_word);
            if let (Some(_), Ok(word)) = (width, u16::try_from(word)) {
                column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(
                    word + GAP_COLUMNS,
                )));
            }
        }
        grid
    }
}

/// The content of a table cell, already escaped.
#[derive(Debug, Clone)]
pub(crate) struct TableCell {
    tone: Tone,
    content: String,
}

impl TableCell {
    pub(crate) fn styled(tone: Tone, content: &str) -> Self {
        Self { tone, content: escape(content).into_owned() }
    }

    fn cell(&self) -> Cell {
        let cell = Cell::new(&self.content);
        match self.tone {
            Tone::Plain => cell,
            Tone::Strong => cell.add_attribute(Attribute::Bold),
            Tone::Muted => cell.add_attribute(Attribute::Dim),
            Tone::Good => cell.fg(Color::DarkGreen),
            Tone::Warn => cell.fg(Color::DarkYellow),
            Tone::Bad => cell.fg(Color::DarkRed),
        }
    }
}

impl From<&str> for TableCell {
    fn from(content: &str) -> Self {
        Self::styled(Tone::Plain, content)
    }
}

impl From<String> for TableCell {
    fn from(content: String) -> Self {
        Self::styled(Tone::Plain, &content)
    }
}

impl From<&String> for TableCell {
    fn from(content: &String) -> Self {
        Self::styled(Tone::Plain, content)
    }
}

impl From<Sign> for TableCell {
    fn from(sign: Sign) -> Self {
        Self { tone: sign.tone.into(), content: sign.text() }
    }
}

const fn style(tone: Tone) -> Style {
    match tone {
        Tone::Plain => Style::new(),
        Tone::Strong => Style::new().bold(),
        Tone::Muted => Style::new().dimmed(),
        Tone::Good => AnsiColor::Green.on_default(),
        Tone::Warn => AnsiColor::Yellow.on_default(),
        Tone::Bad => AnsiColor::Red.on_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_shown_and_not_obeyed() {
        let hostile = "gpt\u{1b}[2J\n\u{202e}evil";
        let mut table = TextTable::new(&[Column::Left("Model"), Column::Right("Cost")]);
        table.row([hostile.into(), "$1.00".into()]);
        let mut text = StyledText::new();
        text.line(Tone::Bad, hostile).table(&table);
        let shown = anstream::adapter::strip_str(&text.to_string()).to_string();
        let written_out = "gpt\\u{1b}[2J\\n\\u{202e}evil";
        assert_eq!(shown.matches(written_out).count(), 2, "{shown}");
        assert_eq!(shown.lines().count(), 3, "one line, a header and one row: {shown}");
    }

    /// Seven columns as in `backends list`.
    fn wide() -> TextTable {
        let mut table = TextTable::new(&[
            Column::Left("Backend"),
            Column::Left("Health"),
            Column::Left("Kind").hidden_at_rank(3),
            Column::Left("Address").hidden_at_rank(4),
            Column::Left("Key").hidden_at_rank(2),
            Column::Right("24 hours").hidden_at_rank(1),
            Column::Right("Failed"),
        ]);
        table.row([
            "openrouter-eu".into(),
            "● up".into(),
            "openai-compatible".into(),
            "https://openrouter.example.com/api/v1".into(),
            "openrouter".into(),
            "$4.10 + 2 unpriced".into(),
            "1,234".into(),
        ]);
        table
    }

    #[test]
    fn a_table_fits_its_terminal_without_breaking_a_word() {
        for (columns, shown) in [
            (150, &["Backend", "Health", "Kind", "Address", "Key", "24 hours", "Failed"][..]),
            (80, &["Backend", "Health", "Key", "24 hours", "Failed"]),
            (60, &["Backend", "Health", "24 hours", "Failed"]),
        ] {
            let text = anstream::adapter::strip_str(&wide().render(Some(columns))).to_string();
            let header = text.lines().next().unwrap_or_default();
            let all = ["Backend", "Health", "Kind", "Address", "Key", "24 hours", "Failed"];
            for title in all {
                assert_eq!(header.contains(title), shown.contains(&title), "{columns}: {text}");
            }
            assert!(text.contains("openrouter-eu") && text.contains("● up"), "{columns}: {text}");
            for line in text.lines() {
                assert!(line.chars().count() <= usize::from(columns), "{columns}: {line:?}");
            }
            let left_out = text.contains("Columns hidden to fit the terminal");
            assert_eq!(left_out, shown.len() < all.len(), "{columns}: {text}");
        }
    }

    #[test]
    fn a_file_gets_every_column_and_one_line_for_a_row() {
        for columns in [None, Some(0), Some(39)] {
            let text = wide().render(columns);
            assert_eq!(text.lines().count(), 2, "{text}");
            assert!(text.contains("https://openrouter.example.com/api/v1"));
        }
    }

    #[test]
    fn columns_are_aligned_by_what_they_hold() {
        let mut table = TextTable::new(&[Column::Left("Name"), Column::Right("Cost")]);
        table.row(["a".into(), "$1.00".into()]).row(["long".into(), "$10.00".into()]);
        let mut text = StyledText::new();
        text.table(&table);
        let shown = anstream::adapter::strip_str(&text.to_string()).to_string();
        let rows: Vec<&str> = shown.lines().map(str::trim_end).collect();
        assert_eq!(rows, ["Name    Cost", "a      $1.00", "long  $10.00"]);
    }
}
