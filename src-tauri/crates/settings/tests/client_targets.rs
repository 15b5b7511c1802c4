//! Where the requests of a switched client go, in the settings file.

#![expect(clippy::expect_used, reason = "a fixture that cannot be made fails its test")]

mod fixture;

use std::convert::Infallible;

use domain::{BackendId, ClientId, ClientTarget, RouteId};

use fixture::open;

const CLIENT: &str = "[routes.fast]
candidates = [{ backend = \"mock\" }]

[clients.editor] # mine
created = 2026-01-31T09:30:00Z
token_sha256 = \"abababababababababababababababababababababababababababababababab\"
";

fn editor() -> ClientId {
    ClientId::new("editor").expect("an id")
}

#[test]
fn a_target_is_read_written_and_removed_with_comments_kept() {
    let (folder, store) = open(&format!("{CLIENT}backend = \"mock\" # for the demo\n"));
    assert_eq!(store.problems(), []);
    let target = || store.current().clients.get(&editor()).expect("read").switched_to.clone();
    assert_eq!(target(), Some(ClientTarget::Backend(BackendId::new("mock").expect("an id"))));
    let switch = |target: Option<ClientTarget>| {
        let edited = store.edit(|draft| {
            if let Some(client) = draft.clients.get_mut(&editor()) {
                client.switched_to = target;
            }
            Ok::<_, Infallible>(())
        });
        edited.expect("saved");
        std::fs::read_to_string(folder.path().join("settings.toml")).expect("read")
    };
    let route = Some(ClientTarget::Route(RouteId::new("fast").expect("an id")));
    let text = switch(route.clone());
    assert!(
        text.contains("route = \"fast\"\n") && !text.contains("backend = \"mock\" #"),
        "{text}"
    );
    assert!(text.contains("[clients.editor] # mine"), "{text}");
    assert_eq!(target(), route);
    let text = switch(None);
    assert!(!text.contains("route = ") && text.contains("# mine"), "{text}");
}

#[test]
fn a_wrong_target_is_named_by_its_field_with_what_exists() {
    let check = |lines: &str, path: &str, what: &str, hint: &str| {
        let (_folder, store) = open(&format!("{CLIENT}{lines}\n"));
        let problems = store.problems();
        let found = problems.iter().find(|problem| problem.path == path);
        let found = found.unwrap_or_else(|| panic!("{lines}: {problems:?}"));
        assert!(found.what.contains(what) && found.hint.contains(hint), "{lines}: {found:?}");
        assert!(found.line.is_some_and(|line| line >= 7), "{lines}: {found:?}");
    };
    let route = "clients.editor.route";
    check("route = \"fsat\"", route, "no route named \"fsat\"", "did you mean fast?");
    check("route = \"zzz\"", route, "no route named", "name one of fast, or remove this line");
    check("backend = \"fast\"", "clients.editor.backend", "no backend named", "name one of mock");
    check("backend = \"a/b\"", "clients.editor.backend", "not a valid backend name", "");
    check("backend = \"mock\"\nroute = \"fast\"", route, "not to both", "remove one of the two");
}
