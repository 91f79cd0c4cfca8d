import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { limiter } from '@gantry/kernel'
import { expect, test } from 'vitest'
import { programsUnder } from '../run-program.ts'
import { type AttachedWorld, never, openAttachedWorld } from './testing/attached-world.ts'
import { type DeadlyPrograms, deadlyPrograms, type Moment } from './testing/deadly-programs.ts'

const busyMachine = fileURLToPath(new URL('testing/busy-machine.ts', import.meta.url))

/** `unmount`: nobody wants it any more when the next process comes. `mount`: a container does. */
type Next = 'unmount' | 'mount'

interface Cut {
  readonly fsType: string
  /** The how manyeth program the process is killed by. */
  readonly at: number
  readonly moment: Moment
  readonly next: Next
}

/** Needs root. Each round has a storage and machines of its own. */
test('a process killed at any program it starts leaves nothing, loses nothing, and formats nothing twice', {
  timeout: 240_000,
}, async () => {
  const calls = await wholeLife('ext4')
  expect(calls).toContain('mkfs.ext4')
  const numbers = calls.map((_, index) => index + 1)
  const cuts = numbers.flatMap((at): Cut[] => [
    { fsType: 'ext4', at, moment: 'before', next: at % 2 === 0 ? 'mount' : 'unmount' },
    { fsType: 'ext4', at, moment: 'after', next: at % 2 === 0 ? 'unmount' : 'mount' },
  ])
  await walk(cuts)
})

test.each(['ext4', 'xfs', 'btrfs'])(
  'a process killed while it makes or readies a file system of the kind %s',
  {
    timeout: 120_000,
  },
  async (fsType) => {
    const calls = await wholeLife(fsType)
    const making = calls.indexOf(`mkfs.${fsType}`) + 1
    await walk(
      [making, making + 1].flatMap((at) =>
        (['during', 'after', 'before'] as const).map((moment): Cut => ({ fsType, at, moment, next: 'mount' })),
      ),
    )
  },
)

/** Resolves with the programs that a process starts which nobody kills. */
async function wholeLife(fsType: string): Promise<string[]> {
  const world = await openAttachedWorld()
  try {
    const programs = await deadlyPrograms(join(world.folder, 'programs'))
    const { code } = await live(world, programs, { fsType, at: 0, moment: 'before', next: 'mount' })
    expect(code).toBe(0)
    world.machine('one')
    await world.expectNothingLeft()
    return await programs.started()
  } finally {
    await world.end()
  }
}

async function walk(cuts: readonly Cut[]): Promise<void> {
  const limited = limiter(3)
  const told: string[] = []
  const rounds = cuts.map((cut) =>
    limited(async () => {
      await survive(cut).catch((error: unknown) => {
        told.push(`${JSON.stringify(cut)}: ${error instanceof Error ? error.stack : String(error)}`)
      })
    }),
  )
  await Promise.all(rounds)
  expect(told).toEqual([])
}

async function survive(cut: Cut): Promise<void> {
  const world = await openAttachedWorld()
  try {
    const programs = await deadlyPrograms(join(world.folder, 'programs'))
    const { isWritten, signal } = await live(world, programs, cut)
    expect(signal).toBe('SIGKILL')
    await programsUnder(join(world.folder, 'one', 'programs.lock')).allEnded()

    const next = world.machine('one')
    const volume = world.volume('one', 'v1', { fsType: cut.fsType })
    if (cut.next === 'unmount') {
      for (const id of await next.list()) await next.unmount(id)
      await world.expectNothingLeft()
    }
    await next.mount(volume, never)
    const note = join(volume.point, 'note')
    // Written and flushed is there; no file system was made after that.
    if (isWritten) expect(await readFile(note, 'utf8')).toBe('kept')
    expect(existsSync(join(volume.point, 'lost+found'))).toBe(false)
    await writeFile(note, 'later')
    await next.unmount('v1')
    await world.expectNothingLeft()

    const other = world.machine('two')
    const there = world.volume('two', 'v1', { blank: false })
    await other.mount(there, never)
    expect(await readFile(join(there.point, 'note'), 'utf8')).toBe('later')
    await other.unmount('v1')
    await world.expectNothingLeft()
    if (cut.fsType === 'ext4')
      execFileSync('e2fsck', ['-f', '-n', join(world.folder, 'storage', 'v1')], { stdio: 'pipe' })
    expect(world.warnings).toEqual([])
  } finally {
    await world.end()
  }
}

async function live(world: AttachedWorld, programs: DeadlyPrograms, { fsType, at, moment }: Cut) {
  await world.newFile('v1')
  const volume = world.volume('one', 'v1', { fsType })
  const child = spawn(process.execPath, [busyMachine, join(world.folder, 'one'), JSON.stringify(volume)], {
    env: programs.env(at, moment),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { code, signal, isWritten: said.includes('written') }
}
