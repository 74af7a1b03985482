//! The helper at work, in half a minute of reading: `cargo run --example demo`.
//!
//! A registry with a token server runs in this process; the built helper is called as Docker calls
//! it, in a private HOME, with the best keychain of the machine. Whatever happens, its items go out
//! of the keychain again: see [`caretaker`].

#[path = "../support/canary.rs"]
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
mod canary;
mod caretaker;
mod helper;
#[path = "../mock_token_server/mod.rs"]
mod mock_token_server;
mod story;

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use caretaker::Caretaker;
use helper::Helper;
use story::Story;

const USAGE: &str = "Usage: demo [--helper FILE]\n\n  \
    --helper FILE  show this docker-credential-refresh instead of building one";

fn main() -> ExitCode {
    let given: Vec<String> = env::args().skip(1).collect();
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    let outcome = match given[..] {
        [] => demo(None),
        ["--helper", file] => demo(Some(file.into())),
        ["--help" | "-h"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        [caretaker::ROLE, profile] => caretaker::take_care(profile),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("demo: {why}");
            ExitCode::FAILURE
        }
    }
}

fn demo(built: Option<PathBuf>) -> Result<(), String> {
    // Before the build: it may put this program anew in its own place.
    let me = env::current_exe().map_err(|e| format!("cannot find this program: {e}"))?;
    let program = built.or_else(|| helper::beside(&me)).map_or_else(helper::build, Ok)?;
    let profile = format!("demo-{}", std::process::id());
    let caretaker = Caretaker::start(&me, &profile)?;
    // The server's files too, so that they go when the folder goes.
    let files = tempfile::env::override_temp_dir(caretaker.folder());
    if files.is_err() {
        return Err("the folder for temporary files was chosen before".into());
    }
    let helper = Helper::new(program, caretaker.folder().to_owned(), profile);
    let told = Story::begin(helper).and_then(|story| story.tell());
    let cleaned = caretaker.finish();
    told?;
    cleaned?;
    println!("\nDone: the keychain is as it was before, and the private HOME is gone.");
    Ok(())
}
