//! Personal tokens: secrets that a person has a registry make, and can have it revoke, in the place of
//! the password. They are known by their form alone, to the character: what merely looks like one is a
//! password.

use std::fmt;
use std::ops::RangeInclusive;

use crate::secret::{Password, RefreshToken};
use crate::server_url::DOCKER_HUB;

/// What the personal tokens of one kind look like.
#[derive(Debug, PartialEq, Eq)]
pub struct Form {
    /// What its issuer calls it, after an article: "a NAME".
    pub name: &'static str,
    prefix: &'static str,
    body: &'static [Part],
}

/// What comes after the prefix, part by part.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// So many characters of an alphabet, and then none of it.
    Run(Alphabet, RangeInclusive<usize>),
    /// This character, which is not of the alphabet before it.
    Mark(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alphabet {
    /// `0-9a-zA-Z`
    Alphanumeric,
    /// The same with `-` and `_`.
    UrlSafe,
    /// `0-9a-z`
    Base36,
    /// `0-9a-f`
    Hex,
}

use Alphabet::{Alphanumeric, Base36, Hex, UrlSafe};
use Part::{Mark, Run};

const GITLAB: &str = "GitLab access token";
const GITHUB: &str = "GitHub token";
const DOCKER: &str = "Docker access token";
const DIGITALOCEAN: &str = "DigitalOcean API token";
const ARTIFACTORY: &str = "Artifactory token";

/// Every form that is known. Where an issuer documents a prefix alone, the rest is what the rules of
/// secret scanners agree on (gitleaks 8, `config/gitleaks.toml`; trufflehog 3.97).
#[rustfmt::skip] // a table
const FORMS: &[Form] = &[
    // gitlab-org/gitlab #335991 (personal, group and project tokens); gitleaks `gitlab-pat`.
    Form { name: GITLAB, prefix: "glpat-", body: &[Run(UrlSafe, 20..=20)] },
    // GitLab handbook, "Routable tokens" (gitlab-org/gitlab !169322): payload, then length and CRC ...
    Form { name: GITLAB, prefix: "glpat-", body: &[Run(UrlSafe, 27..=300), Mark(b'.'), Run(Base36, 9..=9)] },
    // ... and in the versioned form a version between them.
    Form { name: GITLAB, prefix: "glpat-",
        body: &[Run(UrlSafe, 27..=300), Mark(b'.'), Run(Base36, 2..=2), Mark(b'.'), Run(Base36, 9..=9)] },
    // gitlab-org/gitlab !138438; gitleaks `gitlab-deploy-token`.
    Form { name: "GitLab deploy token", prefix: "gldt-", body: &[Run(UrlSafe, 20..=20)] },
    // Ends with its job; gitleaks `gitlab-cicd-job-token`.
    Form { name: "GitLab job token", prefix: "glcbt-",
        body: &[Run(Alphanumeric, 1..=5), Mark(b'_'), Run(UrlSafe, 20..=20)] },
    // GitHub changelog of 2021-03-31: personal, OAuth, and those of apps, 40 characters as before.
    Form { name: GITHUB, prefix: "ghp_", body: &[Run(Alphanumeric, 36..=36)] },
    Form { name: GITHUB, prefix: "gho_", body: &[Run(Alphanumeric, 36..=36)] },
    Form { name: GITHUB, prefix: "ghu_", body: &[Run(Alphanumeric, 36..=36)] },
    Form { name: GITHUB, prefix: "ghs_", body: &[Run(Alphanumeric, 36..=36)] },
    // Fine-grained ones; gitleaks `github-fine-grained-pat`.
    Form { name: GITHUB, prefix: "github_pat_",
        body: &[Run(Alphanumeric, 22..=22), Mark(b'_'), Run(Alphanumeric, 59..=59)] },
    // docker/docs `content/reference/api/ai-governance/api.yaml` for the prefixes; trufflehog
    // `dockerhub/v2` for the rest. Tokens of organisations were seen in two lengths.
    Form { name: DOCKER, prefix: "dckr_pat_", body: &[Run(UrlSafe, 27..=27)] },
    Form { name: DOCKER, prefix: "dckr_oat_", body: &[Run(UrlSafe, 32..=32)] },
    Form { name: DOCKER, prefix: "dckr_oat_", body: &[Run(UrlSafe, 27..=27)] },
    // gitleaks `digitalocean-pat` and `digitalocean-access-token`.
    Form { name: DIGITALOCEAN, prefix: "dop_v1_", body: &[Run(Hex, 64..=64)] },
    Form { name: DIGITALOCEAN, prefix: "doo_v1_", body: &[Run(Hex, 64..=64)] },
    // gitleaks `artifactory-api-key` and `artifactory-reference-token`.
    Form { name: ARTIFACTORY, prefix: "AKCp", body: &[Run(Alphanumeric, 69..=69)] },
    Form { name: ARTIFACTORY, prefix: "cmVmd", body: &[Run(Alphanumeric, 59..=59)] },
];

/// The form that a secret has, if it is known as a personal token.
pub fn form_of(secret: &str) -> Option<&'static Form> {
    FORMS.iter().find(|form| form.fits(secret))
}

impl Form {
    /// Whether Docker Hub issues it.
    pub fn is_of_docker_hub(&self) -> bool {
        self.name == DOCKER
    }

    fn fits(&self, secret: &str) -> bool {
        let rest = self.body.iter().try_fold(secret.strip_prefix(self.prefix), |rest, part| {
            let rest = rest?;
            match part {
                Mark(mark) => Some(rest.strip_prefix(char::from(*mark))),
                Run(alphabet, lengths) => {
                    let end = rest.bytes().position(|byte| !alphabet.has(byte));
                    let end = end.unwrap_or(rest.len());
                    lengths.contains(&end).then(|| Some(&rest[end..]))
                }
            }
        });
        rest.flatten() == Some("")
    }
}

impl Alphabet {
    fn has(self, byte: u8) -> bool {
        match self {
            Alphanumeric => byte.is_ascii_alphanumeric(),
            UrlSafe => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'),
            Base36 => byte.is_ascii_digit() || byte.is_ascii_lowercase(),
            Hex => byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'),
        }
    }
}

/// A secret that has the form of a personal token: of any other there is none.
#[derive(Clone)]
pub struct PersonalToken {
    /// Which form it has.
    pub form: &'static Form,
    secret: RefreshToken,
}

impl PersonalToken {
    /// Knows it by its form.
    pub fn recognize(secret: &Password) -> Option<Self> {
        let form = form_of(secret.expose())?;
        Some(Self { form, secret: secret.as_token() })
    }

    /// As keychains keep it.
    pub fn to_keep(&self) -> &RefreshToken {
        &self.secret
    }
}

impl fmt::Debug for PersonalToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersonalToken({}, ..)", self.form.name)
    }
}

/// Where a registry's users make personal tokens and revoke them, by its own documentation.
pub fn page_of(registry_key: &str) -> Option<&'static str> {
    Some(match registry_key {
        DOCKER_HUB => "https://app.docker.com/settings/personal-access-tokens",
        // Only tokens of this kind (classic) are taken there.
        "ghcr.io" => "https://github.com/settings/tokens",
        "registry.gitlab.com" => "https://gitlab.com/-/user_settings/personal_access_tokens",
        "codeberg.org" => "https://codeberg.org/user/settings/applications",
        "gitea.com" => "https://gitea.com/user/settings/applications",
        "registry.redhat.io" => "https://access.redhat.com/terms-based-registry/",
        "nvcr.io" => "https://org.ngc.nvidia.com/setup/api-keys",
        "registry.digitalocean.com" => "https://cloud.digitalocean.com/account/api/tokens",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(secret: &str) -> Option<&'static str> {
        form_of(secret).map(|form| form.name)
    }

    /// One token of each form, made up.
    fn examples() -> Vec<(&'static str, String)> {
        let part = |part: &Part| match part {
            Mark(mark) => char::from(*mark).to_string(),
            Run(Hex, lengths) => "0f".repeat(lengths.end() / 2),
            Run(alphabet, lengths) => {
                let odd = if *alphabet == UrlSafe { "-_Z9" } else { "z9" };
                odd.chars().cycle().take(*lengths.end()).collect()
            }
        };
        let whole =
            |form: &Form| form.prefix.to_owned() + &form.body.iter().map(part).collect::<String>();
        FORMS.iter().map(|form| (form.name, whole(form))).collect()
    }

    #[test]
    fn each_form_is_known_to_the_character() {
        for (form, token) in examples() {
            assert_eq!(name(&token), Some(form), "{token}");
            for other in [
                format!("{token}x"),
                format!("{token}\n"),
                format!(" {token}"),
                format!("x{token}"),
                token[..token.len() - 1].to_owned(),
                token.replacen(['z', 'Z', 'f'], "é", 1),
                token.replacen(['z', 'Z', 'f'], "+", 1),
                token.to_uppercase(),
            ] {
                assert_eq!(name(&other), None, "{other}");
            }
        }
    }

    #[test]
    fn what_looks_like_one_is_a_password() {
        for password in [
            "",
            "glpat-",
            "ghp_",
            "correct horse battery",
            // Nobody's form: GitLab's with a prefix of the instance's own, Gitea's 40 hex digits.
            "acme-glpat-0123456789abcdefghij",
            "0123456789abcdef0123456789abcdef01234567",
            "glpat-0123456789abcdefghij.01",
            "github_pat_0123456789abcdefghijklmnop",
            "dckr_pat_short",
            // A runner's, which no registry takes.
            "glrt-0123456789abcdefghij",
        ] {
            assert_eq!(name(password), None, "{password}");
        }
    }

    #[test]
    fn a_token_is_not_shown() {
        let (_, token) = examples().remove(0);
        let shown = format!("{:?}", PersonalToken::recognize(&Password::new(token)));
        assert_eq!(shown, "Some(PersonalToken(GitLab access token, ..))");
    }
}
