import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { callEngine, openEngineCall } from './engine/engine-call.ts'
import { systemPath } from './engine/install-engine.ts'
import { type TarEntry, tar } from './tar.ts'
import { unfit } from './unfit.ts'

const exec = promisify(execFile)

export const sampleImage = 'busybox:latest'

export async function hasSampleImage(socket: string, signal: AbortSignal): Promise<boolean> {
  const { status } = await callEngine(socket, { path: `/images/${sampleImage}/json`, timeoutMs: 10_000, signal })
  return status === 200
}

/** Gives the engine `busybox:latest`: pulled if a registry is in reach, else made from this machine's own busybox. */
export async function provideSampleImage(
  socket: string,
  say: (detail: string) => void,
  signal: AbortSignal,
): Promise<'pulled' | 'made'> {
  say('looking for a registry')
  if (await isReachable('registry-1.docker.io', 443, 3000)) {
    say('pulling')
    if (await pull(socket, signal)) return 'pulled'
  }
  say('making it from this machine’s busybox')
  await importImage(socket, await staticBusybox(signal), signal)
  return 'made'
}

/** Whether a TCP connection can be made within `timeoutMs`, name look-up included. */
export async function isReachable(host: string, port: number, timeoutMs: number): Promise<boolean> {
  return await new Promise((answer) => {
    const socket = connect({ host, port })
    const end = (reachable: boolean): void => {
      clearTimeout(late)
      socket.destroy()
      answer(reachable)
    }
    const late = setTimeout(() => end(false), timeoutMs)
    socket.on('error', () => end(false)).on('connect', () => end(true))
  })
}

async function pull(socket: string, signal: AbortSignal): Promise<boolean> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(60_000)])
  try {
    const response = await openEngineCall(socket, {
      method: 'POST',
      path: '/images/create?fromImage=busybox&tag=latest',
      signal: limit,
    })
    // The engine reports trouble in the stream of a 200; whether the image is there is what counts.
    await text(response)
    return await hasSampleImage(socket, signal)
  } catch {
    signal.throwIfAborted()
    return false
  }
}

async function importImage(socket: string, busybox: Buffer, signal: AbortSignal): Promise<void> {
  const changes = ['CMD ["sh"]', 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin']
  const query = new URLSearchParams([
    ['fromSrc', '-'],
    ['repo', 'busybox'],
    ['tag', 'latest'],
    ['message', "made from this machine's own busybox"],
    ...changes.map((change): [string, string] => ['changes', change]),
  ])
  const { status, body } = await callEngine(socket, {
    method: 'POST',
    path: `/images/create?${query.toString()}`,
    body: tar(await rootfs(busybox)),
    signal,
  })
  if (status !== 200 || !(await hasSampleImage(socket, signal)))
    throw new Error(`the engine did not import the sample image (${status}): ${body.toString()}`)
}

/** A root file system with nothing but busybox and its applets. */
async function rootfs(busybox: Buffer): Promise<TarEntry[]> {
  const folder = (path: string, mode = 0o755): TarEntry => ({ kind: 'folder', path, mode })
  const file = (path: string, content: string): TarEntry => ({
    kind: 'file',
    path,
    mode: 0o644,
    content: Buffer.from(content),
  })
  return [
    ...['bin/', 'dev/', 'etc/', 'proc/', 'sys/', 'usr/', 'var/'].map((path) => folder(path)),
    folder('root/', 0o700),
    folder('tmp/', 0o1777),
    file('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n'),
    file('etc/group', 'root:x:0:\nnogroup:x:65534:\n'),
    { kind: 'file', path: 'bin/busybox', mode: 0o755, content: busybox },
    ...(await applets(busybox)).map((name): TarEntry => ({ kind: 'link', path: `bin/${name}`, target: 'busybox' })),
  ]
}

async function applets(busybox: Buffer): Promise<string[]> {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'busybox')
  await writeFile(path, busybox, { mode: 0o700 })
  const { stdout } = await exec(path, ['--list'])
  return stdout.split('\n').filter((name) => name !== '' && name !== 'busybox')
}

/** This machine's busybox if it needs no shared library; else Debian's static one, unpacked from its package, not installed. */
async function staticBusybox(signal: AbortSignal): Promise<Buffer> {
  for (const path of ['/bin/busybox', '/usr/bin/busybox', '/bin/busybox.static']) {
    const content = await readFile(path).catch(() => undefined)
    if (content && isStatic(content)) return content
  }
  try {
    await using folder = await temporaryFolder()
    const options = { cwd: folder.path, signal, env: { ...process.env, PATH: systemPath(), LC_ALL: 'C' } }
    await exec(
      'sh',
      ['-ec', 'apt-get -q -o APT::Sandbox::User=root download busybox-static; dpkg-deb -x busybox-static_*.deb .'],
      options,
    )
    return await readFile(join(folder.path, 'bin/busybox')).catch(() => readFile(join(folder.path, 'usr/bin/busybox')))
  } catch (error) {
    signal.throwIfAborted()
    throw unfit(
      'There is no image for the sample container: no registry is in reach and this machine has no static busybox.',
      'Install it with `apt-get install busybox-static`, or start with --no-sample.',
      error,
    )
  }
}

/** Whether a 64-bit little-endian ELF program runs without a loader (has no PT_INTERP header). */
export function isStatic(elf: Buffer): boolean {
  if (elf.length < 64 || elf.readUInt32BE(0) !== 0x7f454c46 || elf[4] !== 2 || elf[5] !== 1) return false
  const table = Number(elf.readBigUInt64LE(32))
  const [size, count] = [elf.readUInt16LE(54), elf.readUInt16LE(56)]
  for (let index = 0; index < count; index += 1) if (elf.readUInt32LE(table + index * size) === 3) return false
  return true
}

async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'gantry-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
