//! The age identity, from the environment, from systemd, or from the configuration directory.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use age::x25519;
use zeroize::Zeroizing;

use super::fault::unavailable;
use super::other_key::{ENCRYPTED, Mistaken, other_key};
use crate::environment::PROGRAM;
use crate::error::{Remedy, Setting};
use crate::files::atomic::create_in;
use crate::files::owner;
use crate::files::private::open_own;
use crate::keychain::error::Error;
use crate::text::{reason, shell_word};

/// The identity itself, or the path of a file that holds it.
const VARIABLE: &str = "DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY";
/// systemd.exec(5), `LoadCredential=`.
const CREDENTIAL: &str = "docker-credential-refresh-age-identity";
/// In the configuration directory.
const FILE_NAME: &str = "age-identity.txt";
/// Far more than an identity with the comments that age-keygen writes.
const MAX_FILE_BYTES: u64 = 64 * 1024;
const PREFIX: &str = "AGE-SECRET-KEY-";

/// The path of the identity file in the configuration directory.
pub(super) fn file_in(configuration: &Path) -> PathBuf {
    configuration.join(FILE_NAME)
}

/// Creates the identity file, readable by its owner only; never replaces one.
pub(super) fn install(path: &Path, identity: &crate::secret::AgeIdentity) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    // Created with mode 0600, whole or not at all.
    let mut file = create_in(directory, &mut tempfile::Builder::new())?;
    io::Write::write_all(&mut file, identity.expose().as_bytes())?;
    io::Write::write_all(&mut file, b"\n")?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map(drop).map_err(|e| e.error)
}

/// Where an identity is looked for, in this order: what is set for this process comes first. One
/// that is set but cannot be used is an error, and the next is not tried.
#[derive(Clone)]
pub(super) struct Sources {
    variable: Option<OsString>,
    credential: Option<PathBuf>,
    file: PathBuf,
}

/// The key that decrypts the logins, and where it was found, for messages.
pub(super) struct Identity {
    pub(super) key: x25519::Identity,
    pub(super) source: String,
}

impl Sources {
    /// Those of this process.
    pub(super) fn of_environment(configuration: &Path) -> Self {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let credential = set("CREDENTIALS_DIRECTORY").map(|d| Path::new(&d).join(CREDENTIAL));
        Self { variable: set(VARIABLE), credential, file: file_in(configuration) }
    }

    /// Where the identity is, if one is set; whether it is usable is not checked.
    pub(super) fn set(&self) -> Option<String> {
        let there = |path: &PathBuf| fs::symlink_metadata(path).is_ok();
        if self.variable.is_some() {
            return Some(VARIABLE.to_owned());
        }
        if self.credential.as_ref().is_some_and(there) {
            return Some(of_systemd());
        }
        there(&self.file).then(|| self.file.display().to_string())
    }

    /// The identity.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if none is set, or the first that is set is unusable.
    pub(super) fn load(&self, has_logins: &dyn Fn() -> bool) -> Result<Identity, Error> {
        let source = |shown: String| {
            let anew = Remedy::from(format!("put what {PROGRAM} keygen prints in its place"));
            Source { shown, path: None, anew, has_logins }
        };
        if let Some(value) = &self.variable {
            return match value.to_str() {
                Some(text) if is_content(text) => {
                    let anew = by_variable();
                    parse(text, Source { anew, ..source(VARIABLE.to_owned()) })
                }
                _ => self
                    .load_named(Path::new(value), source(format!("the file named by {VARIABLE}"))),
            };
        }
        if let Some(path) = self.credential.as_deref() {
            match File::open(path) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                opened => return read(opened, source(of_systemd())),
            }
        }
        let shown = self.file.display().to_string();
        match open_own(OpenOptions::new().read(true), &self.file) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let anew = self.hint();
                let source = Source { anew, ..source(shown) };
                Err(unavailable(MISSING, source.without_logins(self.hint())))
            }
            opened => {
                // keygen replaces no identity.
                let old = shell_word(&shown);
                let anew = Remedy::Run(format!("mv {old} {old}.old && {INSTALL}"));
                let source = Source { path: Some(&self.file), anew, ..source(shown) };
                read(opened.and_then(only_for_its_owner), source)
            }
        }
    }

    /// CI systems and orchestrators put secrets into files with modes and links of their own: such
    /// a file is taken as it is.
    fn load_named(&self, path: &Path, source: Source<'_>) -> Result<Identity, Error> {
        let opened = File::open(path);
        if opened.is_err() && path.to_str().is_none_or(|text| !text.contains(['/', '\\', '.'])) {
            // Not quoted: it may be the identity with its start cut off.
            let why = format!("{VARIABLE} is neither an age identity nor the path of a file");
            return Err(unavailable(&why, self.hint()));
        }
        read(opened, source)
    }

    /// The command that creates an identity where it is looked for.
    #[cfg(target_os = "linux")]
    pub(super) fn command(&self) -> String {
        INSTALL.to_owned()
    }

    /// The error that none is set.
    pub(super) fn missing(&self) -> Error {
        unavailable(MISSING, self.hint())
    }

    fn hint(&self) -> Remedy {
        Remedy::Run(INSTALL.to_owned()).or(by_variable())
    }
}

/// Where an identity was found, and what to do if it cannot be used.
struct Source<'a> {
    shown: String,
    path: Option<&'a Path>,
    /// Puts a new one in its place.
    anew: Remedy,
    /// Whether there are logins that need the previous one.
    has_logins: &'a dyn Fn() -> bool,
}

impl Source<'_> {
    fn replace(&self) -> Remedy {
        self.without_logins(self.anew.clone().when("to replace it"))
    }

    /// This remedy, if there are no logins that would be lost by it.
    fn without_logins(&self, remedy: Remedy) -> Remedy {
        if !(self.has_logins)() {
            return remedy;
        }
        let anew = self.anew.clone().when("to log in again with a new one");
        Remedy::from("put the previous one back").or(anew)
    }
}

fn by_variable() -> Remedy {
    Setting::new(format!("{VARIABLE} to what {PROGRAM} keygen prints")).into()
}

/// Whether a variable has the identity itself, or what is mistaken for one: not a path.
fn is_content(text: &str) -> bool {
    text.contains(PREFIX) || other_key(text).is_some()
}

fn of_systemd() -> String {
    format!("the systemd credential {CREDENTIAL}")
}

fn only_for_its_owner(file: File) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = file.metadata()?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(io::Error::other(format!("other users can read it (mode {mode:04o})")));
        }
    }
    Ok(file)
}

fn read(opened: io::Result<File>, source: Source<'_>) -> Result<Identity, Error> {
    let mut bytes = Zeroizing::new(Vec::new());
    let done = opened.and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes));
    match done {
        Ok(size) if size as u64 <= MAX_FILE_BYTES => match str::from_utf8(&bytes) {
            Ok(text) => parse(text.trim_start_matches('\u{feff}'), source),
            Err(_) if bytes.starts_with(ENCRYPTED.as_bytes()) => parse(ENCRYPTED, source),
            // PowerShell's redirection writes UTF-16.
            Err(_) if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) => {
                let hint = "write it as UTF-8, such as with Out-File -Encoding ascii";
                Err(unavailable(&format!("{} is UTF-16 text", source.shown), hint))
            }
            Err(_) => Err(unavailable(
                &format!("{} is not text and holds no age identity", source.shown),
                source.replace(),
            )),
        },
        Ok(_) => {
            let why = format!("{} is too large for an age identity", source.shown);
            Err(unavailable(&why, source.replace()))
        }
        Err(e) => {
            let remedy = source.path.and_then(|path| owner::remedy(path, &e));
            let remedy = remedy.unwrap_or("make it a file of this user with mode 0600".into());
            Err(unavailable(&format!("{}: {}", source.shown, reason(&e)), remedy).because(e))
        }
    }
}

/// The command that creates an identity where it is found.
const INSTALL: &str = "docker-credential-refresh keygen --install";

const MISSING: &str = "there is no age identity";

/// One line of the text is the identity; the others are empty or comments, as age-keygen writes.
fn parse(text: &str, source: Source<'_>) -> Result<Identity, Error> {
    if let Some((what, mistaken)) = other_key(text) {
        let remedy = match mistaken {
            Mistaken::Replace => source.replace(),
            Mistaken::Or(first) => Remedy::from(first).or(source.replace()),
            Mistaken::Only(remedy) => remedy.into(),
        };
        return Err(unavailable(&format!("{} holds {what}", source.shown), remedy));
    }
    let lines = text.lines().map(str::trim);
    let mut keys = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let what = match (keys.next(), keys.next()) {
        (None, _) => "holds no age identity",
        (Some(_), Some(_)) => "holds more than one age identity",
        (Some(line), None) => match line.parse() {
            Ok(key) => return Ok(Identity { key, source: source.shown }),
            Err(_) if line.starts_with("AGE-SECRET-KEY-1") => "holds a damaged age identity",
            Err(_) if line.starts_with("AGE-") => {
                "holds an age identity of another kind than X25519"
            }
            Err(_) => "holds no age identity",
        },
    };
    Err(unavailable(&format!("{} {what}", source.shown), source.replace()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use age::secrecy::ExposeSecret;

    fn sources(directory: &Path) -> Sources {
        Sources { variable: None, credential: None, file: directory.join(FILE_NAME) }
    }

    fn told(sources: &Sources) -> String {
        match sources.load(&|| false) {
            Ok(identity) => format!("{} from {}", identity.key.to_public(), identity.source),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_is_set_for_the_process_comes_first() {
        let directory = tempfile::tempdir().unwrap();
        let [variable, credential, file] = [(); 3].map(|()| x25519::Identity::generate());
        let text = |key: &x25519::Identity| key.to_string().expose_secret().to_owned();
        let mut sources = sources(directory.path());
        assert_eq!(sources.set(), None);
        assert!(told(&sources).contains("there is no age identity; run: "));

        let own = crate::files::private::open_own(
            OpenOptions::new().write(true).create(true).truncate(false),
            &sources.file,
        );
        io::Write::write_all(&mut own.unwrap(), text(&file).as_bytes()).unwrap();
        assert!(told(&sources).starts_with(&format!("{} from ", file.to_public())));
        // systemd sets the directory for other credentials too.
        sources.credential = Some(directory.path().join(CREDENTIAL));
        assert!(told(&sources).starts_with(&format!("{} from ", file.to_public())));
        fs::write(directory.path().join(CREDENTIAL), text(&credential) + "\n").unwrap();
        assert_eq!(told(&sources), format!("{} from {}", credential.to_public(), of_systemd()));
        sources.variable = Some(text(&variable).into());
        assert_eq!(told(&sources), format!("{} from {VARIABLE}", variable.to_public()));
        assert_eq!(sources.set().as_deref(), Some(VARIABLE));
        sources.variable = Some(directory.path().join(CREDENTIAL).into());
        assert!(told(&sources).starts_with(&format!("{} from the file", credential.to_public())));
    }

    #[test]
    fn an_identity_that_is_no_good_is_an_error_and_never_shown() {
        let directory = tempfile::tempdir().unwrap();
        let good = x25519::Identity::generate().to_string().expose_secret().to_owned();
        let flipped = if good.ends_with('Q') { "P" } else { "Q" };
        let damaged = format!("{}{flipped}", &good[..good.len() - 1]);
        for (value, what) in [
            (damaged.clone(), "holds a damaged age identity"),
            (good[..40].to_owned(), "holds a damaged age identity"),
            (good[1..].to_owned(), "neither an age identity nor the path"),
            (format!("{good}\n{good}"), "holds more than one"),
            ("AGE-SECRET-KEY-PQ-1XYZ".to_owned(), "of another kind than X25519"),
            ("-----BEGIN AGE ENCRYPTED FILE-----\nx\n".to_owned(), "is itself encrypted"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nx\n".to_owned(), "an SSH key"),
            ("ssh-ed25519 AAAA alice@h".to_owned(), "an SSH key"),
            ("-----BEGIN PGP PRIVATE KEY BLOCK-----\nx".to_owned(), "of another kind"),
            ("AGE-PLUGIN-YUBIKEY-1XYZ".to_owned(), "plugins are not started"),
            ("age1qqqq".to_owned(), "a public key"),
            (format!("# {good}"), "holds no age identity"),
            (directory.path().join("none").display().to_string(), "No such file"),
            (directory.path().display().to_string(), "Is a directory"),
        ] {
            let sources = Sources { variable: Some(value.into()), ..sources(directory.path()) };
            let told = told(&sources);
            assert!(told.contains(what) && told.contains(VARIABLE), "{what}: {told}");
            assert!(!told.contains(&good[20..30]), "{told}");
        }
    }

    #[test]
    fn a_file_that_is_not_plain_text_is_told_as_what_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let good = x25519::Identity::generate().to_string().expose_secret().to_owned();
        let utf_16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let marked = |mark: &[u8], text: &[u8]| [mark, text].concat();
        let path = directory.path().join("identity.txt");
        for (content, what) in [
            (marked(b"age-encryption.org/v1\n-> X25519 ", &[0xff, 0]), "is itself encrypted"),
            (marked(&[0xff, 0xfe], &utf_16), "is UTF-16 text"),
            (vec![0xff, 0, 1], "is not text"),
            (marked("\u{feff}".as_bytes(), good.as_bytes()), "age1"),
            (format!("# made today\r\n{good}\r\n").into_bytes(), "age1"),
        ] {
            fs::write(&path, content).unwrap();
            let variable = Some(path.clone().into());
            let told = told(&Sources { variable, ..sources(directory.path()) });
            assert!(told.contains(what) && !told.contains(&good[20..30]), "{what}: {told}");
        }
    }

    #[test]
    fn what_is_advised_does_not_lead_back_to_the_same_error() {
        let directory = tempfile::tempdir().unwrap();
        let sources = sources(directory.path());
        let told = |has_logins: bool| match sources.load(&|| has_logins) {
            Ok(_) => "it works".to_owned(),
            Err(error) => error.to_string(),
        };
        let set = format!("set {VARIABLE} to what docker-credential-refresh keygen prints");
        let missing = "there is no age identity";
        assert!(told(false).ends_with(&format!("{missing}; run: {INSTALL}, or {set}")));
        let anew = "put the previous one back, or to log in again with a new one, run: ";
        assert!(told(true).ends_with(&format!("{missing}; {anew}{INSTALL}, or {set}")));
        let own = open_own(OpenOptions::new().write(true).create_new(true), &sources.file);
        drop(own.unwrap());
        let file = sources.file.display();
        let command = format!("mv {file} {file}.old && {INSTALL}");
        for damaged in ["", "garbage", "AGE-SECRET-KEY-1X", "ssh-ed25519 AAAA a@h"] {
            fs::write(&sources.file, damaged).unwrap();
            let replace = format!("; to replace it, run: {command}");
            assert!(told(false).ends_with(&replace), "{}", told(false));
            assert!(told(true).ends_with(&format!("; {anew}{command}")), "{}", told(true));
        }
        let variable = Sources { variable: Some("AGE-SECRET-KEY-1X".into()), ..sources.clone() };
        let told = variable.load(&|| false).err().unwrap().to_string();
        assert!(told.ends_with(&format!("; to replace it, {set}")), "{told}");
    }

    #[cfg(unix)]
    #[test]
    fn an_identity_that_others_may_read_or_that_is_a_link_is_refused() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let directory = tempfile::tempdir().unwrap();
        let sources = sources(directory.path());
        let good = x25519::Identity::generate().to_string().expose_secret().to_owned();
        fs::write(&sources.file, good).unwrap();
        for (mode, refused) in [(0o644, true), (0o640, true), (0o600, false), (0o400, false)] {
            fs::set_permissions(&sources.file, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(sources.load(&|| false).is_err(), refused, "{mode:o}");
        }
        let elsewhere = directory.path().join("elsewhere");
        fs::rename(&sources.file, &elsewhere).unwrap();
        symlink(elsewhere, &sources.file).unwrap();
        assert!(sources.set().is_some() && sources.load(&|| false).is_err());
    }
}
