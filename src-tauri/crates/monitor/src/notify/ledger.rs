//! Faults of the ledger: one notification, which each new cause and the end replace.

use std::collections::BTreeMap;

use domain::Moment;

use super::{
    Decision, Hold, Notification, NotificationPolicy, Surroundings, Switch, TEN_MINUTES, Urgency,
    WindowFocus, sentences, title,
};

const KEY: &str = "ledger";

/// What is wrong with the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerFault {
    /// Stable while the fault lasts; another one for another fault.
    pub cause: String,
    /// What it is.
    pub title: String,
    /// What to do.
    pub fix: String,
    /// How much it presses.
    pub urgency: Urgency,
}

/// What was told of the ledger.
#[derive(Debug, Default)]
pub(super) struct LedgerFaults {
    /// The cause that is shown now.
    shown: Option<String>,
    /// When each cause was told last; there are some twenty kinds.
    told: BTreeMap<String, Moment>,
}

impl LedgerFaults {
    pub(super) fn shown_key(&self) -> Option<String> {
        self.shown.as_ref().map(|_| KEY.to_owned())
    }

    /// A fault that comes and goes is told once in ten minutes.
    fn was_told(&self, cause: &str, now: Moment) -> bool {
        let lately = self.told.get(cause).is_some_and(|told| now.since(*told) < TEN_MINUTES);
        lately || self.shown.as_deref() == Some(cause)
    }
}

impl NotificationPolicy {
    pub(super) fn ledger_fault(
        &mut self,
        fault: &LedgerFault,
        around: Surroundings,
        now: Moment,
    ) -> Decision {
        if self.ledger.was_told(&fault.cause, now) {
            return Decision::Hold(Hold::AlreadyTold);
        }
        if let Some(hold) = self.hold(around, fault.urgency, now) {
            return Decision::Hold(hold);
        }
        self.count(fault.urgency, now);
        self.ledger.shown = Some(fault.cause.clone());
        self.ledger.told.insert(fault.cause.clone(), now);
        Decision::Show(Notification {
            key: KEY.to_owned(),
            title: title(&fault.title),
            body: sentences(&[fault.fix.as_str()]),
            urgency: fault.urgency,
            path: "/settings?part=Ledger".to_owned(),
        })
    }

    /// A fault is over when it is over, whether or not that is told.
    pub(super) fn ledger_works(&mut self, around: Surroundings) -> Decision {
        if self.ledger.shown.take().is_none() {
            return Decision::Hold(Hold::FaultNotTold);
        }
        if around.notifications == Switch::Off || around.focus == WindowFocus::Focused {
            return Decision::Withdraw(KEY.to_owned());
        }
        Decision::Show(Notification {
            key: KEY.to_owned(),
            title: title("The ledger works again"),
            body: sentences(&["Requests are recorded as usual."]),
            urgency: Urgency::Low,
            path: "/".to_owned(),
        })
    }
}
