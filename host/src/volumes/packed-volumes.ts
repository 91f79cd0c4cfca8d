import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstat, rm } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { type Readable, Transform, type Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib'
import type { DiskImages } from './disk-images.ts'
import type { KeyLocks } from './key-locks.ts'
import { ProgramError } from './run-program.ts'
import type { StateFolders } from './state-folders.ts'
import type { VolumeMounts } from './volume-mounts.ts'
import { fileIn, isThere } from './volume-store.ts'

/** Volumes of this host as streams: a tar, zstd-compressed, with one sparse file. */
export interface PackedVolumes {
  /** A volume as it is now; its writers wait while it is copied, not while it is read. */
  read(id: string, signal: AbortSignal): Promise<Readable>
  /** Makes a volume of `size` GiB of what `read` gave, if all of `input` has that SHA-256 (hex). Rejects if it is there. */
  write(
    volume: { readonly id: string; readonly size: number; readonly sha256: string },
    input: Readable,
    signal: AbortSignal,
  ): Promise<void>
}

export interface PackedParts {
  readonly folders: StateFolders
  readonly images: DiskImages
  readonly mounts: VolumeMounts
  readonly locks: KeyLocks
}

export function packedVolumes({ folders, images, mounts, locks }: PackedParts): PackedVolumes {
  const pathOf = (id: string) => fileIn(folders, { kind: 'volume', id })

  return {
    read: async (id, signal) => {
      const copy = await locks.run([id], async () => {
        const file = pathOf(id)
        if (!(await isThere(file))) throw new Error('Its data is missing on the host.')
        return images.copyAside({ file, point: await mounts.pointOf(id) }, signal)
      })
      const output = packed(copy, signal)
      const tidy = () => rm(dirname(copy), { recursive: true, force: true })
      finished(output)
        .then(tidy, tidy)
        .catch(() => undefined)
      return output
    },
    write: ({ id, size, sha256 }, input, signal) =>
      locks.run([id], async () => {
        const file = pathOf(id)
        if (await isThere(file)) throw new Error('It is on the host already.')
        await images.makeFrom(file, size, (draft) => unpack(draft, sha256, input, signal), signal)
      }),
  }
}

/** Ends only when `tar` has ended well. */
function packed(file: string, signal: AbortSignal): Readable {
  const args = ['--create', '--sparse', '--file=-', '--directory', dirname(file), basename(file)]
  const tar = packing(args, signal)
  const whole = new Transform({
    transform: (chunk, _encoding, done) => done(null, chunk),
    flush: (done) => void tar.ended.then(() => done(), done),
  })
  const output = createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } })
  // Whoever reads `output` is told by it.
  pipeline(tar.output, whole, output).catch(() => void tar.child.kill('SIGKILL'))
  return output
}

async function unpack(draft: string, sha256: string, input: Readable, signal: AbortSignal): Promise<void> {
  const hash = createHash('sha256')
  const hashed = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      hash.update(chunk)
      done(null, chunk)
    },
  })
  const tar = unpacking(['--extract', '--sparse', '--file=-', '--directory', dirname(draft), basename(draft)], signal)
  try {
    await pipeline(input, hashed, createZstdDecompress(), tar.input, { signal })
  } catch (error) {
    // `tar` reads no further: what it says of that tells more.
    if (error instanceof Error && 'code' in error && readsNoFurther.has(error.code)) await tar.ended
    tar.child.kill('SIGKILL')
    await tar.ended.catch(() => undefined)
    throw error
  }
  await tar.ended
  if (hash.digest('hex') !== sha256) throw new Error('The backup is damaged: its content has changed.')
  if (!(await lstat(draft)).isFile()) throw new Error('The backup is damaged: it holds no disk.')
}

const readsNoFurther = new Set<unknown>(['EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'])

interface Tar {
  readonly child: ChildProcess
  /** Rejects with a `ProgramError` unless it ended well. */
  readonly ended: Promise<void>
}

/** `tar` ends with the last member, and whoever still writes what fills the archive up would find nobody reading. */
const tarToTheEnd = 'tar "$@" && cat > /dev/null'

/** They never outlive this process: what `tar` reads or writes ends with it. */
function packing(args: readonly string[], signal: AbortSignal): Tar & { readonly output: Readable } {
  const child = spawn('setpriv', [...dyingWithUs, 'tar', ...args], {
    ...options(signal),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return { child, output: child.stdout, ended: endOf(child, child.stderr) }
}

function unpacking(args: readonly string[], signal: AbortSignal): Tar & { readonly input: Writable } {
  const program = ['sh', '-c', tarToTheEnd, 'sh', ...args]
  const child = spawn('setpriv', [...dyingWithUs, ...program], {
    ...options(signal),
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  return { child, input: child.stdin, ended: endOf(child, child.stderr) }
}

const dyingWithUs = ['--pdeathsig', 'KILL', '--']

function options(signal: AbortSignal) {
  return { env: { ...process.env, LC_ALL: 'C' }, signal, killSignal: 'SIGKILL' } as const
}

function endOf(child: ChildProcess, stderr: Readable): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const said: Buffer[] = []
  stderr.on('data', (chunk: Buffer) => {
    if (said.length < 10) said.push(chunk)
  })
  child.once('error', (error) => reject(new ProgramError('tar', null, error.message)))
  child.once('close', (code) => {
    const text = Buffer.concat(said).toString('utf8').trim()
    if (code === 0) resolve()
    else reject(new ProgramError('tar', code, text || 'it was ended'))
  })
  // Told where it is awaited.
  promise.catch(() => undefined)
  return promise
}
