//! What comes by when.

use super::Sample;

/// Jobs that have come by a time, seconds from the sample on. After what is foreseen they come at its mean.
#[derive(Debug)]
pub(super) struct Curve {
    /// Rising in both; the first is zero.
    points: Vec<(f64, f64)>,
    after_per_s: f64,
}

impl Curve {
    /// What the slots hold; never falling, whatever the sample says. `None` if nobody looked ahead.
    pub(super) fn foreseen(sample: &Sample) -> Option<Self> {
        let mut points = vec![(0.0, 0.0)];
        for ahead in &sample.look_ahead {
            let (within_s, jobs) = points[points.len() - 1];
            let next_s = ahead.within.as_secs_f64();
            if next_s > within_s {
                points.push((next_s, (ahead.jobs as f64).max(jobs)));
            }
        }
        let (within_s, jobs) = points[points.len() - 1];
        (within_s > 0.0).then(|| Self {
            points,
            after_per_s: jobs / within_s,
        })
    }

    /// So many a second.
    pub(super) fn even(per_s: f64) -> Self {
        Self {
            points: vec![(0.0, 0.0)],
            after_per_s: per_s,
        }
    }

    /// As many more a second.
    pub(super) fn and(mut self, per_s: f64) -> Self {
        for (at_s, jobs) in &mut self.points {
            *jobs += per_s * *at_s;
        }
        self.after_per_s += per_s;
        self
    }

    /// What comes in a second, over all that is foreseen.
    pub(super) const fn mean_per_s(&self) -> f64 {
        self.after_per_s
    }

    /// What has come by `to_s`.
    pub(super) fn by(&self, to_s: f64) -> f64 {
        if to_s <= 0.0 {
            return 0.0;
        }
        let next = self.points.partition_point(|(at_s, _)| *at_s < to_s);
        // The first point is at zero, so one is before `to_s`.
        let (at_s, jobs) = self.points[next - 1];
        let per_s = match self.points.get(next) {
            Some((next_s, more)) => (more - jobs) / (next_s - at_s),
            None => self.after_per_s,
        };
        jobs + per_s * (to_s - at_s)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{super::LookAhead, *};

    fn sample(ahead: &[(u64, u64)]) -> Sample {
        let look_ahead = ahead.iter().map(|(within_s, jobs)| LookAhead {
            within: Duration::from_secs(*within_s),
            jobs: *jobs,
        });
        Sample {
            look_ahead: look_ahead.collect(),
            ..Sample::default()
        }
    }

    #[test]
    fn jobs_come_evenly_within_each_span_and_at_the_mean_after_the_last() {
        let curve = Curve::foreseen(&sample(&[(60, 60), (120, 240)])).unwrap();
        let at = [0.0, 30.0, 60.0, 90.0, 120.0, 180.0].map(|to_s| curve.by(to_s));
        assert_eq!(at, [0.0, 30.0, 60.0, 150.0, 240.0, 360.0]);
        assert_eq!(curve.and(0.5).by(90.0), 195.0);
    }

    #[test]
    fn nonsense_makes_a_curve_that_does_not_fall() {
        let curve = Curve::foreseen(&sample(&[(60, 60), (60, 500), (30, 1), (90, 10)])).unwrap();
        assert_eq!([60.0, 90.0].map(|to_s| curve.by(to_s)), [60.0, 60.0]);
        assert!(Curve::foreseen(&sample(&[])).is_none());
        assert!(Curve::foreseen(&sample(&[(0, 7)])).is_none());
        assert_eq!(Curve::even(2.0).by(3.0), 6.0);
    }
}
