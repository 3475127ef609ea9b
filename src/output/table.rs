//! Tables for people: aligned, as wide as the terminal at most.

use super::{Shade, Style, plain, width};

/// Columns between two cells.
const GAP: usize = 2;
/// Below this a column is not cut any further.
const NARROWEST: usize = 8;

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// What stands above it.
    pub title: &'static str,
    /// Numbers stand right.
    pub right: bool,
    /// May be cut when the table is too wide.
    pub cut: bool,
}

impl Column {
    /// A column of short words, never cut.
    pub const fn whole(title: &'static str) -> Self {
        Self { title, right: false, cut: false }
    }

    /// A column of text that may be cut.
    pub const fn text(title: &'static str) -> Self {
        Self { title, right: false, cut: true }
    }

    /// A column of numbers.
    pub const fn number(title: &'static str) -> Self {
        Self { title, right: true, cut: false }
    }
}

/// A cell and how it is shown.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    text: String,
    shade: Shade,
}

impl Cell {
    /// Shows it this way where there are colours.
    pub fn shaded(text: impl Into<String>, shade: Shade) -> Self {
        Self { text: text.into(), shade }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), shade: Shade::Plain }
    }
}

/// Rows under titles.
#[derive(Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// An empty table.
    pub fn new(columns: impl Into<Vec<Column>>) -> Self {
        Self { columns: columns.into(), rows: Vec::new() }
    }

    /// Adds a row; missing cells are empty.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let clean = |cell: Cell| Cell { text: plain::line(&cell.text), shade: cell.shade };
        self.rows.push(cells.into_iter().map(clean).collect());
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All lines, each ended by a line feed, within `columns` where that is possible.
    pub fn render(&self, columns: usize, style: Style) -> String {
        let widths = self.widths(columns);
        let mut out = String::new();
        let titles: Vec<Cell> = self.columns.iter().map(|column| Cell::shaded(column.title, Shade::Strong)).collect();
        for row in std::iter::once(&titles).chain(&self.rows) {
            self.line(&mut out, row, &widths, style);
        }
        out
    }

    fn line(&self, out: &mut String, row: &[Cell], widths: &[usize], style: Style) {
        let empty = Cell::default();
        let last = self.columns.len().saturating_sub(1);
        let mut pending = 0;
        for (at, (column, room)) in self.columns.iter().zip(widths).enumerate() {
            let cell = row.get(at).unwrap_or(&empty);
            let text = width::cut(&cell.text, *room);
            let fill = room.saturating_sub(width::of(&text));
            if column.right {
                pending += fill;
            }
            if !text.is_empty() {
                out.extend(std::iter::repeat_n(' ', pending));
                out.push_str(&style.paint(&text, cell.shade));
                pending = 0;
            }
            if !column.right {
                pending += fill;
            }
            if at < last {
                pending += GAP;
            }
        }
        out.push('\n');
    }

    /// Natural widths, the columns that may be cut narrowed, the widest first, until the row fits.
    fn widths(&self, columns: usize) -> Vec<usize> {
        let natural = |at: usize, column: &Column| {
            let cells = self.rows.iter().filter_map(|row| row.get(at)).map(|cell| width::of(&cell.text));
            cells.chain([width::of(column.title)]).max().unwrap_or(0)
        };
        let mut widths: Vec<usize> = self.columns.iter().enumerate().map(|(at, column)| natural(at, column)).collect();
        let gaps = GAP * self.columns.len().saturating_sub(1);
        loop {
            let total = widths.iter().sum::<usize>() + gaps;
            if total <= columns {
                return widths;
            }
            let cuttable = widths.iter_mut().zip(&self.columns).filter(|(_, column)| column.cut);
            let Some((widest, _)) = cuttable.max_by_key(|(width, _)| **width) else { return widths };
            if *widest <= NARROWEST {
                return widths;
            }
            *widest -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(subject: &str) -> Table {
        let mut table = Table::new([
            Column::whole("REFERENCE"),
            Column::text("SUBJECT"),
            Column::number("N"),
            Column::whole("STATE"),
        ]);
        table.row(["GT-1".into(), subject.into(), "12".into(), "new".into()]);
        table.row(["GT-22".into(), Cell::default(), "3".into(), "open".into()]);
        table
    }

    #[test]
    fn columns_are_aligned_and_numbers_stand_right() {
        assert_eq!(
            table("Printer").render(80, Style::bare()),
            "REFERENCE  SUBJECT   N  STATE\nGT-1       Printer  12  new\nGT-22                3  open\n"
        );
    }

    #[test]
    fn only_text_is_cut_when_the_terminal_is_narrow() {
        let shown = table("The printer on the third floor").render(36, Style::bare());
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[1], "GT-1       The printer o…  12  new");
        assert!(lines.iter().all(|line| width::of(line) <= 36), "{shown}");
    }

    #[test]
    fn no_colour_is_written_where_none_is_wanted() {
        assert!(!table("x").render(80, Style::bare()).contains('\u{1b}'));
        assert!(table("x").render(80, Style::coloured()).contains("\u{1b}[1mREFERENCE\u{1b}[0m"));
    }
}
