//! The reports as TypeScript sees them: `www/embed/public/report.d.ts` is generated here from the types themselves, and
//! a test compares it. After a change, `AEDR_WRITE_TYPES=1 cargo test types` writes it anew.

use std::collections::BTreeMap;

use ts_rs::{Config, TS, TypeVisitor};

use crate::{Error, evidence::condition::Distribution, report::record::Record};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/www/embed/public/report.d.ts");

const HEAD: &str =
    "/**\n * What checks give, made of the Rust types by a test of `src/report/typescript.rs`: do not edit.\n */\n";

/// Declarations by name, with all that they are made of.
struct Declarations {
    config: Config,
    found: BTreeMap<String, String>,
}

impl TypeVisitor for Declarations {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        // Only declared types have an output path: not numbers, lists and the like.
        if T::output_path().is_none() || self.found.contains_key(&T::ident(&self.config)) {
            return;
        }
        let docs = T::docs().unwrap_or_default();
        let declaration = format!("\n{docs}export {}\n", T::decl(&self.config));
        self.found.insert(T::ident(&self.config), declaration);
        T::visit_dependencies(self);
    }
}

fn declarations() -> String {
    // What JSON holds is read as JavaScript's numbers; none of ours is beyond 2^53.
    let config = Config::new().with_large_int("number");
    let mut all = Declarations { config, found: BTreeMap::new() };
    all.visit::<Record>();
    all.visit::<Distribution>();
    all.visit::<Error>();
    let text: String = all.found.into_values().collect();
    // Links within Rust's documentation lead nowhere here.
    HEAD.to_owned() + &text.replace("[`", "`").replace("`]", "`")
}

#[test]
fn the_types_of_the_package_are_those_of_the_crate() {
    let made = declarations();
    if std::env::var_os("AEDR_WRITE_TYPES").is_some() {
        std::fs::write(FILE, &made).unwrap();
    }
    let kept = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(kept == made, "{FILE} is not what the types give; write it with AEDR_WRITE_TYPES=1 cargo test types");
}
