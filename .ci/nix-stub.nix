# What flake.nix and launchd/module.nix come to, with just so much of nixpkgs and nix-darwin as they
# use: every option gets its default or what is set here. For .ci/nix-module, where there is neither.
let
  lib = {
    all = builtins.all;
    cleanSource = source: source;
    concatMap = builtins.concatMap;
    elem = builtins.elem;
    escapeShellArg = text: "'${text}'";
    escapeShellArgs = words: builtins.concatStringsSep " " (map lib.escapeShellArg words);
    genAttrs = names: make:
      builtins.listToAttrs (map (name: { inherit name; value = make name; }) names);
    hasPrefix = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;
    licenses = { mit = "MIT"; asl20 = "Apache-2.0"; };
    literalExpression = text: text;
    mkAfter = value: value;
    mkEnableOption = text: { option = true; default = false; description = text; };
    mkIf = condition: value: if condition then value else { };
    mkOption = given: given // { option = true; };
    types = {
      attrsOf = type: type;
      listOf = type: type;
      bool = null;
      package = null;
      path = null;
      port = null;
      str = null;
    };
  };

  pkgs = system: {
    installShellFiles = "installShellFiles";
    mkShell = given: given;
    rustPlatform.buildRustPackage = given: given // { outPath = "/nix/store/codex-es-guard"; };
    stdenv.hostPlatform.system = system;
  } // lib.genAttrs [
    "cargo" "cargo-deny" "clippy" "jq" "prometheus" "prometheus-alertmanager" "python3"
    "rust-analyzer" "rustc" "rustfmt"
  ] (name: name);

  nixpkgs = {
    inherit lib;
    legacyPackages = lib.genAttrs
      [ "aarch64-darwin" "x86_64-darwin" "aarch64-linux" "x86_64-linux" ] pkgs;
  };

  self = { outPath = ../.; } // (import ../flake.nix).outputs { inherit self nixpkgs; };

  # Options with what was set, else their defaults. A value that no option has is an error.
  settled = options: set:
    let
      strange = builtins.filter (name: !(options ? ${name})) (builtins.attrNames set);
      one = name: option:
        if option.option or false then
          set.${name} or option.default or (throw "${name} is not set")
        else
          settled option (set.${name} or { });
    in
    if strange != [ ] then throw "there is no option ${builtins.head strange}"
    else builtins.mapAttrs one options;

  evaluated = set:
    let
      module = self.darwinModules.default {
        inherit lib config;
        pkgs = pkgs "aarch64-darwin";
      };
      config.services.codex-es-guard = settled module.options.services.codex-es-guard set;
    in
    module.config;

  usual = evaluated {
    enable = true;
    user = "USER";
    protectedZones = [ "/Users/USER/projects" ];
  };
  failed = set: builtins.length
    (builtins.filter (one: !one.assertion) (evaluated ({ enable = true; user = "u"; } // set)).assertions);
in
{
  daemon = usual.launchd.daemons.codex-es-guard.serviceConfig;
  exporter = usual.launchd.daemons.codex-es-guard-exporter;
  disabled = evaluated { enable = false; user = "u"; };
  refused = {
    nothing = failed { };
    root = failed { user = "root"; };
    relative = failed { protectedZones = [ "projects" ]; };
    elsewhere = failed { exporter.listenAddress = "0.0.0.0"; };
  };
  package = removeAttrs self.packages.aarch64-darwin.default [ "src" "cargoLock" ];
  shell = self.devShells.x86_64-linux.default;
  systems = builtins.attrNames self.packages;
}
