//! Reads the traffic limits of a client or a backend.

use crate::finding::Findings;
use crate::section_reader::SectionReader;
use crate::{
    GATEWAY_IN_FLIGHT_MAX_RANGE, REQUESTS_PER_MINUTE_RANGE, TOKENS_PER_MINUTE_RANGE, TrafficLimits,
};

/// Fields of [`limits`] in the file.
pub(super) const NAMES: [&str; 3] = ["requests_per_minute", "tokens_per_minute", "in_flight_max"];

pub(super) fn read_limits(entry: &SectionReader, findings: &mut Findings) -> TrafficLimits {
    let (requests, tokens) = (REQUESTS_PER_MINUTE_RANGE, TOKENS_PER_MINUTE_RANGE);
    TrafficLimits {
        requests_per_minute: entry.optional_integer("requests_per_minute", &requests, findings),
        tokens_per_minute: entry.optional_integer("tokens_per_minute", &tokens, findings),
        in_flight_max: entry.optional_integer(
            "in_flight_max",
            &GATEWAY_IN_FLIGHT_MAX_RANGE,
            findings,
        ),
    }
}
