//! The keys of a backend as a pool, and traffic limits: of a backend for the gateway, and of the
//! gateway for a client.

use domain::PoolOrder;
use serde::{Deserialize, Serialize};
use settings::{KeyPoolSettings, TrafficLimits};
use specta::Type;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct KeyPoolView {
    pub order: PoolOrder,
    /// Each key once; empty for a backend without keys.
    pub members: Vec<PoolKeyView>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PoolKeyView {
    pub credential: String,
    /// 0 to 1,000; 0 makes the key a reserve.
    pub weight: u16,
}

/// Traffic limits; None for no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct TrafficLimitsView {
    /// In any minute.
    pub requests_per_minute: Option<u32>,
    /// Input and output tokens in any minute.
    pub tokens_per_minute: Option<u32>,
    /// Concurrent requests.
    pub in_flight_max: Option<u32>,
}

impl From<&KeyPoolSettings> for KeyPoolView {
    fn from(pool: &KeyPoolSettings) -> Self {
        let members = pool.members.iter().map(|member| PoolKeyView {
            credential: member.credential.to_string(),
            weight: member.weight,
        });
        Self { order: pool.order, members: members.collect() }
    }
}

impl From<TrafficLimits> for TrafficLimitsView {
    fn from(limits: TrafficLimits) -> Self {
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Self {
            requests_per_minute: limits.requests_per_minute,
            tokens_per_minute: limits.tokens_per_minute,
            in_flight_max: limits.in_flight_max.map(small),
        }
    }
}

impl TrafficLimitsView {
    /// Changes the limits that a form shows. A number out of range stays as it is; the settings reject
    /// it by name.
    pub(crate) fn apply(self, limits: &mut TrafficLimits) {
        let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        limits.requests_per_minute = self.requests_per_minute;
        limits.tokens_per_minute = self.tokens_per_minute;
        limits.in_flight_max = self.in_flight_max.map(size);
    }
}
