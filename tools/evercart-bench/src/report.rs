//! What a run found, as a table for people, Markdown for the docs and JSON for programs.

use serde_json::{Value, json};

/// The middle and the ends of what repeated cells showed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The value in the middle.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
}

impl Spread {
    /// Of at least one value.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let upper = *values.get(middle)?;
        let median = if values.len() % 2 == 1 { upper } else { (values[middle - 1] + upper) / 2.0 };
        Some(Self { median, min: *values.first()?, max: *values.last()? })
    }
}

/// What a number is counted in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unit {
    /// Times the reference.
    Ratio,
    /// Times what it costs with little data.
    Growth,
    /// A count of what must not be.
    Count,
    /// In a second.
    PerSecond,
    /// Per add.
    PerAdd,
    /// Milliseconds.
    Ms,
    /// Megabytes (10^6).
    Mb,
    /// Kilobytes (10^3).
    Kb,
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::Ratio if value >= 10.0 => format!("{value:.1}"),
            Self::Ratio | Self::Growth => format!("{value:.2}"),
            Self::Count => format!("{value:.0}"),
            Self::PerSecond => format!("{value:.0}/s"),
            Self::PerAdd => format!("{value:.3}"),
            Self::Ms => format!("{value:.1} ms"),
            Self::Mb => format!("{value:.1} MB"),
            Self::Kb => format!("{value:.1} kB"),
        }
    }

    /// Less is better for all but ratios to a reference and rates.
    fn is_met(self, value: f64, bound: f64) -> bool {
        if matches!(self, Self::Ratio | Self::PerSecond) { value >= bound } else { value <= bound }
    }
}

/// What performance.md asks of a number.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Beyond it something is wrong.
    pub floor: f64,
    /// What to aim for.
    pub target: f64,
}

/// One line of the table.
pub struct Row {
    /// What was measured.
    pub measure: String,
    /// Under which load; empty where there is none.
    pub load: String,
    /// The number that is compared.
    pub value: Spread,
    /// What it is counted in.
    pub unit: Unit,
    /// What it should be, where anything is asked.
    pub bounds: Option<Bounds>,
    /// The figures behind it.
    pub detail: String,
}

impl Row {
    /// False if the number is beyond its floor.
    pub fn keeps_floor(&self) -> bool {
        self.bounds.is_none_or(|bounds| self.unit.is_met(self.value.median, bounds.floor))
    }

    fn verdict(&self) -> &'static str {
        match self.bounds {
            None => "",
            Some(bounds) if self.unit.is_met(self.value.median, bounds.target) => "target met",
            Some(_) if self.keeps_floor() => "floor met",
            Some(_) => "BEYOND THE FLOOR",
        }
    }

    fn columns(&self) -> [String; 7] {
        let show = |value| self.unit.show(value);
        let bound = |bound: fn(Bounds) -> f64| self.bounds.map(bound).map(show).unwrap_or_default();
        [
            self.measure.clone(),
            self.load.clone(),
            show(self.value.median),
            format!("{} – {}", show(self.value.min), show(self.value.max)),
            bound(|bounds| bounds.floor),
            bound(|bounds| bounds.target),
            self.verdict().to_owned(),
        ]
    }

    fn to_json(&self) -> Value {
        json!({
            "measure": self.measure,
            "load": self.load,
            "median": self.value.median,
            "min": self.value.min,
            "max": self.value.max,
            "unit": format!("{:?}", self.unit).to_lowercase(),
            "floor": self.bounds.map(|bounds| bounds.floor),
            "target": self.bounds.map(|bounds| bounds.target),
            "verdict": self.verdict(),
            "detail": self.detail,
        })
    }
}

const TITLES: [&str; 7] = ["measure", "load", "median", "min – max", "floor", "target", "verdict"];

/// The table for a terminal, the figures behind it below.
pub fn table(rows: &[Row], notes: &[String]) -> String {
    let lines: Vec<_> =
        std::iter::once(TITLES.map(str::to_owned)).chain(rows.iter().map(Row::columns)).collect();
    let width = |column: usize| {
        lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..TITLES.len()).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        for (cell, width) in line.iter().zip(&widths) {
            let fill = " ".repeat(width - cell.chars().count());
            text.push_str(&format!("{cell}{fill}   "));
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text.push('\n');
    for row in rows.iter().filter(|row| !row.detail.is_empty()) {
        let name = [row.measure.as_str(), row.load.as_str()].join(" ");
        text.push_str(&format!("{}: {}\n", name.trim(), row.detail));
    }
    for note in notes {
        text.push_str(&format!("note: {note}\n"));
    }
    text
}

/// The same for a document.
pub fn markdown(rows: &[Row], notes: &[String]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let titles: Vec<_> = TITLES.map(str::to_owned).into_iter().chain(["figures".into()]).collect();
    let mut text = line(&titles) + &"|---".repeat(titles.len()) + "|\n";
    for row in rows {
        let cells: Vec<_> = row.columns().into_iter().chain([row.detail.clone()]).collect();
        text.push_str(&line(&cells));
    }
    for note in notes {
        text.push_str(&format!("\n{note}\n"));
    }
    text
}

/// The same for a program.
pub fn json(rows: &[Row], notes: &[String]) -> Value {
    json!({ "rows": rows.iter().map(Row::to_json).collect::<Vec<_>>(), "notes": notes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: f64, unit: Unit) -> Row {
        let bounds = match unit {
            Unit::Ratio => Bounds { floor: 4.0, target: 5.0 },
            _ => Bounds { floor: 50.0, target: 15.0 },
        };
        let value = Spread { median: value, min: value, max: value };
        let (measure, load, detail) = ("m".into(), "1".into(), "d".into());
        Row { measure, load, value, unit, bounds: Some(bounds), detail }
    }

    #[test]
    fn a_verdict_knows_which_way_is_better() {
        assert_eq!(row(5.0, Unit::Ratio).verdict(), "target met");
        assert_eq!(row(4.0, Unit::Ratio).verdict(), "floor met");
        assert_eq!(row(3.9, Unit::Ratio).verdict(), "BEYOND THE FLOOR");
        assert_eq!(row(15.0, Unit::Ms).verdict(), "target met");
        assert_eq!(row(50.0, Unit::Ms).verdict(), "floor met");
        assert!(!row(50.1, Unit::Ms).keeps_floor());
        assert_eq!(row(15.1, Unit::Growth).verdict(), "floor met");
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(Spread::of([]), None);
        let three = Spread { median: 2.0, min: 1.0, max: 9.0 };
        assert_eq!(Spread::of([9.0, 1.0, 2.0]), Some(three));
        assert_eq!(Spread::of([1.0, 2.0]).map(|spread| spread.median), Some(1.5));
    }

    #[test]
    fn every_row_is_in_every_form() {
        let rows = [row(5.0, Unit::Ratio), row(60.0, Unit::Ms)];
        let notes = ["n".to_owned()];
        for text in [table(&rows, &notes), markdown(&rows, &notes)] {
            assert!(text.contains("5.00") && text.contains("60.0 ms"), "{text}");
            assert!(text.contains("BEYOND THE FLOOR") && text.contains('n'), "{text}");
        }
        assert_eq!(json(&rows, &notes)["rows"][1]["median"], 60.0);
    }
}
