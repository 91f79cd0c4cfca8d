import { open } from 'node:fs/promises'
import { sizeOf } from './loop-devices.ts'
import { ProgramError, type Programs } from '../run-program.ts'

const mib = 2 ** 20

/** What the beginning and the end of a device say about what is on it. */
export type Signature =
  | { readonly kind: 'none' }
  | { readonly kind: 'file-system'; readonly type: string; readonly label: string }
  /** A table of partitions, a part of a RAID, something encrypted, several at once …; `what` for a sentence. */
  | { readonly kind: 'other'; readonly what: string }

/** `device` may be in use. Rejects if it cannot be read: what is not known must not be taken for nothing. */
export async function signatureOf(device: string, { run }: Programs): Promise<Signature> {
  await readEnds(device)
  try {
    return signatureIn(await run('blkid', ['--probe', '--output', 'export', device]))
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error
    // Of `blkid`: 2, nothing was found, and then it says nothing; 8, more than one.
    if (error.exitCode === 2 && error.message.startsWith('Command failed')) return { kind: 'none' }
    if (error.exitCode === 8) return { kind: 'other', what: 'more than one signature' }
    throw error
  }
}

/** Reads what `blkid --output export` prints. Pure. */
export function signatureIn(text: string): Signature {
  const found = new Map(
    text.split('\n').map((line) => {
      const at = line.indexOf('=')
      return [line.slice(0, at), line.slice(at + 1)]
    }),
  )
  const type = found.get('TYPE')
  const table = found.get('PTTYPE')
  if (type === undefined) {
    return { kind: 'other', what: table === undefined ? 'an unknown signature' : `a ${table} partition table` }
  }
  if (found.get('USAGE') === 'filesystem') return { kind: 'file-system', type, label: found.get('LABEL') ?? '' }
  return { kind: 'other', what: `a signature of ${type}` }
}

/** `blkid` says of a device with broken ends that there is nothing on it. */
async function readEnds(device: string): Promise<void> {
  const size = await sizeOf(device)
  if (size < 2 * mib) throw new Error('The storage gave a device that is too small for a file system.')
  const file = await open(device, 'r')
  try {
    const bytes = Buffer.alloc(mib)
    for (const position of [0, size - mib]) await file.read(bytes, 0, mib, position)
  } finally {
    await file.close()
  }
}
