//! Files of rules that a user wrote: right, or refused with a reason.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::Arc;
use tidescope::matching::Matcher;
use tidescope::rules::Catalog;

fuzz_target!(|text: &str| {
    match Catalog::load(&[("mine.toml", text)]) {
        Err(problems) => assert!(problems.iter().all(|problem| !problem.to_string().is_empty())),
        Ok(catalog) => {
            let ids = Catalog::ids_in(text);
            let matcher = Matcher::new(Arc::new(catalog));
            for id in ids {
                if let Some(rule) = matcher.catalog().get(&id) {
                    let _ = tidescope::event::check(&matcher, rule);
                }
            }
        }
    }
});
