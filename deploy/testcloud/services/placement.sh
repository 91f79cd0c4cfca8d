# Placement, on port 8778 under uwsgi.

placement_packages() { echo placement-api python3-osc-placement; }
placement_databases() { echo placement; }
placement_accounts() { echo "service placement placement placement http://$ADDRESS:8778"; }

placement_configure() {
  {
    echo '[DEFAULT]'
    ini_daemon
    printf '\n[api]\nauth_strategy = keystone\n\n'
    ini_database placement placement_database
    ini_account placement
  } >"$ETC/placement/placement.conf"
}

placement_schema() { once placement-schema placement-manage --config-file "$ETC/placement/placement.conf" db sync; }

placement_start() {
  wsgi placement 8778 /usr/bin/placement-api --env OS_PLACEMENT_CONFIG_DIR="$ETC/placement"
  until_so 60 placement ready placement
}
