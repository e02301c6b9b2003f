//! What the user can choose.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, builder::ValueParser};
use dfaas_tests::Family;
use dfaas_tests::bench::Workload;

/// Rounds and seconds of a run, as they are by default and with `--quick`.
const USUAL: (u32, f64) = (5, 5.0);
const QUICK: (u32, f64) = (3, 1.6);

/// Options of `bench`.
#[derive(Debug, Clone, Default, Args)]
pub struct Options {
    /// Short rounds: done within two minutes on two cores
    #[arg(long)]
    pub quick: bool,
    /// Length of each run: one workload by one way [default: 5, with --quick 1.6]
    #[arg(long, value_name = "N")]
    pub seconds: Option<f64>,
    /// How often each run is repeated, all others in between [default: 5, with --quick 3]
    #[arg(long, value_name = "N")]
    pub rounds: Option<u32>,
    /// Run this workload alone
    #[arg(long, value_name = "WORKLOAD", value_parser = workload())]
    pub only: Option<Workload>,
    /// Over which users call and nodes reach each other
    #[arg(long, value_name = "FAMILY", default_value = "ipv4", value_parser = family())]
    pub family: Family,
    /// Write all numbers to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

fn workload() -> ValueParser {
    let names = PossibleValuesParser::new(Workload::ALL.map(Workload::name));
    let named = |name: String| Workload::ALL.into_iter().find(|workload| workload.name() == name);
    ValueParser::new(names.try_map(move |name| named(name).ok_or("no such workload")))
}

/// Those with one way to call: of two only the first would be measured.
fn family() -> ValueParser {
    let one = || Family::ALL.into_iter().filter(|family| family.node_addresses(1).len() == 1);
    let names = PossibleValuesParser::new(one().map(Family::name));
    let named = move |name: String| one().find(|family| family.name() == name);
    ValueParser::new(names.try_map(move |name| named(name).ok_or("no such family")))
}

impl Options {
    /// Rounds and seconds of each run.
    pub fn amount(&self) -> (u32, f64) {
        let (rounds, seconds) = if self.quick { QUICK } else { USUAL };
        (self.rounds.unwrap_or(rounds), self.seconds.unwrap_or(seconds))
    }

    /// Refuses what makes no sense.
    pub fn check(&self) -> Result<()> {
        let (rounds, seconds) = self.amount();
        ensure!((1..=1000).contains(&rounds), "--rounds {rounds}: from 1 to 1000");
        ensure!((0.1..=3600.0).contains(&seconds), "--seconds {seconds}: from 0.1 to 3600");
        Ok(())
    }

    /// What is run, in order.
    pub fn workloads(&self) -> Vec<Workload> {
        self.only.map_or_else(|| Workload::ALL.to_vec(), |only| vec![only])
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        options: Options,
    }

    fn parsed(words: &[&str]) -> Result<Options, clap::Error> {
        Cli::try_parse_from([&["bench"], words].concat()).map(|cli| cli.options)
    }

    #[test]
    fn what_is_said_goes_before_what_quick_means() {
        assert_eq!(parsed(&[]).unwrap().amount(), USUAL);
        assert_eq!(parsed(&["--quick"]).unwrap().amount(), QUICK);
        assert_eq!(parsed(&["--quick", "--rounds", "9"]).unwrap().amount(), (9, QUICK.1));
        assert_eq!(parsed(&["--seconds", "0.5"]).unwrap().amount(), (USUAL.0, 0.5));
    }

    #[test]
    fn one_workload_or_all_are_run_and_no_other() {
        assert_eq!(parsed(&[]).unwrap().workloads(), Workload::ALL);
        assert_eq!(parsed(&["--only", "upload"]).unwrap().workloads(), [Workload::Upload]);
        let error = parsed(&["--only", "everything"]).unwrap_err().to_string();
        assert!(error.contains("connect, keepalive, download, upload"), "{error}");
    }

    #[test]
    fn it_is_ipv4_unless_another_family_is_said() {
        assert_eq!(parsed(&[]).unwrap().family, Family::V4);
        assert_eq!(parsed(&["--family", "ipv6"]).unwrap().family, Family::V6);
        assert_eq!(parsed(&["--family", "ipv4-over-ipv6"]).unwrap().family, Family::V4OverV6);
        let error = parsed(&["--family", "both-over-ipv4"]).unwrap_err().to_string();
        assert!(error.contains("ipv4, ipv6, ipv4-over-ipv6, ipv6-over-ipv4"), "{error}");
    }

    #[test]
    fn amounts_that_make_no_sense_are_refused() {
        for words in [["--rounds", "0"], ["--seconds", "0"], ["--seconds", "NaN"], ["--seconds", "1e9"]] {
            assert!(parsed(&words).unwrap().check().is_err(), "{words:?}");
        }
    }
}
