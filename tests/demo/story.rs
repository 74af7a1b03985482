//! The transcript: each step is done, checked and printed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::canary::Canary;
use crate::helper::{Helper, Ran};
use crate::mock_token_server::client::Reply;
use crate::mock_token_server::{Client, TokenServer};

const USER: &str = "alice";
/// Characters that JSON, URLs and forms spell in ways of their own: the search knows them all.
const PASSWORD: &str = "correct horse <battery> & staple";
const SCOPE: &str = "repository:alice/app:pull,push";
const NOT_FOUND: &str = "credentials not found in native keychain";

/// A registry, a client, and the helper between them.
pub struct Story {
    server: TokenServer,
    client: Client,
    host: String,
    helper: Helper,
    /// Everything the helper said, to be searched.
    said: String,
}

type Step<T = ()> = Result<T, String>;

impl Story {
    /// Starts the registry, and trusts its CA.
    pub fn begin(helper: Helper) -> Step<Self> {
        let server = TokenServer::builder().user(USER, PASSWORD).start();
        let (client, host) = (Client::new(&server), server.registry_host());
        helper.trust(&host, &server.ca_pem().unwrap_or_default())?;
        Ok(Self { server, client, host, helper, said: String::new() })
    }

    /// All of it, in the order of a user's day.
    pub fn tell(mut self) -> Step {
        println!("A registry with a token server listens on {}, on this machine only.", self.host);
        println!("Lines with < go to the helper's stdin, with > come from its stdout, with ! from");
        println!("its stderr: what Docker does, step by step.");
        self.log_in()?;
        let token = self.get()?;
        self.use_token(&token)?;
        self.list()?;
        self.search(&token)?;
        self.revoke(&token)?;
        self.log_out()
    }

    fn log_in(&mut self) -> Step {
        println!("\n1. docker login: the password goes in");
        let [host, user, password] = [&self.host, USER, PASSWORD].map(|text| json!(text));
        let login = format!(r#"{{"ServerURL":{host},"Username":{user},"Secret":{password}}}"#);
        self.call("store", &login)?;
        let journal = self.server.journal();
        println!("   at the server: {}", journal.lines().join(", "));
        match journal.passwords_sent() {
            1 => println!("   The password was sent once, and a refresh token came back."),
            times => return Err(format!("store sent the password {times} times")),
        }
        Ok(())
    }

    fn get(&mut self) -> Step<String> {
        println!("\n2. docker pull: what every client gets is the refresh token");
        let ran = self.run("get", &self.host.clone())?;
        let answer: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
        let token = answer["Secret"].as_str().unwrap_or_default().to_owned();
        if answer["Username"] != "<token>" || token.is_empty() {
            return Err(format!("get answered no identity token: {}", ran.stdout));
        }
        println!("   < {}\n   > {}", self.host, ran.stdout.replace(&token, &shortened(&token)));
        Ok(token)
    }

    fn use_token(&mut self, token: &str) -> Step {
        println!("\n3. With it a client gets an access token for what it needs, and no more");
        let reply = self.refresh(token)?;
        let access = reply.json()["access_token"].as_str().unwrap_or_default().to_owned();
        let tags = format!("{}/v2/alice/app/tags/list", self.server.registry_url());
        let bearer = format!("Bearer {access}");
        let without = self.client.get(&tags, &[]).map_err(unreachable)?.status;
        let with =
            self.client.get(&tags, &[("Authorization", &bearer)]).map_err(unreachable)?.status;
        println!(
            "   POST refresh_token, scope {SCOPE}: {}, for {}",
            reply.status,
            granted(&access)
        );
        println!("   GET /v2/alice/app/tags/list: {without} without it, {with} with it");
        if (reply.status, without, with) != (200, 401, 200) {
            return Err("the identity token gave no access".into());
        }
        Ok(())
    }

    fn list(&mut self) -> Step {
        println!("\n4. What is kept");
        let ran = self.run("list", "")?;
        println!("   > {}", ran.stdout);
        let listed: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
        if listed != json!({&self.host: "<token>"}) {
            return Err("list does not name the one login".into());
        }
        Ok(())
    }

    fn search(&self, token: &str) -> Step {
        println!("\n5. The password is nowhere");
        let search = |text: &str| {
            Canary::new(text).scan().root(self.helper.home()).text("output", &self.said).report()
        };
        let (password, token, name) = (search(PASSWORD), search(token), search(&self.host));
        println!(
            "   searched {} files with {} bytes, and all that the helper said, for the password",
            password.files,
            password.bytes - self.said.len() as u64
        );
        println!("   in plain, base64, hex, UTF-16, URL and JSON: {} copies", password.hits.len());
        println!("   the refresh token: {} copies; it is in the keychain alone", token.hits.len());
        println!(
            "   the registry's name, to check that the search works: {} copies",
            name.hits.len()
        );
        if !password.unread.is_empty() || password.files == 0 || name.hits.is_empty() {
            return Err("the search did not look everywhere".into());
        }
        match password.hits.iter().chain(&token.hits).next() {
            Some(hit) => Err(format!("a secret was found: {} in {}", hit.form, hit.place)),
            None => Ok(()),
        }
    }

    fn revoke(&self, token: &str) -> Step {
        println!("\n6. If it leaks, it can be revoked, and the password stays as it is");
        let url = format!("{}/revoke", self.server.token_origin());
        let form = [("token", token), ("token_type_hint", "refresh_token")];
        let revoked = self.client.post(&url, &form).map_err(unreachable)?.status;
        let dead = self.refresh(token)?.status;
        println!("   POST /revoke: {revoked}; POST refresh_token again: {dead}, it is dead");
        if revoked != 200 || dead == 200 {
            return Err("the token is still alive after its revocation".into());
        }
        Ok(())
    }

    fn log_out(&mut self) -> Step {
        println!("\n7. docker logout");
        let host = self.host.clone();
        self.call("erase", &host)?;
        let ran = self.helper.run("get", &host)?;
        println!("   get: {}", ran.stdout);
        if ran.ok || ran.stdout != NOT_FOUND {
            return Err("the login is still there after erase".into());
        }
        Ok(())
    }

    /// Runs a verb and shows all of it.
    fn call(&mut self, verb: &str, stdin: &str) -> Step {
        println!("   docker-credential-refresh {verb}\n   < {stdin}");
        let ran = self.run(verb, stdin)?;
        ran.stdout.lines().for_each(|line| println!("   > {line}"));
        ran.stderr.lines().for_each(|line| println!("   ! {line}"));
        Ok(())
    }

    /// Runs a verb that has to succeed.
    fn run(&mut self, verb: &str, stdin: &str) -> Step<Ran> {
        let ran = self.helper.run(verb, stdin)?;
        self.said.push_str(&ran.stderr);
        // The answer of `get` is the token: that is what it is for.
        if verb != "get" {
            self.said.push_str(&ran.stdout);
        }
        match ran.stdout.as_str() {
            _ if ran.ok => Ok(ran),
            "" => Err(format!("{verb} failed without a word")),
            why => Err(format!("{verb} failed: {why}")),
        }
    }

    /// As Docker refreshes.
    fn refresh(&self, token: &str) -> Step<Reply> {
        let form = [
            ("grant_type", "refresh_token"),
            ("service", &self.server.service()),
            ("client_id", "docker"),
            ("refresh_token", token),
            ("scope", SCOPE),
        ];
        self.client.post(&self.server.token_endpoint(), &form).map_err(unreachable)
    }
}

fn unreachable(error: std::io::Error) -> String {
    format!("the registry of this demo does not answer: {error}")
}

fn shortened(token: &str) -> String {
    format!("{}... ({} characters)", token.get(..6).unwrap_or_default(), token.len())
}

/// What an access token is for, and how long.
fn granted(jwt: &str) -> String {
    let claims = jwt.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims: Value = serde_json::from_slice(&claims.unwrap_or_default()).unwrap_or_default();
    let access = &claims["access"][0];
    let actions: Vec<_> = access["actions"].as_array().into_iter().flatten().collect();
    let actions: Vec<_> = actions.into_iter().filter_map(Value::as_str).collect();
    let number = |name: &str| claims[name].as_i64().unwrap_or_default();
    let seconds = number("exp") - number("iat");
    format!("{} {}, {seconds} s", access["name"].as_str().unwrap_or("nothing"), actions.join(","))
}
