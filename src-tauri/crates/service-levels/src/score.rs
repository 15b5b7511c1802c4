//! One number from 0 to 100 for a backend, made of parts that are shown with it.
//!
//! A part that nothing measured is left out and the others count for more; with less known the
//! confidence is lower. Without an observation there is no number.

domain::words! {
    /// What a health score is made of.
    ScorePart {
        /// Share of the last 24 hours' observed time in which it answered
        Uptime = "availability",
        /// First tokens of the last 24 hours against the week before
        Latency = "latency",
        /// What is left of the failures that its objective allows
        ErrorBudget = "error-budget",
        /// What is left of the provider's quota
        Quota = "quota",
        /// Whether its key is accepted
        Credential = "credential",
        /// How recent the last result is
        Freshness = "freshness",
    }
}

impl ScorePart {
    /// The most that it adds.
    #[must_use]
    pub const fn points_max(self) -> u8 {
        match self {
            Self::Uptime => 40,
            Self::Latency => 20,
            Self::ErrorBudget => 15,
            Self::Quota | Self::Credential => 10,
            Self::Freshness => 5,
        }
    }
}

domain::words! {
    /// Why a health score is not higher, whatever its parts say.
    ScoreCap {
        /// Its key or account is refused: at most 25
        Blocked = "blocked",
        /// The gateway sends it no requests: at most 40
        BreakerOpen = "breaker-open",
        /// No recent result: at most 60
        Stale = "stale",
    }
}

impl ScoreCap {
    #[must_use]
    pub const fn points_max(self) -> f64 {
        match self {
            Self::Blocked => 25.0,
            Self::BreakerOpen => 40.0,
            Self::Stale => 60.0,
        }
    }
}

domain::words! {
    /// How much a health score rests on.
    ScoreConfidence {
        /// Nearly every part is measured
        High = "high",
        /// Some parts are not measured
        Medium = "medium",
        /// There is no recent result, or most parts are not measured
        Low = "low",
    }
}

/// What is known of a backend. Shares are 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ScoreFacts {
    /// Share of the last 24 hours' observed time in which it answered.
    pub availability: Option<f64>,
    /// The usual 95th percentile of the first token, divided by the present one.
    pub latency: Option<f64>,
    pub budget_left: Option<f64>,
    pub quota_left: Option<f64>,
    pub is_key_accepted: Option<bool>,
    /// 1 for a result of this moment, 0 for one that is too old to count.
    pub freshness: Option<f64>,
    pub is_blocked: bool,
    pub is_breaker_open: bool,
    pub is_stale: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct HealthScore {
    /// 0 to 100; `None` if its availability was not observed.
    pub points: Option<f64>,
    /// Share of each part's points, 0 to 1; `None` if nothing measured it.
    pub parts: Vec<(ScorePart, Option<f64>)>,
    /// What keeps it down, if anything does.
    pub cap: Option<ScoreCap>,
    pub confidence: ScoreConfidence,
}

/// Share of availability that is worth nothing.
const AVAILABILITY_FLOOR: f64 = 0.95;
/// Points whose parts are known, from which the confidence is high or medium.
const HIGH_FROM: u32 = 80;
const MEDIUM_FROM: u32 = 55;

#[must_use]
pub fn health_score(facts: &ScoreFacts) -> HealthScore {
    let share = |part| match part {
        ScorePart::Uptime => facts
            .availability
            .map(|share| (share - AVAILABILITY_FLOOR) / (1.0 - AVAILABILITY_FLOOR)),
        ScorePart::Latency => facts.latency,
        ScorePart::ErrorBudget => facts.budget_left,
        ScorePart::Quota => facts.quota_left,
        ScorePart::Credential => facts.is_key_accepted.map(f64::from),
        ScorePart::Freshness => facts.freshness,
    };
    let clipped = |part| share(part).filter(|it| it.is_finite()).map(|it| it.clamp(0.0, 1.0));
    let parts: Vec<(ScorePart, Option<f64>)> =
        ScorePart::ALL.iter().map(|part| (*part, clipped(*part))).collect();
    let known: u32 = parts
        .iter()
        .filter(|(_, share)| share.is_some())
        .map(|(part, _)| u32::from(part.points_max()))
        .sum();
    let sum: f64 = parts
        .iter()
        .filter_map(|(part, share)| Some(f64::from(part.points_max()) * (*share)?))
        .sum();
    let caps = [
        (facts.is_blocked, ScoreCap::Blocked),
        (facts.is_breaker_open, ScoreCap::BreakerOpen),
        (facts.is_stale, ScoreCap::Stale),
    ];
    let cap = caps.into_iter().find(|(holds, _)| *holds).map(|(_, cap)| cap);
    let points = facts.availability.map(|_| {
        let whole = sum * 100.0 / f64::from(known.max(1));
        whole.min(cap.map_or(100.0, ScoreCap::points_max))
    });
    let confidence = match known {
        _ if facts.is_stale || points.is_none() => ScoreConfidence::Low,
        HIGH_FROM.. => ScoreConfidence::High,
        MEDIUM_FROM.. => ScoreConfidence::Medium,
        _ => ScoreConfidence::Low,
    };
    HealthScore { points, parts, cap, confidence }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PERFECT: ScoreFacts = ScoreFacts {
        availability: Some(1.0),
        latency: Some(1.2),
        budget_left: Some(1.0),
        quota_left: Some(1.0),
        is_key_accepted: Some(true),
        freshness: Some(1.0),
        is_blocked: false,
        is_breaker_open: false,
        is_stale: false,
    };

    fn points(facts: ScoreFacts) -> f64 {
        health_score(&facts).points.expect("observed")
    }

    #[test]
    fn the_score_equals_its_parts_by_hand() {
        assert_eq!(health_score(&PERFECT).confidence, ScoreConfidence::High);
        assert!((points(PERFECT) - 100.0).abs() < 1e-9);
        // 40 x 0.6 + 20 x 0.5 + 15 x 0.4 + 10 + 10 + 5 = 65.
        let worn = ScoreFacts {
            availability: Some(0.98),
            latency: Some(0.5),
            budget_left: Some(0.4),
            ..PERFECT
        };
        assert!((points(worn) - 65.0).abs() < 1e-6, "{}", points(worn));
        // Without a quota the others share its ten points: 55 / 90.
        let no_quota = ScoreFacts { quota_left: None, ..worn };
        assert!((points(no_quota) - 61.111_111_111).abs() < 1e-6);
        // Only availability and freshness: 45 points known.
        let bare =
            ScoreFacts { availability: Some(1.0), freshness: Some(1.0), ..Default::default() };
        assert_eq!(health_score(&bare).confidence, ScoreConfidence::Low);
    }

    #[test]
    fn caps_hold_whatever_the_parts_say() {
        assert_eq!(points(ScoreFacts { is_blocked: true, is_stale: true, ..PERFECT }), 25.0);
        assert_eq!(points(ScoreFacts { is_breaker_open: true, ..PERFECT }), 40.0);
        let stale = health_score(&ScoreFacts { is_stale: true, ..PERFECT });
        assert_eq!((stale.points, stale.confidence), (Some(60.0), ScoreConfidence::Low));
    }

    #[test]
    fn nothing_observed_is_no_score() {
        let unseen = health_score(&ScoreFacts { availability: None, ..PERFECT });
        assert_eq!((unseen.points, unseen.confidence), (None, ScoreConfidence::Low));
    }

    proptest! {
        #[test]
        fn a_score_is_between_0_and_100_and_below_its_cap(
            shares in prop::array::uniform5(prop::option::of(-3.0_f64..3.0)),
            key in prop::option::of(any::<bool>()),
            flags in prop::array::uniform3(any::<bool>()),
        ) {
            let [availability, latency, budget_left, quota_left, freshness] = shares;
            let [is_blocked, is_breaker_open, is_stale] = flags;
            let score = health_score(&ScoreFacts {
                availability, latency, budget_left, quota_left, is_key_accepted: key, freshness,
                is_blocked, is_breaker_open, is_stale,
            });
            prop_assert_eq!(score.points.is_some(), availability.is_some());
            if let Some(points) = score.points {
                let most = score.cap.map_or(100.0, ScoreCap::points_max);
                prop_assert!((0.0..=most + 1e-9).contains(&points));
            }
        }
    }
}
