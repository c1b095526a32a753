//! Lists the catalogue's files, so that adding one needs no Rust.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() -> std::io::Result<()> {
    let folder = Path::new("src/rules/catalog");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ext| ext == "toml"))
        .collect();
    files.sort();
    let mut code = String::from("&[\n");
    for file in files {
        println!("cargo::rerun-if-changed={}", file.display());
        let absolute = file.canonicalize()?;
        writeln!(code, "    ({:?}, include_str!({:?})),", file.display().to_string(), absolute.display().to_string())
            .map_err(std::io::Error::other)?;
    }
    code.push(']');
    let out = std::env::var_os("OUT_DIR").map(PathBuf::from).ok_or_else(|| std::io::Error::other("no OUT_DIR"))?;
    std::fs::write(out.join("catalog.rs"), code)
}
