//! Columns as kubectl prints them: aligned, three blanks apart, no lines.
//!
//! Widths are kept, so that rows which come later (a watch) stand under the first ones.

use crate::words::{Colour, Paint, clean};

/// A cell: what stands in it and in which colour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    text: String,
    colour: Option<Colour>,
}

impl Cell {
    /// A cell. Whatever a terminal would obey is taken out.
    pub(crate) fn new(text: impl AsRef<str>) -> Self {
        Self { text: clean(text.as_ref()), colour: None }
    }

    /// The same, coloured.
    pub(crate) fn coloured(self, colour: Option<Colour>) -> Self {
        Self { colour, ..self }
    }
}

/// What prints rows.
#[derive(Debug)]
pub(crate) struct Table {
    heads: Vec<&'static str>,
    widths: Vec<usize>,
    paint: Paint,
    headed: bool,
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new(heads: Vec<&'static str>, with_heads: bool, paint: Paint) -> Self {
        let widths = heads.iter().map(|head| if with_heads { head.len() } else { 0 }).collect();
        Self { heads, widths, paint, headed: !with_heads }
    }

    /// The lines for some more rows; the columns' names come before the first.
    pub(crate) fn lines(&mut self, rows: &[Vec<Cell>]) -> Vec<String> {
        for row in rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.text.chars().count());
            }
        }
        let mut lines = Vec::with_capacity(rows.len() + 1);
        if !self.headed {
            self.headed = true;
            let heads: Vec<Cell> = self.heads.iter().map(Cell::new).collect();
            lines.push(self.line(&heads));
        }
        lines.extend(rows.iter().map(|row| self.line(row)));
        lines
    }

    fn line(&self, row: &[Cell]) -> String {
        let mut line = String::new();
        let mut blanks = 0;
        for (cell, width) in row.iter().zip(&self.widths) {
            if !cell.text.is_empty() {
                line.extend(std::iter::repeat_n(' ', blanks));
                line.push_str(&self.paint.paint(&cell.text, cell.colour));
                blanks = 0;
            }
            blanks += width.saturating_sub(cell.text.chars().count()) + 3;
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other_and_no_line_ends_in_blanks() {
        let mut table = Table::new(vec!["NAME", "STATE", "REASON"], true, Paint::output());
        let row = |cells: [&str; 3]| cells.map(Cell::new).to_vec();
        let lines = table.lines(&[row(["alpha", "connected", ""]), row(["b", "", "no\u{1b}[2Jlink"])]);
        assert_eq!(
            lines,
            ["NAME    STATE       REASON", "alpha   connected", "b                   no[2Jlink"]
        );
        assert_eq!(table.lines(&[row(["later", "joining", "x"])]), ["later   joining     x"]);
    }
}
