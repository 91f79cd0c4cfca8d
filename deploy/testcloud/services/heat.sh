# Heat, on port 8004. Its engine has OS::Zun::Container from zunclient.

heat_packages() { echo heat-api heat-engine python3-heatclient python3-zunclient; }
heat_databases() { echo heat; }
heat_accounts() {
  echo "service heat heat orchestration http://$ADDRESS:8004/v1/\$(tenant_id)s"
  echo 'domain heat heat_domain_admin'
}

heat_configure() {
  {
    echo '[DEFAULT]'
    ini_daemon
    ini_queue
    cat <<INI
num_engine_workers = 1
region_name_for_services = $TESTCLOUD_REGION
heat_metadata_server_url = http://$ADDRESS:8000
heat_waitcondition_server_url = http://$ADDRESS:8000/v1/waitcondition
stack_user_domain_name = heat
stack_domain_admin = heat_domain_admin
stack_domain_admin_password = $TESTCLOUD_PASSWORD
auth_encryption_key = 0123456789abcdef0123456789abcdef
environment_dir = /etc/heat/environment.d
template_dir = /etc/heat/templates
rpc_response_timeout = 60

[heat_api]
bind_host = $ADDRESS
workers = 1

[paste_deploy]
api_paste_config = /etc/heat/api-paste.ini

[clients]
endpoint_type = publicURL
[clients_keystone]
auth_uri = http://$ADDRESS:5000

INI
    ini_database heat
    ini_account heat
    ini_account heat trustee
    ini_messaging
  } | sed '/^\[trustee\]/,/^$/{/^project_/d}' >"$ETC/heat/heat.conf"
}

heat_schema() { once heat-schema heat-manage --config-file "$ETC/heat/heat.conf" db_sync; }

heat_start() {
  until_so 90 rabbitmq ready rabbitmq
  daemon heat-api heat-api --config-file "$ETC/heat/heat.conf"
  daemon heat-engine heat-engine --config-file "$ETC/heat/heat.conf"
  until_so 60 heat-api ready heat-api
  until_so 60 heat-engine heat_engine_is_known
}

heat_engine_is_known() { [ "$(sql -N heat -e 'SELECT COUNT(*) FROM service WHERE deleted_at IS NULL')" -ge 1 ]; }
