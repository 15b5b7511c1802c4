//! The presets against the rules for backends: ids, base URLs, labels, dialects.

use std::collections::{BTreeSet, HashSet};

use domain::{BackendId, BackendKind, ExtraDialect, PresetLocation, UnsupportedFeature, presets};
use settings::{LABEL_CHARS_MAX, MOCK_BACKEND_ID, api_root, parse_base_url};
use url::Url;

#[test]
fn every_preset_is_a_valid_backend_without_a_caution() {
    let mut ids = HashSet::new();
    for preset in presets() {
        assert!(BackendId::new(preset.id).is_ok(), "{}", preset.id);
        assert!(ids.insert(preset.id) && preset.id != MOCK_BACKEND_ID, "{}", preset.id);
        let base_url = parse_base_url(preset.base_url, 4_283).expect(preset.id);
        assert_eq!(base_url.warning, None, "{}", preset.id);
        assert!(preset.docs_url.starts_with("https://"), "{}", preset.id);
        assert!(preset.keys_url.is_none_or(|url| url.starts_with("https://")), "{}", preset.id);
        assert!(!preset.label.is_empty() && preset.label.len() <= LABEL_CHARS_MAX);
        assert_ne!(preset.kind, BackendKind::Mock, "{}", preset.id);
        let hosted = preset.location == PresetLocation::Hosted;
        assert_eq!(hosted, preset.base_url.starts_with("https://"), "{}", preset.id);
        assert_eq!(hosted, preset.variable.is_some(), "{}", preset.id);
    }
}

#[test]
fn the_keys_of_every_preset_are_masked_in_texts() {
    for prefix in presets().filter_map(|preset| preset.key_prefix) {
        let rest = "c4n4ryC4N4RYc4n4ry";
        let masked = domain::redact(&format!("bad key {prefix}{rest}!")).into_owned();
        assert!(!masked.contains(rest) && masked.contains('…'), "{masked}");
    }
}

#[test]
fn only_compatible_servers_lack_or_offer_and_none_says_so_twice() {
    for preset in presets() {
        let lacks: BTreeSet<UnsupportedFeature> = preset.lacks.iter().copied().collect();
        let offers: BTreeSet<ExtraDialect> = preset.offers.iter().copied().collect();
        assert_eq!((lacks.len(), offers.len()), (preset.lacks.len(), preset.offers.len()));
        if preset.kind != BackendKind::OpenAiCompatible {
            assert!(lacks.is_empty() && offers.is_empty(), "{}", preset.id);
        }
    }
}

#[test]
fn an_address_says_what_its_kind_appends_to_and_no_more() {
    for preset in presets() {
        let typed: Url = preset.base_url.parse().expect(preset.id);
        assert_eq!(api_root(preset.kind, &typed), typed, "{}", preset.id);
    }
}

#[test]
fn there_are_at_least_twenty_five_hosted_and_five_local_ones() {
    let count = |place| presets().filter(|preset| preset.location == place).count();
    assert!(count(PresetLocation::Hosted) >= 25, "{}", count(PresetLocation::Hosted));
    assert!(count(PresetLocation::Local) >= 5, "{}", count(PresetLocation::Local));
    let speaks = |kind| presets().filter(move |preset| preset.kind == kind).count();
    let native = [BackendKind::OpenAi, BackendKind::Anthropic, BackendKind::Gemini];
    assert!(native.into_iter().all(|kind| speaks(kind) > 0) && speaks(BackendKind::Ollama) > 1);
}
