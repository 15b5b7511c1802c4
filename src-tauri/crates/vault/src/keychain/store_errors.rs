//! Maps the store's errors to the vault's, by variant and never by text.
//!
//! Measured on gnome-keyring 42: without a collection, reads return `NoEntry` and writes
//! `NoStorageAccess(NoResult)`; a locked one returns `NoStorageAccess(Prompt)`; a frozen one
//! `PlatformFailure` with D-Bus' `NoReply` after two seconds; an absent one the same with
//! `ServiceUnknown`.

use std::sync::Arc;

use keyring_core::Error;
use keyring_core::error::PlatformError;

use crate::{Damage, LockReason, VaultError};

/// The vault's error for the store's; `missing` gives the one for a missing item.
pub(super) fn classify(error: Error, missing: impl FnOnce() -> VaultError) -> VaultError {
    match error {
        Error::NoEntry => missing(),
        Error::NoStorageAccess(source) => match platform_cause(&source) {
            PlatformCause::Unknown => refused_access(source),
            cause => error_for_cause(cause, source),
        },
        Error::PlatformFailure(source) => error_for_cause(platform_cause(&source), source),
        // These two carry the secret's bytes, which their `Debug` would print: they are dropped.
        Error::BadEncoding(_) | Error::BadDataFormat(..) => VaultError::Damaged(Damage::Item),
        Error::Ambiguous(_) => VaultError::Damaged(Damage::Ambiguous),
        // Our sizes and names are within every store's limits, so the store itself cannot serve.
        other => VaultError::unavailable(other),
    }
}

/// True if reopening the store may help. False for a time-out, since a retry would double the wait.
pub(super) fn may_be_a_lost_session(error: &Error) -> bool {
    matches!(error, Error::PlatformFailure(source) if platform_cause(source) == PlatformCause::Unknown)
}

/// Cause of a platform error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "elsewhere the store's own variant says all there is to know")
)]
enum PlatformCause {
    Locked,
    NoCollection,
    Silent,
    Unknown,
}

fn error_for_cause(cause: PlatformCause, source: PlatformError) -> VaultError {
    match cause {
        PlatformCause::Locked => VaultError::Locked(LockReason::Keychain),
        PlatformCause::NoCollection => VaultError::NoCollection,
        PlatformCause::Silent => VaultError::Hung,
        PlatformCause::Unknown => VaultError::Unavailable { source: Arc::from(source) },
    }
}

/// Maps `NoStorageAccess` without a known cause: on Windows there is no logon session, which no
/// unlock helps; elsewhere the user or the keychain refused.
fn refused_access(source: PlatformError) -> VaultError {
    if cfg!(target_os = "windows") {
        VaultError::Unavailable { source: Arc::from(source) }
    } else {
        VaultError::Locked(LockReason::Keychain)
    }
}

#[cfg(target_os = "linux")]
fn platform_cause(source: &PlatformError) -> PlatformCause {
    use dbus_secret_service::Error as ServiceError;
    match source.downcast_ref::<ServiceError>() {
        Some(ServiceError::Locked | ServiceError::Prompt) => PlatformCause::Locked,
        Some(ServiceError::NoResult) => PlatformCause::NoCollection,
        Some(ServiceError::Dbus(error)) => {
            error.name().map_or(PlatformCause::Unknown, dbus_error_cause)
        }
        _ => PlatformCause::Unknown,
    }
}

#[cfg(not(target_os = "linux"))]
fn platform_cause(_: &PlatformError) -> PlatformCause {
    PlatformCause::Unknown
}

/// Maps the error's D-Bus name, which is part of the protocols (D-Bus specification, "Standard
/// error names"; Secret Service API draft, "Errors").
#[cfg(target_os = "linux")]
fn dbus_error_cause(name: &str) -> PlatformCause {
    match name {
        "org.freedesktop.DBus.Error.NoReply"
        | "org.freedesktop.DBus.Error.Timeout"
        | "org.freedesktop.DBus.Error.TimedOut" => PlatformCause::Silent,
        "org.freedesktop.Secret.Error.IsLocked" => PlatformCause::Locked,
        _ => PlatformCause::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(error: Error, expected: &str) {
        let kept = classify(error, || VaultError::Damaged(Damage::NotStored));
        let name = format!("{kept:?}");
        assert!(name.starts_with(expected), "{name} instead of {expected}");
        assert!(!name.contains("115, 107"), "the bytes of the secret are in {name}");
    }

    fn other(text: &str) -> PlatformError {
        Box::new(std::io::Error::other(text.to_owned()))
    }

    #[test]
    fn every_variant_of_the_store_has_its_word() {
        check(Error::NoEntry, "Damaged(NotStored)");
        check(Error::PlatformFailure(other("broken")), "Unavailable");
        check(Error::BadEncoding(b"sk-1".to_vec()), "Damaged(Item)");
        check(Error::BadDataFormat(b"sk-1".to_vec(), other("odd")), "Damaged(Item)");
        check(Error::Ambiguous(Vec::new()), "Damaged(Ambiguous)");
        check(Error::BadStoreFormat("odd".to_owned()), "Unavailable");
        check(Error::TooLong("user".to_owned(), 8), "Unavailable");
        check(Error::Invalid("user".to_owned(), "odd".to_owned()), "Unavailable");
        check(Error::NoDefaultStore, "Unavailable");
        check(Error::NotSupportedByStore("no".to_owned()), "Unavailable");
        let refused = if cfg!(target_os = "windows") { "Unavailable" } else { "Locked(Keychain)" };
        check(Error::NoStorageAccess(other("refused")), refused);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn every_variant_of_the_secret_service_has_its_word() {
        use dbus_secret_service::Error as ServiceError;
        check(Error::NoStorageAccess(Box::new(ServiceError::Prompt)), "Locked(Keychain)");
        check(Error::NoStorageAccess(Box::new(ServiceError::Locked)), "Locked(Keychain)");
        check(Error::NoStorageAccess(Box::new(ServiceError::NoResult)), "NoCollection");
        check(Error::PlatformFailure(Box::new(ServiceError::Locked)), "Locked(Keychain)");
        check(Error::PlatformFailure(Box::new(ServiceError::NoResult)), "NoCollection");
        check(Error::PlatformFailure(Box::new(ServiceError::Unavailable)), "Unavailable");
        check(Error::PlatformFailure(Box::new(ServiceError::Parse)), "Unavailable");
        check(Error::PlatformFailure(Box::new(ServiceError::Path(String::new()))), "Unavailable");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn every_name_on_the_bus_has_its_cause() {
        for (name, cause) in [
            ("org.freedesktop.DBus.Error.NoReply", PlatformCause::Silent),
            ("org.freedesktop.DBus.Error.Timeout", PlatformCause::Silent),
            ("org.freedesktop.DBus.Error.TimedOut", PlatformCause::Silent),
            ("org.freedesktop.Secret.Error.IsLocked", PlatformCause::Locked),
            ("org.freedesktop.Secret.Error.NoSession", PlatformCause::Unknown),
            ("org.freedesktop.DBus.Error.ServiceUnknown", PlatformCause::Unknown),
            ("org.freedesktop.DBus.Error.NoReplyEver", PlatformCause::Unknown),
        ] {
            assert_eq!(dbus_error_cause(name), cause, "{name}");
        }
    }
}
