//! Sorted samples and what is read off them.

pub struct Samples(Vec<f64>);

impl Samples {
    pub fn new(mut values: Vec<f64>) -> Samples {
        values.sort_by(f64::total_cmp);
        Samples(values)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The value below which the share `q` of the samples lies; 0 without samples.
    pub fn quantile(&self, q: f64) -> f64 {
        let rank = (q * self.0.len() as f64).ceil() as usize;
        self.0.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }

    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    pub fn max(&self) -> f64 {
        self.quantile(1.0)
    }
}

/// The fullest bin over the mean of all bins.
pub fn peak_over_mean(instants: &[f64], width: f64) -> f64 {
    let (Some(first), Some(last)) =
        (instants.iter().copied().reduce(f64::min), instants.iter().copied().reduce(f64::max))
    else {
        return 0.0;
    };
    // The last bin is cut off by the end of the measurement and would lower the mean.
    let bins = ((last - first) / width).floor().max(1.0) as usize;
    let mut counts = vec![0u32; bins];
    for instant in instants {
        if let Some(count) = counts.get_mut(((instant - first) / width) as usize) {
            *count += 1;
        }
    }
    let total: u32 = counts.iter().sum();
    let peak = counts.iter().copied().max().unwrap_or_default();
    f64::from(peak) * bins as f64 / f64::from(total.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_samples() {
        let samples = Samples::new((1..=100).rev().map(f64::from).collect());
        assert_eq!((samples.median(), samples.quantile(0.99), samples.max()), (50.0, 99.0, 100.0));
        assert_eq!(Samples::new(Vec::new()).max(), 0.0);
        assert_eq!(Samples::new(vec![3.0]).quantile(0.01), 3.0);
    }

    #[test]
    fn the_peak_is_told_against_the_mean() {
        let even: Vec<f64> = (0..=1000).map(|i| f64::from(i) / 100.0).collect();
        assert!((peak_over_mean(&even, 0.1) - 1.0).abs() < 0.11);
        let herd: Vec<f64> = (0..100).map(|i| if i < 99 { 0.0 } else { 10.0 }).collect();
        assert!(peak_over_mean(&herd, 0.1) > 90.0);
    }
}
