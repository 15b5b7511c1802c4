//! The OAuth 2.0 grants that access tokens are got by, as named in the settings, on the command line
//! and in the panel.

crate::words! {
    /// What a key of OAuth is exchanged by (RFC 6749).
    #[derive(Default)]
    OAuthGrant {
        /// A refresh token, from a sign-in; the server may replace it with each use.
        #[default]
        RefreshToken = "refresh_token",
        /// The client's own id and secret, without a user.
        ClientCredentials = "client_credentials",
    }
}
