//! The crate's rooms: modules use only those below them, and within a room there is no circle.
//!
//! Every path that begins with `crate`, `super` or `self` counts, in `use` declarations and elsewhere; unit tests do not.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use syn::{
    Attribute, ImplItemFn, Item, ItemMod, ItemUse, UseTree, Visibility,
    visit::{self, Visit},
};

use crate::common::repository;

/// The rooms of the library, the lowest first: each uses only itself and those before it. The program's commands (`cli`)
/// use the library.
const ROOMS: [&str; 12] = [
    "error",
    "message",
    "image",
    "autoencoder",
    "engine",
    "weights",
    "method",
    "evidence",
    "provenance",
    "report",
    "web",
    "cli",
];

/// What `lib.rs` gives by a shorter name.
const OF_ERROR: [&str; 4] = ["Error", "LoadReport", "Result", "WrongShape"];

/// A room, and a module of it with all that is below that; the module is empty for the room's own file.
type Node = (String, String);

/// What a module uses.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    from: Node,
    to: Node,
    /// The file and the path in it.
    place: String,
}

#[test]
fn rooms_use_only_those_below_them() {
    let source = Source::read();
    let found: Vec<String> = violations(&source.edges);
    assert!(found.is_empty(), "against the direction:\n{}", found.join("\n"));
    let rooms: BTreeSet<&str> = source.edges.iter().map(|edge| edge.from.0.as_str()).collect();
    for room in rooms {
        assert!(ROOMS.contains(&room), "{room} is not in the list of rooms");
    }
    // Otherwise nothing was read.
    assert!(source.edges.len() > 300, "{} uses", source.edges.len());
}

#[test]
fn no_circle_is_within_a_room() {
    let source = Source::read();
    let found = circle(&source.edges);
    assert!(found.is_none(), "{found:?}");
}

#[test]
fn the_architecture_lists_every_room() {
    let text = fs::read_to_string(repository("ARCHITECTURE.md")).unwrap();
    for room in ROOMS {
        let (folder, file) = (format!("\n{room}/"), format!("\n{room}.rs"));
        assert!(text.contains(&folder) || text.contains(&file), "ARCHITECTURE.md has no line for {room}");
    }
}

/// Every module of a room may be wrong: the test itself can fail.
#[test]
fn what_is_against_the_direction_is_found() {
    let read = |room: &str, file: &str, text: &str| {
        let mut source = Source::default();
        source.add(&format!("{room}/{file}.rs"), text);
        source.edges
    };
    for text in [
        "use crate::report::check::check;",
        "use crate::{Error, evidence::{density, verdict::decide}};",
        "fn f() { crate::method::signal::signal(); }",
        "use super::super::web::start;",
        "impl super::super::report::Report {}",
    ] {
        assert_eq!(
            violations(&read("weights", "loader", text)).len(),
            1 + usize::from(text.contains("density")),
            "{text}"
        );
    }
    for text in
        ["use crate::engine::plan;", "use super::tensor;", "#[cfg(test)] mod tests { use crate::report::check; }"]
    {
        assert!(violations(&read("weights", "loader", text)).is_empty(), "{text}");
    }
    let mut edges = read("weights", "loader", "use super::tensor::Format;");
    assert_eq!(circle(&edges), None);
    edges.extend(read("weights", "tensor", "use super::shard;"));
    edges.extend(read("weights", "shard", "fn f() { super::loader::load(); }"));
    assert_eq!(circle(&edges).map(|circle| circle.len()), Some(4));
}

fn violations(edges: &BTreeSet<Edge>) -> Vec<String> {
    let height = |room: &str| ROOMS.iter().position(|known| *known == room);
    let wrong = edges.iter().filter(|edge| height(&edge.to.0) > height(&edge.from.0));
    wrong.map(|Edge { place, .. }| place.clone()).collect()
}

/// Modules that use each other, from one of them round to it again.
fn circle(edges: &BTreeSet<Edge>) -> Option<Vec<Node>> {
    let mut graph: BTreeMap<&Node, BTreeSet<&Node>> = BTreeMap::new();
    for Edge { from, to, .. } in edges.iter().filter(|edge| edge.from.0 == edge.to.0 && edge.from != edge.to) {
        graph.entry(from).or_default().insert(to);
    }
    let mut done = BTreeSet::new();
    graph.keys().find_map(|&node| walk(node, &graph, &mut Vec::new(), &mut done))
}

fn walk<'a>(
    node: &'a Node,
    graph: &BTreeMap<&'a Node, BTreeSet<&'a Node>>,
    way: &mut Vec<&'a Node>,
    done: &mut BTreeSet<&'a Node>,
) -> Option<Vec<Node>> {
    if let Some(start) = way.iter().position(|before| *before == node) {
        return Some(way[start..].iter().chain([&node]).map(|&node| node.clone()).collect());
    }
    if done.contains(node) {
        return None;
    }
    way.push(node);
    let found = graph.get(node).into_iter().flatten().find_map(|&next| walk(next, graph, way, done));
    way.pop();
    done.insert(node);
    found
}

/// The uses of all modules.
#[derive(Debug, Default)]
struct Source {
    edges: BTreeSet<Edge>,
    /// What rooms give by a shorter name: `(room, name)` → module.
    exports: BTreeMap<(String, String), String>,
}

impl Source {
    fn read() -> Self {
        let (folder, mut files) = (repository("src"), Vec::new());
        collect(&folder, &mut files);
        let mut source = Source::default();
        let texts: Vec<(String, String)> = files
            .iter()
            .map(|file| {
                let path = Path::new(file).strip_prefix(&folder).unwrap().to_string_lossy().replace('\\', "/");
                (path, fs::read_to_string(file).unwrap())
            })
            .filter(|(path, _)| !path.starts_with("renderer/") && !["lib.rs", "main.rs"].contains(&path.as_str()))
            .collect();
        for (path, text) in texts.iter().filter(|(path, _)| !path.contains('/')) {
            source.add_exports(path, text);
        }
        for (path, text) in &texts {
            source.add(path, text);
        }
        source
    }

    /// Notes what a room's own file gives from its modules.
    fn add_exports(&mut self, path: &str, text: &str) {
        let room = path.trim_end_matches(".rs");
        for item in syn::parse_file(text).unwrap().items {
            let Item::Use(ItemUse { vis, tree, .. }) = item else { continue };
            if matches!(vis, Visibility::Inherited) {
                continue;
            }
            let mut paths = Vec::new();
            flatten(&tree, &mut Vec::new(), &mut paths);
            for path in paths {
                let inner: Vec<String> = path.into_iter().filter(|part| part != "self").collect();
                if let [module, .., name] = &inner[..] {
                    self.exports.insert((room.into(), name.clone()), module.clone());
                }
            }
        }
    }

    fn add(&mut self, path: &str, text: &str) {
        let module: Vec<String> = path.trim_end_matches(".rs").split('/').map(String::from).collect();
        let mut uses = Uses::default();
        uses.visit_file(&syn::parse_file(text).unwrap());
        for used in uses.paths {
            let Some(to) = self.resolve(&module, &used) else { continue };
            let from = node(&module);
            // A room's file that only passes on what its modules have uses none of them.
            if module.len() == 1 && from.0 == to.0 && used.1 {
                continue;
            }
            self.edges.insert(Edge { from, to, place: format!("src/{path}: {}", used.0.join("::")) });
        }
    }

    /// The module that a path names; `None` if it leads out of the crate, or into another package.
    fn resolve(&self, module: &[String], (path, _): &(Vec<String>, bool)) -> Option<Node> {
        let mut absolute: Vec<String> = match path.first()?.as_str() {
            "crate" => Vec::new(),
            "super" => module[..module.len() - 1].to_vec(),
            "self" => module.to_vec(),
            _ => return None,
        };
        for part in &path[1..] {
            match part.as_str() {
                "super" => drop(absolute.pop()),
                "self" => {}
                other => absolute.push(other.into()),
            }
        }
        let room = absolute.first()?;
        if OF_ERROR.contains(&room.as_str()) {
            return Some(("error".into(), String::new()));
        }
        if !ROOMS.contains(&room.as_str()) {
            return None;
        }
        let (room, mut inner) = node(&absolute);
        if let Some(exported) = self.exports.get(&(room.clone(), inner.clone())) {
            inner.clone_from(exported);
        }
        // A name that is no module's is the room's own.
        let known = repository("src").join(&room).join(format!("{inner}.rs"));
        Some((room, if known.is_file() { inner } else { String::new() }))
    }
}

fn node(module: &[String]) -> Node {
    (module[0].clone(), module.get(1).cloned().unwrap_or_default())
}

fn collect(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            files.push(path);
        }
    }
}

/// Paths of a file, and whether they are passed on.
#[derive(Default)]
struct Uses {
    paths: Vec<(Vec<String>, bool)>,
}

impl<'ast> Visit<'ast> for Uses {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Mod(ItemMod { attrs, .. }) | Item::Use(ItemUse { attrs, .. }) => attrs,
            Item::Fn(function) => &function.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !is_of_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        if !is_of_tests(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let mut paths = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut paths);
        let passed_on = !matches!(item.vis, Visibility::Inherited);
        self.paths.extend(paths.into_iter().map(|path| (path, passed_on)));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.paths.push((path.segments.iter().map(|part| part.ident.to_string()).collect(), false));
        visit::visit_path(self, path);
    }
}

fn is_of_tests(attributes: &[Attribute]) -> bool {
    let is_test = |attribute: &Attribute| {
        attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    };
    attributes.iter().any(is_test)
}

fn flatten(tree: &UseTree, before: &mut Vec<String>, paths: &mut Vec<Vec<String>>) {
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, paths);
            before.pop();
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, before, paths)),
        UseTree::Name(name) => paths.push(before.iter().cloned().chain([name.ident.to_string()]).collect()),
        UseTree::Rename(name) => paths.push(before.iter().cloned().chain([name.ident.to_string()]).collect()),
        UseTree::Glob(_) => paths.push(before.clone()),
    }
}
