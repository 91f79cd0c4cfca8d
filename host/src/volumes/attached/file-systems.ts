import { readFile } from 'node:fs/promises'
import { ProgramError, type Programs } from '../run-program.ts'

/** A file system that volumes may have. All of it is told a device, or where one is mounted. */
export interface FileSystem {
  readonly type: string
  /** Makes it, with the label `unready`. `isZero`: the device was never written to. */
  make(device: string, isZero: boolean): Step
  /** Takes the label away, which says that it is whole. */
  ready(device: string): Step
  /** Repairs what can be repaired without asking. */
  check?(device: string): Step
  /** Of `mount`, beside those common to all. */
  readonly options: readonly string[]
  /** To look at it without changing a byte of the device, whatever state it was left in. */
  readonly readOnlyOptions: readonly string[]
  /** While it is mounted: to the size of its device. */
  grow(device: string, point: string): Step
  /** The same while it is not, for machines where root has not got the right to the other. */
  growUnmounted?(device: string): readonly Step[]
}

/** A program with its arguments. */
export type Step = readonly [program: string, ...args: string[]]

/**
 * The label of a file system that is being made. It is in the first superblock that is written, and goes with the last step: what a
 * killed `mkfs` left is known by it on any machine, and what has another label, or none, was complete.
 */
export const unready = 'gantry-new'

const ext = (type: string, journal: boolean): FileSystem => ({
  type,
  // Nothing is kept for root. What is zero need not be written again.
  make: (device, isZero) => {
    const lazy = isZero ? ',lazy_itable_init=1,lazy_journal_init=1' : ''
    return [`mkfs.${type}`, '-q', '-F', '-m', '0', '-L', unready, '-E', `nodiscard${lazy}`, device]
  },
  ready: (device) => ['tune2fs', '-L', '', device],
  check: (device) => ['e2fsck', '-p', device],
  options: ['errors=remount-ro'],
  readOnlyOptions: journal ? ['noload'] : [],
  grow: (device) => ['resize2fs', device],
  growUnmounted: (device) => [
    ['e2fsck', '-f', '-p', device],
    ['resize2fs', device],
  ],
})

const fileSystems: readonly FileSystem[] = [
  ext('ext4', true),
  ext('ext3', true),
  ext('ext2', false),
  {
    type: 'xfs',
    make: (device) => ['mkfs.xfs', '-q', '-f', '-K', '-L', unready, device],
    ready: (device) => ['xfs_admin', '-L', '--', device],
    // A clone has the same UUID as what it was made from, and may be mounted beside it.
    options: ['nouuid'],
    readOnlyOptions: ['norecovery'],
    grow: (_, point) => ['xfs_growfs', point],
  },
  {
    type: 'btrfs',
    make: (device) => ['mkfs.btrfs', '-q', '-f', '-K', '-L', unready, device],
    ready: (device) => ['btrfs', 'filesystem', 'label', device, ''],
    options: [],
    readOnlyOptions: ['rescue=nologreplay'],
    grow: (_, point) => ['btrfs', 'filesystem', 'resize', 'max', point],
  },
]

/** Rejects with a sentence that names those there are. Pure. */
export function fileSystemOf(type: string): FileSystem {
  const found = fileSystems.find((one) => one.type === type)
  if (found) return found
  const known = fileSystems.map((one) => one.type).join(', ')
  throw new Error(`A file system of the kind ${type} cannot be mounted here; these can: ${known}.`)
}

/** Rejects if the kernel cannot mount it, before it is made. */
async function requireKernel({ type }: FileSystem, { run }: Programs): Promise<void> {
  const isThere = async () => new RegExp(`\\t${type}$`, 'm').test(await readFile('/proc/filesystems', 'utf8'))
  if (await isThere()) return
  await run('modprobe', [type]).catch(() => undefined)
  if (!(await isThere())) throw new Error(`The kernel of the host has no ${type}.`)
}

/** Makes it whole, or leaves one that is known to be none. */
export async function format(
  system: FileSystem,
  device: string,
  { isZero, signal, programs }: { isZero: boolean; signal: AbortSignal; programs: Programs },
): Promise<void> {
  await requireKernel(system, programs)
  const [maker, ...args] = system.make(device, isZero)
  await programs.run(maker, args, signal)
  const [relabel, ...more] = system.ready(device)
  await programs.run(relabel, more, signal)
}

/** Repairs what a machine that went away left. */
export async function check(system: FileSystem, device: string, programs: Programs): Promise<void> {
  const step = system.check?.(device)
  if (step) await repair(step, ([program, ...args]) => programs.run(program, args))
}

/** To the size of its device, while it is mounted. Nothing happens if it has it already. */
export async function growMounted(
  system: FileSystem,
  device: string,
  point: string,
  programs: Programs,
): Promise<void> {
  const [program, ...args] = system.grow(device, point)
  await programs.run(program, args)
}

/** As `growMounted`, while it is not. False: that cannot be. */
export async function growUnmounted(system: FileSystem, device: string, programs: Programs): Promise<boolean> {
  const steps = system.growUnmounted?.(device)
  if (!steps) return false
  // Not to be cut short by our end: a process after us waits for it.
  for (const step of steps) await repair(step, (whole) => programs.runScript(`trap '' TERM; "$@"`, whole))
  return true
}

/** e2fsck: 1 and 2, there was something to repair, and it was. */
async function repair(step: Step, run: (step: Step) => Promise<string>): Promise<void> {
  try {
    await run(step)
  } catch (error) {
    const isRepaired = error instanceof ProgramError && (error.exitCode === 1 || error.exitCode === 2)
    if (!(isRepaired && step[0] === 'e2fsck')) throw error
  }
}

/** What `mount` is told before the device. Devices have no business there. Pure. */
export function mountArguments(
  system: FileSystem,
  { readOnly, isFile }: { readOnly: boolean; isFile: boolean },
): string[] {
  // What containers delete is given back at once to a file; a storage of its own may take long about it.
  const access = readOnly ? ['ro', ...system.readOnlyOptions] : isFile ? ['discard'] : []
  return ['-t', system.type, '-o', ['nodev', ...system.options, ...access].join(',')]
}
