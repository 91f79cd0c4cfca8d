import type { HostLog } from '../../agent/host-log.ts'
import type { AttachedVolume } from './attached-volumes.ts'
import { check, type FileSystem, fileSystemOf, format, unready } from './file-systems.ts'
import { sizeOf } from './loop-devices.ts'
import { ProgramError, type Programs } from '../run-program.ts'
import { signatureOf } from './signature.ts'

/** Of a volume that nobody said to be empty: what is read within a minute or two. Bytes. */
const mostRead = 64 * 2 ** 30

export interface ReadyContext {
  /** The device is on a file, which was never written to if it has no signature. */
  readonly isFile: boolean
  readonly signal: AbortSignal
  readonly programs: Programs
  readonly log: HostLog
}

/**
 * The file system of a device, in order, so that it can be mounted; one is made where that is allowed. The device must be ours
 * alone from before the call until after the mount.
 */
export async function readyFileSystem(
  volume: AttachedVolume,
  device: string,
  context: ReadyContext,
): Promise<{ readonly system: FileSystem; readonly isNew: boolean }> {
  const { programs } = context
  const found = await signatureOf(device, programs)
  if (found.kind === 'other') throw new Error(`It holds ${found.what}, which cannot be mounted.`)
  const isHalfMade = found.kind === 'file-system' && found.label === unready && mayBeBlank(volume)
  if (found.kind === 'file-system' && !isHalfMade) {
    const system = fileSystemOf(found.type)
    if (!volume.readOnly) await check(system, device, programs)
    return { system, isNew: false }
  }
  if (!volume.blank && !isHalfMade) await requireZeros(volume, device, context)
  const system = fileSystemOf(volume.fsType)
  await format(system, device, { ...context, isZero: context.isFile && !isHalfMade })
  context.log.info({ volume: volume.id, fsType: system.type }, 'volume formatted')
  return { system, isNew: true }
}

/** That nobody can have written anything to it, which nobody said of it: it is read whole. */
async function requireZeros(volume: AttachedVolume, device: string, { signal, programs }: ReadyContext): Promise<void> {
  if (!volume.maybeBlank) throw new Error('It holds no file system, and is not known to be empty.')
  const size = await sizeOf(device)
  if (size > mostRead) {
    throw new Error(
      'It holds no file system and is too large to be read whole, so it is not known to be empty; give it one yourself.',
    )
  }
  try {
    await programs.run('cmp', ['--silent', '--bytes', String(size), device, '/dev/zero'], signal)
  } catch (error) {
    if (!(error instanceof ProgramError) || error.exitCode !== 1) throw error
    throw new Error('It holds no file system, but it holds something: it is not formatted.', { cause: error })
  }
}

function mayBeBlank({ blank, maybeBlank = false }: AttachedVolume): boolean {
  return blank || maybeBlank
}

/** The one on a device that is mounted. */
export async function fileSystemNow(device: string, programs: Programs): Promise<FileSystem> {
  const found = await signatureOf(device, programs)
  if (found.kind === 'file-system') return fileSystemOf(found.type)
  throw new Error('Its device has lost its file system.')
}
