//! Answers that sums alone do not give: the forecast of a month's cost. It decides from the sums
//! and random numbers that it is given: no IO, no clock.

mod forecast;
mod statistics;

pub use forecast::{
    ACTIVE_DAYS_MIN, BackTest, DailyCost, Forecast, ForecastDay, ForecastMethod, Today, back_test,
    forecast,
};
