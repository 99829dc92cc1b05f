//! The simulation from the command line.
use std::io::Write;
fn main() {
    let mut out = std::io::stdout();
    let args: Vec<u64> = std::env::args().skip(1).map(|a| a.parse().unwrap_or(0)).collect();
    for seed in args[0]..args[1] {
        let options = bw_sim::Options { seed, ..Default::default() };
        let past = bw_sim::simulate(bw_sim::Script::of(&options), None);
        let v = bw_sim::violations(&past); if !v.is_empty() { writeln!(out, "{seed} {:#?} {:#?}", v, past.script.faults).ok(); }
        if args.len() > 2 { writeln!(out, "{seed} faults={} mon={} journal={} ended={} waiting={} open={:?} outcomes={} events={} deliveries={} gaps={} hash={:x} trouble={:?}", past.script.faults.len(), past.script.watched.len(), past.journal.len(), past.ended, past.waiting, past.open, past.database.outcomes.len(), past.database.events.len(), past.database.deliveries.len(), past.database.gaps.len(), past.hash, past.trouble).ok(); }
    }
}
