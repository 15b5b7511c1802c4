//! What is promised of the gateway, routes, backends and services.

use std::ops::RangeInclusive;

use domain::{ServiceGoal, ServicePeriod};

use crate::setting::settings;

/// Longest time to a first token that is in time, in milliseconds.
pub const FIRST_TOKEN_MAX_MS_RANGE: RangeInclusive<i64> = 100..=60_000;

/// The objective of one route, backend or service. The default holds for what it leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OwnObjective {
    pub goal: Option<ServiceGoal>,
    pub period: Option<ServicePeriod>,
    /// Only of a backend; within [`FIRST_TOKEN_MAX_MS_RANGE`].
    pub first_token_max_ms: Option<u32>,
}

settings! {
    /// Objectives: goals over a time. A route, a backend or a service may have one of its own.
    /// `gatehouse slo set` tells what one allows before it is set.
    #[derive(Copy)]
    pub ServiceLevelSettings in "service_levels", keys "slo_" {
        /// Percentage of all requests that are to be answered.
        gateway_goal: ServiceGoal = ServiceGoal::Percent99_95;
        /// Time over which that is counted.
        gateway_period: ServicePeriod = ServicePeriod::Month;
        /// Percentage of a route's requests that are to be answered, if it has more than one backend.
        // With one, it promises no more than that one.
        route_goal: ServiceGoal = ServiceGoal::Percent99_9;
        /// Time over which that is counted.
        route_period: ServicePeriod = ServicePeriod::Month;
        /// Percentage of the requests to a backend that are to be answered.
        backend_goal: ServiceGoal = ServiceGoal::Percent99_5;
        /// Time over which that is counted.
        backend_period: ServicePeriod = ServicePeriod::Week;
        /// Percentage of a backend's first tokens that are to be in time.
        first_token_goal: ServiceGoal = ServiceGoal::Percent95;
        /// A first token that takes longer is not in time.
        first_token_max_ms: u32 = 2_000, in FIRST_TOKEN_MAX_MS_RANGE;
        /// Percentage of the observed time in which a service is to answer.
        service_goal: ServiceGoal = ServiceGoal::Percent99_5;
        /// Time over which that is counted.
        service_period: ServicePeriod = ServicePeriod::Week;
    }
}
