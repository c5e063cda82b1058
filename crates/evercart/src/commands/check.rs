//! `evercart check`: every promise of the schema, in every market.

use std::process::ExitCode;

use anyhow::Context;
use evercart_core::operator::CheckReport;
use serde::Serialize;

use crate::cli::Check;
use crate::config::Settings;
use crate::stores::Opened;
use crate::{output, stores};

#[derive(Serialize)]
struct Checked<'a> {
    ok: bool,
    markets: Vec<CheckedMarket<'a>>,
}

#[derive(Serialize)]
struct CheckedMarket<'a> {
    market: &'a str,
    promises: &'a [&'static str],
    findings: Vec<CheckedFinding<'a>>,
    users: u64,
    cart_lines: u64,
    wishes: u64,
    orders: u64,
    products: u64,
    skus: u64,
}

#[derive(Serialize)]
struct CheckedFinding<'a> {
    promise: &'a str,
    found: &'a str,
}

/// Checks and reports; fails (exit code 1) if anything is wrong.
///
/// # Errors
/// There is no data, or it could not be looked at.
pub async fn run(settings: &Settings, arguments: &Check) -> anyhow::Result<ExitCode> {
    let storage = &settings.storage;
    let mut reports = Vec::new();
    for market in stores::present_or_fail(settings).await? {
        let check = async |store: &dyn Opened| {
            store.check().await.map_err(stores::failed).context("the check could not be made")
        };
        let report = stores::with(storage, &market, check).await?;
        reports.push((market, report));
    }
    let ok = reports.iter().all(|(_, report)| report.findings.is_empty());
    if arguments.json {
        let markets = reports.iter().map(|(market, report)| as_json(market.as_str(), report));
        output::print_json(&Checked { ok, markets: markets.collect() })?;
    } else {
        for (market, report) in &reports {
            output::print(&as_text(market.as_str(), report))?;
        }
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn as_json<'a>(market: &'a str, report: &'a CheckReport) -> CheckedMarket<'a> {
    let counts = report.counts;
    let findings = report.findings.iter();
    CheckedMarket {
        market,
        promises: &report.promises,
        findings: findings
            .map(|finding| CheckedFinding { promise: finding.promise, found: &finding.found })
            .collect(),
        users: counts.users,
        cart_lines: counts.cart_lines,
        wishes: counts.wishes,
        orders: counts.orders,
        products: counts.products,
        skus: counts.skus,
    }
}

/// A market's promises, each with `ok` or everything that breaks it.
pub fn as_text(market: &str, report: &CheckReport) -> String {
    let counts = report.counts;
    let mut text = format!(
        "{market}: {} customers, {} cart lines, {} wishes, {} orders, {} products, {} SKUs\n",
        counts.users, counts.cart_lines, counts.wishes, counts.orders, counts.products, counts.skus
    );
    for promise in &report.promises {
        let mut broken =
            report.findings.iter().filter(|found| found.promise == *promise).peekable();
        if broken.peek().is_none() {
            text.push_str(&format!("  ok     {promise}\n"));
            continue;
        }
        text.push_str(&format!("  WRONG  {promise}\n"));
        for finding in broken {
            text.push_str(&format!("         {}\n", finding.found));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use evercart_core::operator::{Counts, Finding};

    #[test]
    fn a_broken_promise_is_shown_with_what_breaks_it() {
        let report = CheckReport {
            promises: vec!["stock is never below zero", "one cart a customer"],
            findings: vec![Finding {
                promise: "one cart a customer",
                found: "user 19 has two".into(),
            }],
            counts: Counts::default(),
        };
        let text = as_text("us", &report);
        assert!(text.contains("  ok     stock is never below zero\n"), "{text}");
        assert!(
            text.contains("  WRONG  one cart a customer\n         user 19 has two\n"),
            "{text}"
        );
    }
}
