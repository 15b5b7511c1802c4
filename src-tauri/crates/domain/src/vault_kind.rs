//! The kinds of key storage, as named in the settings, on the command line and in the panel.

crate::words! {
    /// Where the vault stores keys. The user chooses; it is never detected.
    #[derive(Default)]
    VaultKind {
        /// The operating system's keychain.
        #[default]
        Keychain = "keychain",
        /// One file encrypted with a passphrase, for machines without a keychain.
        File = "file",
        /// A read-only view of environment variables such as `OPENAI_API_KEY`.
        Env = "env",
        /// In memory until the process ends. For tests and the demonstration.
        Memory = "memory",
    }
}
