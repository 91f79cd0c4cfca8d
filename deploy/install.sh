#!/bin/sh
# Installs Gantry's programs on this machine: deploy/install.sh [FOLDER], where FOLDER takes the place of / (for packages and images).
# Starts nothing. Needs the repository with its dependencies (npm ci --ignore-scripts).
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
# shellcheck source=tools/setup.sh
. "$root/tools/setup.sh"
into=${1:-}
prepare_without_engine
lib=$into/usr/lib/gantry
mkdir -p "$lib" "$into/usr/bin" "$into/etc/gantry"
# shellcheck disable=SC2154 # setup.sh leaves it.
"$node" "$root/tools/bundle.ts" --out "$lib"
rm -f "$lib/.stamp"
# The machine's own Node may be older than 24, or go away.
cp -L "$node" "$lib/node.new" && mv "$lib/node.new" "$lib/node"
cat >"$into/usr/bin/gantry" <<'END'
#!/bin/sh
exec /usr/lib/gantry/node /usr/lib/gantry/gantry.mjs "$@"
END
chmod 755 "$into/usr/bin/gantry"
for name in server agent; do
  [ -e "$into/etc/gantry/$name.yaml" ] || install -m 640 "$root/deploy/systemd/$name.yaml" "$into/etc/gantry/$name.yaml"
  [ -e "$into/etc/gantry/$name.env" ] || install -m 600 "$root/deploy/systemd/$name.env" "$into/etc/gantry/$name.env"
done
mkdir -p "$into/usr/lib/systemd/system" "$into/usr/lib/sysusers.d"
install -m 644 "$root"/deploy/systemd/*.service "$into/usr/lib/systemd/system/"
install -m 644 "$root/deploy/systemd/gantry.sysusers" "$into/usr/lib/sysusers.d/gantry.conf"
[ -z "$into" ] || exit 0
if command -v systemd-sysusers >/dev/null 2>&1; then
  systemd-sysusers gantry.conf
  chown root:gantry /etc/gantry/server.yaml
fi
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
echo "Installed. Look into /etc/gantry, then: systemctl enable --now gantry-server (or gantry-agent)"
