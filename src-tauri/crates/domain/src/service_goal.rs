//! What may be promised of a service: a share of its requests over a time. A few usual ones, because a
//! goal between them cannot be told from its neighbours at the traffic of one person.

use std::time::Duration;

const DAY_SECS: u64 = 86_400;

crate::words! {
    /// Share of the requests that are to succeed, in percent.
    ServiceGoal {
        Percent90 = "90",
        Percent95 = "95",
        Percent98 = "98",
        Percent99 = "99",
        Percent99_5 = "99.5",
        Percent99_8 = "99.8",
        Percent99_9 = "99.9",
        Percent99_95 = "99.95",
        Percent99_99 = "99.99",
    }
}

impl ServiceGoal {
    /// Parts per million.
    #[must_use]
    pub const fn ppm(self) -> u32 {
        match self {
            Self::Percent90 => 900_000,
            Self::Percent95 => 950_000,
            Self::Percent98 => 980_000,
            Self::Percent99 => 990_000,
            Self::Percent99_5 => 995_000,
            Self::Percent99_8 => 998_000,
            Self::Percent99_9 => 999_000,
            Self::Percent99_95 => 999_500,
            Self::Percent99_99 => 999_900,
        }
    }
}

crate::words! {
    /// Time until now over which a goal is to be kept. The rules of burn rates are made for these two.
    ServicePeriod {
        Week = "7d",
        Month = "30d",
    }
}

impl ServicePeriod {
    #[must_use]
    pub const fn length(self) -> Duration {
        Duration::from_secs(match self {
            Self::Week => 7 * DAY_SECS,
            Self::Month => 30 * DAY_SECS,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::ServiceGoal;

    #[test]
    fn each_goal_is_as_its_word_says() {
        for goal in ServiceGoal::ALL {
            let percent: f64 = goal.word().parse().expect("a number");
            assert!((percent * 10_000.0 - f64::from(goal.ppm())).abs() < 1e-6, "{goal}");
        }
    }
}
