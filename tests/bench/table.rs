//! The outcome, in Markdown as the README shows it.

use std::fmt;

/// One line for each thing measured.
#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
}

struct Row {
    name: String,
    ours: String,
    theirs: String,
    ratio: f64,
    target: String,
    met: bool,
    /// A time: another program on the machine can spoil it.
    time: bool,
}

impl Table {
    /// Adds the medians of two lists of milliseconds; their ratio may be `most`.
    pub fn times(&mut self, name: &str, ours: &[f64], theirs: &[f64], most: f64) {
        let (a, b) = (median(ours), median(theirs));
        self.rows.push(Row {
            name: name.to_owned(),
            ours: format!("{a:.2} ms"),
            theirs: format!("{b:.2} ms"),
            ratio: a / b,
            target: format!("ratio ≤ {most:.2}"),
            met: a / b <= most,
            time: true,
        });
    }

    /// Adds two sizes in MiB; ours may be `most`.
    pub fn sizes(&mut self, name: &str, ours: f64, theirs: f64, most: f64) {
        self.rows.push(Row {
            name: name.to_owned(),
            ours: format!("{ours:.2} MiB"),
            theirs: format!("{theirs:.2} MiB"),
            ratio: ours / theirs,
            target: format!("≤ {most:.0} MiB"),
            met: ours <= most,
            time: false,
        });
    }

    /// Whether every target was met, those of `times` only if asked for.
    pub fn met(&self, times: bool) -> bool {
        self.rows.iter().all(|row| row.met || (row.time && !times))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| median | this helper | secretservice | ratio | target | met |")?;
        write!(f, "|---|---:|---:|---:|---|---|")?;
        for Row { name, ours, theirs, ratio, target, met, .. } in &self.rows {
            let met = if *met { "yes" } else { "no" };
            write!(f, "\n| {name} | {ours} | {theirs} | {ratio:.3} | {target} | {met} |")?;
        }
        Ok(())
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 }
}
