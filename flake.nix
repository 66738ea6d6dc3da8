{
  description = "Lets coding agents do everything except destroy what you protect";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixpkgs-unstable";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      # Releases of nixpkgs from 26.11 on have no x86_64-darwin any more; older ones have.
      systems = [ "aarch64-darwin" "x86_64-darwin" "aarch64-linux" "x86_64-linux" ];
      forEach = make: lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
      manifest = builtins.fromTOML (builtins.readFile ./Cargo.toml);

      # The programs, beside each other as they want to be. On macOS the guard is not signed here and
      # so has no entitlement: it says so and judges nothing. launchd/module.nix signs the bundle.
      programs = pkgs: pkgs.rustPlatform.buildRustPackage {
        pname = "codex-es-guard";
        version = manifest.workspace.package.version;
        src = lib.cleanSource self;
        cargoLock.lockFile = ./Cargo.lock;
        cargoBuildFlags = [ "--package" "codex-es-guard" "--package" "guard-companion" "--package" "guard-exporter" ];
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
          description = "Lets coding agents do everything except destroy what you protect";
          homepage = manifest.workspace.package.repository;
          license = with lib.licenses; [ mit asl20 ];
          mainProgram = "codex-es-guard";
          platforms = systems;
        };
      };

      # The bundle that macOS wants around a program with a restricted entitlement, not yet signed with
      # it. A hardened program loads no library of the Nix store: each is replaced by macOS's own.
      bundle = pkgs: pkgs.runCommand "codex-es-guard-bundle"
        {
          nativeBuildInputs = [ pkgs.darwin.signingUtils ];
          meta.platforms = lib.platforms.darwin;
        }
        ''
          contents=$out/Applications/codex-es-guard.app/Contents
          mkdir -p $contents/MacOS
          cp ${./launchd/Info.plist} $contents/Info.plist
          for program in codex-es-guard guard-companion guard-exporter; do
            install -m 755 ${programs pkgs}/bin/$program $contents/MacOS/$program
            for library in $(otool -L $contents/MacOS/$program | sed -n 's|^\t\(/nix/store/[^ ]*\) .*|\1|p'); do
              install_name_tool -change $library /usr/lib/$(basename $library) $contents/MacOS/$program
            done
            signIfRequired $contents/MacOS/$program
          done
        '';
    in
    {
      packages = forEach (pkgs: rec {
        codex-es-guard = programs pkgs;
        default = codex-es-guard;
      } // lib.optionalAttrs pkgs.stdenv.hostPlatform.isDarwin {
        bundle = bundle pkgs;
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
            typos
          ];
        };
      });

      darwinModules.default = import ./launchd/module.nix self;
    };
}
