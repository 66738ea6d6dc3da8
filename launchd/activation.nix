# What module.nix adds to nix-darwin's activation: `install` before jobs are loaded, `sync` after. Both
# can be run again and again: what is there as it should be is left alone.
#
# A bundle that cannot be signed or does not verify ends the activation before anything is changed: the
# old bundle stays, and so does the configuration in force. nix-darwin loads a job whose property list
# changed; where it did not, `install` restarts the daemon itself.
{ lib, home, entitlements, user, signing, bundle, bundlePath, provisioningProfile, job, policy }:

let
  quote = lib.escapeShellArg;
  # As they are in the store, so that the system that is activated holds on to them.
  stored = value: if value == null then "" else "${value}";
  # All that decides what is installed.
  parts = lib.escapeShellArgs (
    builtins.filter (part: part != "") [ (stored entitlements) (stored provisioningProfile) ]
  );

  sign =
    if signing == "none" then
      ""
    else
      let
        identity = if signing == "adhoc" then "-" else signing;
        timestamp = if signing == "adhoc" then "--timestamp=none" else "--timestamp";
        codesign = "codesign --force --sign ${quote identity} ${timestamp} --options runtime";
      in
      ''
        ${codesign} "$new/Contents/MacOS/guard-companion"
        ${codesign} "$new/Contents/MacOS/guard-exporter"
        ${codesign} --entitlements ${quote (stored entitlements)} "$new"
      '';
in
{
  install = ''
    # codex-es-guard: copy, sign and verify the bundle.
    codexEsGuardVerify() {
      codesign --verify --deep --strict "$1" || return 1
      "$1/Contents/MacOS/codex-es-guard" --version >/dev/null || {
        echo "macOS does not run $1, or it fails; an ad-hoc signature needs System Integrity Protection" \
          "and AMFI off, and an identity needs a provisioning profile: see services.codex-es-guard.signing" >&2
        return 1
      }
    }
    codexEsGuardInstall() (
      target=${quote bundlePath}
      new=''${target%.app}.new.app
      old=''${target%.app}.old.app
      stamp=/var/db/codex-es-guard.bundle
      wanted=$(
        cd ${quote (stored bundle)}
        echo ${quote signing}
        sha256sum ${parts}
        find . -type f -print0 | sort -z | xargs -0 sha256sum
      )
      if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && codexEsGuardVerify "$target" 2>/dev/null; then
        exit 0
      fi
      echo "codex-es-guard: installing $target" >&2
      rm -rf "$new" "$old"
      cp -R ${quote (stored bundle)} "$new"
      chmod -R u+w,go-w "$new"
      ${lib.optionalString (provisioningProfile != null) ''
        cp ${quote (stored provisioningProfile)} "$new/Contents/embedded.provisionprofile"
      ''}
      ${sign}
      if ! codexEsGuardVerify "$new"; then
        rm -rf "$new"
        echo "error: codex-es-guard: the signature of ${stored bundle} does not verify" \
          "(signing = ${signing}); nothing was changed" >&2
        exit 1
      fi
      rm -f "$stamp"
      if [ -e "$target" ]; then mv "$target" "$old"; fi
      mv "$new" "$target"
      rm -rf "$old"
      printf '%s\n' "$wanted" >"$stamp"
      # Where the job stays as it is, nix-darwin does not restart it.
      if cmp -s ${quote (stored job)} /Library/LaunchDaemons/dev.codex-es-guard.plist; then
        launchctl kickstart -k system/dev.codex-es-guard || true
      fi
    )
    codexEsGuardInstall
  '';

  sync = ''
    # codex-es-guard: write a policy where there is none, as the user, in whose home root follows no link.
    codexEsGuardSync() (
      home=${quote home}
      if [ ! -x ${quote "${bundlePath}/Contents/MacOS/codex-es-guard"} ]; then
        echo ${quote "codex-es-guard: ${bundlePath} is not there; nothing is protected until it is"} >&2
      fi
      if [ ! -d "$home" ]; then
        echo "codex-es-guard: $home is not there; the guard waits for it and for a policy" >&2
        exit 0
      fi
      policy=$home/.codex/es_policy.json
      if [ -e "$policy" ] || [ -L "$policy" ]; then
        exit 0
      fi
      echo "codex-es-guard: creating $policy" >&2
      if sudo --user=${quote user} -- /bin/sh -c \
        'umask 077; mkdir -p "$1" && set -C && cat >"$1/es_policy.json"' sh "$home/.codex" <${quote (stored policy)}
      then
        # A guard that started without the file would take it up only until it sees an agent.
        launchctl kickstart -k system/dev.codex-es-guard || true
      else
        echo "codex-es-guard: $policy could not be created" >&2
      fi
    )
    codexEsGuardSync
  '';
}
