//! How long polls take.

use super::STEP_S;
use crate::scale::Demand;

/// The part of polls that is left to the longest step.
const REST: f64 = 1e-4;

/// The part of polls that take one step, two, and so on: log-normal, with the demand's mean.
pub(super) fn times(demand: &Demand) -> Vec<f64> {
    let spread = demand.poll_spread;
    let middle = (demand.poll_ms / 1e3).ln() - spread * spread / 2.0;
    let done_by = |seconds: f64| normal_cdf((seconds.ln() - middle) / spread);
    let mut parts = Vec::new();
    let mut before = 0.0;
    while before < 1.0 - REST {
        let after = done_by((parts.len() as f64 + 1.5) * STEP_S);
        parts.push(after - before);
        before = after;
    }
    *parts
        .last_mut()
        .expect("there is one, since nothing was done before") += 1.0 - before;
    parts
}

/// By Abramowitz and Stegun, 7.1.26: the error is below 2e-7.
fn normal_cdf(z: f64) -> f64 {
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let factors = [
        1.061_405_429,
        -1.453_152_027,
        1.421_413_741,
        -0.284_496_736,
        0.254_829_592,
    ];
    let polynomial = factors.iter().fold(0.0, |sum, factor| (sum + factor) * t);
    let tail = polynomial * (-x * x).exp() / 2.0;
    if z < 0.0 { tail } else { 1.0 - tail }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scale::tests::demand;

    #[test]
    fn polls_have_the_mean_that_was_asked_for() {
        let parts = times(&demand());
        let all: f64 = parts.iter().sum();
        let mean: f64 = (1..)
            .zip(&parts)
            .map(|(step, part)| f64::from(step) * STEP_S * part)
            .sum();
        assert!((all - 1.0).abs() < 1e-9);
        assert!((mean / 0.2 - 1.0).abs() < 0.01, "{mean}");
    }
}
