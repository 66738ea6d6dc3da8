# The nix-darwin module: the guard of this Mac, and its exporter.
#
#     services.codex-es-guard = {
#       enable = true;
#       user = "yourname";
#       protectedZones = [ "/Users/yourname/projects" ];
#     };
#
# The daemon needs an entitlement, which lies in a signature, which no build in the Nix store has.
# Its job therefore starts the signed bundle below /Applications, and by its own path: the wrapper
# that nix-darwin puts around `command` would make /bin/sh the program that macOS asks permission
# for. The exporter needs nothing and comes from the store.
self:
{ config, lib, pkgs, ... }:

let
  cfg = config.services.codex-es-guard;
  home = "/Users/${cfg.user}";
  zoneArguments = lib.concatMap (zone: [ "--protect" zone ]) cfg.protectedZones;
  exporterArguments = [
    "${cfg.package}/bin/guard-exporter"
    "--listen"
    "${cfg.exporter.listenAddress}:${toString cfg.exporter.port}"
  ] ++ cfg.exporter.extraFlags;
in
{
  options.services.codex-es-guard = {
    enable = lib.mkEnableOption "codex-es-guard, which keeps coding agents from removing what you protect";

    package = lib.mkOption {
      type = lib.types.package;
      default = self.packages.${pkgs.stdenv.hostPlatform.system}.default;
      defaultText = lib.literalExpression "codex-es-guard.packages.\${system}.default";
      description = "Where the command line and the exporter come from.";
    };

    bundle = lib.mkOption {
      type = lib.types.path;
      default = "/Applications/codex-es-guard.app";
      description = "The signed bundle whose program judges. It has the entitlement.";
    };

    user = lib.mkOption {
      type = lib.types.str;
      example = "yourname";
      description = ''
        Whose policy, denial log and metrics these are. The exporter runs as this user, and reads the
        rings that the daemon keeps in /private/var/db/codex-es-guard, where only root writes.
      '';
    };

    protectedZones = lib.mkOption {
      type = lib.types.listOf lib.types.str;
      default = [ ];
      example = [ "/Users/yourname/projects" ];
      description = ''
        Directories to protect, besides those that ~/.codex/es_policy.json names. That file is left
        alone, and so are the overrides in it.
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
        description = "More words for the exporter's command line.";
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
    ];

    environment.systemPackages = [ cfg.package ];

    launchd.daemons.codex-es-guard.serviceConfig = {
      Label = "dev.codex-es-guard";
      ProgramArguments = [ "${cfg.bundle}/Contents/MacOS/codex-es-guard" "daemon" ] ++ zoneArguments;
      EnvironmentVariables.HOME = home;
      RunAtLoad = true;
      KeepAlive = true;
      ProcessType = "Interactive";
      ThrottleInterval = 10;
      LegacyTimers = true;
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

    system.activationScripts.postActivation.text = lib.mkAfter ''
      if [ ! -x ${lib.escapeShellArg "${cfg.bundle}/Contents/MacOS/codex-es-guard"} ]; then
        echo "codex-es-guard: ${cfg.bundle} is not there; nothing is protected until it is" >&2
      fi
    '';
  };
}
