import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@gantry/kernel'
import { expect, test } from 'vitest'
import { hostVolumes } from './host-volumes.ts'
import { mountPoints } from './mount-table.ts'

const busyAgent = fileURLToPath(new URL('testing/busy-agent.ts', import.meta.url))

/** Needs root. Another agent takes over the folder at once, as the supervisor of a service would have it. */
test('an agent that is killed at any moment leaves whole file systems only, and nothing mounted that nobody holds', {
  timeout: 120_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-volumes-'))
  try {
    let whole = 0
    for (let round = 0; round < 8; round += 1) {
      await killAfter(folder, round, { steps: 1 + 2 * round, ms: (5 * round) % 17 })
      whole += await takeOver(folder)
    }
    expect(whole).toBeGreaterThan(5)
  } finally {
    for (const point of await pointsIn(folder)) execFileSync('umount', ['--lazy', point])
    await rm(folder, { recursive: true, force: true })
  }
})

async function killAfter(folder: string, round: number, moment: { steps: number; ms: number }): Promise<void> {
  const agent = spawn(process.execPath, [busyAgent, folder, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface(agent.stdout)
  for (let step = 0; step < moment.steps; step += 1) await once(lines, 'line')
  // Not a wait for anything: the moment of the kill is what varies.
  await sleep(moment.ms)
  const ended = once(agent, 'exit')
  agent.kill('SIGKILL')
  await ended
}

/** Resolves with how many file systems were found whole; they are taken away. */
async function takeOver(folder: string): Promise<number> {
  const life = new AbortController()
  const warnings: unknown[] = []
  const warn = (fields: object, message: string) => warnings.push({ ...fields, message })
  const log = { debug: () => {}, info: () => {}, warn, error: warn }
  const volumes = hostVolumes({ stateDir: folder, log, clock: systemClock, report: () => {}, signal: life.signal })
  const held = await volumes.held()
  expect(warnings).toEqual([])
  expect((await pointsIn(folder)).length).toBeLessThanOrEqual(held.length)
  for (const id of held) await volumes.release(id)
  expect(await pointsIn(folder)).toEqual([])
  for (const name of ['mounts', 'making', 'held']) expect(readdirSync(join(folder, name))).toEqual([])
  let whole = 0
  for (const name of ['volumes', 'snapshots']) {
    for (const file of readdirSync(join(folder, name))) {
      const path = join(folder, name, file)
      // Forced, and changing nothing: a file system that was not complete, or copied while it was written, would show.
      const check = ['-f', '-n', path]
      expect(() => execFileSync('e2fsck', check, { stdio: 'pipe' }), file).not.toThrow()
      await rm(path)
      whole += 1
    }
  }
  // A file system that is left frozen when it is unmounted would keep its loop device for ever.
  const loops = () => execFileSync('losetup', ['-n', '-l', '-O', 'BACK-FILE'], { encoding: 'utf8' })
  await expect.poll(loops, { timeout: 10_000 }).not.toContain(folder)
  life.abort(new Error('the round is over'))
  return whole
}

async function pointsIn(folder: string): Promise<string[]> {
  return (await mountPoints()).filter((point) => point.startsWith(`${folder}/`))
}
