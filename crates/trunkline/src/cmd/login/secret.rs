//! Something that only one person knows, from a terminal that does not show it, or from a file. Never from the command
//! line, which everybody on a machine can read.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::exit::{Exit, Failure};

/// The longest, in bytes.
const MAX: u64 = 4096;

/// What is wanted, and where it may stand.
pub(super) struct Wanted {
    pub(super) what: &'static str,
    pub(super) file: Option<PathBuf>,
    /// Whether it is new, so that a slip of the finger is to be noticed.
    pub(super) twice: bool,
}

/// Reads it.
pub(super) async fn read(wanted: Wanted) -> anyhow::Result<String> {
    let read = tokio::task::spawn_blocking(move || match &wanted.file {
        Some(file) => from_file(wanted.what, file),
        None => from_terminal(&wanted),
    });
    read.await.context("nobody was asked")?
}

fn from_file(what: &str, file: &Path) -> anyhow::Result<String> {
    let shown = file.display();
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(MAX).read_to_string(&mut text)
    } else {
        File::open(file).and_then(|file| file.take(MAX).read_to_string(&mut text))
    };
    read.map_err(|error| {
        Failure::new(Exit::Usage, format!("the {what} cannot be read from {shown}: {error}"))
    })?;
    let text = text.trim_end_matches(['\r', '\n']).to_owned();
    if text.is_empty() {
        return Err(Failure::new(Exit::Usage, format!("{shown} holds no {what}")).into());
    }
    Ok(text)
}

fn from_terminal(wanted: &Wanted) -> anyhow::Result<String> {
    let what = wanted.what;
    let nobody = |_| {
        let flag = if what == "password" { "--password-file" } else { "--code-file" };
        Failure::new(Exit::Usage, format!("there is no terminal to ask for the {what} at; give {flag} FILE"))
    };
    let mut terminal = File::options().read(true).write(true).open("/dev/tty").map_err(nobody)?;
    let first = hidden(&mut terminal, &format!("{what}: "))?;
    if wanted.twice && hidden(&mut terminal, &format!("{what}, again: "))? != first {
        return Err(Failure::new(Exit::Usage, format!("that was not the same {what} twice")).into());
    }
    Ok(first)
}

/// A line that the terminal does not show.
fn hidden(terminal: &mut File, prompt: &str) -> anyhow::Result<String> {
    terminal.write_all(prompt.as_bytes())?;
    let before = tcgetattr(&*terminal).context("the terminal's modes cannot be read")?;
    let mut quiet = before.clone();
    quiet.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&*terminal, OptionalActions::Flush, &quiet).context("the terminal shows what is typed")?;
    let shown = Shown { terminal: terminal.try_clone()?, before };
    let mut line = String::new();
    BufReader::new(terminal.try_clone()?).take(MAX).read_line(&mut line)?;
    drop(shown);
    terminal.write_all(b"\n")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Makes a terminal show again what is typed, when it goes.
struct Shown {
    terminal: File,
    before: Termios,
}

impl Drop for Shown {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}
