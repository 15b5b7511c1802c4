//! What ends restrictions of endpoints from outside: another key, a check that passed, a network that is
//! back.

use domain::{CredentialId, Endpoint, Moment};

use super::Endpoints;
use crate::transition::{EndpointTransition, TransitionCause};

impl Endpoints {
    /// The key was replaced: lifts the blocks and cooldowns of its endpoints. A call that began
    /// with the old key can no longer block them.
    pub fn lift_after_credential_change(
        &mut self,
        credential: &CredentialId,
        now: Moment,
    ) -> Vec<EndpointTransition> {
        let mut log = Vec::new();
        for (endpoint, entry) in &mut self.entries {
            if endpoint.credential.as_ref() == Some(credential) {
                entry.apply_due(endpoint, now, &self.rules, &mut log);
                entry.lift_block(endpoint, TransitionCause::CredentialChanged, now, &mut log);
                entry.lift_cooldowns(endpoint, TransitionCause::CredentialChanged, now, &mut log);
            }
        }
        self.take_transitions_with(log)
    }

    /// A manual check succeeded: lifts the block.
    pub fn lift_block_after_recheck(
        &mut self,
        endpoint: &Endpoint,
        now: Moment,
    ) -> Vec<EndpointTransition> {
        self.update_endpoint(endpoint, now, |entry, endpoint, log| {
            entry.lift_block(endpoint, TransitionCause::RecheckPassed, now, log);
        })
    }

    /// The network is back: forgets the failures of these endpoints since `doubtful`, which it may
    /// explain. What opened before that stays open.
    pub fn forget_failures(
        &mut self,
        doubtful: Moment,
        is_behind: impl Fn(&Endpoint) -> bool,
        now: Moment,
    ) -> Vec<EndpointTransition> {
        let mut log = Vec::new();
        for (endpoint, entry) in self.entries.iter_mut().filter(|(it, _)| is_behind(it)) {
            entry.apply_due(endpoint, now, &self.rules, &mut log);
            entry.forget_failures(endpoint, doubtful, now, &mut log);
        }
        self.take_transitions_with(log)
    }
}
