# The nix-darwin module: the guard of this Mac, and its exporter.
#
#     services.codex-es-guard = {
#       enable = true;
#       user = "yourname";
#       protectedZones = [ "/Users/yourname/projects" ];
#     };
#
# Activation copies the bundle, signs and verifies it, starts both jobs, and writes a policy file where
# there is none, in this order; activation.nix is the script. Each step that was done is left as it is.
#
# The daemon needs an entitlement, which is part of a signature, which no build in the Nix store has.
# Its job therefore runs the signed bundle below /Applications, and by its own path: the wrapper that
# nix-darwin puts around `command` would make /bin/sh the program that macOS asks permission for. The
# exporter needs no entitlement and runs from the store.
self:
{ config, lib, pkgs, ... }:

let
  cfg = config.services.codex-es-guard;
  inherit (pkgs.stdenv.hostPlatform) system;

  account = config.users.users.${cfg.user} or { };
  home = if account.home or null == null then "/Users/${cfg.user}" else toString account.home;

  bundlePath = toString cfg.bundlePath;
  program = "${bundlePath}/Contents/MacOS/codex-es-guard";
  zoneArguments = lib.concatMap (zone: [ "--protect" zone ]) cfg.protectedZones;
  exporterArguments = [
    "${cfg.package}/bin/guard-exporter"
    "--listen"
    "${cfg.exporter.listenAddress}:${toString cfg.exporter.port}"
  ] ++ cfg.exporter.extraFlags;

  hasIdentity = !lib.elem cfg.signing [ "none" "adhoc" ];
  # `Developer ID Application: Example Ltd (ABCDE12345)` names its team.
  teamOfIdentity =
    let found = builtins.match ".*\\(([A-Z0-9]{10})\\)" cfg.signing;
    in if found == null then null else builtins.head found;
  entitlements =
    if hasIdentity && cfg.teamIdentifier != null then
      pkgs.writeText "entitlements.plist" (
        builtins.replaceStrings [ "TEAMID" ] [ cfg.teamIdentifier ]
          (builtins.readFile ./entitlements.developer-id.plist)
      )
    else
      ./entitlements.plist;

  activation = import ./activation.nix {
    inherit lib home bundlePath entitlements;
    inherit (cfg) user signing bundle provisioningProfile;
    job = config.environment.launchDaemons."dev.codex-es-guard.plist".source;
    policy = pkgs.writeText "es_policy.json" (builtins.toJSON {
      protected_zones = cfg.protectedZones;
      temporary_overrides = [ ];
    });
  };

  # Keys of launchd.plist(5) that nix-darwin has no option for. The jobs are nix-darwin's otherwise, so
  # that its options check them and a configuration can change them.
  withUnknownKeys = job: keys: lib.mkForce (
    lib.generators.toPlist { escape = true; } (job.serviceConfig // keys)
  );
  ofBundle.AssociatedBundleIdentifiers = [ "io.github.jiaqiwang969.codex-es-guard" ];
in
{
  options.services.codex-es-guard = {
    enable = lib.mkEnableOption "codex-es-guard, which keeps coding agents from removing what you protect";

    package = lib.mkOption {
      type = lib.types.package;
      default = self.packages.${system}.codex-es-guard;
      defaultText = lib.literalExpression "codex-es-guard.packages.\${system}.codex-es-guard";
      description = "The package of the command line and the exporter.";
    };

    bundle = lib.mkOption {
      type = lib.types.nullOr lib.types.path;
      default = "${self.packages.${system}.bundle}/Applications/codex-es-guard.app";
      defaultText = lib.literalExpression
        "\"\${codex-es-guard.packages.\${system}.bundle}/Applications/codex-es-guard.app\"";
      description = ''
        The bundle to install at {option}`services.codex-es-guard.bundlePath`. With `null` nothing is
        installed or signed; the daemon waits for a bundle there, and you restart it when you replace
        the bundle.
      '';
    };

    bundlePath = lib.mkOption {
      type = lib.types.path;
      default = "/Applications/codex-es-guard.app";
      description = "Where the signed bundle is, whose program the daemon runs.";
    };

    signing = lib.mkOption {
      type = lib.types.str;
      default = "adhoc";
      example = "Developer ID Application: Example Ltd (ABCDE12345)";
      description = ''
        How to sign the installed bundle: `"adhoc"`, `"none"` for a bundle that is signed already, or
        an identity in the system keychain. The entitlement for Endpoint Security is restricted: macOS
        accepts an ad-hoc signature only with System Integrity Protection and AMFI off, and an identity
        only with a provisioning profile that Apple grants.
      '';
    };

    teamIdentifier = lib.mkOption {
      type = lib.types.nullOr lib.types.str;
      default = teamOfIdentity;
      defaultText = lib.literalMD "what {option}`services.codex-es-guard.signing` has in parentheses";
      description = "The team of the signing identity.";
    };

    provisioningProfile = lib.mkOption {
      type = lib.types.nullOr lib.types.path;
      default = null;
      description = "The provisioning profile to put into the bundle before it is signed.";
    };

    user = lib.mkOption {
      type = lib.types.str;
      example = "yourname";
      description = ''
        Whose files, policy, denial log and metrics these are. The home is that of
        {option}`users.users`, else below /Users. The exporter runs as this user, and reads the rings
        that the daemon keeps in /private/var/db/codex-es-guard, where only root writes.
      '';
    };

    protectedZones = lib.mkOption {
      type = lib.types.listOf lib.types.str;
      default = [ ];
      example = [ "/Users/yourname/projects" ];
      description = ''
        Directories to protect, besides those that ~/.codex/es_policy.json names. Where there is no
        such file, it is created with these; one that exists is never changed, nor are its overrides.
      '';
    };

    exporter = {
      enable = lib.mkOption {
        type = lib.types.bool;
        default = true;
        description = "Whether to write the denial log and serve metrics.";
      };

      listenAddress = lib.mkOption {
        type = lib.types.str;
        default = "127.0.0.1";
        description = "The loopback address to serve on; the exporter refuses any other.";
      };

      port = lib.mkOption {
        type = lib.types.port;
        default = 19477;
        description = "The port to serve on.";
      };

      extraFlags = lib.mkOption {
        type = lib.types.listOf lib.types.str;
        default = [ ];
        description = "Further arguments of the exporter.";
      };

      environment = lib.mkOption {
        type = lib.types.attrsOf lib.types.str;
        default = { };
        example = { OTEL_EXPORTER_OTLP_ENDPOINT = "http://127.0.0.1:4318"; };
        description = "The exporter's environment, besides HOME.";
      };
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = cfg.user != "" && cfg.user != "root";
        message = "services.codex-es-guard.user is the person whose files are protected, not root";
      }
      {
        assertion = lib.all (lib.hasPrefix "/") cfg.protectedZones;
        message = "services.codex-es-guard.protectedZones: each is an absolute path";
      }
      {
        assertion = lib.elem cfg.exporter.listenAddress [ "127.0.0.1" "[::1]" ];
        message = "services.codex-es-guard.exporter.listenAddress is 127.0.0.1 or [::1]";
      }
      {
        assertion = hasIdentity -> cfg.signing != "" && cfg.teamIdentifier != null;
        message = "services.codex-es-guard.signing is \"none\", \"adhoc\" or an identity with its team; set teamIdentifier if the identity does not end with it in parentheses";
      }
      {
        assertion = hasIdentity -> cfg.provisioningProfile != null;
        message = "services.codex-es-guard.provisioningProfile is needed with an identity: macOS kills a program that claims the entitlement without one";
      }
    ];

    environment.systemPackages = [ cfg.package ];

    launchd.daemons.codex-es-guard.serviceConfig = {
      Label = "dev.codex-es-guard";
      ProgramArguments = [ program "daemon" ] ++ zoneArguments;
      EnvironmentVariables.HOME = home;
      RunAtLoad = true;
      KeepAlive.PathState.${program} = true;
      ProcessType = "Interactive";
      ThrottleInterval = 10;
      WorkingDirectory = "/";
      Umask = 63;
      ExitTimeOut = 5;
      StandardOutPath = "/Library/Logs/codex-es-guard.log";
      StandardErrorPath = "/Library/Logs/codex-es-guard.log";
    };

    launchd.daemons.codex-es-guard-exporter = lib.mkIf cfg.exporter.enable {
      command = lib.escapeShellArgs exporterArguments;
      serviceConfig = {
        Label = "dev.codex-es-guard.exporter";
        UserName = cfg.user;
        EnvironmentVariables = { HOME = home; } // cfg.exporter.environment;
        RunAtLoad = true;
        KeepAlive.SuccessfulExit = false;
        ThrottleInterval = 30;
        ProcessType = "Background";
        LowPriorityIO = true;
        Umask = 63;
        ExitTimeOut = 20;
        StandardErrorPath = "${home}/Library/Logs/guard-exporter.log";
      };
    };

    environment.launchDaemons = {
      "dev.codex-es-guard.plist".text =
        withUnknownKeys config.launchd.daemons.codex-es-guard (ofBundle // { LegacyTimers = true; });
      "dev.codex-es-guard.exporter.plist" = lib.mkIf cfg.exporter.enable {
        text = withUnknownKeys config.launchd.daemons.codex-es-guard-exporter ofBundle;
      };
    };

    # nix-darwin runs extraActivation before it loads jobs, and postActivation after.
    system.activationScripts.extraActivation.text = lib.mkIf (cfg.bundle != null) activation.install;
    system.activationScripts.postActivation.text = lib.mkAfter activation.sync;
  };
}
