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
    /// A time or the memory: the rest of the machine changes it.
    varies: bool,
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
            target: format!("ratio ≤ {most}"),
            met: a / b <= most,
            varies: true,
        });
    }

    /// Adds two sizes in MiB; ours may be `most`.
    pub fn sizes(&mut self, name: &str, ours: f64, theirs: f64, most: f64, varies: bool) {
        self.rows.push(Row {
            name: name.to_owned(),
            ours: format!("{ours:.2} MiB"),
            theirs: format!("{theirs:.2} MiB"),
            ratio: ours / theirs,
            target: format!("≤ {most} MiB"),
            met: ours <= most,
            varies,
        });
    }

    /// Adds two counts of ours that are as `ratio`, which may be `most`.
    pub fn ratio(&mut self, name: &str, [a, b]: [String; 2], ratio: f64, most: f64) {
        self.rows.push(Row {
            name: name.to_owned(),
            ours: a,
            theirs: b,
            ratio,
            target: format!("ratio ≤ {most}"),
            met: ratio <= most,
            varies: false,
        });
    }

    /// Adds what must be so to the letter.
    pub fn counts(&mut self, name: &str, ours: &str, target: &str) {
        self.rows.push(Row {
            name: name.to_owned(),
            ours: ours.to_owned(),
            theirs: String::new(),
            ratio: 1.0,
            target: target.to_owned(),
            met: ours == target,
            varies: false,
        });
    }

    /// Whether every target was met; of what varies with the machine only if `all` is asked for.
    pub fn met(&self, all: bool) -> bool {
        self.rows.iter().all(|row| row.met || (row.varies && !all))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| median | this helper | beside | ratio | target | met |")?;
        write!(f, "|---|---:|---:|---:|---|---|")?;
        for Row { name, ours, theirs, ratio, target, met, .. } in &self.rows {
            let met = if *met { "yes" } else { "no" };
            write!(f, "\n| {name} | {ours} | {theirs} | {ratio:.3} | {target} | {met} |")?;
        }
        Ok(())
    }
}

/// The middle one.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 }
}
