class DockerCredentialRefresh < Formula
  desc "Docker credential helper that keeps a refresh token, not your password"
  homepage "@REPOSITORY@"
  url "@RELEASE@/docker-credential-refresh-@VERSION@-source.tar.gz"
  sha256 "@SHA256 source.tar.gz@"
  license "MIT"

  depends_on "rust" => :build

  def install
    system "cargo", "install", *std_cargo_args
    system "cargo", "run", "--locked", "--example", "man", "man"
    man1.install Dir["man/*.1"]
    generate_completions_from_executable(bin/"docker-credential-refresh", "completions")
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/docker-credential-refresh version")
  end
end
