//! Tables for a terminal: aligned columns, two spaces between them.

use super::printable;

const GAP: usize = 2;

/// A text as a cell shows it.
pub fn cell(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { printable(text, usize::MAX) }
}

/// A line for each row, as wide as it is.
pub fn table<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    table_within(rows, usize::MAX, N)
}

/// A line for each row; where it would be wider than `width`, the first `giving_way` columns are
/// shortened, the widest first.
pub fn table_within<const N: usize>(
    rows: &[[String; N]],
    width: usize,
    giving_way: usize,
) -> Vec<String> {
    let mut widths = std::array::from_fn::<usize, N, _>(|at| {
        rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0)
    });
    while widths.iter().sum::<usize>() + GAP * (N - 1) > width {
        let widest = (0..giving_way).max_by_key(|at| widths[*at]).unwrap_or_default();
        widths[widest] -= 1;
    }
    let line = |row: &[String; N]| {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(&format!("{:<width$}{:GAP$}", shortened(cell, width), ""));
        }
        line.truncate(line.trim_end().len());
        line
    };
    rows.iter().map(line).collect()
}

/// Both ends say more than the middle: a host's first label, and its port or path.
fn shortened(cell: &str, width: usize) -> String {
    let chars: Vec<char> = cell.chars().collect();
    if chars.len() <= width {
        return cell.to_owned();
    }
    let kept = width.saturating_sub(2);
    let (head, tail) = (kept.div_ceil(2), kept / 2);
    let part = |chars: &[char]| chars.iter().collect::<String>();
    format!("{}..{}", part(&chars[..head]), part(&chars[chars.len() - tail..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_fits_100_columns_whatever_is_in_it() {
        let long = |text: &str| text.repeat(40);
        let rows = [
            ["SERVER", "ACCOUNT", "KEYCHAIN", "KEPT UNTIL", "SINCE", "EXPIRES", "STATE"]
                .map(str::to_owned),
            [
                long("registry."),
                long("alice"),
                "secret-service".into(),
                "deleted".into(),
                "12 months ago".into(),
                "in 12 months".into(),
                "unreachable".into(),
            ],
        ];
        let lines = table_within(&rows, 100, 3);
        assert!(lines.iter().all(|line| line.len() <= 100), "{lines:?}");
        assert!(
            lines[1]
                .contains("secret-service  deleted     12 months ago  in 12 months  unreachable")
        );
        assert!(lines[1].starts_with("regist") && lines[1].contains(".."), "{lines:?}");
        assert_eq!(shortened("registry.example.com:5000", 15), "registr..m:5000");
    }
}
