{
  description = "Lets coding agents do everything except destroy what you told them to keep";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixpkgs-unstable";

  outputs =
    { self, nixpkgs }:
    let
      systems = [ "aarch64-darwin" "x86_64-darwin" "aarch64-linux" "x86_64-linux" ];
      forEach = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
      manifest = builtins.fromTOML (builtins.readFile ./Cargo.toml);
    in
    {
      # Both programs, beside each other as they want to be. On macOS the guard is not signed here:
      # it says so and judges nothing; see launchd/module.nix.
      packages = forEach (pkgs: {
        default = pkgs.rustPlatform.buildRustPackage {
          pname = "codex-es-guard";
          version = manifest.workspace.package.version;
          src = nixpkgs.lib.cleanSource self;
          cargoLock.lockFile = ./Cargo.lock;
          cargoBuildFlags = [ "--package" "codex-es-guard" "--package" "guard-exporter" ];
          # The other crates' tests start sessions of real processes, which a build sandbox forbids.
          cargoTestFlags = [ "--package" "guard-core" ];
          nativeBuildInputs = [ pkgs.installShellFiles ];
          postInstall = ''
            for shell in bash fish zsh; do
              $out/bin/codex-es-guard completions $shell > codex-es-guard.$shell
            done
            installShellCompletion codex-es-guard.{bash,fish,zsh}
            mkdir -p $out/share/codex-es-guard
            cp -r dashboards $out/share/codex-es-guard/
          '';
          meta = {
            description = "Lets coding agents do everything except destroy what you told them to keep";
            homepage = manifest.workspace.package.repository;
            license = with nixpkgs.lib.licenses; [ mit asl20 ];
            mainProgram = "codex-es-guard";
            platforms = systems;
          };
        };
      });

      # What the checks in .ci need, but for the Rust targets and nightly, which rustup brings.
      devShells = forEach (pkgs: {
        default = pkgs.mkShell {
          packages = with pkgs; [
            cargo
            cargo-deny
            clippy
            jq
            prometheus
            prometheus-alertmanager
            python3
            rust-analyzer
            rustc
            rustfmt
          ];
        };
      });

      darwinModules.default = import ./launchd/module.nix self;
    };
}
