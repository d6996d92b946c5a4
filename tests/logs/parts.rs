//! Full numbers in parts: each a test of its own with everything anew, and what is done is done.
//!
//! With `TRUNKLINE_PROVE_FOLDER` set, a line is written there for each part that passed, and a run that was interrupted goes on
//! behind the last. Delete the folder to begin anew.

use std::path::PathBuf;

use anyhow::Result;
use trunkline_tests::Count;

use crate::stage::append;

/// Does something `all` times, at most `most` times a part; a part gives what there is to say of it.
pub(crate) async fn in_parts(
    name: &str,
    all: Count,
    most: usize,
    mut part: impl AsyncFnMut(usize) -> Result<Vec<String>>,
) -> Result<()> {
    let file = file(name)?;
    let said = file.as_ref().and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
    let mut done = 0;
    for line in said.lines().filter(|line| line.starts_with("done ")) {
        done = line.trim_start_matches("done ").parse().unwrap_or(done);
    }
    if done > 0 {
        println!("{name}: {done} were done before:\n{said}");
    }
    while done < all.times {
        let times = most.min(all.times - done);
        let lines = part(times).await?;
        done += times;
        let text = format!("{name}: {times}: {}\n", lines.join("; "));
        print!("{text}");
        if let Some(file) = &file {
            append(file, &format!("{text}done {done}\n"))?;
        }
    }
    println!("{name}: {all}: done");
    Ok(())
}

fn file(name: &str) -> Result<Option<PathBuf>> {
    let Some(folder) = std::env::var_os("TRUNKLINE_PROVE_FOLDER").map(PathBuf::from) else { return Ok(None) };
    std::fs::create_dir_all(&folder)?;
    Ok(Some(folder.join(name.replace(' ', "-"))))
}
