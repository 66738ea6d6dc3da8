# What flake.nix and launchd/module.nix evaluate to, with just so much of nixpkgs and nix-darwin as they
# use: every option gets its default or what is set here. For .ci/deployment, where there is neither;
# it holds the jobs against the list of nix-darwin's options.
#
# `scratch` is the directory in place of / for what the activation script changes.
{ scratch ? "/scratch" }:
let
  lib = {
    all = builtins.all;
    cleanSource = source: source;
    concatMap = builtins.concatMap;
    elem = builtins.elem;
    escapeShellArg = text: "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] text}'";
    escapeShellArgs = words: builtins.concatStringsSep " " (map lib.escapeShellArg words);
    genAttrs = names: make:
      builtins.listToAttrs (map (name: { inherit name; value = make name; }) names);
    generators.toPlist = { escape }: assert escape; builtins.toJSON;
    hasPrefix = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;
    licenses = { mit = "MIT"; asl20 = "Apache-2.0"; };
    literalExpression = text: text;
    literalMD = text: text;
    mkAfter = value: value;
    mkEnableOption = text: { option = true; default = false; description = text; };
    mkForce = value: value;
    mkIf = condition: value: if condition then value else { };
    mkOption = given: given // { option = true; };
    optionalAttrs = condition: value: if condition then value else { };
    optionalString = condition: value: if condition then value else "";
    platforms.darwin = [ "aarch64-darwin" "x86_64-darwin" ];
    types = {
      attrsOf = type: type;
      listOf = type: type;
      nullOr = type: type;
      bool = null;
      package = null;
      path = null;
      port = null;
      str = null;
    };
  };

  isDarwin = system: lib.elem system lib.platforms.darwin;
  pkgs = system: {
    installShellFiles = "installShellFiles";
    mkShell = given: given;
    runCommand = name: given: script: given // { inherit name script; outPath = "/nix/store/${name}"; };
    rustPlatform.buildRustPackage = given: given // { outPath = "/nix/store/codex-es-guard"; };
    stdenv.hostPlatform = { inherit system; isDarwin = isDarwin system; };
    writeText = name: text: toString (builtins.toFile name text);
  } // lib.genAttrs [
    "cargo" "cargo-deny" "clippy" "jq" "prometheus" "prometheus-alertmanager" "python3"
    "rust-analyzer" "rustc" "rustfmt" "typos"
  ] (name: name) // lib.optionalAttrs (isDarwin system) {
    darwin.signingUtils = "signingUtils";
  };

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

  evaluated = { users ? { } }: set:
    let
      module = self.darwinModules.default {
        inherit lib config;
        pkgs = pkgs "aarch64-darwin";
      };
      config = {
        services.codex-es-guard = settled module.options.services.codex-es-guard set;
        users.users = users;
        launchd = module.config.launchd;
        # nix-darwin writes each text into the store.
        environment.launchDaemons = builtins.mapAttrs
          (name: file: file // { source = builtins.toFile name file.text; })
          module.config.environment.launchDaemons;
      };
    in
    module.config;

  minimal = {
    enable = true;
    user = "USER";
    protectedZones = [ "/Users/USER/projects" ];
  };
  usual = evaluated { } minimal;
  failed = set: builtins.length
    (builtins.filter (one: !one.assertion) (evaluated { } ({ enable = true; user = "u"; } // set)).assertions);
  scripts = set:
    let made = evaluated { users.USER.home = "${scratch}/home"; }
      (minimal // { bundlePath = "${scratch}/Applications/guard.app"; } // set);
    in
    {
      install = made.system.activationScripts.extraActivation.text or "";
      sync = made.system.activationScripts.postActivation.text;
      job = made.environment.launchDaemons."dev.codex-es-guard.plist".text;
    };
  developer = {
    signing = "Developer ID Application: It's an Example (ABCDE12345)";
    provisioningProfile = "${scratch}/profile";
  };
in
{
  daemon = usual.launchd.daemons.codex-es-guard.serviceConfig;
  exporter = usual.launchd.daemons.codex-es-guard-exporter;
  plists = builtins.mapAttrs (name: file: builtins.fromJSON file.text) usual.environment.launchDaemons;
  elsewhere = (evaluated { users.USER.home = "/Volumes/Ext/u"; } minimal)
    .launchd.daemons.codex-es-guard.serviceConfig.EnvironmentVariables.HOME;
  nowhere = (evaluated { users.USER.home = null; } minimal)
    .launchd.daemons.codex-es-guard.serviceConfig.EnvironmentVariables.HOME;
  disabled = evaluated { } { enable = false; user = "u"; };
  refused = {
    nothing = failed { };
    root = failed { user = "root"; };
    relative = failed { protectedZones = [ "projects" ]; };
    elsewhere = failed { exporter.listenAddress = "0.0.0.0"; };
    signed = failed developer;
    teamless = failed (developer // { signing = "Nobody's certificate"; });
    profileless = failed { inherit (developer) signing; };
  };
  scripts = {
    adhoc = scripts { bundle = "${scratch}/source.app"; };
    other = scripts { bundle = "${scratch}/other.app"; };
    none = scripts { bundle = "${scratch}/source.app"; signing = "none"; };
    developer = scripts (developer // { bundle = "${scratch}/source.app"; });
    byHand = scripts { bundle = null; };
  };
  package = removeAttrs self.packages.aarch64-darwin.default [ "src" "cargoLock" ];
  bundle = removeAttrs self.packages.aarch64-darwin.bundle [ "nativeBuildInputs" ];
  packages = builtins.mapAttrs (system: builtins.attrNames) self.packages;
  shell = self.devShells.x86_64-linux.default;
}
