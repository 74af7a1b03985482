//! A process of its own that uses a keychain: the session bus, the session keyring and the uid
//! belong to a process. It is this test binary again, told to run `keychain::agent` alone.

use std::env;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use docker_credential_refresh::keychain::{
    Error, Keychain, KeychainName, Listed, Listing, Options, choose,
};
use docker_credential_refresh::secret::RefreshToken;

/// Before each answer, so that what the test harness prints is told apart.
const MARK: &str = "agent> ";

/// What the desktop that the tests may run on has set, and no agent is to see.
const BUS: [&str; 4] =
    ["DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "DISPLAY", "WAYLAND_DISPLAY"];

/// How to start one.
#[derive(Clone)]
pub struct Agent {
    program: Vec<String>,
    environment: Vec<(String, String)>,
    test: &'static str,
}

impl Agent {
    /// One for this keychain (`auto` to choose) and profile.
    pub fn new(keychain: &str, profile: &str) -> Self {
        // Any other may be where the one who runs the tests has logins.
        let may_be_kernel = matches!(keychain, "kernel" | "auto");
        assert!(!may_be_kernel || profile.starts_with("test-"), "{profile} in the kernel keyring");
        let program = vec![env::current_exe().unwrap().display().to_string()];
        let agent = Self { program, environment: Vec::new(), test: "keychain::agent::acts" };
        agent.set("AGENT_KEYCHAIN", keychain).set("AGENT_PROFILE", profile)
    }

    /// One that chooses the keychain; a login that goes elsewhere than it should is not one of the
    /// user's.
    pub fn auto() -> Self {
        Self::new("auto", &format!("test-auto-{}", std::process::id()))
    }

    /// One that runs the whole contract.
    pub fn contract(keychain: &str) -> Self {
        Self { test: "keychain::contract::holds", ..Self::new(keychain, "test-contract") }
    }

    /// One more in the surroundings of this process, which is an agent itself.
    pub fn inherit(self) -> Self {
        let names = BUS.into_iter().chain(["AGENT_ENCRYPTED"]);
        names.fold(self, |agent, name| match env::var(name) {
            Ok(value) => agent.set(name, &value),
            Err(_) => agent,
        })
    }

    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn environment(mut self, variables: Vec<(&'static str, String)>) -> Self {
        self.environment.extend(variables.into_iter().map(|(k, v)| (k.to_owned(), v)));
        self
    }

    /// Runs it under a program such as `keyctl session -`.
    pub fn under(mut self, wrapper: &[&str]) -> Self {
        self.program.splice(0..0, wrapper.iter().map(|&word| word.to_owned()));
        self
    }

    /// Runs a copy of the program, which another user can execute.
    pub fn copied_to(mut self, path: &Path) -> Self {
        let own = self.program.last_mut().unwrap();
        // Not by this process: another thread's child would hold it open for writing, and then it
        // cannot be executed.
        assert!(Command::new("cp").arg(&own).arg(path).status().unwrap().success());
        *own = path.display().to_string();
        self
    }

    pub fn command(&self, script: &[&str]) -> Command {
        let mut command = Command::new(&self.program[0]);
        command.args(&self.program[1..]).args([self.test, "--exact", "--nocapture"]);
        for name in BUS {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().cloned()).env("AGENT_SCRIPT", script.join("\n"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the script, one step a line, and gives the answer to each.
    pub fn run(&self, script: &[&str]) -> Vec<String> {
        answers(&self.command(script).output().unwrap())
    }

    /// Runs one step.
    pub fn one(&self, step: &str) -> String {
        let mut answers = self.run(&[step]);
        assert_eq!(answers.len(), 1, "{answers:?}");
        answers.remove(0)
    }

    /// Runs a test to its end, which must be a good one.
    pub fn pass(&self) {
        let output = self.command(&[]).output().unwrap();
        assert!(output.status.success(), "{}", shown(&output));
        // A filter that matches no test succeeds as well.
        assert!(shown(&output).contains("1 passed"), "{}", shown(&output));
    }
}

/// The answers of an agent that has ended.
pub fn answers(output: &Output) -> Vec<String> {
    assert!(output.status.success(), "{}", shown(output));
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    // The harness ends its own line only after the test.
    text.lines()
        .filter_map(|line| line.split_once(MARK))
        .map(|(_, answer)| answer.to_owned())
        .collect()
}

fn shown(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned()).concat()
}

/// The agent's side: acts as the environment says, or on the default script.
pub fn act(open: impl Fn(&KeychainName, &str, &Options) -> Keychain, default: &str) -> Vec<String> {
    let value = |name: &str| env::var(name).ok();
    let profile = value("AGENT_PROFILE").unwrap_or_else(|| "default".to_owned());
    let name = value("AGENT_KEYCHAIN").unwrap_or_else(|| "memory".to_owned());
    let script = value("AGENT_SCRIPT").unwrap_or_else(|| default.to_owned());
    let seconds =
        |name: &str, or| Duration::from_secs(value(name).map_or(or, |v| v.parse().unwrap()));
    let options = Options {
        encrypted_session: value("AGENT_ENCRYPTED").is_some(),
        deadline: seconds("AGENT_DEADLINE", 5),
        prompt_deadline: seconds("AGENT_PROMPT_DEADLINE", 60),
        may_prompt: value("AGENT_NO_PROMPT").is_none(),
    };
    let keychain = match name.as_str() {
        "memory" => Ok(open(&KeychainName::Kernel, &profile, &options)),
        "auto" => choose(&profile, &options).map(|(keychain, why)| {
            println!("{MARK}{}: {why}", keychain.name());
            keychain
        }),
        name => Keychain::open(&name.parse().unwrap(), &profile, &options),
    };
    let answers: Vec<_> = script.lines().map(|step| answer(keychain.as_ref(), step)).collect();
    for answer in &answers {
        println!("{MARK}{answer}");
    }
    answers
}

/// One step, and what comes of it.
pub fn answer(keychain: Result<&Keychain, &Error>, step: &str) -> String {
    let words: Vec<_> = step.split(' ').collect();
    let keychain = match keychain {
        Ok(keychain) => keychain,
        Err(error) => return told(error),
    };
    let done = match words[..] {
        ["unlock"] => keychain.unlock().map(|()| "ok".to_owned()),
        ["put", key, account, token] => {
            let token = RefreshToken::new(token.to_owned());
            keychain.put(key, account, &token).map(|()| "ok".to_owned())
        }
        ["get", key] => {
            keychain.get(key).map(|item| format!("{} {}", item.account, item.token.expose()))
        }
        ["delete", key] => keychain.delete(key).map(|()| "ok".to_owned()),
        ["list"] => keychain.list().and_then(Listing::complete).map(one_line),
        ["readable"] => keychain.list().map(|listing| one_line(listing.logins)),
        ["check"] => keychain.check().map(|()| "ok".to_owned()),
        ["check", key] => keychain.check_login(key).map(|()| "ok".to_owned()),
        ["lifetime"] => Ok(keychain.lifetime().to_string()),
        ["session"] => Ok(session()),
        _ => panic!("unknown step {step}"),
    };
    done.unwrap_or_else(|error| told(&error))
}

fn one_line(logins: Vec<Listed>) -> String {
    let logins = logins.iter().map(|login| format!("{}={}", login.key, login.account));
    logins.collect::<Vec<_>>().join(" ")
}

/// The number of the session keyring that this process has in the kernel, or why it has none.
fn session() -> String {
    let output = Command::new("keyctl").args(["id", "@s"]).output().expect("keyctl, of keyutils");
    [output.stdout, output.stderr]
        .map(|text| String::from_utf8(text).unwrap())
        .concat()
        .trim()
        .to_owned()
}

/// The kind of an error and what it says.
pub fn told(error: &Error) -> String {
    let kind = match error {
        Error::Absent => "absent",
        Error::Locked { .. } => "locked",
        Error::Dismissed { unanswered_for: None, .. } => "dismissed",
        Error::Dismissed { .. } => "unanswered",
        Error::Unavailable { .. } => "unavailable",
        Error::Elsewhere { .. } => "elsewhere",
        Error::NothingUsable { .. } => "nothing usable",
        Error::TooLarge { .. } => "too large",
        Error::Damaged { .. } => "damaged",
        Error::Failed { .. } => "failed",
    };
    let text = error.to_string();
    assert!(!text.is_empty() && !text.contains(['`', '\n']), "{text:?}");
    format!("{kind}: {text}")
}
