# The program from this source tree: nix-build packaging/nix
{
  pkgs ? import <nixpkgs> { },
}:
let
  inherit (pkgs) lib rustPlatform installShellFiles;
  manifest = (lib.importTOML ../../Cargo.toml).package;
in
rustPlatform.buildRustPackage {
  pname = manifest.name;
  inherit (manifest) version;
  src = lib.cleanSource ../..;
  cargoLock.lockFile = ../../Cargo.lock;
  nativeBuildInputs = [ installShellFiles ];
  # The tests start daemons and registries, which a build has none of.
  doCheck = false;
  postInstall = ''
    cargo run --offline --example man man
    installManPage man/*.1
    for shell in bash zsh fish; do
      $out/bin/docker-credential-refresh completions $shell > completions.$shell
    done
    installShellCompletion --cmd docker-credential-refresh \
      --bash completions.bash --zsh completions.zsh --fish completions.fish
    install -Dm644 -t $out/share/licenses/docker-credential-refresh LICENSE
  '';
  meta = {
    inherit (manifest) description;
    license = lib.licenses.mit;
    mainProgram = manifest.name;
    platforms = lib.platforms.linux ++ lib.platforms.darwin;
  };
}
