//! Headings, tables and numbers.

use std::fmt::Write as _;

use crate::bench::results::short;

/// What was not measured.
pub(super) const MISSING: &str = "–";

/// A table: its head, and the rows of which not every cell is missing.
pub(super) fn table(text: &mut String, head: &[String], rows: Vec<Vec<String>>) {
    let row = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    text.push('\n');
    text.push_str(&row(head));
    text.push_str(&format!("|---|{}\n", "---:|".repeat(head.len() - 1)));
    for cells in rows {
        if cells.iter().skip(1).any(|cell| cell != MISSING) {
            text.push_str(&row(&cells));
        }
    }
}

pub(super) fn cell(value: Option<f64>) -> String {
    value.map_or_else(|| MISSING.to_owned(), short)
}

/// One value by another.
pub(super) fn ratio(of: Option<f64>, to: Option<f64>) -> Option<f64> {
    Some(of? / to?)
}

pub(super) fn head(
    first: &str,
    others: impl IntoIterator<Item = impl Into<String>>,
) -> Vec<String> {
    std::iter::once(first.to_owned()).chain(others.into_iter().map(Into::into)).collect()
}

pub(super) fn heading(text: &mut String, title: &str, words: &str) {
    let _ = write!(text, "\n### {title}\n\n{words}\n");
}

pub(super) fn picture(text: &mut String, words: &str, name: &str) {
    let _ = write!(text, "\n![{words}](performance/{name}.svg)\n");
}

/// A whole number, as heads of columns have it.
pub(super) fn count(number: u64) -> String {
    short(number as f64).trim_end_matches(".00").trim_end_matches(".0").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_without_a_figure_are_left_out() {
        let mut text = String::new();
        let row = |name: &str, figure: Option<f64>| vec![name.to_owned(), cell(figure)];
        table(&mut text, &head("", ["µs"]), vec![row("a", Some(2.0)), row("b", None)]);
        assert_eq!(text, "\n|  | µs |\n|---|---:|\n| a | 2.00 |\n");
    }

    #[test]
    fn whole_numbers_have_no_fraction() {
        assert_eq!([1, 10, 1_000, 1_000_000].map(count), ["1", "10", "1,000", "1,000,000"]);
    }
}
