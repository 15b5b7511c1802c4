//! Notifications about ledger faults: one at a time, replaced by each new cause and by the
//! recovery.

use std::collections::BTreeMap;

use domain::Moment;

use super::{
    Notification, NotificationContext, NotificationDecision, NotificationPolicy,
    NotificationSetting, SuppressionReason, TEN_MINUTES, Urgency, WindowFocus, cut_title,
    join_sentences,
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
pub(super) struct ShownLedgerFaults {
    /// Cause shown now.
    shown: Option<String>,
    /// When each cause was last shown. There are some twenty causes, so the map stays small.
    last_shown: BTreeMap<String, Moment>,
}

impl ShownLedgerFaults {
    pub(super) fn shown_key(&self) -> Option<String> {
        self.shown.as_ref().map(|_| KEY.to_owned())
    }

    /// True if `cause` is shown now or was shown in the last ten minutes, so that a fault that
    /// comes and goes is not repeated.
    fn was_shown_recently(&self, cause: &str, now: Moment) -> bool {
        let lately = self.last_shown.get(cause).is_some_and(|told| now.since(*told) < TEN_MINUTES);
        lately || self.shown.as_deref() == Some(cause)
    }
}

impl NotificationPolicy {
    pub(super) fn decide_ledger_fault(
        &mut self,
        fault: &LedgerFault,
        around: NotificationContext,
        now: Moment,
    ) -> NotificationDecision {
        if self.ledger.was_shown_recently(&fault.cause, now) {
            return NotificationDecision::Suppress(SuppressionReason::AlreadyShown);
        }
        if let Some(hold) = self.suppression_reason(around, fault.urgency, now) {
            return NotificationDecision::Suppress(hold);
        }
        self.count_shown(fault.urgency, now);
        self.ledger.shown = Some(fault.cause.clone());
        self.ledger.last_shown.insert(fault.cause.clone(), now);
        NotificationDecision::Show(Notification {
            key: KEY.to_owned(),
            title: cut_title(&fault.title),
            body: join_sentences(&[fault.fix.as_str()]),
            urgency: fault.urgency,
            path: "/settings?part=Ledger".to_owned(),
        })
    }

    /// Clears the shown fault, even if its end is not shown.
    pub(super) fn decide_ledger_recovered(
        &mut self,
        around: NotificationContext,
    ) -> NotificationDecision {
        if self.ledger.shown.take().is_none() {
            return NotificationDecision::Suppress(SuppressionReason::FaultNotShown);
        }
        if around.notifications == NotificationSetting::Off || around.focus == WindowFocus::Focused
        {
            return NotificationDecision::Withdraw(KEY.to_owned());
        }
        NotificationDecision::Show(Notification {
            key: KEY.to_owned(),
            title: cut_title("The ledger works again"),
            body: join_sentences(&["Requests are recorded as usual."]),
            urgency: Urgency::Low,
            path: "/".to_owned(),
        })
    }
}
