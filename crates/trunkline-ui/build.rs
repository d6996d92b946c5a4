//! Lists what `make ui` built in `ui/dist`, so that it is in the binary. Where nothing was built, the list is empty.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let dist = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../ui/dist");
    println!("cargo:rerun-if-changed={}", dist.display());
    let mut files = Vec::new();
    if dist.join("index.html").is_file() {
        let dist = dist.canonicalize()?;
        list(&dist, &mut files)?;
        files.sort_by(|one, other| one.as_os_str().cmp(other.as_os_str()));
        files = files
            .iter()
            .map(|file| Ok(file.strip_prefix(&dist)?.to_owned()))
            .collect::<Result<_, Box<dyn Error>>>()?;
        fs::write(out()?, table(&dist, &files)?)?;
    } else {
        fs::write(out()?, "&[]")?;
    }
    Ok(())
}

fn out() -> Result<PathBuf, env::VarError> {
    Ok(Path::new(&env::var("OUT_DIR")?).join("files.rs"))
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else if path.file_name().is_some_and(|name| name != ".gitignore") {
            files.push(path);
        }
    }
    Ok(())
}

/// The files as an expression: name, bytes, and the same in Brotli where that stands beside it.
fn table(dist: &Path, files: &[PathBuf]) -> Result<String, Box<dyn Error>> {
    let mut table = String::from("&[\n");
    for file in files {
        let name = file.to_str().ok_or("a name that is no text")?;
        if name.ends_with(".br") {
            continue;
        }
        let packed = PathBuf::from(format!("{name}.br"));
        let include = |file: &Path| format!("include_bytes!({:?})", dist.join(file));
        let packed =
            if files.contains(&packed) { format!("Some({})", include(&packed)) } else { "None".into() };
        writeln!(table, "({name:?}, {}, {packed}),", include(file))?;
    }
    table.push(']');
    Ok(table)
}
