//! A port that takes connections. Nothing is sent, so that it suits any protocol.

use gateway::connect;
use settings::ServiceSettings;

use crate::outcome::Outcome;

pub(crate) async fn check(service: &ServiceSettings) -> Outcome {
    let address = &service.address;
    match connect(address.host(), address.port(), service.network).await {
        Ok(_connection) => Outcome::Passed("it takes connections".to_owned()),
        Err(failure) => Outcome::of_failure(&failure),
    }
}
