//! Plain columns for terminals: as wide as their widest cell, two spaces apart, nothing behind the last.

/// Lays rows out below a head.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([head[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let head = head.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let mut out = String::new();
    for row in std::iter::once(&head).chain(rows) {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns() {
        let rows = [["1", "Übersicht", "UP"], ["12", "b", "DOWN"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(
            super::table(&["ID", "NAME", "STATE"], &rows),
            "ID  NAME       STATE\n1   Übersicht  UP\n12  b          DOWN\n"
        );
    }
}
