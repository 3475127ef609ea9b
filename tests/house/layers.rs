//! Dependencies point one way: `channels/* -> contract -> domain <- store`, and the daemon on all.
//!
//! Two checks. The edges that manifests write down, each judged by where its package lies; and what a layer reaches
//! through any number of crates, so that SQL cannot come into a channel by the back door.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::process::Command;

use serde_json::Value;

use super::root;

/// What kind of package lies in a folder; a channel carries its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Layer {
    Daemon,
    Catalogue,
    Channel(String),
    Contract,
    Domain,
    Store,
    Testkit,
}

/// One line under `[dependencies]` or one of its siblings.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Edge {
    from: Layer,
    to: Target,
    only_tests: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Ours(Layer),
    Theirs(String),
}

/// What no domain may know, at any distance: it is pure, so that all of it is tested without a clock or a socket.
const UNKNOWN_TO_DOMAIN: [&str; 10] =
    ["async-trait", "axum", "fail", "futures-util", "hyper", "mio", "reqwest", "sqlx", "tokio", "tower"];
/// What no channel and no contract may reach: they say what happened, the store writes it down.
const UNKNOWN_TO_CHANNELS: [&str; 4] = ["guichet-store", "libsqlite3-sys", "sqlx", "sqlx-core"];

impl Layer {
    /// Judges by folder, relative to the top; `None` for a folder nobody has given a place yet.
    fn of(folder: &str) -> Option<Self> {
        Some(match folder {
            "" => Self::Daemon,
            "channels" => Self::Catalogue,
            "crates/contract" => Self::Contract,
            "crates/domain" => Self::Domain,
            "crates/store" => Self::Store,
            "crates/testkit" => Self::Testkit,
            other => Self::Channel(other.strip_prefix("channels/").filter(|name| !name.contains('/'))?.to_owned()),
        })
    }

    fn may_use(&self, other: &Self) -> bool {
        match self {
            Self::Daemon => *other != Self::Testkit,
            Self::Catalogue => matches!(other, Self::Contract | Self::Channel(_)),
            Self::Channel(_) => matches!(other, Self::Contract | Self::Domain),
            Self::Contract | Self::Store => *other == Self::Domain,
            Self::Domain => false,
            Self::Testkit => matches!(other, Self::Contract | Self::Domain | Self::Store),
        }
    }

    /// The foreign crates this layer may not even reach.
    fn unknown(&self) -> &'static [&'static str] {
        match self {
            Self::Domain => &UNKNOWN_TO_DOMAIN,
            Self::Channel(_) | Self::Catalogue | Self::Contract => &UNKNOWN_TO_CHANNELS,
            Self::Daemon | Self::Store | Self::Testkit => &[],
        }
    }
}

/// Every edge that points the wrong way, as a sentence.
fn wrong_edges(edges: &[Edge]) -> Vec<String> {
    let wrong = |edge: &&Edge| match &edge.to {
        // Tests of any layer may stand on the testkit, but none of a layer's own code may.
        Target::Ours(Layer::Testkit) if edge.only_tests => false,
        Target::Ours(to) => !edge.from.may_use(to),
        // Two places that know SQL would soon be two dialects.
        Target::Theirs(name) => name == "sqlx" && edge.from != Layer::Store && !edge.only_tests,
    };
    edges.iter().filter(wrong).map(|edge| format!("{:?} may not depend on {:?}", edge.from, edge.to)).collect()
}

/// Every forbidden crate that a layer reaches by normal dependencies, with the way there.
fn wrong_reach(layers: &BTreeMap<String, Layer>, normal: &HashMap<String, Vec<String>>) -> Vec<String> {
    let mut found = Vec::new();
    for (package, layer) in layers {
        for unknown in layer.unknown() {
            if let Some(way) = way_to(package, unknown, normal) {
                found.push(format!("{layer:?} reaches {unknown}: {}", way.join(" -> ")));
            }
        }
    }
    found
}

fn way_to(from: &str, to: &str, normal: &HashMap<String, Vec<String>>) -> Option<Vec<String>> {
    let mut seen = BTreeSet::new();
    let mut ways = vec![vec![from.to_owned()]];
    while let Some(way) = ways.pop() {
        let here = way.last()?.clone();
        if here == to {
            return Some(way);
        }
        for next in normal.get(&here).into_iter().flatten().filter(|next| seen.insert((*next).clone())) {
            ways.push(way.iter().chain([next]).cloned().collect());
        }
    }
    None
}

fn cargo(words: &[&str]) -> String {
    let done = Command::new(env!("CARGO")).args(words).current_dir(root()).output().expect("cargo starts");
    assert!(done.status.success(), "cargo {words:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("cargo prints UTF-8")
}

fn metadata() -> Value {
    let version = cargo(&["-vV"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("cargo -vV names its host");
    // For this platform alone: a fresh machine has fetched no other's crates.
    let text = cargo(&["metadata", "--format-version", "1", "--locked", "--filter-platform", host]);
    serde_json::from_str(&text).expect("cargo metadata prints JSON")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

/// Our packages by name, with their layer.
fn layers(metadata: &Value) -> BTreeMap<String, Layer> {
    let top = text(metadata, "workspace_root");
    let ours = list(metadata, "packages").filter(|package| package["source"].is_null());
    ours.map(|package| {
        let manifest = text(package, "manifest_path").strip_prefix(top).expect("our packages lie in the workspace");
        let folder = manifest.trim_start_matches('/').trim_end_matches("Cargo.toml").trim_end_matches('/');
        let layer = Layer::of(folder).unwrap_or_else(|| {
            panic!(
                "{folder}: a package in a place that DESIGN 3 does not name; give it a layer in tests/house/layers.rs"
            )
        });
        (text(package, "name").to_owned(), layer)
    })
    .collect()
}

fn edges(metadata: &Value, layers: &BTreeMap<String, Layer>) -> Vec<Edge> {
    let mut edges = Vec::new();
    for package in list(metadata, "packages") {
        let Some(from) = layers.get(text(package, "name")).filter(|_| package["source"].is_null()) else { continue };
        for dependency in list(package, "dependencies") {
            let name = text(dependency, "name");
            let to = layers.get(name).cloned().map_or_else(|| Target::Theirs(name.to_owned()), Target::Ours);
            edges.push(Edge { from: from.clone(), to, only_tests: text(dependency, "kind") == "dev" });
        }
    }
    edges
}

/// Package name to the names of what its code itself uses, tests and build scripts left out.
fn normal_dependencies(metadata: &Value) -> HashMap<String, Vec<String>> {
    let names: HashMap<&str, &str> =
        list(metadata, "packages").map(|package| (text(package, "id"), text(package, "name"))).collect();
    let mut normal: HashMap<String, Vec<String>> = HashMap::new();
    for node in list(&metadata["resolve"], "nodes") {
        let used = list(node, "deps").filter(|dep| list(dep, "dep_kinds").any(|kind| kind["kind"].is_null()));
        let used = used.filter_map(|dep| names.get(text(dep, "pkg"))).map(|name| (*name).to_owned());
        if let Some(name) = names.get(text(node, "id")) {
            normal.entry((*name).to_owned()).or_default().extend(used);
        }
    }
    normal
}

#[test]
fn every_dependency_of_this_tree_points_inwards() {
    let metadata = metadata();
    let layers = layers(&metadata);
    assert!(layers.len() >= 6, "the whole workspace is seen: {layers:?}");
    let mut wrong = wrong_edges(&edges(&metadata, &layers));
    wrong.extend(wrong_reach(&layers, &normal_dependencies(&metadata)));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_edge_that_points_outwards_is_named() {
    let email = || Layer::Channel("email".to_owned());
    let chat = || Layer::Channel("chat".to_owned());
    let ours = |from, to| Edge { from, to: Target::Ours(to), only_tests: false };
    let right = [
        ours(Layer::Daemon, Layer::Store),
        ours(Layer::Daemon, Layer::Catalogue),
        ours(Layer::Catalogue, email()),
        ours(email(), Layer::Contract),
        ours(email(), Layer::Domain),
        ours(Layer::Contract, Layer::Domain),
        ours(Layer::Store, Layer::Domain),
        Edge { from: email(), to: Target::Ours(Layer::Testkit), only_tests: true },
        Edge { from: Layer::Store, to: Target::Theirs("sqlx".to_owned()), only_tests: false },
    ];
    assert_eq!(wrong_edges(&right), Vec::<String>::new());
    let wrong = [
        ours(email(), Layer::Store),
        ours(email(), chat()),
        ours(email(), Layer::Daemon),
        ours(Layer::Contract, Layer::Store),
        ours(Layer::Contract, email()),
        ours(Layer::Domain, Layer::Contract),
        ours(Layer::Store, Layer::Contract),
        ours(Layer::Catalogue, Layer::Store),
        ours(Layer::Daemon, Layer::Testkit),
        Edge { from: email(), to: Target::Ours(chat()), only_tests: true },
        Edge { from: Layer::Daemon, to: Target::Theirs("sqlx".to_owned()), only_tests: false },
    ];
    for edge in wrong {
        let named = wrong_edges(std::slice::from_ref(&edge));
        assert_eq!(named.len(), 1, "{edge:?} was let through");
    }
}

#[test]
fn a_channel_that_reaches_sql_through_another_crate_is_named_with_the_way() {
    let layers = BTreeMap::from([
        ("guichet-chat".to_owned(), Layer::Channel("chat".to_owned())),
        ("guichet-domain".to_owned(), Layer::Domain),
    ]);
    let uses = |name: &str, used: &[&str]| (name.to_owned(), used.iter().map(|&each| each.to_owned()).collect());
    let normal = HashMap::from([
        uses("guichet-chat", &["guichet-domain", "history"]),
        uses("history", &["sqlx"]),
        uses("guichet-domain", &["jiff"]),
        uses("jiff", &["tokio"]),
    ]);
    assert_eq!(
        wrong_reach(&layers, &normal),
        [
            "Channel(\"chat\") reaches sqlx: guichet-chat -> history -> sqlx",
            "Domain reaches tokio: guichet-domain -> jiff -> tokio",
        ]
    );
}

#[test]
fn a_package_in_a_folder_nobody_planned_has_no_layer() {
    assert_eq!(Layer::of("channels/email"), Some(Layer::Channel("email".to_owned())));
    assert_eq!(Layer::of("crates/common"), None);
    assert_eq!(Layer::of("channels/email/extra"), None);
}
