#!/usr/bin/python3
"""What tests and services find in the cloud. Each may be repeated: what is there already stays.

  seed.py accounts        the tests' projects and users; from standard input, a line each:
      service USER NAME TYPE URL    a service with its three endpoints, and its user in project `service`
      domain DOMAIN USER            a domain and its administrator
  seed.py public-network  the external network `public`, 172.24.4.0/24
  seed.py volume-type     `files`, of Cinder's back end of that name
  seed.py share-type      `folders`, of Manila's back end of that name
  seed.py volume-pool     nothing; returns once Cinder's scheduler knows where volumes may be
  seed.py share-pool      likewise Manila's, of shares
  seed.py flavor          m1.nano

One process for many things, because to start each of the openstack command's takes seconds.
"""
import os
import sys
import time

from keystoneauth1.identity import v3
from keystoneauth1.session import Session

PASSWORD = os.environ["TESTCLOUD_PASSWORD"]
REGION = os.environ["TESTCLOUD_REGION"]


class Api:
    """One service, seen by the cloud's administrator."""

    def __init__(self, kind):
        auth = v3.Password("http://127.0.0.1:5000/v3", username="admin", password=PASSWORD, project_name="admin",
                           user_domain_name="Default", project_domain_name="Default")
        self.session = Session(auth=auth)
        self.filter = {"service_type": kind, "interface": "public", "region_name": REGION}

    def call(self, method, path, body=None):
        answer = self.session.request(path, method, json=body, endpoint_filter=self.filter, raise_exc=False,
                                      headers={"Accept": "application/json"})
        if answer.status_code >= 300:
            sys.exit(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def ensure(self, collection, single, fields):
        """The entry with that name, made if there is none."""
        for entry in self.call("GET", f"/{collection}")[f"{single}s"]:
            if entry["name"] == fields["name"] and entry.get("domain_id") == fields.get("domain_id", entry.get("domain_id")):
                return entry
        return self.call("POST", f"/{collection}", {single: fields})[single]


class Accounts:
    def __init__(self):
        self.api = Api("identity")
        self.roles = {}

    def role(self, name):
        if name not in self.roles:
            self.roles[name] = self.api.ensure("roles", "role", {"name": name})["id"]
        return self.roles[name]

    def project(self, name):
        return self.api.ensure("projects", "project", {"name": name, "domain_id": "default"})["id"]

    def user(self, name, domain="default"):
        return self.api.ensure("users", "user", {"name": name, "password": PASSWORD, "domain_id": domain})["id"]

    def grant(self, scope, user, *roles):
        for role in roles:
            self.api.call("PUT", f"/{scope}/users/{user}/roles/{self.role(role)}")

    def tests(self):
        demo, other = self.project("demo"), self.project("alt_demo")
        self.grant(f"projects/{demo}", self.user("demo"), "member")
        self.grant(f"projects/{other}", self.user("alt_demo"), "member")
        self.grant(f"projects/{demo}", self.user("demo_reader"), "reader")
        self.grant(f"projects/{demo}", self.user("admin"), "admin")

    def service(self, user, name, kind, url):
        self.grant("projects/" + self.project("service"), self.user(user), "admin", "service")
        record = self.api.ensure("services", "service", {"name": name, "type": kind})
        there = self.api.call("GET", f"/endpoints?service_id={record['id']}")["endpoints"]
        for interface in {"public", "internal", "admin"} - {e["interface"] for e in there}:
            self.api.call("POST", "/endpoints", {"endpoint": {
                "service_id": record["id"], "interface": interface, "url": url, "region_id": REGION}})

    def domain(self, name, user):
        domain = self.api.ensure("domains", "domain", {"name": name})["id"]
        self.grant(f"domains/{domain}", self.user(user, domain), "admin")


def accounts():
    made = Accounts()
    made.tests()
    for line in sys.stdin:
        verb, *words = line.split()
        {"service": made.service, "domain": made.domain}[verb](*words)


def public_network():
    api = Api("network")
    network = api.ensure("v2.0/networks", "network", {
        "name": "public", "router:external": True,
        "provider:network_type": "flat", "provider:physical_network": "public"})
    api.ensure("v2.0/subnets", "subnet", {
        "name": "public", "network_id": network["id"], "ip_version": 4, "cidr": "172.24.4.0/24", "enable_dhcp": False,
        "gateway_ip": "172.24.4.1", "allocation_pools": [{"start": "172.24.4.100", "end": "172.24.4.250"}]})


def volume_type():
    Api("volumev3").ensure("types", "volume_type", {"name": "files", "extra_specs": {"volume_backend_name": "files"}})


def share_type():
    Api("sharev2").ensure("types", "share_type", {"name": "folders", "extra_specs": {
        "driver_handles_share_servers": "false", "snapshot_support": "true",
        "create_share_from_snapshot_support": "true"}})


def until_pool(kind, path):
    """A scheduler that has just begun has yet to hear of a back end's room, for a minute at worst; until then it refuses or waits."""
    api = Api(kind)
    for _ in range(120):
        if api.call("GET", path)["pools"]:
            return
        time.sleep(1)
    sys.exit(f"{kind} does not know of any pool.")


def volume_pool():
    until_pool("volumev3", "/scheduler-stats/get_pools")


def share_pool():
    until_pool("sharev2", "/scheduler-stats/pools")


def flavor():
    Api("compute").ensure("flavors", "flavor", {"name": "m1.nano", "ram": 64, "disk": 0, "vcpus": 1})


if __name__ == "__main__":
    parts = {"accounts": accounts, "public-network": public_network, "volume-type": volume_type, "share-type": share_type,
             "volume-pool": volume_pool, "share-pool": share_pool, "flavor": flavor}
    if len(sys.argv) != 2 or sys.argv[1] not in parts:
        sys.exit(__doc__)
    parts[sys.argv[1]]()
