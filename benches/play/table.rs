//! What was measured, beside the budgets, as a table.
#![expect(clippy::print_stdout, reason = "the table is the program's output")]

use std::time::Duration;

/// Times of one setting, a median for each contender that took part.
#[derive(Debug)]
pub struct Row {
    /// The setting.
    pub title: String,
    /// The contenders' names and medians, in the order of the columns.
    pub medians: Vec<(&'static str, Option<Duration>)>,
    /// hadeploy's time over the limit's, and the most it may be.
    pub ratio: Ratio,
}

/// A time as a multiple of another.
#[derive(Debug, Clone, Copy)]
pub struct Ratio {
    /// The multiple.
    pub measured: f64,
    /// The most it may be, if there is a budget.
    pub budget: Option<f64>,
}

/// One number with its budget.
#[derive(Debug)]
pub struct Figure {
    /// What it counts.
    pub title: String,
    /// The number.
    pub measured: f64,
    /// The most it may be.
    pub budget: f64,
    /// The unit, with a space before it, or nothing.
    pub unit: &'static str,
}

impl Figure {
    /// Whether the budget is met.
    pub fn is_met(&self) -> bool {
        self.measured <= self.budget
    }
}

impl Ratio {
    /// Whether the budget is met, or there is none.
    pub fn is_met(&self) -> bool {
        self.budget.is_none_or(|budget| self.measured <= budget)
    }
}

/// Prints both tables.
pub fn print(rows: &[Row], figures: &[Figure]) {
    if let Some(first) = rows.first() {
        print!("{:<24}", "converged, medians");
        for (name, _) in &first.medians {
            print!("{name:>11}");
        }
        println!("{:>11}{:>9}", "x limit", "budget");
    }
    for row in rows {
        print!("{:<24}", row.title);
        for (_, median) in &row.medians {
            match median {
                Some(median) => print!("{:>9.3} s", median.as_secs_f64()),
                None => print!("{:>11}", "-"),
            }
        }
        print!("{:>11.2}", row.ratio.measured);
        match row.ratio.budget {
            Some(budget) => println!("{budget:>9.2}  {}", mark(row.ratio.is_met())),
            None => println!("{:>9}", "-"),
        }
    }
    println!("\n{:<48}{:>14}{:>14}", "besides", "measured", "budget");
    for figure in figures {
        let number = |value: f64| match value.fract() == 0.0 {
            true => format!("{value:.0}{}", figure.unit),
            false => format!("{value:.2}{}", figure.unit),
        };
        println!(
            "{:<48}{:>14}{:>14}  {}",
            figure.title,
            number(figure.measured),
            number(figure.budget),
            mark(figure.is_met())
        );
    }
}

fn mark(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}
