//! Budgets, prices, and what providers billed and say is left.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::budgets::watch::BudgetWatch;
use crate::costs::price_editor::PriceEditor;
use crate::costs::price_list_date::PriceListDate;
use crate::costs::reports::CostReports;
use crate::engine::{BackendParts, BaseParts};
use crate::keys::balances::KeyBalances;
use crate::keys::provider_check::ProviderKeyCheck;

pub(super) fn budget_watch(base: &BaseParts) -> BudgetWatch {
    BudgetWatch::new(base.ledger.clone(), Arc::clone(&base.clock), base.events.clone())
}

pub(super) fn price_editor(base: &BaseParts, backends: &BackendParts) -> PriceEditor {
    PriceEditor {
        book: Arc::clone(&base.prices),
        ledger: base.ledger.clone(),
        settings: Arc::clone(&base.settings),
        snapshots: Arc::clone(&backends.snapshots),
        response_cache: Arc::clone(&backends.response_cache),
        network: backends.network.clone(),
        clock: Arc::clone(&base.clock),
        events: base.events.clone(),
        list_date: PriceListDate { file: base.folders.price_list_date_file() },
        preview: Mutex::default(),
        changing: tokio::sync::Mutex::default(),
    }
}

pub(super) fn cost_reports(base: &BaseParts, backends: &BackendParts) -> CostReports {
    CostReports {
        ledger: base.ledger.clone(),
        settings: Arc::clone(&base.settings),
        vault: base.vault.clone(),
        network: backends.network.clone(),
        clock: Arc::clone(&base.clock),
        fetching: tokio::sync::Mutex::default(),
        cancelled: tokio::sync::Notify::default(),
        events: base.events.clone(),
    }
}

pub(super) fn provider_key_check(base: &BaseParts, backends: &BackendParts) -> ProviderKeyCheck {
    ProviderKeyCheck {
        keys: Arc::clone(&backends.keys),
        network: backends.network.clone(),
        clock: Arc::clone(&base.clock),
        events: base.events.clone(),
    }
}

pub(super) fn key_balances(base: &BaseParts, backends: &BackendParts) -> KeyBalances {
    KeyBalances {
        settings: Arc::clone(&base.settings),
        keys: Arc::clone(&backends.keys),
        vault: base.vault.clone(),
        network: backends.network.clone(),
        ledger: base.ledger.clone(),
        health: Arc::clone(&backends.health),
        clock: Arc::clone(&base.clock),
        events: base.events.clone(),
        known: Mutex::default(),
    }
}
