# Keystone, on port 5000 under uwsgi.

keystone_packages() { echo keystone python3-openstackclient python3-keystoneclient; }
keystone_databases() { echo keystone; }

keystone_configure() {
  {
    echo '[DEFAULT]'
    ini_daemon
    cat <<INI

[token]
provider = fernet
expiration = $TESTCLOUD_TOKEN_SECONDS

# Passwords are not worth any guessing here.
[identity]
password_hash_rounds = 4

[fernet_tokens]
key_repository = $VAR/keystone/fernet-keys

[credential]
key_repository = $VAR/keystone/credential-keys

[cache]
enabled = true
backend = dogpile.cache.memcached
memcache_servers = $ADDRESS:11211

INI
    ini_database keystone
    ini_messaging
  } >"$ETC/keystone/keystone.conf"

  cat >"$TESTCLOUD_DIR/openrc" <<RC
# . openrc [USER] [PROJECT]: the cloud's administrator, unless told
export OS_USERNAME=\${1:-admin} OS_PROJECT_NAME=\${2:-\${1:-admin}} OS_PASSWORD=$TESTCLOUD_PASSWORD
export OS_AUTH_URL=http://$ADDRESS:5000/v3 OS_REGION_NAME=$TESTCLOUD_REGION
export OS_USER_DOMAIN_NAME=Default OS_PROJECT_DOMAIN_NAME=Default
export OS_IDENTITY_API_VERSION=3 OS_IMAGE_API_VERSION=2 OS_VOLUME_API_VERSION=3
RC
}

keystone_manage() { keystone-manage --config-file "$ETC/keystone/keystone.conf" "$@"; }

keystone_bootstrap() {
  local url=http://$ADDRESS:5000/v3/
  keystone_manage db_sync &&
    keystone_manage fernet_setup --keystone-user root --keystone-group root &&
    keystone_manage credential_setup --keystone-user root --keystone-group root &&
    keystone_manage bootstrap --bootstrap-password "$TESTCLOUD_PASSWORD" --bootstrap-region-id "$TESTCLOUD_REGION" \
      --bootstrap-public-url $url --bootstrap-internal-url $url --bootstrap-admin-url $url
}

keystone_schema() { once keystone-schema keystone_bootstrap; }

keystone_start() {
  wsgi keystone 5000 /usr/bin/keystone-wsgi-public --env OS_KEYSTONE_CONFIG_FILES="$ETC/keystone/keystone.conf"
  until_so 60 keystone ready keystone
}
