//! Whose files are: what to say and to do where they are another user's.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::environment::{home, variable};
use crate::error::{Error, Kind, Remedy, Result};
use crate::text::shell_word;

/// A file or directory of another user, as an I/O error carries it.
#[derive(Debug, thiserror::Error)]
#[error("it belongs to {owner}, and this process runs as {me}")]
struct Foreign {
    owner: String,
    me: String,
    remedy: Remedy,
}

/// A part of a path that is another user's.
pub(crate) struct Part {
    pub(crate) path: PathBuf,
    pub(crate) owner: String,
    pub(crate) remedy: Remedy,
}

/// What to do about a file that could not be used, where that is because it is another user's.
pub(crate) fn remedy(path: &Path, error: &io::Error) -> Option<Remedy> {
    let carried = error.get_ref().and_then(|inner| inner.downcast_ref::<Foreign>());
    if let Some(foreign) = carried {
        return Some(foreign.remedy.clone());
    }
    let denied = error.kind() == io::ErrorKind::PermissionDenied;
    denied.then(|| foreign_part(path)).flatten().map(|part| part.remedy)
}

fn me() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The fields of a user in /etc/passwd; users from other sources are not in it.
fn entry<T>(uid: u32, take: impl Fn(&[&str]) -> Option<T>) -> Option<T> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let fields: Vec<_> = line.split(':').collect();
        (fields.get(2)? == &uid.to_string()).then(|| take(&fields))?
    })
}

/// A user's name, or the number where it has none.
pub(crate) fn user(uid: u32) -> String {
    let name = entry(uid, |fields| Some(fields[0].to_owned()));
    name.unwrap_or_else(|| format!("uid {uid}"))
}

/// Who runs this.
pub(crate) fn this_user() -> String {
    user(me())
}

/// As /etc/passwd has it.
pub(crate) fn home_of_this_user() -> Option<PathBuf> {
    entry(me(), |fields| fields.get(5).map(PathBuf::from))
}

/// Root could take the file away from its owner, who would be locked out: that is no remedy.
fn remedy_for(path: &Path, owner: u32) -> Remedy {
    if me() == 0 {
        return format!("run it as {}", user(owner)).into();
    }
    let name = entry(me(), |fields| Some(fields[0].to_owned()));
    let name = name.unwrap_or_else(|| me().to_string());
    let path = shell_word(&path.display().to_string());
    Remedy::Run(format!("sudo chown -R {name} {path}"))
}

/// An error for a file that is another user's.
pub(crate) fn check_owner(path: &Path, found: &Metadata) -> io::Result<()> {
    let owner = found.uid();
    if owner == me() {
        return Ok(());
    }
    let remedy = foreign_part(path).map_or_else(|| remedy_for(path, owner), |part| part.remedy);
    Err(io::Error::other(Foreign { owner: user(owner), me: this_user(), remedy }))
}

/// The outermost part of a path in the home directory that is another user's; of another path, the
/// file itself alone.
pub(crate) fn foreign_part(path: &Path) -> Option<Part> {
    let home = home().filter(|home| path.starts_with(home) && path != home);
    let mut parts = vec![path];
    if let Some(home) = &home {
        parts = path.ancestors().take_while(|part| part != home).collect();
    }
    let owned = parts.iter().rev().map_while(|part| {
        // What is not there yet, or may not be looked at, tells nothing.
        Some((*part, fs::symlink_metadata(part).ok()?.uid()))
    });
    let (part, owner) = { owned }.find(|(_, owner)| *owner != me())?;
    let remedy = remedy_for(part, owner);
    Some(Part { path: part.to_owned(), owner: user(owner), remedy })
}

/// Who owns this, if that is another user.
pub(crate) fn other_owner(path: &Path) -> Option<String> {
    let owner = fs::metadata(path).ok()?.uid();
    (owner != me()).then(|| user(owner))
}

/// The home directory and its owner, where root runs this in that of another user.
pub(crate) fn foreign_home() -> Option<(PathBuf, String)> {
    let home = home().filter(|_| me() == 0)?;
    other_owner(&home).map(|owner| (home, owner))
}

/// Who ran sudo, where this is run by it.
pub(crate) fn sudo_user() -> Option<String> {
    let name = || variable("SUDO_USER").map(|name| name.to_string_lossy().into_owned());
    let number = || Some(format!("uid {}", variable("SUDO_UID")?.to_string_lossy()));
    (me() == 0).then(|| name().or_else(number)).flatten()
}

/// Root is about to write files in another user's home directory, which only root can read then.
///
/// # Errors
/// Under sudo: that user's next command would fail.
pub(crate) fn before_writing() -> Result<Option<String>> {
    let Some((home, owner)) = foreign_home() else { return Ok(None) };
    if sudo_user().is_some() {
        let own = Remedy::from("set HOME to root's own (sudo -H)");
        let remedy = Remedy::from("run it as that user").or(own);
        return Err(Error::new(Kind::Usage, not_roots(&home, &owner)).remedy(remedy));
    }
    // CI systems start containers as root with such a HOME, and all that runs there is root's.
    Ok(Some(warning(&home, &owner)))
}

/// The same for a client that keeps a login, which is never refused: the client was run this way.
pub(crate) fn warning_under_sudo() -> Option<String> {
    let (home, owner) = foreign_home()?;
    sudo_user().map(|_| warning(&home, &owner))
}

fn warning(home: &Path, owner: &str) -> String {
    format!("{}: files that are written now belong to root", not_roots(home, owner))
}

fn not_roots(home: &Path, owner: &str) -> String {
    format!("HOME is {}, which belongs to {owner}, not to root", home.display())
}
