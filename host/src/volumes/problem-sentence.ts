import { reasonOf } from '@gantry/kernel'
import { ProgramError } from './run-program.ts'

const packages: Readonly<Record<string, string>> = {
  'mkfs.ext4': 'e2fsprogs',
  e2fsck: 'e2fsprogs',
  resize2fs: 'e2fsprogs',
  losetup: 'util-linux',
  mount: 'util-linux',
  umount: 'util-linux',
  fsfreeze: 'util-linux',
  setpriv: 'util-linux',
  flock: 'util-linux',
  cp: 'coreutils',
  blkid: 'util-linux',
  tune2fs: 'e2fsprogs',
  'mkfs.ext3': 'e2fsprogs',
  'mkfs.ext2': 'e2fsprogs',
  'mkfs.xfs': 'xfsprogs',
  xfs_admin: 'xfsprogs',
  xfs_growfs: 'xfsprogs',
  'mkfs.btrfs': 'btrfs-progs',
  btrfs: 'btrfs-progs',
  'mount.nfs': 'nfs-common',
  iscsiadm: 'open-iscsi',
  rbd: 'ceph-common',
  nvme: 'nvme-cli',
  'qemu-nbd': 'qemu-utils',
  nbdfuse: 'libnbd-bin',
  'mount.ceph': 'ceph-common',
  'mount.glusterfs': 'glusterfs-client',
  tar: 'tar',
}

/** Pure. */
export function isDiskFull(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ENOSPC' || /no space left on device/i.test(reasonOf(error))
}

/** What went wrong with a volume, as a sentence for its owner. Pure. */
export function problemSentence(error: unknown): string {
  const text = reasonOf(error)
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (isDiskFull(error)) return 'The disk of the host is full.'
  if (code === 'EFBIG' || /file too large/i.test(text)) return 'The host cannot keep a file of that size.'
  if (error instanceof ProgramError) {
    const { program, exitCode } = error
    if (/failed to set ?up loop device|could not find any free loop device|cannot find an unused loop/i.test(text)) {
      return 'The host has no loop device to spare.'
    }
    if (exitCode === null && text.startsWith('there is no program')) {
      return `The host lacks ${program}; its operator must install ${packages[program] ?? program}.`
    }
    return `The host's ${program} failed: ${text}`
  }
  return text
}
