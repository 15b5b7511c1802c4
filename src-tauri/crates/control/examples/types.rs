//! temporary: print the view types
fn main() {
    use control::view::*;
    let types = specta::Types::default()
        .register::<StatusView>().register::<BackendView>().register::<PresetView>().register::<BackendAdd>()
        .register::<BackendEdit>().register::<BackendSwitch>().register::<BackendRef>().register::<BackendTestView>()
        .register::<KeyView>().register::<KeyAdd>().register::<KeyReplace>().register::<KeyRef>().register::<KeyVerificationView>().register::<VaultUnlock>()
        .register::<ClientView>().register::<ClientAdd>().register::<ClientRef>()
        .register::<UsageQuery>().register::<UsageView>().register::<RequestsQuery>().register::<RequestsView>()
        .register::<ReadinessStart>().register::<ReadinessView>().register::<SettingsView>().register::<NotificationTestView>()
        .register::<control::ApiError>().register::<control::PanelEvent>();
    println!("{}",specta_typescript::Typescript::default().export(&types, specta_serde::Format).expect("export"));
}
