//! Import circles between the files of a crate.
//!
//! Every path in the code, also inside macro calls, is resolved to the file that defines its item,
//! through imports and re-exports. It uses that file, and every file that re-exports the item on the
//! way. Two files may use each other; a circle of more is a fault, because none of its files can be
//! read, tested or moved alone. A module's own parts are not counted against it, and a re-export alone
//! is no use. Tests do not count. A method called on a value names no file, so it is not seen.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::RandomState;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;
use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// Most files in a circle.
const CIRCLE_FILES_MAX: usize = 2;

/// The files of the circles of the crate that begins with the file `root`, each circle sorted.
pub(super) fn find(root: &Path) -> Result<Vec<Vec<PathBuf>>> {
    let mut tree = ModuleTree::default();
    let source = read(root)?;
    let folder = root.parent().context("a crate's root lies in a folder")?;
    tree.add_module(Vec::new(), root, folder, &source.items)?;
    let mut graph = DiGraphMap::<&Path, (), RandomState>::new();
    for (path, module) in &tree.modules {
        for used in &module.used {
            let others = tree.resolve(path, used).into_iter().filter(|at| !at.starts_with(path));
            for target in others.filter_map(|at| tree.modules.get(at)) {
                if target.file != module.file {
                    graph.add_edge(module.file.as_path(), target.file.as_path(), ());
                }
            }
        }
    }
    let circles = tarjan_scc(&graph).into_iter().filter(|files| files.len() > CIRCLE_FILES_MAX);
    let mut circles: Vec<_> = circles
        .map(|files| files.into_iter().map(Path::to_path_buf).collect::<BTreeSet<_>>())
        .map(Vec::from_iter)
        .collect();
    circles.sort();
    Ok(circles)
}

/// A path as written: its names, without generic arguments.
type Names = Vec<String>;

/// The modules of a crate by their path from the root, without tests.
#[derive(Default)]
struct ModuleTree {
    modules: BTreeMap<Names, Module>,
}

#[derive(Default)]
struct Module {
    file: PathBuf,
    imports: BTreeMap<String, Import>,
    /// Modules whose public names are all imported.
    globs: Vec<Import>,
    defined: HashSet<String>,
    /// Every path that the code names. A re-export is none.
    used: BTreeSet<Names>,
}

/// What an imported name stands for.
struct Import {
    target: Names,
    is_exported: bool,
}

impl ModuleTree {
    /// Adds a module and those below it. `folder` holds the files of its child modules.
    fn add_module(
        &mut self,
        path: Names,
        file: &Path,
        folder: &Path,
        items: &[syn::Item],
    ) -> Result<()> {
        let mut module = Module { file: file.to_path_buf(), ..Module::default() };
        for item in items {
            let syn::Item::Mod(child) = item else {
                module.visit_item(item);
                continue;
            };
            if is_test(&child.attrs) {
                continue;
            }
            let name = child.ident.to_string();
            let below = folder.join(&name);
            let mut child_path = path.clone();
            child_path.push(name);
            if let Some((_, inline)) = &child.content {
                self.add_module(child_path, file, &below, inline)?;
                continue;
            }
            let own = module_file(&child.attrs, folder, &below)?;
            self.add_module(child_path, &own, &below, &read(&own)?.items)?;
        }
        self.modules.insert(path, module);
        Ok(())
    }

    /// The modules that re-export what `names` means in the module at `from`, and last the one that
    /// defines it; none if it is not of this crate.
    fn resolve(&self, from: &[String], names: &[String]) -> Vec<&[String]> {
        let mut search = Search { tree: self, seen: HashSet::new(), through: Vec::new() };
        let Some(definer) = search.resolve(from, names, Unlisted::InThatModule) else {
            return Vec::new();
        };
        search.through.push(definer);
        search.through
    }
}

/// What a name means that its module neither defines nor imports as far as we see.
#[derive(Clone, Copy, PartialEq)]
enum Unlisted {
    /// A macro there defines it, since a path leads there.
    InThatModule,
    /// An outside library or the language defines it.
    Outside,
    /// Something that another glob import brings.
    Elsewhere,
}

impl Unlisted {
    fn after_a_step(self) -> Self {
        if self == Self::Elsewhere { self } else { Self::InThatModule }
    }
}

struct Search<'tree> {
    tree: &'tree ModuleTree,
    /// Ends an import that leads to itself.
    seen: HashSet<(Names, Names)>,
    /// The modules with a re-export on the way.
    through: Vec<&'tree [String]>,
}

impl<'tree> Search<'tree> {
    fn resolve(
        &mut self,
        from: &[String],
        names: &[String],
        unlisted: Unlisted,
    ) -> Option<&'tree [String]> {
        if !self.seen.insert((from.to_vec(), names.to_vec())) {
            return None;
        }
        let (first, rest) = names.split_first()?;
        match first.as_str() {
            "crate" => self.walk(&[], rest, unlisted),
            "self" => self.walk(from, rest, unlisted),
            "super" => self.walk(from.split_last()?.1, rest, unlisted),
            _ if unlisted == Unlisted::Elsewhere => self.walk(from, names, unlisted),
            _ => self.walk(from, names, Unlisted::Outside),
        }
    }

    fn walk(
        &mut self,
        at: &[String],
        names: &[String],
        unlisted: Unlisted,
    ) -> Option<&'tree [String]> {
        let (at, module) = self.tree.modules.get_key_value(at)?;
        let Some((first, rest)) = names.split_first() else { return Some(at) };
        if first == "super" {
            return self.walk(at.split_last()?.1, rest, unlisted);
        }
        let child = [at.as_slice(), std::slice::from_ref(first)].concat();
        if self.tree.modules.contains_key(&child) {
            return self.walk(&child, rest, unlisted.after_a_step());
        }
        if let Some(import) = module.imports.get(first) {
            if import.is_exported {
                self.through.push(at);
            }
            let target = [import.target.as_slice(), rest].concat();
            return self.resolve(at, &target, unlisted.after_a_step());
        }
        if module.defined.contains(first) {
            return Some(at);
        }
        let through = self.through.len();
        // A glob cannot bring the name that it begins with: that one is an outside library.
        let mut globs = module.globs.iter().filter(|glob| glob.target.first() != Some(first));
        let through_glob = globs.find_map(|glob| {
            self.through.truncate(through);
            self.through.extend(glob.is_exported.then_some(at.as_slice()));
            self.resolve(at, &[glob.target.as_slice(), names].concat(), Unlisted::Elsewhere)
        });
        through_glob.or(match unlisted {
            Unlisted::InThatModule => Some(at),
            Unlisted::Outside | Unlisted::Elsewhere => None,
        })
    }
}

impl Module {
    fn add_import(&mut self, before: &mut Names, tree: &syn::UseTree, is_exported: bool) {
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.add_import(before, &path.tree, is_exported);
                before.pop();
            }
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_import(before, tree, is_exported);
                }
            }
            syn::UseTree::Glob(_) => {
                self.globs.push(Import { target: before.clone(), is_exported });
            }
            syn::UseTree::Name(name) => {
                self.add_name(before, &name.ident, &name.ident, is_exported);
            }
            syn::UseTree::Rename(name) => {
                self.add_name(before, &name.ident, &name.rename, is_exported);
            }
        }
    }

    fn add_name(
        &mut self,
        before: &[String],
        ident: &syn::Ident,
        local: &syn::Ident,
        is_exported: bool,
    ) {
        let mut target = before.to_vec();
        if ident != "self" {
            target.push(ident.to_string());
        }
        let local = if ident == "self" { before.last().cloned() } else { Some(local.to_string()) };
        if !is_exported {
            self.used.insert(target.clone());
        }
        // `use bytes` and `use bytes::bytes` name an outside library, not what they import.
        if let Some(local) = local
            && target.first() != Some(&local)
        {
            self.imports.insert(local, Import { target, is_exported });
        }
    }

    /// Macro calls are not parsed; every `a::b` in them counts as a path.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let mut names = Names::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.used.insert(std::mem::take(&mut names));
                    }
                    names.push(ident.to_string());
                    colons = 0;
                }
                other => {
                    self.used.insert(std::mem::take(&mut names));
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.add_tokens(group.stream());
                    }
                }
            }
        }
        self.used.insert(names);
    }
}

impl<'ast> Visit<'ast> for Module {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if is_test(attributes(item)) {
            return;
        }
        self.defined.extend(defined_name(item).map(ToString::to_string));
        visit::visit_item(self, item);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !is_test(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let is_exported = !matches!(item.vis, syn::Visibility::Inherited);
        self.add_import(&mut Vec::new(), &item.tree, is_exported);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.used.insert(path.segments.iter().map(|part| part.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    /// `pub(in crate::a)` uses nothing there.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.add_tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }
}

fn read(path: &Path) -> Result<syn::File> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("could not read {}", path.display()))?;
    syn::parse_file(&text).with_context(|| format!("{} does not parse", path.display()))
}

/// The file of a module without a body, by its `path` attribute or its name.
fn module_file(attributes: &[syn::Attribute], folder: &Path, below: &Path) -> Result<PathBuf> {
    let written = attributes.iter().find_map(|attribute| match &attribute.meta {
        syn::Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    let named = written.map(|written| folder.join(written));
    let places = named.into_iter().chain([below.with_extension("rs"), below.join("mod.rs")]);
    match places.into_iter().find(|place| place.is_file()) {
        Some(found) => Ok(found),
        None => bail!("no file holds the module {}", below.display()),
    }
}

/// True under `#[cfg(test)]`, also as one of several conditions.
fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).any(|attribute| {
        attribute.meta.require_list().is_ok_and(|list| names_test(list.tokens.clone()))
    })
}

fn names_test(tokens: TokenStream) -> bool {
    let mut negated = false;
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => {
            negated = ident == "not";
            ident == "test"
        }
        TokenTree::Group(group) => !std::mem::take(&mut negated) && names_test(group.stream()),
        _ => false,
    })
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn defined_name(item: &syn::Item) -> Option<&syn::Ident> {
    match item {
        syn::Item::Const(item) => Some(&item.ident),
        syn::Item::Enum(item) => Some(&item.ident),
        syn::Item::Fn(item) => Some(&item.sig.ident),
        syn::Item::Macro(item) => item.ident.as_ref(),
        syn::Item::Static(item) => Some(&item.ident),
        syn::Item::Struct(item) => Some(&item.ident),
        syn::Item::Trait(item) => Some(&item.ident),
        syn::Item::Type(item) => Some(&item.ident),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The circles of a crate with these files, as file names.
    fn circles(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, source) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("created");
            std::fs::write(path, source).expect("written");
        }
        let name = |path: &PathBuf| {
            path.strip_prefix(folder.path()).expect("below").to_string_lossy().into_owned()
        };
        let found = find(&folder.path().join("lib.rs")).expect("found");
        found.iter().map(|circle| circle.iter().map(name).collect()).collect()
    }

    const ROOT: &str = "mod a; mod b; mod c; pub use b::B; pub use c::*;";
    const THREE: [[&str; 3]; 1] = [["a.rs", "b.rs", "c.rs"]];

    #[test]
    fn a_circle_is_found_through_re_exports_globs_and_macro_calls() {
        let b = ("b.rs", "pub struct B; pub fn f() { println!(\"{}\", crate::C1) }");
        let c = ("c.rs", "use super::a; pub const C1: u8 = a::N;");
        let a = ("a.rs", "use crate::B; pub const N: u8 = 1; type T = B;");
        assert_eq!(circles(&[("lib.rs", ROOT), a, b, c]), THREE);
    }

    #[test]
    fn a_re_export_deep_down_counts_as_a_use_of_its_file() {
        let a = ("a.rs", "mod x; pub use x::N; use crate::b; fn f() { b::f() }");
        let x = ("a/x.rs", "pub const N: u8 = 1;");
        let b = ("b.rs", "use crate::c; pub struct B; pub fn f() { c::f() }");
        let c = ("c.rs", "use crate::a::N; pub fn f() -> u8 { N }");
        assert_eq!(circles(&[("lib.rs", ROOT), a, x, b, c]), THREE);
        let c = ("c.rs", "use crate::a::x::N; pub fn f() -> u8 { N }");
        assert!(circles(&[("lib.rs", ROOT), a, x, b, c]).is_empty());
    }

    #[test]
    fn a_module_may_use_its_parts_and_a_part_what_its_module_defines() {
        let a = ("a.rs", "mod x; mod y; pub(crate) fn n() { x::run(); y::run() }");
        let x = ("a/x.rs", "use super::{n, y}; pub(super) fn run() { n(); y::run() }");
        let y = ("a/y.rs", "pub(super) fn run() { super::n() }");
        let (no_b, no_c) = (("b.rs", "pub struct B;"), ("c.rs", ""));
        assert!(circles(&[("lib.rs", ROOT), a, x, y, no_b, no_c]).is_empty());
        let y = ("a/y.rs", "use crate::B; pub(super) fn run() { super::n() }");
        let b = ("b.rs", "pub struct B; fn f() { super::a::x::run() }");
        let found = circles(&[("lib.rs", ROOT), a, x, y, b, no_c]);
        assert_eq!(found, [["a/x.rs", "a/y.rs", "b.rs"]]);
    }

    #[test]
    fn two_files_tests_and_outside_names_are_no_circle() {
        let a = ("a.rs", "use crate::B; pub const N: u8 = 1; type T = B; use bytes::C1;");
        let b = ("b.rs", "pub struct B; #[cfg(test)] mod tests { use crate::C1; }");
        let c = ("c.rs", "use crate::a; #[cfg(not(test))] pub const C1: u8 = a::N;");
        assert!(circles(&[("lib.rs", ROOT), a, b, c]).is_empty());
        let b = ("b.rs", "use crate::a::N; pub struct B; const M: u8 = N;");
        assert!(circles(&[("lib.rs", ROOT), a, b, c]).is_empty());
    }
}
