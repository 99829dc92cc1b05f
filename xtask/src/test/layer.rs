//! The layers of the tests, by how much of the world they touch, and the crates in which each lives.

use clap::ValueEnum;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Layer {
    /// Format, lints, arrows, tidy, generated files.
    Lint,
    /// Pure rules: tables, properties, snapshots.
    Unit,
    /// The simulation and its seeds.
    Sim,
    /// One suite a port, run by every adapter.
    Contract,
    /// Probes against misbehaving local servers.
    Probe,
    /// The router, the API and the pages without sockets.
    Server,
    /// Payloads, local sinks, each class of error.
    Action,
    /// The built binary, and a real browser.
    E2e,
}

impl Layer {
    pub const ALL: &[Layer] = &[
        Layer::Lint,
        Layer::Unit,
        Layer::Sim,
        Layer::Contract,
        Layer::Probe,
        Layer::Server,
        Layer::Action,
        Layer::E2e,
    ];

    /// The layer of a crate's tests; what has no line here is pure enough for the first.
    fn of(package: &str) -> Layer {
        match package {
            "bw-sim" => Layer::Sim,
            "bw-store" | "bw-queue" => Layer::Contract,
            "bw-net" | "bw-probe" => Layer::Probe,
            "bw-server" => Layer::Server,
            "bw-action" => Layer::Action,
            "bellwether" | "bw-lambda" => Layer::E2e,
            _ => Layer::Unit,
        }
    }
}

/// The crates whose tests belong to the layers.
pub fn packages<'a>(layers: &[Layer], members: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    members.filter(|member| layers.contains(&Layer::of(member))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMBERS: [&str; 5] = ["bw-domain", "bw-store", "bw-server", "bellwether", "xtask"];

    #[test]
    fn each_crate_belongs_to_one_layer() {
        assert_eq!(packages(&[Layer::Unit], MEMBERS.into_iter()), ["bw-domain", "xtask"]);
        assert_eq!(packages(&[Layer::E2e, Layer::Contract], MEMBERS.into_iter()), ["bw-store", "bellwether"]);
        assert!(packages(&[Layer::Lint], MEMBERS.into_iter()).is_empty());
        assert_eq!(packages(Layer::ALL, MEMBERS.into_iter()), MEMBERS);
    }

    #[test]
    fn every_layer_is_in_the_list() {
        assert_eq!(Layer::ALL, Layer::value_variants());
    }
}
