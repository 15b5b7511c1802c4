//! Notifications about ledger faults: one at a time, replaced by each new cause and by the
//! recovery.

use std::collections::BTreeMap;

use domain::Moment;

use super::{
    Decision, Hold, Notification, NotificationPolicy, Surroundings, Switch, TEN_MINUTES, Urgency,
    WindowFocus, sentences, title,
};

const KEY: &str = "ledger";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerFault {
    /// Identifies the fault; stable as long as it lasts.
    pub cause: String,
    pub title: String,
    pub fix: String,
    pub urgency: Urgency,
}

/// Ledger faults that were shown.
#[derive(Debug, Default)]
pub(super) struct LedgerFaults {
    /// Cause shown now.
    shown: Option<String>,
    /// When each cause was last shown. There are some twenty causes, so the map stays small.
    told: BTreeMap<String, Moment>,
}

impl LedgerFaults {
    pub(super) fn shown_key(&self) -> Option<String> {
        self.shown.as_ref().map(|_| KEY.to_owned())
    }

    /// True if `cause` is shown now or was shown in the last ten minutes, so that a fault that
    /// comes and goes is not repeated.
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

    /// Clears the shown fault, even if its end is not shown.
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
