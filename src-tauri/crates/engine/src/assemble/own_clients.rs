//! The clients that the engine is itself, and their tokens.

use domain::{Entropy, IdError};
use gateway::{GatewayClient, NewToken, TokenHash, new_token};
use ledger::Purpose;

use crate::gateway::snapshot::{CHECK_CLIENT, health_client, own_client, playground_client};

pub(super) type OwnClients = Vec<(TokenHash, GatewayClient)>;

/// Tokens of the engine's own clients. In memory only and new at each start.
pub(super) struct OwnTokens {
    pub(super) check: NewToken,
    pub(super) health: NewToken,
    pub(super) playground: NewToken,
}

impl OwnTokens {
    pub(super) fn new(entropy: &dyn Entropy) -> Self {
        let [check, health, playground] = std::array::from_fn(|_| new_token(entropy));
        Self { check, health, playground }
    }
}

pub(super) fn own_clients(tokens: &OwnTokens) -> Result<OwnClients, IdError> {
    Ok(vec![
        own_client(CHECK_CLIENT, &tokens.check, Purpose::Check)?,
        health_client(&tokens.health)?,
        playground_client(&tokens.playground)?,
    ])
}
