# What every part of the test cloud leans on; sourced by `cloud`, never run.
#
# Everything that the cloud writes lies below $TESTCLOUD_DIR:
#   etc/SERVICE/   configuration, written anew by each `cloud up`
#   var/SERVICE/   data: data bases, images, volumes
#   log/NAME.log   what a daemon or a step said
#   run/NAME.sh    the command of a daemon, by which it can be started again; run/NAME.pid: its process group
#   done/STEP      a step that is taken once was taken
#   openrc         credentials for the openstack command

TESTCLOUD_DIR=${TESTCLOUD_DIR:-/var/tmp/gantry-testcloud}
TESTCLOUD_PASSWORD=${TESTCLOUD_PASSWORD:-testcloud}
TESTCLOUD_REGION=${TESTCLOUD_REGION:-RegionOne}
# What Neutron's and Cinder's agents call this machine.
TESTCLOUD_HOSTNAME=${TESTCLOUD_HOSTNAME:-$(hostname)}
# Seconds that a token is good for.
TESTCLOUD_TOKEN_SECONDS=${TESTCLOUD_TOKEN_SECONDS:-86400}
# Which of Neutron's agents run: linuxbridge l3 dhcp. Containers are given their addresses by whoever plugs them in, so that
# the DHCP agent is only needed by those who try it.
TESTCLOUD_AGENTS=${TESTCLOUD_AGENTS:-linuxbridge l3}
export TESTCLOUD_DIR TESTCLOUD_PASSWORD TESTCLOUD_REGION TESTCLOUD_HOSTNAME

ADDRESS=127.0.0.1
ETC=$TESTCLOUD_DIR/etc VAR=$TESTCLOUD_DIR/var LOG=$TESTCLOUD_DIR/log RUN=$TESTCLOUD_DIR/run DONE=$TESTCLOUD_DIR/done

# Debian's OpenStack needs Debian's Python, and calls among its services must not go through a proxy.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 PYTHONUNBUFFERED=1
unset PYTHONPATH PYTHONHOME PYTHONSTARTUP http_proxy https_proxy HTTP_PROXY HTTPS_PROXY NODE_OPTIONS

say() { printf '%s %s\n' "$(date +%T)" "$*"; }
die() {
  say "$*" >&2
  exit 1
}

# --- packages

# Installs those of the packages that are missing, with no recommends and without starting any service.
install_packages() {
  local missing=() name policy=/usr/sbin/policy-rc.d
  for name in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || die "Only root can install ${missing[*]}."
  say "installing ${missing[*]}"
  local log=$LOG/packages.log apt=(apt-get -y -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 --no-install-recommends) code
  export DEBIAN_FRONTEND=noninteractive
  [ -e $policy ] && policy= || { printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy; }
  # What may be known of the packages is tried first: to ask for news takes longer than to install.
  "${apt[@]}" install "${missing[@]}" >"$log" 2>&1 </dev/null ||
    { "${apt[@]}" update && "${apt[@]}" install "${missing[@]}"; } >>"$log" 2>&1 </dev/null
  code=$?
  [ -z "$policy" ] || rm -f "$policy"
  [ $code = 0 ] || die "Installing ${missing[*]} failed; see $log, and check the package sources with apt-get update."
}

# --- daemons

is_running() { [ -s "$RUN/$1.pid" ] && kill -0 -- "-$(cat "$RUN/$1.pid")" 2>/dev/null; }

# daemon NAME COMMAND...: runs in the background, in a process group of its own, unless it runs already.
daemon() {
  local name=$1
  shift
  printf 'exec %s\n' "$(printf '%q ' "$@")" >"$RUN/$name.sh"
  start_daemon "$name"
}

start_daemon() {
  local name=$1
  [ -e "$RUN/$name.sh" ] || die "There is no daemon $name; there are: $(cd "$RUN" && echo *.sh)."
  is_running "$name" && return
  setsid bash "$RUN/$name.sh" >>"$LOG/$name.log" 2>&1 </dev/null &
  echo $! >"$RUN/$name.pid"
}

# signal_daemon NAME SIGNAL: to its whole group; returns when nothing of it is left.
signal_daemon() {
  local name=$1 group
  [ -s "$RUN/$name.pid" ] || return 0
  group=$(cat "$RUN/$name.pid")
  if kill "-$2" -- "-$group" 2>/dev/null; then
    local end=$((SECONDS + 15))
    while kill -0 -- "-$group" 2>/dev/null; do
      [ $SECONDS -lt $end ] || kill -KILL -- "-$group" 2>/dev/null
      sleep 0.05
    done
  fi
  rm -f "$RUN/$name.pid"
}

# wsgi NAME PORT SCRIPT [OPTION...]: uwsgi closes each connection after the answer, and must say so, or clients that keep
# connections meet resets.
wsgi() {
  local name=$1 port=$2 script=$3
  shift 3
  daemon "$name" uwsgi --plugin python3 --http-socket "$ADDRESS:$port" --wsgi-file "$script" --master --lazy-apps \
    --processes 1 --threads 8 --enable-threads --need-app --die-on-term --no-orphans --listen 100 \
    --buffer-size 65535 --add-header 'Connection: close' "$@"
}

# --- waiting

# until_so SECONDS WHAT COMMAND...
until_so() {
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || die "$what did not come up; see $LOG."
    sleep 0.2
  done
}

listens() { (exec 3<>"/dev/tcp/$ADDRESS/$1") 2>/dev/null; }
# answers PORT/PATH: with whatever is not a server's error.
answers() {
  local status
  status=$(curl -s --noproxy '*' -o /dev/null --max-time 5 -w '%{http_code}' "http://$ADDRESS:$1")
  [ "$status" -ge 200 ] && [ "$status" -lt 500 ]
}

# ready NAME: does the daemon of that name do its work?
ready() {
  case $1 in
  mariadb) sql -e 'SELECT 1' ;;
  rabbitmq) listens 5672 ;;
  memcached) listens 11211 ;;
  keystone) answers 5000/v3 ;;
  glance-api) answers 9292/ ;;
  placement) answers 8778/ ;;
  neutron-server) answers 9696/ ;;
  heat-api) answers 8004/ ;;
  cinder-api) answers 8776/ ;;
  manila-api) answers 8786/ ;;
  nova-api) answers 8774/ ;;
  swift-proxy) answers 8080/healthcheck ;;
  *) is_running "$1" ;;
  esac
}

# --- steps and data bases

# once STEP COMMAND...: unless it has succeeded before.
once() {
  local step=$1 began=$SECONDS
  shift
  [ -e "$DONE/$step" ] && return
  ("$@") >>"$LOG/$step.log" 2>&1 </dev/null || die "$step failed; see $LOG/$step.log."
  touch "$DONE/$step"
  say "$step ($((SECONDS - began)) s)"
}

sql() { mariadb --no-defaults --socket="$RUN/mariadb.sock" -u root "$@"; }

# Each an empty data base with an account of the same name.
make_databases() {
  local name
  for name in "$@"; do
    cat <<SQL
CREATE DATABASE IF NOT EXISTS $name CHARACTER SET utf8mb3;
CREATE USER IF NOT EXISTS '$name'@'$ADDRESS' IDENTIFIED BY '$TESTCLOUD_PASSWORD';
GRANT ALL PRIVILEGES ON $name.* TO '$name'@'$ADDRESS';
SQL
  done | sql
}

# reported_since TIME TABLE COLUMN LEAST [CONDITION]: have so many agents told of themselves?
reported_since() {
  [ "$(sql -N -e "SELECT COUNT(*) FROM $2 WHERE $3 >= '$1' AND ${5:-1}")" -ge "$4" ]
}
# The data base's clock; a while ago if the daemon is running and will not report anew.
time_to_report() {
  is_running "$1" && sql -N -e 'SELECT UTC_TIMESTAMP() - INTERVAL 40 SECOND' || sql -N -e 'SELECT UTC_TIMESTAMP()'
}

# --- parts of configuration files

ini_database() { # DATABASE [SECTION]
  cat <<INI
[${2:-database}]
connection = mysql+pymysql://$1:$TESTCLOUD_PASSWORD@$ADDRESS/$1?charset=utf8
max_pool_size = 5
max_overflow = 20

INI
}

ini_account() { # USER [SECTION]: how a service logs in at Keystone, to check tokens or to ask another service
  cat <<INI
[${2:-keystone_authtoken}]
auth_type = password
auth_url = http://$ADDRESS:5000/v3
www_authenticate_uri = http://$ADDRESS:5000/v3
memcached_servers = $ADDRESS:11211
username = $1
password = $TESTCLOUD_PASSWORD
user_domain_name = Default
project_name = service
project_domain_name = Default
region_name = $TESTCLOUD_REGION
service_token_roles = service
service_token_roles_required = true

INI
}

ini_daemon() { # of [DEFAULT]: logs to standard error
  printf 'log_dir =\nuse_stderr = true\n'
}
ini_queue() { # of [DEFAULT]
  echo "transport_url = rabbit://openstack:$TESTCLOUD_PASSWORD@$ADDRESS:5672/"
}
ini_messaging() {
  printf '[oslo_messaging_notifications]\ndriver = noop\n\n[oslo_messaging_rabbit]\nheartbeat_in_pthread = false\n\n'
}

seed() { /usr/bin/python3 "$HERE/seed.py" "$@"; }
