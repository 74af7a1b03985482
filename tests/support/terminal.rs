//! A pseudo-terminal, by script(1): what a person sees and types.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

pub struct Terminal {
    child: Child,
    keyboard: ChildStdin,
    screen: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    /// Runs a command on a terminal of its own.
    pub fn run(command: &Command) -> Self {
        let mut words = vec![command.get_program().to_str().unwrap().to_owned()];
        words.extend(command.get_args().map(|word| word.to_str().unwrap().to_owned()));
        let mut script = Command::new("script");
        script.args(["-qefc", &words.join(" "), "/dev/null"]).env_clear();
        for (name, value) in command.get_envs() {
            script.env(name, value.unwrap_or_default());
        }
        let mut child = script
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("script, of bsdutils");
        let screen = follow(child.stdout.take().unwrap());
        Self { keyboard: child.stdin.take().unwrap(), child, screen, seen: String::new() }
    }

    /// Waits for a text, and gives all that was shown up to now.
    #[track_caller]
    pub fn expect(&mut self, text: &str) -> &mut Self {
        let end = Instant::now() + PATIENCE;
        while !self.seen.contains(text) {
            let left = end.saturating_duration_since(Instant::now());
            let more = self.screen.recv_timeout(left);
            let more = more.unwrap_or_else(|_| panic!("no {text:?} in {:?}", self.seen));
            self.seen.push_str(&String::from_utf8_lossy(&more));
        }
        self
    }

    /// What was shown up to now.
    pub fn seen(&self) -> &str {
        &self.seen
    }

    /// Types a line, once the program reads it: what comes before the echo is off is thrown away.
    pub fn enter(&mut self, line: &str) -> &mut Self {
        thread::sleep(Duration::from_millis(200));
        self.keyboard.write_all(format!("{line}\n").as_bytes()).unwrap();
        self
    }

    /// Presses keys without a line end, such as Ctrl-D.
    pub fn press(&mut self, keys: &str) -> &mut Self {
        thread::sleep(Duration::from_millis(200));
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self
    }

    /// All that was shown, and the exit status.
    pub fn end(mut self) -> (String, i32) {
        let status = self.child.wait().unwrap();
        while let Ok(more) = self.screen.recv_timeout(PATIENCE) {
            self.seen.push_str(&String::from_utf8_lossy(&more));
        }
        (self.seen, status.code().unwrap())
    }
}

fn follow(mut screen: ChildStdout) -> Receiver<Vec<u8>> {
    let (tell, told) = channel();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = screen.read(&mut buffer) {
            if tell.send(buffer[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    told
}
