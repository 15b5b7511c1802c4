//! What is printed for people, built from pieces. Every piece is escaped on its way in, so nothing an
//! upstream said can reach the terminal unescaped, whoever writes the next screen.

use std::fmt::{self, Write};

use clap::builder::styling::{AnsiColor, Style};
use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ContentArrangement, Table as Grid, presets,
};

use crate::escape::escape;
use crate::sign::{Sign, Tone};

/// Lines for a terminal, styled; where the output is no terminal the styles are taken off on the way.
#[derive(Debug, Default)]
pub(crate) struct Text(String);

impl Text {
    /// No text yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A piece of a line.
    pub(crate) fn piece(&mut self, tone: Tone, content: &str) -> &mut Self {
        let (style, content) = (style(tone), escape(content));
        // Writing to a string does not fail.
        let _ = write!(self.0, "{style}{content}{style:#}");
        self
    }

    /// A state: shape and word.
    pub(crate) fn sign(&mut self, sign: impl Into<Sign>) -> &mut Self {
        let sign = sign.into();
        self.piece(sign.tone, &sign.text())
    }

    /// Ends the line.
    pub(crate) fn end(&mut self) -> &mut Self {
        self.0.push('\n');
        self
    }

    /// A whole line.
    pub(crate) fn line(&mut self, tone: Tone, content: &str) -> &mut Self {
        self.piece(tone, content).end()
    }

    /// Several lines that are ours (a diff, a piece of code): each is escaped, their breaks are kept.
    pub(crate) fn lines(&mut self, tone: Tone, content: &str) -> &mut Self {
        for line in content.lines() {
            self.line(tone, line);
        }
        self
    }

    /// A table.
    pub(crate) fn table(&mut self, table: &Table) -> &mut Self {
        self.0.push_str(&table.grid.trim_fmt());
        self.end()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Aligned columns without lines. On a terminal long cells are wrapped to its width; elsewhere a row
/// stays one line, for `grep`.
#[derive(Debug)]
pub(crate) struct Table {
    grid: Grid,
}

/// Which way a column is aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    /// Words.
    Left(&'static str),
    /// Numbers.
    Right(&'static str),
}

impl Table {
    /// A table with a header.
    pub(crate) fn new(columns: &[Column]) -> Self {
        let mut grid = plain_grid();
        grid.set_header(columns.iter().map(|column| {
            let (Column::Left(title) | Column::Right(title)) = column;
            Cell::new(title).add_attribute(Attribute::Bold)
        }));
        for (column, wanted) in grid.column_iter_mut().zip(columns) {
            column.set_padding((0, 2));
            if matches!(wanted, Column::Right(_)) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        Self { grid }
    }

    /// A table of names and values, without a header.
    pub(crate) fn of_facts() -> Self {
        Self { grid: plain_grid() }
    }

    /// Adds a row.
    pub(crate) fn row<const N: usize>(&mut self, pieces: [Piece; N]) -> &mut Self {
        self.grid.add_row(pieces.map(Piece::cell));
        for column in self.grid.column_iter_mut() {
            column.set_padding((0, 2));
        }
        self
    }
}

/// Narrowest terminal that cells are wrapped for, in columns. Below that, and in terminals that say
/// they have no width at all, a wrapped table would be a column of single letters.
const TERMINAL_COLUMNS_MIN: u16 = 40;

fn plain_grid() -> Grid {
    let mut grid = Grid::new();
    grid.load_style(presets::NOTHING).enforce_styling().style_text_only();
    let arrangement = arrangement(grid.width());
    grid.set_content_arrangement(arrangement);
    grid
}

fn arrangement(terminal_columns: Option<u16>) -> ContentArrangement {
    match terminal_columns {
        Some(TERMINAL_COLUMNS_MIN..) => ContentArrangement::Dynamic,
        Some(_) | None => ContentArrangement::Disabled,
    }
}

/// What stands in a cell.
#[derive(Debug)]
pub(crate) struct Piece {
    tone: Tone,
    content: String,
}

impl Piece {
    /// Text in a tone.
    pub(crate) fn toned(tone: Tone, content: &str) -> Self {
        Self { tone, content: escape(content).into_owned() }
    }

    fn cell(self) -> Cell {
        let cell = Cell::new_owned(self.content);
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

impl From<&str> for Piece {
    fn from(content: &str) -> Self {
        Self::toned(Tone::Plain, content)
    }
}

impl From<String> for Piece {
    fn from(content: String) -> Self {
        Self::toned(Tone::Plain, &content)
    }
}

impl From<&String> for Piece {
    fn from(content: &String) -> Self {
        Self::toned(Tone::Plain, content)
    }
}

impl From<Sign> for Piece {
    fn from(sign: Sign) -> Self {
        Self { tone: sign.tone, content: sign.text() }
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
        let mut table = Table::new(&[Column::Left("Model"), Column::Right("Cost")]);
        table.row([hostile.into(), "$1.00".into()]);
        let mut text = Text::new();
        text.line(Tone::Bad, hostile).table(&table);
        let shown = anstream::adapter::strip_str(&text.to_string()).to_string();
        let written_out = "gpt\\u{1b}[2J\\n\\u{202e}evil";
        assert_eq!(shown.matches(written_out).count(), 2, "{shown}");
        assert_eq!(shown.lines().count(), 3, "one line, a header and one row: {shown}");
    }

    #[test]
    fn cells_are_wrapped_only_where_there_is_room() {
        let wraps = |columns| matches!(arrangement(columns), ContentArrangement::Dynamic);
        let wrapped = [None, Some(0), Some(39), Some(40)].map(wraps);
        assert_eq!(wrapped, [false, false, false, true]);
    }

    #[test]
    fn columns_are_aligned_by_what_they_hold() {
        let mut table = Table::new(&[Column::Left("Name"), Column::Right("Cost")]);
        table.row(["a".into(), "$1.00".into()]).row(["long".into(), "$10.00".into()]);
        let mut text = Text::new();
        text.table(&table);
        let shown = anstream::adapter::strip_str(&text.to_string()).to_string();
        let rows: Vec<&str> = shown.lines().map(str::trim_end).collect();
        assert_eq!(rows, ["Name    Cost", "a      $1.00", "long  $10.00"]);
    }
}
