//! The tables, as the page has them.

use std::collections::{BTreeMap, BTreeSet};

use super::limits::{self, LIMITS};
use super::rows;

/// What came of a client in a column: nothing bad, or the limit in the way.
pub type Cells = BTreeMap<(&'static str, &'static str), Result<(), usize>>;

/// A table; a cell that was not tried is as in the page.
pub fn table(cells: &Cells, columns: &[&'static str], page: &str) -> String {
    let heading = format!("| Client | {} |", columns.join(" | "));
    let known_rows = page.split_once(&heading).map_or("", |(_, rest)| rest);
    let row = |(client, _, does): (&'static str, &str, &str)| {
        let first = format!("| {client}: {does} |");
        let known =
            known_rows.lines().find_map(|line| line.strip_prefix(&first)).unwrap_or_default();
        let known: Vec<_> = known.split_terminator('|').map(str::trim).collect();
        let cell = |(at, column): (usize, &&'static str)| match cells.get(&(client, *column)) {
            Some(Ok(())) => " yes |".to_owned(),
            Some(Err(limit)) => format!(" no ({}) |", limit + 1),
            None => format!(" {} |", known.get(at).copied().unwrap_or("?")),
        };
        first + &columns.iter().enumerate().map(cell).collect::<String>() + "\n"
    };
    let line = "---|".repeat(columns.len());
    format!("{heading}\n|---|{line}\n{}", rows().map(row).collect::<String>())
}

/// Limits that nothing ran into.
pub fn unused(cells: &Cells) -> Vec<&'static str> {
    let used: BTreeSet<_> = cells.values().filter_map(|cell| cell.err()).collect();
    let unused = LIMITS.iter().enumerate().filter(|(at, _)| !used.contains(at));
    unused.map(|(_, limit)| limit.because).collect()
}

/// What the page lacks.
pub fn missing(tables: &[String; 2], page: &str) -> Vec<String> {
    let wanted = [tables[0].clone(), tables[1].clone(), limits::notes()];
    wanted.into_iter().filter(|text| !page.contains(text.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_tried_is_as_in_the_page_and_what_was_is_not() {
        let columns = ["one", "two"];
        let (client, _, does) = rows().next().expect("a row");
        let page = format!(
            "| Client | one | two |\n|---|---|---|\n| {client}: {does} | yes | no (3) |\n\
             | Client | two | one |\n|---|---|---|\n| {client}: {does} | yes | yes |\n"
        );
        let row = |cells: &Cells| {
            let text = table(cells, &columns, &page);
            text.lines().nth(2).expect("a row").to_owned()
        };
        assert_eq!(row(&Cells::new()), format!("| {client}: {does} | yes | no (3) |"));
        let tried = Cells::from([((client, "one"), Err(0)), ((client, "two"), Ok(()))]);
        assert_eq!(row(&tried), format!("| {client}: {does} | no (1) | yes |"));
        assert!(table(&Cells::new(), &columns, "").contains("| ? | ? |"), "not in the page either");
    }

    #[test]
    fn a_limit_counts_in_its_columns_and_for_what_the_client_says_then() {
        let (said, client) = ("it said: Issue retrieving session url", "oras for Python");
        let found = limits::find(client, "personal token", said).expect("a limit");
        assert_eq!(
            (LIMITS[found].client, LIMITS[found].columns),
            (client, &["personal token", "minted token"][..])
        );
        assert_eq!(limits::find(client, "token", said), None);
        assert_eq!(limits::find("docker", "personal token", said), None);
        assert_eq!(limits::find(client, "personal token", "something else"), None);
    }
}
