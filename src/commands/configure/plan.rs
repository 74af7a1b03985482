//! What `configure` will change, found out without changing anything.

use super::moved_login::Moving;
use super::wanted::{self, Wanted};
use super::{fallbacks, paths};
use crate::cli::Configure;
use crate::commands::clients::asks::{is_plain, is_read_by_docker};
use crate::commands::clients::found_login::{self, FoundLogin, Way};
use crate::commands::clients::podman_logins::PodmanLogins;
use crate::docker_config::undo::Undo;
use crate::docker_config::{ConfigFile, Document, Setting, podman};
use crate::error::{Error, Kind, Result};
use crate::logins::Logins;
use crate::protocol::HELPER_NAME;
use crate::settings::OwnSetting;
use crate::token_api::Minting;

/// What will be changed.
pub struct Plan {
    /// Docker's settings that are different now.
    pub settings: Vec<(Setting, &'static str)>,
    /// `fallback` for a registry, or for all: those that are different now.
    pub fallbacks: Vec<(Option<String>, String)>,
    /// Registries for which `personal_tokens` will be set; none stands for all.
    pub keep_tokens: Vec<Option<String>>,
    /// The same for `mint`, with what it will say.
    pub mint: Vec<(Option<String>, Minting)>,
    /// The global fallback that will be set.
    pub fallback: Option<String>,
    /// Whether the drop-in for podman will be written.
    pub podman: bool,
    /// Whether they are to be left alone, now and by later runs.
    pub no_podman: bool,
    /// The logins that will get another place.
    pub moving: Vec<Moving>,
    /// Podman's logins that it gets from other helpers.
    pub podman_helpers: Vec<(String, String)>,
    /// What a person should know.
    pub notes: Vec<String>,
}

impl Plan {
    /// Finds it out.
    ///
    /// # Errors
    /// Above all: no fallback is set for logins that cannot be exchanged.
    pub fn new(
        configure: &Configure,
        document: &Document,
        undo: &Undo,
        logins: &Logins<'_>,
    ) -> Result<Self> {
        let wanted = Wanted::new(configure, document)?;
        let mut notes = Vec::new();
        let is_there = configure.podman || podman::is_installed();
        let has_drop_in = podman::has_drop_in()?;
        let files = match is_there && !has_drop_in {
            true => PodmanLogins::find(logins)?,
            false => PodmanLogins::default(),
        };
        let no_podman = configure.no_podman || undo.no_podman && !configure.podman;
        if no_podman && !configure.no_podman && is_there && !has_drop_in {
            notes.push(
                "podman, skopeo and buildah are left as they are, as --no-podman said before; to set \
                 them up, add --podman"
                    .to_owned(),
            );
        }
        let mut podman = is_there && !no_podman && !has_drop_in;
        let others = if podman && !wanted.is_all() { others(&files, &wanted) } else { Vec::new() };
        if !others.is_empty() {
            let others = others.join(", ");
            let why = "they use one helper for all registries, and would no longer find";
            if configure.podman {
                let message = format!(
                    "podman, skopeo and buildah cannot be set up for some registries: {why} \
                     {others}; nothing was changed"
                );
                return Err(Error::new(Kind::Other, message)
                    .hint("drop --registry to configure every registry, or drop --podman"));
            }
            podman = false;
            notes.push(format!(
                "podman, skopeo and buildah are left as they are: {why} {others}; to set them up \
                 as well, run configure without --registry; until then, podman login and skopeo login \
                 write passwords in plain text"
            ));
        }
        if podman && let Some(path) = podman::overruling()? {
            let message = format!(
                "podman, skopeo and buildah would keep using credential-helpers in {}; nothing was \
                 changed",
                path.display()
            );
            return Err(Error::new(Kind::Other, message)
                .hint("remove it there, or leave them alone with --no-podman"));
        }
        let previous_store = wanted::other_helper(document, &Setting::Store);
        let own = wanted.own_fallbacks(configure, document);
        let needs_one = wanted.is_all() || podman || own.len() < wanted.hosts.len();
        let written = logins.settings.written(OwnSetting::Fallback, None)?;
        let fallback = configure.fallback.clone().or(previous_store).or_else(|| written.clone());
        if needs_one && fallback.is_none() {
            return Err(fallbacks::unknown_fallback());
        }
        let mut settings = wanted.settings(document);
        let (mut moving, unusable) = moving(&wanted, document, podman, &files, undo)?;
        notes.extend(unusable);
        let by_helper = if podman { files.helpers.clone() } else { Vec::new() };
        kept_from_podman(&wanted, &files, document)?;
        if !podman {
            add_for_podman(&mut settings, &moving, &files);
            moving.extend(paths::lost(&settings, &moving, &files));
        }
        let mut fallbacks = Vec::new();
        if fallback.is_some() && fallback != written {
            fallbacks.extend(fallback.clone().map(|name| (None, name)));
        }
        for (key, name) in own.into_iter().chain(wanted::podmans_own(&by_helper, &fallback)) {
            let written = logins.settings.written(OwnSetting::Fallback, Some(&key))?;
            let is_new = fallbacks.iter().all(|(known, _)| known.as_ref() != Some(&key));
            if written.as_ref() != Some(&name) && is_new {
                fallbacks.push((Some(key), name));
            }
        }
        let in_use = fallback.as_ref().filter(|_| needs_one);
        for name in fallbacks.iter().map(|(_, name)| name).chain(in_use) {
            fallbacks::check(name, configure.force, logins)?;
        }
        notes.extend(wanted.letter_by_letter(document));
        let podman_helpers = by_helper;
        let keep_tokens = if configure.keep_tokens { wanted.keys() } else { Vec::new() };
        let mint =
            configure.mint.map(|minting| wanted.keys().into_iter().map(move |k| (k, minting)));
        Ok(Self {
            settings,
            fallbacks,
            keep_tokens,
            mint: mint.into_iter().flatten().collect(),
            fallback,
            podman,
            no_podman,
            moving,
            podman_helpers,
            notes,
        })
    }

    /// Whether podman should find a login here through `credHelpers` in docker's file.
    pub fn has_podman_name(&self, moving: &Moving) -> bool {
        let setting = Setting::Helper(moving.found.podman_helper_name());
        self.settings.iter().any(|(known, name)| *known == setting && *name == HELPER_NAME)
    }

    /// What will be done with a login that was found.
    pub fn way_of(&self, found: &FoundLogin) -> Way {
        let mut entries = self.moving.iter().flat_map(Moving::entries);
        entries.find(|known| known.is(found)).unwrap_or(found).way.clone()
    }

    /// What will be removed from files, by file.
    pub fn files(&self) -> Vec<&ConfigFile> {
        let mut files: Vec<&ConfigFile> = Vec::new();
        for file in self.moving.iter().filter_map(|moving| moving.found.file()) {
            if !files.contains(&file) {
                files.push(file);
            }
        }
        files
    }
}

/// What podman finds for registries that this helper will not serve.
fn others(files: &PodmanLogins, wanted: &Wanted) -> Vec<String> {
    let entries = files.used().filter(|found| !matches!(found.way, Way::Unusable(_)));
    let entries = entries.map(|found| found.server_url.clone());
    let mut others: Vec<String> =
        entries.chain(files.helpers.iter().map(|(name, _)| name.clone())).collect();
    others.retain(|name| !wanted.has(name));
    others.sort();
    others.dedup();
    others
}

fn moving(
    wanted: &Wanted,
    document: &Document,
    podman: bool,
    files: &PodmanLogins,
    undo: &Undo,
) -> Result<(Vec<Moving>, Vec<String>)> {
    let mut moving: Vec<Moving> = Vec::new();
    let mut notes = Vec::new();
    let mut paths = found_login::in_document(&ConfigFile::of_docker()?, document);
    paths.extend(files.entries().filter(|_| podman).map(|(found, _)| found.clone()));
    let mut add = |found: FoundLogin, docker: bool, podman: bool| {
        if let Way::Unusable(why) = &found.way {
            let (name, place) = (&found.server_url, found.place());
            let note = format!("the entry for {name:?} in {place} is left there: {why}");
            if !notes.contains(&note) {
                notes.push(note);
            }
        } else if moving.iter().all(|known| !known.found.is(&found)) {
            moving.push(Moving { found, docker, podman, paths: Vec::new() });
        }
    };
    for found in found_login::in_document(&ConfigFile::of_docker()?, document) {
        let by_docker = is_read_by_docker(document, &found)
            && is_plain(document, &found.docker_name())
            && wanted.takes(document, &found.docker_name());
        if by_docker {
            let by_podman = podman && files.use_entry(&found);
            add(found.used_by_docker(document), true, by_podman);
        }
    }
    if podman {
        let docker = ConfigFile::of_docker()?;
        // Those that podman gets from another helper are not taken: keeping one here would erase
        // that one.
        for (found, is_used) in files.entries() {
            let is_dockers = found.file().map(ConfigFile::path) == Some(docker.path());
            if files.helper_for(found.key().as_ref()).is_none() && (is_used || !is_dockers) {
                add(found.clone(), false, is_used);
            }
        }
    }
    for taking in &undo.taking {
        let known = podman::files_read()?.into_iter().find(|file| file.path() == taking.file);
        let file = known.unwrap_or_else(|| ConfigFile::at(taking.file.clone()));
        for found in found_login::in_file(&file)? {
            if found.server_url == taking.server_url {
                paths.push(found.clone());
                add(found, true, false);
            }
        }
    }
    paths::join(&mut moving, paths);
    Ok((moving, notes))
}

/// Podman is left alone, and reads some of the logins in docker's file: it should find them here,
/// through the `credHelpers` of that file.
fn add_for_podman(
    settings: &mut Vec<(Setting, &'static str)>,
    moving: &[Moving],
    files: &PodmanLogins,
) {
    let Ok(docker) = ConfigFile::of_docker() else { return };
    for Moving { found, .. } in moving {
        let is_dockers = found.file().map(ConfigFile::path) == Some(docker.path());
        let setting = Setting::Helper(found.podman_helper_name());
        let is_new = settings.iter().all(|(known, _)| *known != setting);
        if is_dockers && files.use_entry(found) && is_new {
            settings.push((setting, HELPER_NAME));
        }
    }
}

/// `--keep-plain` for a login that podman reads in docker's file: it would fail at the empty name
/// there, or not read the file at all.
fn kept_from_podman(wanted: &Wanted, files: &PodmanLogins, document: &Document) -> Result<()> {
    let docker = ConfigFile::of_docker()?;
    let lost = files.used().find(|found| {
        found.file().map(ConfigFile::path) == Some(docker.path())
            && wanted.keeps(&found.docker_name())
            && is_plain(document, &found.docker_name())
    });
    lost.map_or(Ok(()), |found| Err(refuse_to_keep(&found.podman_name())))
}

fn refuse_to_keep(name: &str) -> Error {
    let message = format!(
        "podman, skopeo and buildah read {name} in docker's file, and would no longer find it; nothing \
         was changed"
    );
    let mut hint = "leave out --keep-plain for it".to_owned();
    if !podman::writes_dockers_file() {
        let word = crate::text::shell_word(name);
        hint.push_str(&format!(
            ", or give them a login of their own with podman login {word}, and add --no-podman"
        ));
    }
    Error::new(Kind::Other, message).hint(hint)
}
