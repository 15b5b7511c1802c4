//! What the settings have that alerts may be about.

use alerts::Configured;
use domain::AlertChannel;
use settings::Settings;

use super::AlertSources;

impl AlertSources {
    pub(super) fn configured(&self, settings: &Settings) -> Configured {
        let channels = [
            (AlertChannel::Desktop, settings.notifications.enabled),
            (AlertChannel::Webhook, settings.webhook.enabled),
            (AlertChannel::Mail, settings.mail.enabled),
        ];
        let backends = settings.backends_on().map(|(id, _)| id).chain([&self.mock]);
        Configured {
            backends: backends.cloned().collect(),
            routes: settings.routes.keys().cloned().collect(),
            services: settings.services.keys().cloned().collect(),
            keys: settings.credentials.keys().cloned().collect(),
            budgets: settings.budgets.keys().cloned().collect(),
            channels: channels.into_iter().filter_map(|(it, is_on)| is_on.then_some(it)).collect(),
        }
    }
}
