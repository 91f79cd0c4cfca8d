"""A back end for Manila where the kernel has neither an NFS server nor device mapper: shares are folders of this machine.

An access rule is a bind mount. Who is told the export 127.0.0.1:/shares/X and has a rule as the address A finds the share at
MOUNTS/A/md5(export), as a client that mounts NFS shares below MOUNTS/A would; without the rule there is nothing at that place.
A rule `ro` is a read-only mount. The address 192.0.2.66 is refused, so that a rule can be seen to end in `error`.
CEPHFS is there for the words alone: its rules give a key, and a mount below MOUNTS/NAME.
"""
import hashlib
import os
import shutil
import subprocess

from oslo_config import cfg

from manila import exception
from manila.share import driver

OPTIONS = [
    cfg.StrOpt("folder_shares", help="Where shares and snapshots are kept."),
    cfg.StrOpt("folder_mounts", help="Below which hosts find what they may reach."),
    cfg.IntOpt("folder_capacity", default=200, help="GiB that the back end says it has."),
]
cfg.CONF.register_opts(OPTIONS)


def is_mounted(point):
    """os.path.ismount does not see a bind mount within one file system."""
    with open("/proc/self/mountinfo") as table:
        return any(line.split(" ")[4] == point for line in table)


class FolderDriver(driver.ShareDriver):
    def __init__(self, *args, **kwargs):
        super().__init__(False, *args, config_opts=[OPTIONS], **kwargs)
        self.shares = self.configuration.folder_shares
        self.mounts = self.configuration.folder_mounts

    def check_for_setup_error(self):
        os.makedirs(self.shares, exist_ok=True)
        os.makedirs(self.mounts, exist_ok=True)

    def get_network_allocations_number(self):
        return 0

    def _update_share_stats(self, data=None):
        capacity = self.configuration.folder_capacity
        super()._update_share_stats({
            "storage_protocol": "NFS_CEPHFS", "vendor_name": "Folders", "driver_version": "1",
            "total_capacity_gb": capacity, "free_capacity_gb": capacity,
            "snapshot_support": True, "create_share_from_snapshot_support": True})

    def _folder(self, thing):
        return os.path.join(self.shares, thing["name"])

    def _exports(self, share):
        """The second is the one to use."""
        path = "/shares/" + share["name"]
        if share["share_proto"].upper() == "CEPHFS":
            return ["127.0.0.1:6789:/volumes/_nogroup/" + share["name"]]
        return ["127.0.0.2:" + path, "127.0.0.1:" + path]

    def _locations(self, share):
        exports = self._exports(share)
        return [{"path": path, "is_admin_only": False, "metadata": {"preferred": path == exports[-1]}}
                for path in exports]

    def create_share(self, context, share, share_server=None):
        os.makedirs(self._folder(share), exist_ok=True)
        return self._locations(share)

    def create_share_from_snapshot(self, context, share, snapshot, share_server=None, parent_share=None):
        shutil.copytree(self._folder(snapshot), self._folder(share), symlinks=True, dirs_exist_ok=True)
        return self._locations(share)

    def delete_share(self, context, share, share_server=None):
        self._bind(share, [])
        shutil.rmtree(self._folder(share), ignore_errors=True)

    def ensure_share(self, context, share, share_server=None):
        return self._locations(share)

    def extend_share(self, share, new_size, share_server=None):
        pass

    def shrink_share(self, share, new_size, share_server=None):
        pass

    def create_snapshot(self, context, snapshot, share_server=None):
        shutil.copytree(self._folder(snapshot["share"]) if snapshot.get("share") else
                        os.path.join(self.shares, snapshot["share_name"]), self._folder(snapshot), symlinks=True)

    def delete_snapshot(self, context, snapshot, share_server=None):
        shutil.rmtree(self._folder(snapshot), ignore_errors=True)

    def update_access(self, context, share, access_rules, add_rules, delete_rules, share_server=None):
        states, good = {}, []
        for rule in access_rules:
            is_ceph = share["share_proto"].upper() == "CEPHFS"
            if rule["access_type"] != ("cephx" if is_ceph else "ip"):
                raise exception.InvalidShareAccess(reason="cephx is for CEPHFS, ip for NFS")
            if rule["access_to"] == "192.0.2.66":
                states[rule["access_id"]] = {"state": "error"}
                continue
            good.append(rule)
            if is_ceph:
                key = hashlib.md5(rule["access_to"].encode()).hexdigest()
                states[rule["access_id"]] = {"access_key": key}
        self._bind(share, good)
        return states

    def _bind(self, share, rules):
        """There are mounts of the share for these rules and for no others."""
        place = hashlib.md5(self._exports(share)[-1].encode()).hexdigest()
        wanted = {rule["access_to"]: rule["access_level"] for rule in rules}
        for host in set(os.listdir(self.mounts)) | set(wanted):
            point = os.path.join(self.mounts, host, place)
            while is_mounted(point):
                subprocess.run(["umount", "-l", point], check=True)
            if host not in wanted:
                if os.path.isdir(point):
                    os.rmdir(point)
                continue
            os.makedirs(point, exist_ok=True)
            subprocess.run(["mount", "--bind", self._folder(share), point], check=True)
            if wanted[host] == "ro":
                subprocess.run(["mount", "-o", "remount,bind,ro", point], check=True)
