//! The kinds of key storage, as named in the settings, on the command line and in the panel.

crate::words! {
    /// Where the vault stores keys. The user chooses; it is never detected.
    #[derive(Default)]
    VaultKind {
        /// The operating system's keychain.
        #[default]
        Keychain = "keychain",
        /// A file encrypted with a passphrase.
        File = "file",
        /// Read-only: variables such as OPENAI_API_KEY.
        Env = "env",
        /// In memory only; lost when Gatehouse stops.
        Memory = "memory",
    }
}
