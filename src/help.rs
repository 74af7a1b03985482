//! What `--help` and the man pages say after the options: examples, and for the whole program its
//! environment, files and exit statuses. Each part is a heading and indented lines.

pub(crate) const PROGRAM: &str = "\
Examples:
  docker-credential-refresh configure --fallback none
  docker login registry.example.com
  docker-credential-refresh status
  docker-credential-refresh unconfigure

Environment:
  Each wins over the setting of its name in config.toml.

  DOCKER_CREDENTIAL_REFRESH_KEYCHAIN
          Where new logins are kept [default: auto]
  DOCKER_CREDENTIAL_REFRESH_FALLBACK
          The helper for logins that cannot be exchanged [default: none]
  DOCKER_CREDENTIAL_REFRESH_PERSONAL_TOKENS
          keep or refuse: personal tokens that cannot be exchanged [default: refuse]
  DOCKER_CREDENTIAL_REFRESH_MINT
          off, auto or an API: passwords become tokens of the registry [default: off]
  DOCKER_CREDENTIAL_REFRESH_PROFILE
          Which set of logins to use [default: default]
  DOCKER_CREDENTIAL_REFRESH_REVOKE_ON_ERASE
          Whether docker logout also revokes the token [default: false]
  DOCKER_CREDENTIAL_REFRESH_SECRET_SERVICE_SESSION
          How secrets cross the session bus: plain or encrypted [default: plain]
  DOCKER_CREDENTIAL_REFRESH_INSECURE
          Registries that may be reached by plain http: HOST,HOST
  DOCKER_CREDENTIAL_REFRESH_TRUST_REALM
          Token servers that get a registry's logins: HOST=ORIGIN,HOST=ORIGIN
  DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY
          The key of the file keychain, or the path of a file with it
  DOCKER_CREDENTIAL_REFRESH_TRACE
          1 traces to standard error, an absolute path to that file

  DOCKER_CONFIG, REGISTRY_AUTH_FILE, HTTPS_PROXY, HTTP_PROXY, NO_PROXY, SSL_CERT_FILE,
  SSL_CERT_DIR and NO_COLOR mean what they mean to the clients.

Files:
  ~/.config/docker-credential-refresh/config.toml
          Settings
  ~/.config/docker-credential-refresh/age-identity.txt
          The key of the file keychain
  ~/.local/share/docker-credential-refresh/logins/
          The encrypted logins of the file keychain
  ~/.local/state/docker-credential-refresh/
          The login records, without secrets
  ~/.docker/config.json
          Docker's settings, which configure, unconfigure and import change

Exit status:
  0  done
  1  any other failure
  2  wrong arguments or settings
  3  not logged in
  4  rejected by the token server
  5  no refresh token available
  6  the keychain is locked or cannot be used
  7  network or TLS
  8  refused by a trust rule
  9  the token may still be valid at the server";

pub(crate) const LOGIN: &str = "\
Examples:
  docker-credential-refresh login registry.example.com
  printf %s \"$PASSWORD\" |
      docker-credential-refresh login -u alice --password-stdin registry.example.com
  docker-credential-refresh login --identity-token-stdin registry.example.com < refresh-token
  az account get-access-token --query accessToken -o tsv |
      docker-credential-refresh login --aad-token-stdin example.azurecr.io
  docker-credential-refresh login --web registry.example.com
  docker-credential-refresh login --trust-realm https://auth.example.net registry.example.com";

pub(crate) const LOGOUT: &str = "\
Examples:
  docker-credential-refresh logout registry.example.com
  docker-credential-refresh logout --revoke registry.example.com
  docker-credential-refresh logout --all";

pub(crate) const TOKEN: &str = "\
Examples:
  docker-credential-refresh token registry.example.com --pull team/app
  docker-credential-refresh token registry.example.com --push team/app --json

  curl -H \"$(docker-credential-refresh token registry.example.com --pull team/app --header)\" \\
      https://registry.example.com/v2/team/app/tags/list";

pub(crate) const REVOKE: &str = "\
Examples:
  docker-credential-refresh revoke registry.example.com
  docker-credential-refresh revoke --all
  docker-credential-refresh revoke --token-stdin registry.example.com < leaked-token
  printf %s \"$PASSWORD\" | docker-credential-refresh revoke --password-stdin git.example.com";

pub(crate) const KEYGEN: &str = "\
Examples:
  docker-credential-refresh keygen --install
  export DOCKER_CREDENTIAL_REFRESH_AGE_IDENTITY=$(docker-credential-refresh keygen)";

pub(crate) const CONFIGURE: &str = "\
Examples:
  docker-credential-refresh configure --fallback none
  docker-credential-refresh configure --fallback secretservice
  docker-credential-refresh configure --keep-tokens --fallback none
  docker-credential-refresh configure --registry git.example.com --mint auto --fallback none
  docker-credential-refresh configure --registry registry.example.com --fallback none
  docker-credential-refresh configure --no-podman --fallback none";

pub(crate) const UNCONFIGURE: &str = "\
Examples:
  docker-credential-refresh unconfigure";

pub(crate) const IMPORT: &str = "\
Examples:
  docker-credential-refresh import
  docker-credential-refresh import --yes
  docker-credential-refresh import --configure --fallback none --yes
  docker-credential-refresh import --from pass --registry registry.example.com --yes";

pub(crate) const MIGRATE: &str = "\
Examples:
  docker-credential-refresh migrate --to file --all
  docker-credential-refresh migrate --to secret-service registry.example.com";

pub(crate) const STATUS: &str = "\
Examples:
  docker-credential-refresh status
  docker-credential-refresh status --check
  docker-credential-refresh status --check --all-profiles
  docker-credential-refresh status --renew example.azurecr.io
  docker-credential-refresh status registry.example.com --json";

pub(crate) const CHECK: &str = "\
Examples:
  docker-credential-refresh check registry.example.com
  docker-credential-refresh check --json registry.example.com
  docker-credential-refresh check -u alice --password-stdin registry.example.com < password";

pub(crate) const DOCTOR: &str = "\
Examples:
  docker-credential-refresh doctor
  docker-credential-refresh doctor registry.example.com";

pub(crate) const COMPLETIONS: &str = "\
Examples:
  bash: mkdir -p ~/.local/share/bash-completion/completions
        docker-credential-refresh completions bash \\
            > ~/.local/share/bash-completion/completions/docker-credential-refresh
  zsh:  mkdir -p ~/.zfunc
        docker-credential-refresh completions zsh > ~/.zfunc/_docker-credential-refresh
        # in ~/.zshrc, before compinit: fpath+=(~/.zfunc)
  fish: mkdir -p ~/.config/fish/completions
        docker-credential-refresh completions fish \\
            > ~/.config/fish/completions/docker-credential-refresh.fish";
