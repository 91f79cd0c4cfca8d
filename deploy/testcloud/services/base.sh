# MariaDB, RabbitMQ and memcached, on which all the services stand.

base_packages() {
  echo mariadb-server rabbitmq-server memcached uwsgi-core uwsgi-plugin-python3 python3-pymysql python3-memcache \
    iproute2 curl util-linux
}

base_configure() {
  mkdir -p "$VAR/mariadb" "$VAR/rabbitmq"
  # Nothing here has to survive a power cut, and schemas are made several times as fast.
  cat >"$ETC/base/mariadb.cnf" <<CNF
[mariadbd]
user = root
datadir = $VAR/mariadb
socket = $RUN/mariadb.sock
pid-file = $RUN/mariadb.own
bind-address = $ADDRESS
skip-name-resolve
max_connections = 500
character-set-server = utf8mb3
innodb_flush_log_at_trx_commit = 0
innodb_flush_method = nosync
innodb_doublewrite = 0
innodb_file_per_table = 0
performance_schema = off
CNF
  cat >"$ETC/base/rabbitmq.conf" <<CNF
listeners.tcp.1 = $ADDRESS:5672
default_user = openstack
default_pass = $TESTCLOUD_PASSWORD
default_user_tags.administrator = true
disk_free_limit.absolute = 50MB
vm_memory_high_watermark.absolute = 512MB
log.console = false
log.file.level = warning
CNF
  echo '[].' >"$ETC/base/rabbitmq-plugins"
}

base_start() {
  # Erlang's port mapper for itself: RabbitMQ would start one that listens everywhere and stays behind.
  daemon epmd epmd -address "$ADDRESS"
  until_so 10 epmd listens 4369
  daemon rabbitmq env -i PATH="$PATH" LANG=C.UTF-8 HOME="$VAR/rabbitmq" ERL_EPMD_ADDRESS="$ADDRESS" \
    RABBITMQ_NODENAME=testcloud@localhost RABBITMQ_DIST_PORT=25672 RABBITMQ_CONF_ENV_FILE=/dev/null \
    RABBITMQ_MNESIA_BASE="$VAR/rabbitmq" RABBITMQ_LOG_BASE="$LOG" RABBITMQ_CONFIG_FILE="$ETC/base/rabbitmq.conf" \
    RABBITMQ_ENABLED_PLUGINS_FILE="$ETC/base/rabbitmq-plugins" \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +sbwt none' \
    /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server
  daemon memcached memcached -u root -l "$ADDRESS" -m 64
  once mariadb mariadb-install-db --no-defaults --user=root --datadir="$VAR/mariadb" \
    --auth-root-authentication-method=socket --skip-test-db
  daemon mariadb mariadbd --defaults-file="$ETC/base/mariadb.cnf"
  until_so 60 mariadb ready mariadb
  # RabbitMQ is waited for only by those who need it: see their parts.
}
