//! A port that takes connections. Nothing is sent, so that it suits any protocol.

use settings::ServiceSettings;

use crate::outcome::{Outcome, reach};

pub(crate) async fn check(service: &ServiceSettings) -> Result<Outcome, Outcome> {
    let _connection = reach(service).await?;
    Ok(Outcome::Passed("it takes connections".to_owned()))
}
