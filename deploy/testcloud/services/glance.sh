# Glance, on port 9292; images are files, and may be Docker's.

glance_packages() { echo glance-api python3-glanceclient; }
glance_databases() { echo glance; }
glance_accounts() { echo "service glance glance image http://$ADDRESS:9292"; }

glance_configure() {
  local folder
  for folder in images staging tasks; do mkdir -p "$VAR/glance/$folder"; done
  {
    echo '[DEFAULT]'
    ini_daemon
    cat <<INI
bind_host = $ADDRESS
workers = 0
enabled_backends = files:file
worker_self_reference_url = http://$ADDRESS:9292

[glance_store]
default_backend = files
[files]
filesystem_store_datadir = $VAR/glance/images
[os_glance_staging_store]
filesystem_store_datadir = $VAR/glance/staging
[os_glance_tasks_store]
filesystem_store_datadir = $VAR/glance/tasks

[image_format]
container_formats = ami,ari,aki,bare,ovf,ova,docker,compressed

[paste_deploy]
flavor = keystone
config_file = /etc/glance/glance-api-paste.ini

INI
    ini_database glance
    ini_account glance
    ini_messaging
  } >"$ETC/glance/glance-api.conf"
}

glance_schema() { once glance-schema glance-manage --config-file "$ETC/glance/glance-api.conf" db_sync; }

glance_start() {
  daemon glance-api glance-api --config-file "$ETC/glance/glance-api.conf"
  until_so 60 glance-api ready glance-api
}
